package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opendmp/sandbox"
)

// command runs a command line and returns what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := rootCommand()
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(context.Background())
	return out.String(), err
}

func TestVersionAndHelp(t *testing.T) {
	if out, err := command(t, "version"); err != nil || !strings.HasPrefix(out, "dmpd ") {
		t.Errorf("%q %v", out, err)
	}
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"token", "--help"}, {"bench", "--help"}, {"demo", "--help"}, {"init", "--help"}} {
		out, err := command(t, args...)
		if err != nil || len(out) < 200 {
			t.Errorf("%v: %q %v", args, out, err)
		}
	}
	for _, args := range [][]string{{"nonsense"}, {"sandbox", "nonsense"}, {"version", "x"}, {"serve", "--nonsense"}} {
		if out, err := command(t, args...); err == nil {
			t.Errorf("%v: accepted: %s", args, out)
		}
	}
}

func TestTokenCommand(t *testing.T) {
	openWorld(t)
	out, err := command(t, "token", "--as", "medecin-martin", "--data", shared.data)
	if token := strings.TrimSuffix(out, "\n"); err != nil || strings.Count(token, ".") != 2 || strings.ContainsAny(token, " \n") {
		t.Errorf("printed %q, %v", out, err)
	}
	_, err = command(t, "token", "--as", "nobody", "--data", shared.data)
	if err == nil {
		t.Fatal("an unknown persona gets a token")
	}
	for _, p := range sandbox.Personas() {
		if !strings.Contains(err.Error(), p.Key) {
			t.Errorf("the refusal does not name %s", p.Key)
		}
	}
	empty := t.TempDir()
	for _, args := range [][]string{{"token", "--as", "medecin-martin"}, {"sandbox", "ids"}} {
		if _, err := command(t, append(args, "--data", empty)...); err == nil || !strings.Contains(err.Error(), "serve --sandbox") {
			t.Errorf("%v without a sandbox: %v", args, err)
		}
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("made %v %v", left, err)
	}
}

func TestSandboxIDs(t *testing.T) {
	w := openWorld(t)
	printed, err := command(t, "sandbox", "ids", "--data", shared.data)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(strings.TrimSuffix(w.base, "/fhir") + "/sandbox/ids")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	served, err := io.ReadAll(res.Body)
	if err != nil || string(served) != printed {
		t.Errorf("the command and the server differ (%v)", err)
	}
	var all []who
	if err := json.Unmarshal(served, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(sandbox.Personas()) {
		t.Errorf("%d personas", len(all))
	}
	seen := map[string]bool{}
	for _, w := range all {
		if strings.HasPrefix(w.Persona, "patient-") && w.Persona != "patient-farid" && w.Patient == "" {
			t.Errorf("%s has no record", w.Persona)
		}
		for key, id := range w.Documents {
			if id == "" || seen[id] {
				t.Errorf("%s has the id %q", key, id)
			}
			seen[id] = true
		}
	}
	if !seen["doc-x-id"] {
		t.Error("the published document has not its id")
	}
}

func TestSandboxToken(t *testing.T) {
	w := openWorld(t)
	ask := func(form url.Values) (*http.Response, string) {
		res, err := http.PostForm(strings.TrimSuffix(w.base, "/fhir")+"/sandbox/token", form)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(b)
	}
	res, body := ask(url.Values{"as": {"medecin-martin"}})
	var answer struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || res.StatusCode != 200 || answer.Type != "Bearer" || answer.Expires != 3600 {
		t.Fatalf("%d %s %v", res.StatusCode, body, err)
	}
	r, err := http.NewRequest("GET", w.base+"/Patient?identifier=urn:oid:1.2.250.1.213.1.4.10%7C285047511200116", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+answer.Token)
	found, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	found.Body.Close()
	if found.StatusCode != 200 {
		t.Errorf("the token is answered %d", found.StatusCode)
	}
	if res, body := ask(url.Values{"as": {"nobody"}}); res.StatusCode != 400 || !strings.Contains(body, "OperationOutcome") || !strings.Contains(body, "medecin-martin") {
		t.Errorf("unknown persona: %d %s", res.StatusCode, body)
	}
	// A token of a persona in a URL is a token in a log.
	res, err = http.Get(strings.TrimSuffix(w.base, "/fhir") + "/sandbox/token?as=medecin-martin")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 405 {
		t.Errorf("GET: %d", res.StatusCode)
	}
}

// realService is a folder made by dmpd init and settings that a real service
// starts with.
func realService(t *testing.T) settings {
	t.Helper()
	dir := t.TempDir()
	if out, err := command(t, "init", "--data", filepath.Join(dir, "data")); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(dir, "keys")
	if err := os.Mkdir(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "k1.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return settings{
		Addr: "127.0.0.1:0", Data: filepath.Join(dir, "data"), Base: "https://dmp.example.org/fhir",
		Issuer: "https://id.example.org", Audience: "https://dmp.example.org/fhir", IssuerKeys: keys,
		Matrix: "../../policy/matrix/sandbox",
	}
}

func TestRealServiceHasNoSandbox(t *testing.T) {
	s := realService(t)
	p, err := realPlan(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p.clear = true // what is not there must be missed by its route, not by its listener
	i, err := assemble(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.serve(ctx, l) }()
	for path, status := range map[string]int{"/health": 200, "/fhir/metadata": 200, "/sandbox/ids": 404, "/sandbox/token": 404} {
		res, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, status)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServiceRefusesWrongFolders(t *testing.T) {
	s := realService(t)
	log := slog.New(slog.DiscardHandler)
	if _, err := command(t, "init", "--data", s.Data); err == nil {
		t.Error("init writes over a service")
	}
	// A sandbox does not take over the folder of a service.
	p, signer, err := sandboxPlan(settings{Data: s.Data}, "http://127.0.0.1:1/fhir", log)
	if err != nil {
		t.Fatal(err)
	}
	if err := load(context.Background(), p, signer, io.Discard); err == nil || !strings.Contains(err.Error(), "no sandbox") {
		t.Errorf("a sandbox takes over a service: %v", err)
	}
	// A service does not begin an empty record in a folder that it was given by
	// mistake.
	s.Data = t.TempDir()
	real, err := realPlan(s, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := assemble(context.Background(), real); err == nil {
		t.Error("an empty folder is taken for a service's")
	}
	s.IssuerKeys = t.TempDir()
	if _, err := realPlan(s, log); err == nil {
		t.Error("a service starts without keys of its issuer")
	}
}

// A load that was cut short is begun anew, whatever the sandbox will refuse to others.
func TestSandboxLoadIsWholeOrBegunAnew(t *testing.T) {
	data := t.TempDir()
	p, signer, err := sandboxPlan(settings{Data: data, CDA: "refuser", Claims: "refuser", Codes: "refuser"}, "http://127.0.0.1:1/fhir", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cut := time.AfterFunc(50*time.Millisecond, cancel)
	defer cut.Stop()
	if err := load(ctx, p, signer, io.Discard); err == nil {
		t.Skip("loaded in less than 50 ms")
	}
	if exists(idsFile(data)) {
		t.Fatal("a load that was cut short is taken for a whole one")
	}
	if err := load(context.Background(), p, signer, io.Discard); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(idsFile(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := load(context.Background(), p, signer, io.Discard); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(idsFile(data)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("loaded twice (%v)", err)
	}
	filesAreOurs(t, data)
}

// filesAreOurs checks that nobody else may read what is kept.
func filesAreOurs(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
