package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// The provider answers under TLS at the address that it prints, and a server takes the
// settings that it prints as they are.
func TestSandboxIDPPrintsItsSettings(t *testing.T) {
	pki := newPKI(t)
	p, err := identityFlags{addr: "127.0.0.1:0", pki: pki.folder}.open()
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	var out bytes.Buffer
	check(t, p.welcome(&out))
	text := out.String()
	begin, end := strings.Index(text, "{"), strings.LastIndex(text, "}")
	file := pki.file("psc.json")
	check(t, os.WriteFile(file, []byte(text[begin:end+1]), 0o600))
	s, err := readSettings(file, nil, given(t, "--sandbox"))
	check(t, err)
	if s.Identity != p.settings {
		t.Errorf("printed %+v\nmeant   %+v", s.Identity, p.settings)
	}
	if _, err := s.Identity.open(true); err != nil {
		t.Error(err)
	}
	client, err := s.Identity.client(true)
	check(t, err)
	defer client.CloseIdleConnections()
	res, err := client.Get(s.Identity.Issuer + "/.well-known/openid-configuration")
	check(t, err)
	defer res.Body.Close()
	var d struct{ Issuer string }
	check(t, json.NewDecoder(res.Body).Decode(&d))
	if res.StatusCode != http.StatusOK || d.Issuer != s.Identity.Issuer {
		t.Errorf("%d %+v", res.StatusCode, d)
	}
}

// What stops it is one sentence.
func TestSandboxIDPThatDoesNotStart(t *testing.T) {
	pki := newPKI(t)
	for want, f := range map[string]identityFlags{
		"--expose-sandbox": {addr: "0.0.0.0:0", pki: pki.folder},
		"host:port":        {addr: "localhost", pki: pki.folder},
		"dmpd pki init":    {addr: "127.0.0.1:0", pki: t.TempDir()},
		"without path":     {addr: "127.0.0.1:0", pki: pki.folder, base: "https://localhost/x"},
		"an https URL":     {addr: "127.0.0.1:0", pki: pki.folder, base: "http://localhost"},
	} {
		if err := f.serve(ended(t), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for redirect, accepted := range map[string]bool{
		"https://lps.example.org/retour": true, "http://127.0.0.1:7777/retour": true, "com.example.lps:/retour": true,
		"javascript:alert(1)": false, "data:text/html,x": false, "file:///etc/passwd": false, "*": false, "": false, "/retour": false,
		"http://lps.example.org/retour": false, "https://*.example.org/retour": false, "https:///retour": false,
		"https://a:b@lps.example.org/retour": false, "https://lps.example.org/retour#x": false,
	} {
		f := identityFlags{addr: "127.0.0.1:0", pki: pki.folder, redirects: []string{redirect}}
		if err := f.serve(ended(t), &bytes.Buffer{}); (err == nil) != accepted || err != nil && !strings.Contains(err.Error(), "redirect: ") {
			t.Errorf("%q: %v", redirect, err)
		}
	}
}

// ended is a context that is over: what starts with it stops at once.
func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A sandbox answers for this machine and for its base, and for no name of another site
// that leads here.
func TestHostsOfASandbox(t *testing.T) {
	ours := ownHosts("https://DMP.example.org:8443/fhir", false)
	for host, want := range map[string]bool{
		"localhost:8080": true, "127.0.0.1": true, "127.0.0.2:1": true, "[::1]:8080": true, "dmp.example.org": true, "dmp.Example.org:1": true,
		"": false, "evil.example": false, "evil.example:8080": false, "127.0.0.1.evil.example": false, "localhost.evil.example": false, "192.0.2.1": false,
	} {
		if ours(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
	if !ownHosts("http://x/fhir", true)("whatever") {
		t.Error("an exposed sandbox refuses a host")
	}
	w := openWorld(t)
	pki := newPKI(t)
	p, err := identityFlags{addr: "127.0.0.1:0", pki: pki.folder}.open()
	check(t, err)
	defer p.l.Close()
	for host, status := range map[string]int{"evil.example": http.StatusMisdirectedRequest, "": http.StatusOK} {
		for _, ask := range []struct{ method, path, body string }{{"GET", "/sandbox/ids", ""}, {"POST", tokenPath, "as=medecin-martin"}} {
			r, err := http.NewRequestWithContext(t.Context(), ask.method, strings.TrimSuffix(w.base, "/fhir")+ask.path, strings.NewReader(ask.body))
			check(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Host = host
			res, err := http.DefaultClient.Do(r)
			check(t, err)
			res.Body.Close()
			if res.StatusCode != status {
				t.Errorf("%q %s: %d", host, ask.path, res.StatusCode)
			}
		}
		r := httptest.NewRequest("GET", p.Issuer()+"/.well-known/openid-configuration", nil)
		if host != "" {
			r.Host = host
		}
		answer := httptest.NewRecorder()
		p.ServeHTTP(answer, r)
		if answer.Code != status {
			t.Errorf("provider, %q: %d", host, answer.Code)
		}
	}
}
