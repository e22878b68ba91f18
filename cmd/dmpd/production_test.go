package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/issuer"
	"opendmp/sandbox"
	"opendmp/sandbox/idp"
	"opendmp/server"
)

// production is a folder as the README's section on it leaves it, with the test PKI in
// the place of that of the IGC-Santé.
type production struct {
	t        *testing.T
	dir      string
	settings map[string]any
	pki      testPKI
	signer   *auth.Signer // of the issuer
}

const productionFile = "production.json"

// newProduction makes the folder by the commands of the README.
func newProduction(t *testing.T) *production {
	t.Helper()
	p := &production{t: t, dir: t.TempDir()}
	for _, name := range []string{productionFile, "production-clients.json", "production-hopital.json"} {
		p.write(name, string(readFile(t, "../../docs/examples/"+name)))
	}
	check(t, json.Unmarshal(readFile(t, p.path(productionFile)), &p.settings))
	p.pki = testPKI{t, p.path("tls")}
	check(t, p.pki.at(time.Now).Init())
	check(t, p.pki.at(time.Now).IssueServer("dmp.example.org", "patients.dmp.example.org", "localhost", "127.0.0.1"))
	p.write("psc-secret", "not a secret of anybody\n")
	p.publishKey()
	for _, line := range productionCommands(t) {
		switch {
		case strings.HasPrefix(line, "dmpd matrix import"):
			check(t, os.CopyFS(p.path("matrix"), os.DirFS("../../policy/matrix/sandbox")))
		case !strings.HasPrefix(line, "dmpd serve"):
			if out, code := p.run(line); code != 0 {
				t.Fatalf("%s: exit %d: %s", line, code, out)
			}
		}
	}
	return p
}

// productionCommands are those of the README's section.
func productionCommands(t *testing.T) []string {
	t.Helper()
	_, section, found := strings.Cut(string(readFile(t, "../../README.md")), "\n## In production\n")
	_, block, opened := strings.Cut(section, "```sh\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !opened || !closed {
		t.Fatal("the README has no commands for production")
	}
	var lines []string
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, " # ")
		lines = append(lines, strings.TrimSpace(line))
	}
	if len(lines) != 4 || lines[3] != "dmpd serve --settings "+productionFile {
		t.Fatalf("the commands are %q", lines)
	}
	return lines
}

func (p *production) path(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

func (p *production) write(name, text string) {
	p.t.Helper()
	check(p.t, os.MkdirAll(filepath.Dir(p.path(name)), 0o700))
	check(p.t, os.WriteFile(p.path(name), []byte(text), 0o600))
}

// publishKey makes the key of the issuer, and puts its public half where it belongs.
func (p *production) publishKey() {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(p.t, err)
	p.signer, err = auth.NewSigner(key, p.settings["issuer"].(string), p.settings["audience"].(string), time.Now, rand.Reader)
	check(p.t, err)
	set, err := p.signer.PublicKeySet()
	check(p.t, err)
	var keys struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	check(p.t, json.Unmarshal(set, &keys))
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	check(p.t, err)
	p.write("issuer-keys/"+keys.Keys[0].ID+".pem", string(pemOf("PUBLIC KEY", der)))
}

// command is dmpd in the folder, with arguments as on a command line.
func (p *production) command(line string) *exec.Cmd {
	p.t.Helper()
	self, err := os.Executable()
	check(p.t, err)
	cmd := exec.Command(self)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "OPENDMP_TEST_RUN="+strings.TrimPrefix(line, "dmpd "))
	return cmd
}

