package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"opendmp/cmd/dmpd/internal/connect"
)

// The flows of docs/connexion.md over real sockets, with the test PKI and the identity
// provider of the sandbox: exchange, client_credentials both ways, centre_15, refresh,
// introspection, revocation, a revoked certificate, a rotation, an outage. make demo-tls
// plays the same.
func TestTLSDemo(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var out bytes.Buffer
	if err := playTLSDemo(context.Background(), &out, io.Discard); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"documents d’Alix", "un document déposé", "centre_15", "invalid_client", "refusée par TLS", "temporarily_unavailable", "comme prévu"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story does not hold %q", want)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// The story fails at the step that is not as told: where nothing is revoked, say.
func TestTLSDemoFailsLoudly(t *testing.T) {
	d := &tlsDemo{folder: t.TempDir()}
	stop, err := d.open(context.Background(), io.Discard)
	check(t, err)
	defer func() { check(t, stop()) }()
	who, err := readIDs(d.in("data"))
	check(t, err)
	for want, change := range map[string]func(*connect.Options){
		"hopital-sud: réponse 200 au lieu de 401":           func(o *connect.Options) { o.Revoke = func(string) error { return nil } },
		"medecin-durand: aucun document":                    func(o *connect.Options) { o.INS = func(string) string { return "155126748202370" } },
		"logiciel-exemple: réponse 401 au lieu de 200":      func(o *connect.Options) { o.Secret = "x" },
		"hopital-nord: pas de jeton":                        func(o *connect.Options) { o.HospitalKID = "x" },
		"quelqu’un d’autre: Get \"https://127.0.0.1:1/fhir": func(o *connect.Options) { o.Patient = "https://127.0.0.1:1" },
		"logiciel-exemple: refusé par not_found":            func(o *connect.Options) { o.Pro = o.Identity },
	} {
		o := d.options(who, io.Discard)
		o.StopIdentity = func() {}
		change(&o)
		err := connect.Tell(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), "not as told: "+want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
