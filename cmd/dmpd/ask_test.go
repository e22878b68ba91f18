package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"opendmp/sandbox"
)

// A token that is given is one that the server takes; one that it would refuse is
// not given, and the refusal says why.
func TestTokenIsChecked(t *testing.T) {
	w := openWorld(t)
	long := strings.Repeat("mots ", 100) // 500 characters, 499 without the last space
	cases := []struct{ as, purpose, reason, refused string }{
		{"medecin-martin", "TREAT", "", ""},
		{"urgentiste-roche", "BTG", "Patiente inconsciente", ""},
		{"urgentiste-roche", "bris_de_glace", "0123456789", ""},
		{"urgentiste-roche", "BTG", long + "x", "10 to 500"},
		{"urgentiste-roche", "BTG", long, ""},
		{"medecin-martin", "CURIOSITY", "", "HSYSADMIN"},
		{"patient-alix", "BTG", "Patiente inconsciente", "PATRQT"},
		{"urgentiste-roche", "BTG", "", "10 to 500"},
		{"urgentiste-roche", "bris_de_glace", "court", "10 to 500"},
		{"urgentiste-roche", "BTG", ".............", "10 to 500"},
		{"urgentiste-roche", "BTG", "Patiente\ninconsciente", "10 to 500"},
		{"medecin-martin", "", "Patiente inconsciente", "BTG"},
	}
	for _, c := range cases {
		args := []string{"token", "--as", c.as, "--purpose", c.purpose, "--reason", c.reason, "--data", shared.data}
		_, err := command(t, args...)
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%v: %v", c, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%v: %v", c, err)
		}
		res, err := http.PostForm(strings.TrimSuffix(w.base, "/fhir")+"/sandbox/token", url.Values{"as": {c.as}, "purpose": {c.purpose}, "reason": {c.reason}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.StatusCode == 200; got != (c.refused == "") {
			t.Errorf("%v: the server answers %d", c, res.StatusCode)
		}
	}
}

// The list of purposes is the server's: each persona with each of them is taken
// by the server when the list says so, and only then.
func TestPurposesAreThoseOfTheServer(t *testing.T) {
	w := openWorld(t)
	for _, p := range sandbox.Personas() {
		for _, k := range purposes {
			reason := ""
			if k.code == "BTG" || k.code == "bris_de_glace" {
				reason = "Patiente inconsciente"
			}
			token, err := w.signer.Sign(p.Claims(k.code, reason))
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest(http.MethodGet, w.base+"/DocumentReference/none", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if taken := res.StatusCode != http.StatusUnauthorized; taken != (checkAsk(p, k.code, reason) == nil) {
				t.Errorf("%s, %s: the server answers %d", p.Key, k.code, res.StatusCode)
			}
		}
	}
}