// run runs a command to its end.
func (p *production) run(line string) (out string, code int) {
	p.t.Helper()
	cmd := p.command(line)
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// tried are settings that a test can start with: ports of its own, and the test PKI.
func (p *production) tried() map[string]any {
	s := maps.Clone(p.settings)
	s["addr"], s["tls-pro"], s["tls-patient"], s["ca-de-test"] = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", true
	return s
}

// start serves until the test ends, and returns the address of each listener; the one in
// clear is "".
func (p *production) start() map[string]string {
	p.t.Helper()
	p.write(productionFile, jsonText(p.t, p.tried()))
	cmd := p.command("serve --settings " + productionFile)
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	check(p.t, err)
	check(p.t, cmd.Start())
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			p.t.Errorf("%v: %s", err, stderr.String())
		}
	})
	at := map[string]string{}
	line := regexp.MustCompile(`^(?:OpenDMP .* on|\s+(\S+)\s+https://)\s*(127\.0\.0\.1:\d+)`)
	for lines := bufio.NewScanner(out); len(at) < 3 && lines.Scan(); {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			at[m[1]] = m[2]
		}
	}
	if len(at) < 3 {
		p.t.Fatalf("did not start: %v %s", at, stderr.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return at
}

// as is a client of tls-pro with a certificate.
func (p *production) as(at, name string) *visitor {
	p.t.Helper()
	cert := p.pki.holder(name)
	c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: p.pki.roots(), Certificates: []tls.Certificate{cert}},
	}}
	p.t.Cleanup(c.CloseIdleConnections)
	return &visitor{t: p.t, c: c, base: "https://" + at}
}

// token is one of the issuer for a persona, bound to a certificate of theirs; of "" it is
// bound to nothing.
func (p *production) token(persona, purpose, reason, certificate string) string {
	p.t.Helper()
	who, ok := sandbox.Lookup(persona)
	if !ok {
		p.t.Fatal("no", persona)
	}
	claims := who.Claims(purpose, reason)
	if certificate != "" {
		claims.Confirmation = &auth.Confirmation{Certificate: server.Thumbprint(p.pki.holder(certificate).Leaf)}
	}
	token, err := p.signer.Sign(claims)
	check(p.t, err)
	return token
}

// asks sends a request, and returns its status and what was answered.
func (v *visitor) asks(method, path, mime, body string) (int, string) {
	v.t.Helper()
	r, err := http.NewRequest(method, v.base+path, strings.NewReader(body))
	check(v.t, err)
	if mime != "" {
		r.Header.Set("Content-Type", mime)
	}
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	res, err := v.c.Do(r)
	check(v.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	check(v.t, err)
	return res.StatusCode, string(text)
}

// The README's production starts: its hospital takes a token of our own, opens a record
// and feeds it, and a physician reads it with a token of the issuer, bound to their card.
func TestProductionStarts(t *testing.T) {
	p := newProduction(t)
	at := p.start()
	res, err := http.Get("http://" + at[""] + "/health")
	check(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("/health: %d", res.StatusCode)
	}

	if got := res.Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("in clear: HSTS %q", got)
	}

	hospital := p.as(at["tls-pro"], "org-hopital-nord")
	secured, err := hospital.get("/health")
	check(t, err)
	if h := secured.Header; h.Get("Strict-Transport-Security") == "" || len(h.Values("Server")) > 0 {
		t.Errorf("under TLS: %v", h)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"hopital-nord"}}
	status, answer := hospital.asks("POST", "/oauth2/token", "application/x-www-form-urlencoded", form.Encode())
	var given issuer.TokenResponse
	if err := json.Unmarshal([]byte(answer), &given); err != nil || status != http.StatusOK {
		t.Fatalf("token: %d %s", status, answer)
	}
	hospital.token = given.AccessToken
	const fhirJSON = "application/fhir+json"
	opening := strings.ReplaceAll(string(readFile(t, "../../docs/examples/ouverture-farid.json")), `"FIN"`, `"`+time.Now().AddDate(0, 6, 0).Format(time.DateOnly)+`"`)
	if status, body := hospital.asks("POST", "/fhir", fhirJSON, opening); status != http.StatusOK {
		t.Fatalf("opening: %d %.800s", status, body)
	}
	farid, _ := sandbox.Lookup("patient-farid")
	letter := strings.Replace(hospitalPush(auth.FormatIdent(farid.ID), "a letter"), `"1750000001"`, `"1750000101"`, 1)
	if status, body := hospital.asks("POST", "/fhir", fhirJSON, letter); status != http.StatusOK {
		t.Fatalf("push: %d %.800s", status, body)
	}

	search := "/fhir/DocumentReference?patient.identifier=" + url.QueryEscape(auth.FormatIdent(farid.ID))
	const card = "cps-medecin-martin"
	doctor := p.as(at["tls-pro"], card)
	for _, c := range []struct {
		name, token string
		want        int
	}{
		{"bound", p.token("medecin-martin", "BTG", reasonOK, card), http.StatusOK},
		{"bound to nothing", p.token("medecin-martin", "BTG", reasonOK, ""), http.StatusUnauthorized},
		{"bound to another card", p.token("medecin-martin", "BTG", reasonOK, "cps-medecin-durand"), http.StatusUnauthorized},
		{"none", "", http.StatusUnauthorized},
	} {
		doctor.token = c.token
		status, body := doctor.asks("GET", search, "", "")
		if status != c.want || status == http.StatusOK && !strings.Contains(body, `"total":1`) {
			t.Errorf("%s: %d %.600s", c.name, status, body)
		}
	}
}

