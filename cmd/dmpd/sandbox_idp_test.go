package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
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
	} {
		if err := f.serve(t.Context(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
