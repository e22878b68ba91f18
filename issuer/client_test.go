package issuer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"opendmp/issuer"
)

func TestClientsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	clients := w.registered()
	hopital, lps := clients[0], clients[3]
	for name, bend := range map[string]func(h, l *issuer.Client){
		"no id":                      func(h, _ *issuer.Client) { h.ID = "" },
		"id with colon":              func(h, _ *issuer.Client) { h.ID = "a:b" },
		"no name":                    func(h, _ *issuer.Client) { h.Name = " " },
		"kind":                       func(h, _ *issuer.Client) { h.Kind = "patient" },
		"status":                     func(h, _ *issuer.Client) { h.Status = "" },
		"no proof":                   func(h, _ *issuer.Client) { h.KeySet = nil },
		"two key sets":               func(h, _ *issuer.Client) { h.KeySetURL = "https://h.test/jwks" },
		"http key set":               func(h, _ *issuer.Client) { h.KeySet, h.KeySetURL = nil, "http://h.test/jwks" },
		"bad key set":                func(h, _ *issuer.Client) { h.KeySet = json.RawMessage(`{"keys":[]}`) },
		"any subject":                func(_, l *issuer.Client) { l.Subjects = []string{"*"} },
		"a name alone":               func(_, l *issuer.Client) { l.Subjects = []string{"CN=lps"} },
		"subject without country":    func(_, l *issuer.Client) { l.Subjects = []string{"CN=lps,OU=3750000001,O=LogiCab"} },
		"subject without structure":  func(_, l *issuer.Client) { l.Subjects = []string{"CN=lps,C=FR"} },
		"subject without name":       func(_, l *issuer.Client) { l.Subjects = []string{"OU=3750000001,O=LogiCab,C=FR"} },
		"one good subject of two":    func(_, l *issuer.Client) { l.Subjects = append([]string{"CN=*"}, l.Subjects...) },
		"empty thumbprint":           func(h, _ *issuer.Client) { h.Thumbprints = []string{""} },
		"no scope":                   func(h, _ *issuer.Client) { h.Scope = "" },
		"scope of persons":           func(h, _ *issuer.Client) { h.Scope = "user/*.rs" },
		"no structure":               func(h, _ *issuer.Client) { h.Structures = nil },
		"structure":                  func(h, _ *issuer.Client) { h.Structures = []string{"1750000002"} },
		"decision without date":      func(h, _ *issuer.Client) { h.DecisionDate = "" },
		"structure twice":            func(h, _ *issuer.Client) { h.Structures = append(h.Structures[:1:1], h.Structures[0]) },
		"decision with blanks":       func(h, _ *issuer.Client) { h.Decision = " CME-1" },
		"decision in two lines":      func(h, _ *issuer.Client) { h.Decision = "CME\n1" },
		"long decision":              func(h, _ *issuer.Client) { h.Decision = strings.Repeat("x", 201) },
		"date":                       func(h, _ *issuer.Client) { h.DecisionDate = "01/03/2026" },
		"establishment with PSC":     func(h, _ *issuer.Client) { h.IdentityClients = []string{"x"} },
		"software with decision":     func(_, l *issuer.Client) { l.Decision, l.DecisionDate = "x", "2026-03-01" },
		"software without PSC":       func(_, l *issuer.Client) { l.IdentityClients = nil },
		"software, empty PSC client": func(_, l *issuer.Client) { l.IdentityClients = []string{""} },
		"software with keys only":    func(_, l *issuer.Client) { l.Subjects, l.KeySet = nil, hopital.KeySet },
		"software with system":       func(_, l *issuer.Client) { l.Scope = "system/*.rs" },
		"same id":                    func(h, l *issuer.Client) { l.ID = h.ID },
	} {
		h, l := hopital, lps
		bend(&h, &l)
		data, err := json.Marshal([]issuer.Client{h, l})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := issuer.ParseClients(data); !errors.Is(err, issuer.ErrClient) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{``, `{}`, `[{}]`, `[] []`, `[{"client_id":"a","secret":"b"}]`} {
		if _, err := issuer.ParseClients([]byte(text)); !errors.Is(err, issuer.ErrClient) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
