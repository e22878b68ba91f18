package main

import (
	"os"
	"strings"
	"testing"
)

// Who vouches for a person is reached over TLS, and not through the test PKI unless
// that is meant; each missing or wrong piece is told by its name.
func TestIdentityProviderThatIsRefused(t *testing.T) {
	p := newPKI(t)
	secret := p.file("secret")
	check(t, os.WriteFile(secret, []byte("s3cret\n"), 0o600))
	check(t, os.WriteFile(p.file("empty"), nil, 0o600))
	whole := identitySettings{
		Issuer: "https://psc.exemple.test/realms/x", Introspection: "https://psc.exemple.test/introspect", UserInfo: "https://psc.exemple.test/userinfo",
		ClientID: "opendmp", SecretFile: secret, CAFile: p.file("ca-serveurs.pem"),
	}
	for name, c := range map[string]struct {
		test    bool
		change  func(*identitySettings)
		refusal string // "" if accepted
	}{
		"in a sandbox":        {true, func(*identitySettings) {}, ""},
		"the system's roots":  {false, func(s *identitySettings) { s.CAFile = "" }, ""},
		"the test PKI":        {false, func(*identitySettings) {}, "ca-de-test"},
		"no file":             {true, func(s *identitySettings) { s.CAFile = p.file("nowhere") }, "ca-file"},
		"an empty file":       {true, func(s *identitySettings) { s.CAFile = p.file("empty") }, "no certificate"},
		"no CA":               {true, func(s *identitySettings) { s.CAFile = p.file("serveur.pem") }, "is no CA"},
		"no secret":           {true, func(s *identitySettings) { s.SecretFile = p.file("nowhere") }, "secret-file"},
		"in clear, near":      {false, func(s *identitySettings) { s.CAFile, s.UserInfo = "", "http://127.0.0.1:8090/userinfo" }, "https"},
		"in clear":            {true, func(s *identitySettings) { s.Introspection = "http://psc.exemple.test/introspect" }, "https"},
		"an issuer in clear":  {true, func(s *identitySettings) { s.Issuer = "http://psc.exemple.test/realms/x" }, "https"},
		"userinfo in clear":   {true, func(s *identitySettings) { s.UserInfo = "http://localhost:8090/userinfo" }, "https"},
		"no issuer":           {true, func(s *identitySettings) { s.Issuer = "" }, "issuer"},
		"no client-id":        {true, func(s *identitySettings) { s.ClientID = "" }, "client_id"},
		"userinfo left empty": {true, func(s *identitySettings) { s.UserInfo = "" }, "URL"},
	} {
		s := whole
		c.change(&s)
		_, err := s.open(c.test)
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: %v, want %q", name, err, c.refusal)
		}
	}
}
