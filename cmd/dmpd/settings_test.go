package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// given are the flags of serve, as given on a command line.
func given(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	f := serveCommand().Flags()
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLaterSettingsWin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dmpd.json")
	if err := os.WriteFile(file, []byte(`{"addr":"127.0.0.1:1","base":"https://file/fhir","issuer":"file","ins-key":"off"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"DMPD_BASE=https://env/fhir", "DMPD_INS_KEY=warning", "HOME=/", "DMPDX=1"}
	s, err := readSettings(file, environ, given(t, "--base", "https://flag/fhir", "--sandbox"))
	if err != nil {
		t.Fatal(err)
	}
	want := settings{
		Addr: "127.0.0.1:1", Data: "./var", Base: "https://flag/fhir", Sandbox: true, Issuer: "file", INSKey: "warning", Feeder: true}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

func TestUnknownSettingsAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dmpd.json")
	for name, text := range map[string]string{
		"misspelt": `{"isuer":"x"}`,
		"no JSON":  `issuer: x`,
		"no map":   `["issuer"]`,

		"a key twice":          `{"base":"https://a/fhir","base":"https://b/fhir"}`,
		"a key twice, within":  `{"psc":{"issuer":"https://a","userinfo":"u","issuer":"https://b"}}`,
		"a key twice, escaped": `{"addr":"127.0.0.1:1","\u0061ddr":"127.0.0.1:2"}`,
		"a key of a list":      `{"issuers":[{"issuer":"a"},{"issuer":"b","x":1,"issuer":"c"}]}`,
		"a key by its path":    `{"psc":{"issuer":"https://a"},"psc.issuer":"https://b"}`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := readSettings(file, nil, given(t)); err == nil {
			t.Errorf("%s: accepted as %+v", name, s)
		}
	}
	if _, err := readSettings("", []string{"DMPD_ISUER=x"}, given(t)); err == nil {
		t.Error("a misspelt variable is accepted")
	}
	if _, err := readSettings(file+"x", nil, given(t)); err == nil {
		t.Error("a missing file is accepted")
	}
}

func TestSettingsNoServiceShouldRunWith(t *testing.T) {
	whole := settings{
		Addr: "127.0.0.1:8080", Data: "x", Base: "https://dmp.example.org/fhir",
		Issuer: "i", Audience: "a", IssuerKeys: "k", Matrix: "m",
		TLS: tlsSettings{Pro: "0.0.0.0:443", Cert: "c", Key: "k", Organisations: "o", CRLs: []string{"r"}},
	}
	cases := []struct {
		name    string
		change  func(*settings)
		refusal string // "" if accepted
	}{
		{"whole", func(*settings) {}, ""},
		{"no base", func(s *settings) { s.Base = "" }, "base"},
		{"no issuer, no keys", func(s *settings) { s.Issuer, s.IssuerKeys = "", "" }, "issuer, issuer-keys (or issuer-jwks)"},
		{"no audience", func(s *settings) { s.Audience = "" }, "audience"},
		{"keys in a folder and by URL", func(s *settings) { s.IssuerJWKS = "https://idp.example/jwks" }, "one of the two"},
		{"keys by URL", func(s *settings) { s.IssuerKeys, s.IssuerJWKS = "", "https://idp.example/jwks" }, ""},
		{"keys by URL in clear", func(s *settings) { s.IssuerKeys, s.IssuerJWKS = "", "http://idp.example/jwks" }, "issuer-jwks"},
		{"keys by file URL", func(s *settings) { s.IssuerKeys, s.IssuerJWKS = "", "file:///etc/passwd" }, "issuer-jwks"},
		{"a CA without URL", func(s *settings) { s.IssuerCA = "ca.pem" }, "issuer-jwks-ca"},
		{"an issuer in clear", func(s *settings) { s.Issuer = "http://idp.example" }, "issuer"},
		{"the sandbox", func(s *settings) { s.Issuer = sandboxName }, "sandbox"},
		{"for the sandbox", func(s *settings) { s.Audience = sandboxName }, "sandbox"},
		{"TK03 the sandbox of PSC", func(s *settings) { s.Issuer = "https://auth.bas.esw.esante.gouv.fr/auth/realms/esante-wallet" }, "sandbox of Pro"},
		{"the sandbox of PSC, meant", func(s *settings) { s.Issuer, s.TLS.Test = "https://auth.bas.esw.esante.gouv.fr/", true }, ""},
		{"people of the sandbox of PSC", func(s *settings) { s.Identity.Issuer = "https://auth.bas.esw.esante.gouv.fr/auth/realms/esante-wallet" }, "psc"},
		{"a blank audience", func(s *settings) { s.Audience = "  " }, "audience"},
		{"a second one with a blank audience", func(s *settings) { s.Issuers = []externalIssuer{{"j", " ", "k", "", ""}} }, "issuers[0]"},
		{"an audience with blanks around it", func(s *settings) { s.Audience = "a " }, "blanks"},
		{"a base of one machine, meant", func(s *settings) { s.Base, s.TLS.Test = "https://localhost/fhir", true }, ""},
		{"samu by thumbprint", func(s *settings) { s.TLS.SAMU = []string{strings.Repeat("A", 43)} }, ""},
		{"samu by subject", func(s *settings) { s.TLS.SAMU = []string{`CN=a\, b+OU=1,O=SAMU 75,C=FR; 2.5.4.97=x,CN=b,O=c,C=FR`} }, ""},
		{"exposed, and no sandbox", func(s *settings) { s.Exposed = true }, "expose-sandbox"},
		{"a sandbox with a further issuer", func(s *settings) {
			*s = settings{Addr: "127.0.0.1:0", Sandbox: true, Issuers: []externalIssuer{{"http://idp.example", "a", "gone", "", ""}}}
		}, "issuers"},
		{"a sandbox with an issuer", func(s *settings) { *s = settings{Addr: "127.0.0.1:0", Sandbox: true, Issuer: "i"} }, "its own tokens"},
		{"a sandbox with a samu that is nobody", func(s *settings) {
			*s = settings{Addr: "127.0.0.1:0", Sandbox: true, TLS: tlsSettings{SAMU: []string{"*"}}}
		}, "samu"},
		{"a second issuer", func(s *settings) { s.Issuers = []externalIssuer{{"j", "a", "", "https://idp.example/jwks", "ca.pem"}} }, ""},
		{"a second one without audience", func(s *settings) { s.Issuers = []externalIssuer{{"j", "", "k", "", ""}} }, "issuers[0]"},
		{"a second one without keys", func(s *settings) { s.Issuers = []externalIssuer{{"j", "a", "", "", ""}} }, "issuers[0]"},
		{"no matrix", func(s *settings) { s.Matrix = "" }, "matrix"},
		{"a base in clear", func(s *settings) { s.Base = "http://dmp.example.org/fhir" }, "https"},
		{"without TLS on a network", func(s *settings) { s.Addr = "0.0.0.0:8080" }, "TLS"},
		{"no port", func(s *settings) { s.Addr = "127.0.0.1" }, "host:port"},
		{"unknown level for CDA", func(s *settings) { s.CDA = "peut-être" }, "controle-cda"},
		{"unknown level for profiles", func(s *settings) { s.Claims = "peut-être" }, "controle-profils"},
		{"unknown level for codes", func(s *settings) { s.Codes = "peut-être" }, "controle-terminologie"},
		{"unknown level", func(s *settings) { s.INSKey = "maybe" }, "ins-key"},
		{"sandbox", func(s *settings) { *s = settings{Addr: "127.0.0.1:0", Sandbox: true} }, ""},
		{"sandbox on IPv6 loopback", func(s *settings) { *s = settings{Addr: "[::1]:0", Sandbox: true} }, ""},
		{"sandbox on a network", func(s *settings) { *s = settings{Addr: "192.0.2.1:80", Sandbox: true} }, "loopback"},
		{"sandbox on every address", func(s *settings) { *s = settings{Addr: ":8080", Sandbox: true} }, "loopback"},
		{"sandbox on a network, meant", func(s *settings) { *s = settings{Addr: ":8080", Sandbox: true, Exposed: true} }, ""},
	}
	for _, c := range cases {
		s := whole
		c.change(&s)
		err := s.check()
		switch {
		case c.refusal == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal)):
			t.Errorf("%s: %v, want %q", c.name, err, c.refusal)
		}
	}
}
