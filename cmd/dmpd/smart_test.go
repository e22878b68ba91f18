package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"opendmp/auth"
	"opendmp/server"
)

// The SMART document is JSON whatever the client accepts, its addresses are absolute,
// and what it names is there.
func TestSmartConfiguration(t *testing.T) {
	w := openWorld(t)
	got := w.as("").with("Accept", "text/html").get(".well-known/smart-configuration").is(200)
	if mime := got.header.Get("Content-Type"); mime != "application/json; charset=utf-8" {
		t.Errorf("Content-Type %q", mime)
	}
	got.has("capabilities", "0").has("grant_types_supported", "0").has("issuer", "").has("authorization_endpoint", "")
	w.as("").do(http.MethodHead, ".well-known/smart-configuration", "", nil).is(200)
	w.as("").do(http.MethodPost, ".well-known/smart-configuration", "application/json", []byte("{}")).is(404)
	res, err := http.PostForm(got.at("token_endpoint"), url.Values{"as": {"medecin-martin"}})
	check(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	check(t, err)
	var token struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &token); err != nil || res.StatusCode != 200 || token.Token == "" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// A real service names its issuer, if that is an address, and no endpoint: it has none.
func TestSmartOfARealService(t *testing.T) {
	base := server.From{Base: "https://dmp.test/fhir"}
	for issuer, want := range map[string]string{"https://id.test": "https://id.test", "opendmp-sandbox": "", "": ""} {
		got := smartOf(plan{issuers: []auth.Issuer{{Issuer: issuer}}}, base)
		if got.Issuer != want || got.TokenEndpoint != "" || got.AuthMethods != nil {
			t.Errorf("%q: %+v", issuer, got)
		}
	}
}
