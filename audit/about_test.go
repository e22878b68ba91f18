package audit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"reflect"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
)

// principal is a caller that a token proved.
func principal(t *testing.T, c auth.Claims) auth.Principal {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return start }
	signer, err := auth.NewSigner(key, "https://issuer.example", "https://dmp.example/fhir", clock, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.NewVerifier(auth.Config{Now: clock, Issuers: []auth.Issuer{signer.Trust()}})
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	p, err := verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAbout(t *testing.T) {
	p := principal(t, auth.Claims{
		Subject: "s-1", ID: "j-1", Client: "lps-1",
		Extensions: auth.Extensions{IUA: iua},
		DMP: auth.DMP{
			Kind: "professional", Profession: &auth.Coding{System: auth.SystemProfession, Code: "10"},
			Structures: []string{iua.OrganizationID[0]}, Reason: "Patient inconscient",
		},
	})
	want := audit.Event{
		Kind: auth.Professional, Actor: fhir.Ident{System: fhir.SystemRPPS, Value: "99700218896"}, ActorName: "Dr Paul ROCHE",
		Profession: auth.Coding{System: auth.SystemProfession, Code: "10"},
		Structure:  fhir.Ident{System: fhir.SystemStructure, Value: "1750000002"}, StructureName: "Hôpital Sud",
		Client: "lps-1", TokenID: "j-1", Mode: auth.BrisDeGlace, Reason: "Patient inconscient",
	}
	if got := audit.About(p); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := audit.About(auth.Principal{}); !reflect.DeepEqual(got, audit.Event{}) {
		t.Errorf("about nobody: %+v", got)
	}
}

var iua = auth.IUA{
	SubjectName: "Dr Paul ROCHE", Provider: "urn:oid:1.2.250.1.71.4.2.1|899700218896",
	Organization: []string{"Hôpital Sud"}, OrganizationID: []string{"urn:oid:1.2.250.1.71.4.2.2|1750000002"},
	Purpose: []auth.Coding{{System: auth.SystemAccessMode, Code: "bris_de_glace"}},
}
