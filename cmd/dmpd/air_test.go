package main

import (
	"net/http"
	"testing"

	"opendmp/auth"
	"opendmp/policy"
	"opendmp/sandbox"
	"opendmp/server"
)

// vouchedFor are the claims of a professional for whom their establishment vouches.
func vouchedFor(t *testing.T, persona, purpose, reason string) auth.Claims {
	t.Helper()
	who, ok := sandbox.Lookup(persona)
	if !ok {
		t.Fatal("no", persona)
	}
	c := who.Claims(purpose, reason)
	c.DMP.Vouched = true
	return c
}

// EX_AIR-085: a professional for whom an establishment vouches reads what they would in
// person where the setting air says so, and never in an emergency.
func TestVouchedByAnEstablishment(t *testing.T) {
	for _, air := range []bool{false, true} {
		s := besiege(t, func(rules *policy.Settings) { rules.AIR = air })
		search := "DocumentReference?patient=" + s.patient("patient-alix")
		inPerson := s.as("medecin-durand").get(search).is(http.StatusOK).at("total") // of hopital-nord
		got := s.bearer(vouchedFor(t, "medecin-durand", "", "")).get(search)
		switch {
		case !air:
			got.is(http.StatusForbidden)
		case got.is(http.StatusOK).at("total") != inPerson || inPerson == "0":
			t.Errorf("vouched for they find %s, in person %s", got.at("total"), inPerson)
		}
		s.bearer(vouchedFor(t, "urgentiste-roche", "", "")).breakGlass(s.patient("patient-alix"), reasonOK).is(http.StatusForbidden)
		s.bearer(vouchedFor(t, "urgentiste-roche", "BTG", reasonOK)).get(search).is(http.StatusForbidden)
	}
}

// EX_AIR-080: they call with the certificate of their establishment, and with no other.
func TestVouchedFromTheEstablishment(t *testing.T) {
	f := fortify(t, nil)
	for name, c := range map[string]struct{ certificate, persona string }{
		"of their establishment": {"org-hopital-nord", "medecin-durand"},
		"of another":             {"org-hopital-nord", "medecin-leroy"},
		"their own card":         {"cps-medecin-durand", "medecin-durand"},
	} {
		cert := f.pki.holder(c.certificate)
		v := f.visit("tls-pro", cert)
		claims := vouchedFor(t, c.persona, "", "")
		claims.Confirmation = &auth.Confirmation{Certificate: server.Thumbprint(cert.Leaf)}
		var err error
		v.token, err = f.signer.Sign(claims)
		check(t, err)
		if name == "of their establishment" {
			v.letIn(anySearch)
		} else {
			v.is(http.StatusUnauthorized, anySearch)
		}
	}
}

// The setting reaches the rules, of a service and of a sandbox; it is off by itself.
func TestSettingAIR(t *testing.T) {
	for _, air := range []bool{false, true} {
		s := realService(t)
		s.AIR = air
		service, err := realPlan(s, nil)
		check(t, err)
		box, _, err := sandboxPlan(settings{Data: t.TempDir(), Sandbox: true, AIR: air}, "http://127.0.0.1/fhir", nil)
		check(t, err)
		if service.settings.AIR != air || box.settings.AIR != air {
			t.Errorf("air %v: %v, %v", air, service.settings.AIR, box.settings.AIR)
		}
	}
}

// The authorisation server of a sandbox issues tokens for the test persons of Pro Santé
// Connect; that of a service does not.
func TestTestPersonsAreForTheSandbox(t *testing.T) {
	w := newTokenWorld(t)
	who, _ := sandbox.Lookup("medecin-martin")
	claims := who.Claims("", "")
	claims.Extensions.IUA.Provider = "urn:oid:1.2.250.1.71.4.2.1|ANS20230101000001"
	claims.Confirmation = &auth.Confirmation{Certificate: "x"}
	for _, box := range []bool{false, true} {
		s := w.s
		s.Sandbox = box
		a, err := s.authority(&clock{})
		check(t, err)
		if _, _, err := a.signer.Issue(claims); (err == nil) != box {
			t.Errorf("sandbox %v: %v", box, err)
		}
	}
}