// variant is a copy of the folder that a test can spoil.
func (p *production) variant(t *testing.T) *production {
	t.Helper()
	v := &production{t: t, dir: t.TempDir(), settings: p.tried(), signer: p.signer}
	check(t, os.CopyFS(v.dir, os.DirFS(p.dir)))
	check(t, filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error { // the copy is open to all
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o600)
	}))
	v.pki = testPKI{t, v.path("tls")}
	return v
}

// psc changes a part of the setting psc; nil removes it.
func (p *production) psc(name string, value any) {
	psc := maps.Clone(p.settings["psc"].(map[string]any))
	if psc[name] = value; value == nil {
		delete(psc, name)
	}
	p.settings["psc"] = psc
}

// client changes members of the client of production-clients.json.
func (p *production) client(members ...any) {
	p.t.Helper()
	var clients []map[string]any
	check(p.t, json.Unmarshal(readFile(p.t, p.path("production-clients.json")), &clients))
	for i := 0; i < len(members); i += 2 {
		clients[0][members[i].(string)] = members[i+1]
	}
	p.write("production-clients.json", jsonText(p.t, clients))
}

// spoilt are ways to spoil a production, each with words of the refusal: the name of the
// setting, and what to do.
func spoilt() map[string]struct {
	spoil func(*production)
	want  []string
} {
	type row = struct {
		spoil func(*production)
		want  []string
	}
	all := map[string]row{}
	without := func(name string, want ...string) {
		all["without "+name] = row{func(p *production) { delete(p.settings, name) }, want}
	}
	set := func(name string, value any, want ...string) {
		all[fmt.Sprintf("%s %v", name, value)] = row{func(p *production) { p.settings[name] = value }, want}
	}
	gone := func(file string, want ...string) {
		all["gone: "+file] = row{func(p *production) { check(p.t, os.RemoveAll(p.path(file))) }, want}
	}
	spoil := func(name string, how func(*production), want ...string) { all[name] = row{how, want} }

	for _, name := range []string{"base", "base-patient", "issuer", "audience", "issuer-keys", "matrix", "tls-pro"} {
		without(name, "a real service needs: "+name, "--settings")
		set(name, "", "a real service needs: "+name)
	}
	for _, name := range []string{"tls-cert", "tls-cle", "crl"} {
		without(name, "TLS needs: "+name)
	}
	spoil("without any CA", func(p *production) {
		delete(p.settings, "ca-personnes")
		delete(p.settings, "ca-organisations")
		delete(p.settings, "samu")
	}, "TLS needs: ca-organisations or ca-personnes")
	without("data", "data: ", "dmpd init")
	without("clients", "psc without clients", "name the file")
	without("psc", "psc is missing", "lps-exemple", "secret-file")
	for _, name := range []string{"issuer", "introspection", "userinfo", "client-id", "secret-file"} {
		spoil("psc without "+name, func(p *production) { p.psc(name, nil) }, "psc needs: psc."+name, "Pro Santé Connect")
	}

	gone("data", "data: ", "dmpd init")
	gone("data/keys", "data: ", "dmpd init")
	gone("data/store", "data: ", "dmpd init")
	gone("tls/serveur.pem", "tls-cert", "give the certificate")
	gone("tls/serveur.key", "tls-cle", "give the certificate")
	gone("tls/ca-personnes.pem", "ca-personnes: ", "give the CAs")
	gone("tls/ca-organisations.pem", "ca-organisations: ", "give the CAs")
	gone("tls/crl-personnes.pem", "crl: ", "fetch the list")
	gone("tls/crl-organisations.pem", "crl: ", "fetch the list")
	gone("issuer-keys", "issuer-keys: ", "public keys of the issuer")
	gone("production-clients.json", "clients: ", "JSON array")
	gone("psc-secret", "psc.secret-file: ", "write the secret")
	gone("matrix", "matrix: ", "dmpd matrix import")
	gone(productionFile, "settings file: ", "no such file")

	set("base", "http://dmp.example.org/fhir", "base: ", "https")
	set("base", "https://dmp.example.org/fhir/", "base: ", "slash")
	set("base-patient", "http://patients.example.org/fhir", "base-patient: ", "https")
	set("base-patient", "https://patients.example.org/dmp", "base-patient: ", "path /fhir")
	set("base-patient", "https://ailleurs.example.org/fhir", "tls-cert: ", "host of base-patient")
	set("issuer", "http://id.example.org", "issuer: ", "https")
	set("issuer", sandboxName, "issuer", "sandbox")
	set("audience", sandboxName, "audience", "sandbox")
	spoil("keys of the issuer over http", func(p *production) {
		delete(p.settings, "issuer-keys")
		p.settings["issuer-jwks"] = "http://id.example.org/jwks"
	}, "issuer-jwks: ", "https")
	for _, name := range []string{"issuer", "introspection", "userinfo"} {
		spoil("psc over http: "+name, func(p *production) { p.psc(name, "http://auth.example.org/x") }, "psc."+name, "https")
	}
	spoil("keys of a client over http", func(p *production) {
		p.write("production-clients.json", strings.Replace(string(readFile(p.t, "../../docs/examples/production-hopital.json")), `"scope"`, `"jwks_uri": "http://h.example.org/jwks", "scope"`, 1))
	}, "clients: ", "https")

	set("addr", "0.0.0.0:8080", "addr: ", "loopback", "tls-pro")
	set("addr", ":8080", "addr: ", "loopback", "tls-pro")
	set("addr", "192.0.2.1:8080", "addr: ", "loopback", "tls-pro")
	set("addr", "127.0.0.1", "addr ", "host:port")
	set("tls-pro", "127.0.0.1", "tls-pro: ", "host:port")
	set("ca-de-test", false, "tls-cert: ", "test PKI", "ca-de-test")
	set("matrix-unknown", "perhaps", "matrix-unknown is refuse or deny")
	set("ins-key", "perhaps", "ins-key is error")
	set("isuer", "x", "settings", "isuer")
	set("audience", "   ", "needs: audience")
	set("audience", "https://dmp.example.org/fhir ", "audience", "blanks")
	set("issuer", " https://id.example.org", "issuer", "blanks")
	set("expose-sandbox", true, "expose-sandbox: ", "remove")
	set("base", "https://a:b@dmp.example.org/fhir", "base: ", "password")
	set("base", "https://dmp.example.org/fhir?x=1", "base: ", "nothing behind")
	set("base", "https://dmp.example.org", "base: ", "path")
	set("base", "https://autre.example.org/fhir", "tls-cert: ", "host of base", "autre.example.org")
	for _, host := range []string{"localhost", "LOCALHOST.", "dmp.localhost", "127.0.0.1", "[::1]:8443", "0.0.0.0"} {
		spoil("base of this machine: "+host, func(p *production) {
			p.settings["base"], p.settings["ca-de-test"] = "https://"+host+"/fhir", false
		}, "base: ", "this machine", "ca-de-test")
	}
	for _, entry := range []string{"abc", "*", "", "CN=a, O=b", "=x", "CN=", "CN=a\\"} {
		set("samu", []any{entry}, "samu: ", "x5t#S256")
	}
	for _, name := range []string{"introspection", "userinfo"} {
		for _, url := range []string{"https://ailleurs.example.org/x", "https://auth.esw.esante.gouv.fr:8443/x"} {
			spoil("psc of another host: "+name+" "+url, func(p *production) { p.psc(name, url) }, "psc."+name+": ", "host of psc.issuer", "publishes")
		}
	}
	spoil("psc of this machine", func(p *production) {
		p.settings["ca-de-test"] = false
		for _, name := range []string{"issuer", "introspection", "userinfo"} {
			p.psc(name, "https://localhost:8090/auth")
		}
	}, "psc.issuer: ", "sandbox-idp", "ca-de-test")
	spoil("psc with the secret of the sandbox", func(p *production) {
		p.settings["ca-de-test"] = false
		p.psc("client-id", idp.ClientServer)
		p.write("psc-secret", idp.Secret+"\n")
	}, "psc.client-id, psc.secret-file: ", "sandbox-idp", "ca-de-test")
	spoil("a certificate of clients", func(p *production) {
		key, err := tls.LoadX509KeyPair(p.path("tls/org-hopital-nord.pem"), p.path("tls/org-hopital-nord.key"))
		check(p.t, err)
		if len(key.Leaf.ExtKeyUsage) != 1 || key.Leaf.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
			p.t.Fatalf("uses %v", key.Leaf.ExtKeyUsage)
		}
		for _, suffix := range []string{".pem", ".key"} {
			p.write("tls/serveur"+suffix, string(readFile(p.t, p.path("tls/org-hopital-nord"+suffix))))
		}
	}, "tls-cert: ", "serverAuth", "give one")
	spoil("a matrix of tomorrow", func(p *production) {
		check(p.t, os.RemoveAll(p.path("matrix")))
		day := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
		p.write("matrix/"+day+".csv", string(readFile(p.t, "../../policy/matrix/sandbox/2024-01-01.csv")))
	}, "matrix: ", "in force", time.Now().AddDate(0, 0, 2).Format(time.DateOnly), "dmpd matrix import")
	spoil("a regulator that samu does not have", func(p *production) {
		p.client("kind", "samu", "structures", []string{"urn:oid:1.2.250.1.71.4.2.2|1750000008"})
	},
		"the client lps-exemple", "setting samu")
	spoil("software of the SAMU that is none", func(p *production) {
		p.client("tls_client_auth_subject_dn", []string{"CN=dmp.samu-75.test,OU=1750000008,O=SAMU 75,ST=Paris (75),C=FR"})
	}, "the client lps-exemple", "setting samu")

	spoil("the keys for everybody", func(p *production) { check(p.t, os.Chmod(p.path("data/keys/root.key"), 0o644)) }, "data: ", "chmod 600")
	spoil("a sandbox that was not filled to its end", func(p *production) { p.write("data/sandbox-loading", "") }, "data: ", "sandbox", "say where")
	spoil("who is who of a sandbox", func(p *production) { p.write("data/sandbox-ids.json", "[]") }, "data: ", "sandbox", "say where")
	spoil("a private key for an issuer's", func(p *production) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		check(p.t, err)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		check(p.t, err)
		p.write("issuer-keys/k2.pem", string(pemOf("PRIVATE KEY", der)))
	}, "issuer-keys: ", "public keys")
	spoil("CRL of two months ago", func(p *production) {
		der, err := p.pki.authority("personnes").CRL(nil, time.Now().AddDate(0, -2, 0))
		check(p.t, err)
		p.write("tls/crl-personnes.pem", string(pemOf("X509 CRL", der)))
	}, "crl: ", "TEST AC personnes", "fetch the current list")
	spoil("CRL of another CA", func(p *production) {
		p.write("tls/crl-personnes.pem", string(readFile(p.t, p.path("tls/crl-organisations.pem"))))
	}, "crl", "the list of each")
	spoil("a key for everybody", func(p *production) { check(p.t, os.Chmod(p.path("tls/serveur.key"), 0o604)) }, "tls-cle", "mode 0600")
	spoil("a matrix with open cells", func(p *production) {
		check(p.t, os.RemoveAll(p.path("matrix")))
		p.write("matrix/2023-10-30.csv", string(readFile(p.t, "../../policy/matrix/2023-10-30.csv")))
	}, "matrix: ", "open", "matrix-unknown")
	spoil("an empty secret", func(p *production) { p.write("psc-secret", "\n") }, "psc.secret-file: ", "empty", "write the secret")
	spoil("a secret for everybody", func(p *production) { check(p.t, os.Chmod(p.path("psc-secret"), 0o644)) }, "psc.secret-file: ", "0600")
	spoil("clients that are no JSON", func(p *production) { p.write("production-clients.json", "client_id: x") }, "clients: ", "JSON array")
	spoil("two establishments that share a site", func(p *production) {
		p.settings["etablissements"] = []any{map[string]any{"identifiants": []string{"https://finess.esante.gouv.fr|750000101", "https://finess.esante.gouv.fr|750000901"}}}
	}, "etablissements[0] and the client hopital-nord share the identifier 1750000101", "give both")
	spoil("settings that are no JSON", func(p *production) { p.write(productionFile, "base: x") }, "settings file production.json")
	return all
}

