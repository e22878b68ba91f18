package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opendmp/directory"
	"opendmp/fhir"
)

const inventedDirectory = "../../directory/testdata/PS_LibreAcces_Personne_activite_invente.txt"

// A sandbox has its cast as a directory, for whoever has a token, in JSON and XML; a
// file takes its place.
func TestSandboxDirectory(t *testing.T) {
	for _, c := range []struct{ file, query, name string }{
		{"", "Practitioner?name=leroy", "Sophie"},
		{inventedDirectory, "Practitioner?name=meddah", "Leïla"},
	} {
		base := directoryServer(t, settings{Data: t.TempDir(), Sandbox: true, Annuaire: c.file})
		for _, accept := range []string{"application/fhir+json", "application/fhir+xml"} {
			for as, want := range map[string]int{"patient-alix": 200, "pharmacien-dubois": 200, "": 401} {
				status, body := look(t, base, as, c.query, accept)
				if status != want || want == 200 && !strings.Contains(body, c.name) {
					t.Errorf("%s as %q: %d %s", c.query, as, status, body)
				}
			}
		}
	}
}

// directoryServer serves a sandbox, without the story of its records, and returns its
// root.
func directoryServer(t *testing.T, s settings) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	root := "http://" + l.Addr().String()
	log := slog.New(slog.DiscardHandler)
	p, signer, err := sandboxPlan(s, root+"/fhir", log)
	if err == nil {
		p, err = p.withDirectory(s, log)
	}
	if err == nil {
		err = prepare(t.Context(), p.data, p.engine)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.extra = sandboxRoutes(signer, []byte("{}"), ownHosts(p.base, false))
	i, err := assemble(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return root
}

// look asks as a persona, as nobody for "".
func look(t *testing.T, root, as, query, accept string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, root+"/fhir/"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+sandboxToken(t, root, as))
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == http.StatusOK && !strings.HasPrefix(res.Header.Get("Content-Type"), accept) {
		t.Errorf("%s, asked for %s", res.Header.Get("Content-Type"), accept)
	}
	return res.StatusCode, body.String()
}

func sandboxToken(t *testing.T, root, as string) string {
	t.Helper()
	res, err := http.Post(root+tokenPath, "application/x-www-form-urlencoded", strings.NewReader("as="+as))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&token); err != nil || token.Access == "" {
		t.Fatalf("%d: %v", res.StatusCode, err)
	}
	return token.Access
}

// What /metadata declares of the directory is answered, and nothing else is: no other
// parameter, no modifier, no order, no inclusion.
func TestMetadataDirectory(t *testing.T) {
	root := directoryServer(t, settings{Data: t.TempDir(), Sandbox: true})
	_, statement := look(t, root, "", "metadata", "application/fhir+json")
	var d declared
	if err := json.Unmarshal([]byte(statement), &d); err != nil {
		t.Fatal(err)
	}
	who := map[string]string{"Practitioner": "name", "PractitionerRole": "practitioner.name", "Organization": "name"}
	seen := 0
	for _, typ := range d.Rest[0].Resource {
		if !fhir.OfDirectory(typ.Type) {
			continue
		}
		seen++
		ask := func(query string, want int) {
			t.Helper()
			if got, body := look(t, root, "patient-alix", typ.Type+"?"+query, "application/fhir+json"); got != want {
				t.Errorf("%s?%s: %d, want %d\n%.300s", typ.Type, query, got, want, body)
			}
		}
		named := who[typ.Type] + "=martin"
		for _, p := range typ.SearchParam {
			query := p.Name + "=nothing"
			if p.Name != who[typ.Type] && p.Name != "_id" {
				query = named + "&" + query
			}
			ask(query, http.StatusOK)
			for _, modifier := range []string{":not", ":exact", ":contains", ":missing", ":in", ":foo"} {
				ask(named+"&"+p.Name+modifier+"=true", http.StatusBadRequest)
			}
		}
		for _, include := range typ.SearchInclude {
			ask(named+"&_include="+include, http.StatusOK)
		}
		for _, other := range []string{"active=true", "phonetic=x", "patient=x", "_lastUpdated=2026", "_sort=name", "_sort=_id", "_revinclude=PractitionerRole:practitioner", "_include=*", "_has:PractitionerRole:practitioner:role=10"} {
			ask(named+"&"+other, http.StatusBadRequest)
		}
		if len(typ.Interaction) != 2 || len(typ.Operation) != 0 || len(typ.SearchRevInclude) != 0 {
			t.Errorf("%+v", typ)
		}
	}
	if seen != len(who) {
		t.Errorf("%d types of a directory are declared", seen)
	}
}

// A real service without the setting has no directory; with one that cannot be read it
// does not start, and says at which line.
func TestDirectorySetting(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	if p, err := (plan{}).withDirectory(settings{}, log); err != nil || p.directory != nil || p.work != nil {
		t.Errorf("without the setting: %v, %v", p.directory, err)
	}
	p, err := plan{}.withDirectory(settings{Annuaire: inventedDirectory}, log)
	if _, ok := p.directory.(*directory.File); err != nil || !ok || len(p.work) != 1 {
		t.Errorf("with a file: %T, %v", p.directory, err)
	}
	whole, err := os.ReadFile(inventedDirectory)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "annuaire.txt")
	if err := os.WriteFile(broken, append(whole, "rien\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (plan{}).withDirectory(settings{Annuaire: broken}, log); err == nil || !strings.Contains(err.Error(), "annuaire: ") || !strings.Contains(err.Error(), "line 11") {
		t.Errorf("a broken file: %v", err)
	}
	for name, want := range map[string]string{"": "", inventedDirectory: "", t.TempDir(): "annuaire: ", broken + "x": "annuaire: "} {
		var f faults
		settings{Annuaire: name}.inspectDirectory(&f)
		if err := f.err(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
