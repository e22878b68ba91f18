package auth

import (
	"context"
	"errors"
	"testing"
)

func TestParseScopes(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"openid launch":                     "",
		"user/DocumentReference.rs":         "user/DocumentReference.rs",
		"system/*.cruds patient/Patient.r":  "system/*.cruds patient/Patient.r",
		"user/Patient.read":                 "user/Patient.rs",
		"user/Patient.write":                "user/Patient.cud",
		"user/*.*":                          "user/*.cruds",
		"user/DocumentReference.sr":         "refused",
		"user/DocumentReference.rr":         "refused",
		"user/DocumentReference.":           "refused",
		"user/DocumentReference":            "refused",
		"user/.r":                           "refused",
		"users/Patient.r":                   "refused",
		"user/documentreference.r":          "refused",
		"user/DocumentReference.rs?status=": "refused",
		"user/Patient.r  user/List.r":       "refused",
		"user/Patient.r\tuser/List.r":       "refused",
		"user/Patient.é":                    "refused",
	} {
		s, err := ParseScopes(text)
		got := s.String()
		if err != nil {
			got = "refused"
		}
		if got != want || err != nil && !errors.Is(err, ErrScope) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

// TK20: what is asked is narrowed to what is registered, never widened.
func TestTK20ScopesNarrow(t *testing.T) {
	for _, c := range []struct{ asked, registered, want string }{
		{"system/*.cruds", "system/DocumentReference.cru", "system/DocumentReference.cru"},
		{"system/*.cruds", "system/DocumentReference.cr system/Binary.r", "system/DocumentReference.cr system/Binary.r"},
		{"system/DocumentReference.rs", "system/*.cr", "system/DocumentReference.r"},
		{"user/DocumentReference.rs", "system/*.cruds", ""},
		{"system/List.c", "system/List.rs", ""},
		{"user/*.r user/List.r", "user/*.rs", "user/*.r"},
		{"", "user/*.rs", ""},
		{"user/*.rs", "", ""},
	} {
		asked, errA := ParseScopes(c.asked)
		registered, errR := ParseScopes(c.registered)
		if errA != nil || errR != nil {
			t.Fatal(errA, errR)
		}
		if got := asked.Narrow(registered).String(); got != c.want {
			t.Errorf("%q of %q: %q, want %q", c.asked, c.registered, got, c.want)
		}
	}
}

func TestScopeCapsThePrincipal(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	for scope, want := range map[string][3]bool{ // read, search, create of DocumentReference
		"-":                           {true, true, true},
		"":                            {},
		"openid":                      {},
		"user/DocumentReference.r":    {true, false, false},
		"user/*.rs":                   {true, true, false},
		"user/List.cruds":             {},
		"system/DocumentReference.rs": {},
		"user/DocumentReference.c user/DocumentReference.r": {true, false, true},
	} {
		d := physicianDraft()
		if scope != "-" {
			d.payload["scope"] = scope
		}
		p, err := v.Verify(context.Background(), d.sign(t, key))
		if err != nil {
			t.Fatal(err)
		}
		got := [3]bool{p.Within("DocumentReference", MayRead), p.Within("DocumentReference", MaySearch), p.Within("DocumentReference", MayCreate)}
		if got != want {
			t.Errorf("%q: %v, want %v", scope, got, want)
		}
		if p.Within("DocumentReference", "") && scope != "-" {
			t.Errorf("%q allows what needs nothing", scope)
		}
	}
	if (Principal{}).Within("Patient", MayRead) {
		t.Error("nobody is within a scope")
	}
	d := physicianDraft()
	d.payload["scope"] = "user/DocumentReference.sr"
	if _, err := v.Verify(context.Background(), d.sign(t, key)); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("a malformed scope: %v", err)
	}
}
