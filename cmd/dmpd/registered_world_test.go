package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/issuer"
	"opendmp/sandbox"
)

// ward is the cast on a server whose hospital is registered as a client and nowhere
// else: it feeds over mutual TLS with the tokens that it is given, while people call
// as in a sandbox.
type ward struct {
	*world
	feeder *visitor
}

// openWard serves the cast with one client, whose certificate is that of hopital-nord.
func openWard(t *testing.T, c issuer.Client) *ward {
	t.Helper()
	pki, data, out := newPKI(t), t.TempDir(), &lockedBuffer{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	p, signer, err := sandboxPlan(settings{Data: data, Sandbox: true}, "http://"+l.Addr().String()+"/fhir", slog.New(slog.NewJSONHandler(out, nil)))
	check(t, err)
	check(t, load(t.Context(), p, signer, io.Discard))
	cert := pki.holder("org-hopital-nord")
	c.Subjects = []string{cert.Leaf.Subject.ToRDNSequence().String()}
	check(t, c.Check())
	key, err := auth.LoadOrCreateKey(filepath.Join(data, "issuer-key.pem"))
	check(t, err)
	a := &authority{url: "http://" + l.Addr().String(), clients: []issuer.Client{c}}
	a.signer, err = auth.NewSigner(key, a.url, p.base, p.clock.Now, rand.Reader)
	check(t, err)
	p.oauth, p.settings.Establishments = a, nil
	secure, err := pki.settings().open(p.clock.Now, true, p.log)
	check(t, err)
	i, err := assemble(t.Context(), p)
	check(t, err)
	i.protect(secure)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	w := &ward{world: &world{t: t, base: p.base, log: out}}
	check(t, w.meet(data))
	f := &fort{t: t, pki: pki, secure: secure}
	w.feeder = f.visit("tls-pro", cert)
	w.feeder.c.Timeout = 30 * time.Second
	return w
}

// token takes a token for the feeder, bound to its certificate, and returns its scope.
func (w *ward) token(client string) string {
	w.t.Helper()
	res, err := w.feeder.c.PostForm(w.feeder.base+"/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {client}})
	check(w.t, err)
	defer res.Body.Close()
	var answer issuer.TokenResponse
	check(w.t, json.NewDecoder(res.Body).Decode(&answer))
	if res.StatusCode != http.StatusOK || answer.AccessToken == "" {
		w.t.Fatalf("token: %d %+v", res.StatusCode, answer)
	}
	w.feeder.token = answer.AccessToken
	return answer.Scope
}

// feeds pushes a document of a FINESS with the token of the feeder.
func (w *ward) feeds(finess string) (status int, body string) {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodPost, w.feeder.base+"/fhir", strings.NewReader(w.letter(finess)))
	check(w.t, err)
	r.Header.Set("Content-Type", "application/fhir+json")
	r.Header.Set("Authorization", "Bearer "+w.feeder.token)
	res, err := w.feeder.c.Do(r)
	check(w.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	check(w.t, err)
	return res.StatusCode, string(text)
}

// letter is a push for patient-alix whose author is a FINESS.
func (w *ward) letter(finess string) string {
	return strings.Replace(hospitalPush(w.people["patient-alix"].INS, "a letter of "+finess), `"1750000001"`, `"1`+finess+`"`, 1)
}

// acting is a persona who acts in a FINESS and nowhere else.
func (w *ward) acting(persona, finess string) *person {
	w.t.Helper()
	who, ok := sandbox.Lookup(persona)
	if !ok {
		w.t.Fatal("no", persona)
	}
	token, err := w.signer.Sign(actingIn(who.Claims("", ""), finess))
	check(w.t, err)
	return w.as("").with("Authorization", "Bearer "+token)
}

// Of hopital-nord: its legal entity, two sites, and a site of another establishment.
const (
	wardLegal, wardNorth, wardSouth = "750000001", "750000101", "750000102"
	wardFourth                      = "750000104"
)

// One registration is what the certificate covers, whose documents are whose, and whom
// a patient blocks and authorises (POLICY §1, E01).
func TestOneRegistrationOfAnEstablishment(t *testing.T) {
	w := openWard(t, hospital("nord", "CME du 12 mars 2026", wardLegal, wardNorth, wardSouth))
	w.token("nord")
	for _, finess := range []string{wardLegal, wardNorth, wardSouth} {
		if status, body := w.feeds(finess); status != http.StatusOK {
			t.Errorf("a document of %s: %d %.400s", finess, status, body)
		}
	}
	if status, body := w.feeds(wardFourth); status != http.StatusForbidden {
		t.Errorf("a document of another establishment: %d %.400s", status, body)
	}
	alix := w.patient("patient-alix")
	if history := w.as("patient-alix").get("AuditEvent?_count=200&action=C&patient=" + alix).is(200); !strings.Contains(string(history.body), "décision de la CME : CME du 12 mars 2026") {
		t.Error("the history does not show the decision")
	}
	leroy := func(finess string) string { return w.acting("medecin-leroy", finess).statusOf("patient-alix") }
	organisation := func(finess string) string {
		return `{"type":"Organization","identifier":{"system":"` + fhir.SystemStructure + `","value":"1` + finess + `"}}`
	}
	if before := leroy(wardSouth); before == "INTERDIT" || before == "VALIDE" {
		t.Fatalf("before all, leroy is %s", before)
	}
	end := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	w.as("patient-alix").post("Consent", consentAbout(alix, "autorisation", "permit", organisation(wardNorth), end)).is(201)
	for _, finess := range []string{wardLegal, wardNorth, wardSouth} {
		if got := leroy(finess); got != "VALIDE" {
			t.Errorf("one site authorised, at %s: %s", finess, got)
		}
	}
	if got := leroy(wardFourth); got == "VALIDE" {
		t.Error("authorised elsewhere")
	}
	w.as("patient-alix").post("Consent", consentAbout(alix, "blocage", "deny", organisation(wardSouth), "")).is(201)
	for _, finess := range []string{wardLegal, wardNorth, wardSouth} {
		if got := leroy(finess); got != "INTERDIT" {
			t.Errorf("one site blocked, at %s: %s", finess, got)
		}
	}
	if got := leroy(wardFourth); got == "INTERDIT" {
		t.Error("blocked elsewhere")
	}
}

// Without a decision of its CME an establishment does not feed by itself, its people do.
func TestRegistrationWithoutDecision(t *testing.T) {
	w := openWard(t, hospital("nord", "", wardLegal, wardNorth, wardSouth))
	if scope := w.token("nord"); strings.ContainsAny(strings.TrimPrefix(scope, "system/*."), "cud") {
		t.Errorf("scope %s", scope)
	}
	if status, body := w.feeds(wardNorth); status != http.StatusForbidden {
		t.Errorf("fed by itself: %d %.400s", status, body)
	}
	// Nor with a token that no scope caps: the rules say so too.
	refused := w.acting("hopital-nord", wardNorth).post("", []byte(w.letter(wardNorth))).is(403)
	if !strings.Contains(string(refused.body), "CME") {
		t.Errorf("%.600s", refused.body)
	}
	w.acting("secretariat-nord", wardNorth).post("", []byte(w.letter(wardNorth))).is(200)
	own, _ := w.bundle(sending{author: "medecin-durand", patient: "patient-alix"})
	w.acting("medecin-durand", wardNorth).post("", own).is(200)
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	check(t, err)
	return string(text)
}

// writeFile writes a file of its own folder and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}