// Each missing or spoilt piece stops the start: one sentence that names the setting and
// says what to do, exit 1, at once.
func TestProductionWithoutAPiece(t *testing.T) {
	whole := newProduction(t)
	for name, c := range spoilt() {
		t.Run(name, func(t *testing.T) {
			p := whole.variant(t)
			before := jsonText(t, p.settings)
			c.spoil(p)
			if after := jsonText(t, p.settings); after != before || strings.Contains(string(readIf(p.path(productionFile))), `"0.0.0.0:8443"`) {
				p.write(productionFile, after)
			}
			p.refuses(c.want...)
		})
	}
}

// What is wrong is told at once, not one by one.
func TestProductionTellsAll(t *testing.T) {
	p := newProduction(t).variant(t)
	p.settings["base"], p.settings["addr"], p.settings["ca-de-test"] = "http://x/fhir", ":1", false
	delete(p.settings, "issuer")
	check(t, os.Remove(p.path("psc-secret")))
	check(t, os.Remove(p.path("tls/crl-personnes.pem")))
	check(t, os.RemoveAll(p.path("data")))
	p.write(productionFile, jsonText(t, p.settings))
	p.refuses("7 faults stop the start:\n  ", "needs: issuer", "\n  base: ", "\n  addr: ", "\n  psc.secret-file: ", "\n  crl: ", "\n  tls-cert: ", "\n  data: ")
}

func readIf(file string) []byte {
	text, _ := os.ReadFile(file)
	return text
}

// refuses requires that the service does not start, and what it says.
func (p *production) refuses(want ...string) {
	p.t.Helper()
	cmd := p.command("serve --settings " + productionFile)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	check(p.t, cmd.Start())
	hung := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer hung.Stop()
	_ = cmd.Wait()
	said := stderr.String()
	lines := 1
	if strings.HasPrefix(said, "dmpd: ") && strings.Contains(said, " faults stop the start:\n") {
		_, err := fmt.Sscanf(said, "dmpd: %d", &lines)
		check(p.t, err)
		if lines++; strings.Count(said, "\n  ") != lines-1 {
			p.t.Errorf("said %q, not each on a line", said)
		}
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 || strings.Count(said, "\n") != lines || stdout.Len() > 0 {
		p.t.Errorf("exit %d, said %q %q", code, said, stdout.String())
	}
	for _, w := range want {
		if !strings.Contains(said, w) {
			p.t.Errorf("said %q, want %q", said, w)
		}
	}
	// Of the processor, so that a busy machine does not fail it.
	if took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); took > time.Second {
		p.t.Errorf("took %v", took)
	}
}
