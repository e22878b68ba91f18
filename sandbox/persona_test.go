package sandbox

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// The cast of SANDBOX.md: key, kind, identifier, profession and skill, structure.
func TestCast(t *testing.T) {
	const ins, insReal, idnps = "urn:oid:1.2.250.1.213.1.4.10|", "urn:oid:1.2.250.1.213.1.4.8|", "urn:oid:1.2.250.1.71.4.2.1|"
	const idnst = "urn:oid:1.2.250.1.71.4.2.2|"
	type row struct {
		key               string
		kind              auth.Kind
		id                string
		profession, skill string
		structure         string
		student           bool
	}
	want := []row{
		{"patient-alix", auth.Patient, ins + "285047511200116", "", "", "", false},
		{"patient-basile", auth.Patient, ins + "162116938804233", "", "", "", false},
		{"patient-claire", auth.Patient, ins + "247021305511770", "", "", "", false},
		{"patient-david", auth.Patient, ins + "190073306320538", "", "", "", false},
		{"patient-emma", auth.Patient, ins + "213035935031003", "", "", "", false},
		{"patient-exemple", auth.Patient, insReal + "123456789012345", "", "", "", false},
		{"patient-farid", auth.Patient, ins + "155126748202370", "", "", "", false},
		{"medecin-martin", auth.Professional, idnps + "8899900000010", "10", "SM54", "cabinet-centre", false},
		{"medecin-durand", auth.Professional, idnps + "8899900000011", "10", "SM42", "hopital-nord", false},
		{"medecin-leroy", auth.Professional, idnps + "8899900000012", "10", "SM26", "cabinet-sud", false},
		{"medecin-petit", auth.Professional, idnps + "8899900000013", "10", "SM42", "hopital-sud", false},
		{"urgentiste-roche", auth.Professional, idnps + "8899900000014", "10", "SM59", "hopital-sud", false},
		{"pharmacien-dubois", auth.Professional, idnps + "8899900000015", "21", "", "officine-gare", false},
		{"infirmier-moreau", auth.Professional, idnps + "8899900000016", "60", "", "cabinet-centre", false},
		{"sage-femme-roux", auth.Professional, idnps + "8899900000017", "50", "", "cabinet-sud", false},
		{"dentiste-faure", auth.Professional, idnps + "8899900000018", "40", "", "cabinet-sud", false},
		{"opticien-blanc", auth.Professional, idnps + "8899900000019", "28", "", "optique-gare", false},
		{"dieteticien-noel", auth.Professional, idnps + "8899900000020", "95", "", "cabinet-centre", false},
		{"medecin-travail-colin", auth.Professional, idnps + "8899900000021", "10", "SM25", "service-sante-travail", false},
		{"etudiant-simon", auth.Professional, idnps + "8899900000022", "10", "", "hopital-nord", true},
		{"samu-garnier", auth.Regulator, idnps + "8899900000023", "10", "SM59", "samu-75", false},
		{"medecin-exemple", auth.Professional, idnps + "899700218896", "10", "", "cabinet-centre", false},
		{"hopital-nord", auth.Establishment, idnst + "1750000001", "", "", "hopital-nord", false},
		{"hopital-sud", auth.Establishment, idnst + "1750000002", "", "", "hopital-sud", false},
		{"secretariat-nord", auth.Administrative, idnps + "3750000001/SEC01", "", "", "hopital-nord", false},
		{"assurance-maladie", auth.InsuranceFeeder, idnst + "1750000009", "", "", "assurance-maladie", false},
		{"representative-lambert", auth.Representative, "urn:opendmp:compte|representative-lambert", "", "", "", false},
		{"operateur", auth.Operator, "urn:opendmp:compte|operateur", "", "", "", false},
	}
	cast := Personas()
	if len(cast) != len(want) {
		t.Errorf("%d personas, want %d", len(cast), len(want))
	}
	for i, w := range want {
		if i >= len(cast) {
			break
		}
		p := cast[i]
		got := row{p.Key, p.Kind, auth.FormatIdent(p.ID), p.Profession.Code, p.Skill.Code, p.Structure, p.Student}
		if got != w {
			t.Errorf("got  %+v\nwant %+v", got, w)
		}
	}
}

func TestStructureNumbers(t *testing.T) {
	want := []string{"hopital-nord", "hopital-sud", "cabinet-centre", "cabinet-sud", "officine-gare", "optique-gare", "service-sante-travail", "samu-75", "assurance-maladie"}
	for i, s := range structures() {
		if s.key != want[i] || s.number != "175000000"+string(rune('1'+i)) {
			t.Errorf("%s is %s", s.key, s.number)
		}
	}
}

func TestPersonasAreUnique(t *testing.T) {
	keys, ids := map[string]bool{}, map[fhir.Ident]bool{}
	for _, p := range Personas() {
		id := fhir.CanonicalIdent(p.ID)
		if keys[p.Key] || ids[id] {
			t.Errorf("%s: twice", p.Key)
		}
		keys[p.Key], ids[id] = true, true
		if got, ok := Lookup(p.Key); !ok || got.ID != p.ID {
			t.Errorf("%s is not found", p.Key)
		}
		if p.Name() == "" {
			t.Errorf("%s has no name", p.Key)
		}
	}
	if _, ok := Lookup("nobody"); ok {
		t.Error("found nobody")
	}
}

// INS are of the test domain with a valid key, and agree with the traits; but for
// the number of the published examples.
func TestINS(t *testing.T) {
	for _, p := range patients() {
		ins, err := fhir.ParseINS(p.ID)
		if err != nil {
			t.Errorf("%s: %v", p.Key, err)
			continue
		}
		published := p.Key == "patient-exemple"
		if ins.Synthetic() == published || ins.KeyOK == published {
			t.Errorf("%s: synthetic %v, key %v", p.Key, ins.Synthetic(), ins.KeyOK)
		}
		if published {
			continue
		}
		tr := p.Patient
		sex := map[string]string{"male": "1", "female": "2"}[tr.Gender]
		born := tr.BirthDate[2:4] + tr.BirthDate[5:7]
		if place := tr.BirthPlaceCode; p.ID.Value[:10] != sex+born+place {
			t.Errorf("%s: %s does not say %s %s %s", p.Key, p.ID.Value, sex, born, place)
		}
	}
}

// Every persona gets a token that the verifier takes for who they are.
func TestTokens(t *testing.T) {
	now := func() time.Time { return present }
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := auth.NewSigner(key, "iss", "aud", now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.NewVerifier(auth.Config{Now: now, Issuers: []auth.Issuer{signer.Trust()}})
	if err != nil {
		t.Fatal(err)
	}
	as := func(p Persona, purpose, reason string) (auth.Principal, error) {
		token, err := signer.Sign(p.Claims(purpose, reason))
		if err != nil {
			t.Fatal(err)
		}
		return verifier.Verify(context.Background(), token)
	}
	for _, p := range Personas() {
		got, err := as(p, "", "")
		if err != nil {
			t.Errorf("%s: %v", p.Key, err)
			continue
		}
		if got.Kind() != p.Kind || got.ID() != fhir.CanonicalIdent(p.ID) || got.Profession() != p.Profession || got.Student() != p.Student || got.Name() != p.Name() {
			t.Errorf("%s: %+v", p.Key, got)
		}
		if p.Structure != "" && got.Structure() != structureOf(p.Structure).ident() {
			t.Errorf("%s: acts in %v", p.Key, got.Structure())
		}
		if got.Occupational() != (p.Key == "medecin-travail-colin") {
			t.Errorf("%s: occupational %v", p.Key, got.Occupational())
		}
		if want := p.Kind == auth.Regulator; (got.Mode() == auth.Centre15) != want {
			t.Errorf("%s: mode %v", p.Key, got.Mode())
		}
	}
	roche, alix := persona("urgentiste-roche"), persona("patient-alix")
	for _, purpose := range []string{"BTG", "bris_de_glace"} {
		got, err := as(roche, purpose, "Patiente inconsciente")
		if err != nil || got.Mode() != auth.BrisDeGlace || got.Reason() != "Patiente inconsciente" {
			t.Errorf("%s: %v, %v", purpose, got.Mode(), err)
		}
	}
	if got, err := as(roche, "TREAT", ""); err != nil || got.Mode() != auth.Normal {
		t.Errorf("TREAT: %v, %v", got.Mode(), err)
	}
	for _, purpose := range []string{"BTG", "centre_15", "HMARKT"} {
		if _, err := as(alix, purpose, ""); !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("a patient with %s: %v", purpose, err)
		}
	}
}

func TestClaimsDoNotShareMemory(t *testing.T) {
	p := persona("medecin-martin")
	a, b := p.Claims("", ""), p.Claims("", "")
	a.DMP.Roles[0].Code = "changed"
	a.DMP.Structures[0] = "changed"
	if b.DMP.Roles[0].Code == "changed" || slices.Contains(b.DMP.Structures, "changed") {
		t.Error("two tokens share their claims")
	}
}
