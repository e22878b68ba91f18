package policy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

const (
	finess = "https://finess.esante.gouv.fr"
	sirene = "https://sirene.fr"
)

// clinic is registered by its FINESS, that of a site and its SIREN.
func clinic(change func(*Establishment)) []Establishment {
	s := Establishment{
		Identifiers:  []fhir.Ident{{System: finess, Value: "750000201"}, {System: finess, Value: "750000202"}, {System: "urn:oid:1.2.250.1.213.1.6.4.3", Value: "123456782"}},
		DecisionRef:  "CME 2026-07 du 2 mars 2026",
		DecisionDate: time.Date(2026, 3, 2, 0, 0, 0, 0, fhir.Paris),
	}
	if change != nil {
		change(&s)
	}
	return []Establishment{s}
}

// site is a caller of a site of the clinic, by its Struct_IdNat.
func site(kind auth.Kind, number string) caller {
	s := ident(oidStructure, number)
	return caller{kind: kind, id: s, structures: []fhir.Ident{s}}
}

// An establishment feeds by itself from the day of the decision of its CME, and
// shows it; its staff and the opening of a dossier need none (E01).
func TestFeedingByDecision(t *testing.T) {
	rec := castDossier(t, "alix").record()
	letter := facts(t, strings.Replace(docSpec{id: "lettre", typ: "11490-0", author: "hopital-nord"}.json("alix"),
		`"value":"1750000001"`, `"value":"1750000202"`, 1), Origin{})
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, fhir.Paris)
	none := clinic(func(s *Establishment) { s.DecisionRef, s.DecisionDate = "", time.Time{} })
	for name, c := range map[string]struct {
		registered []Establishment
		kind       auth.Kind
		at         time.Time
		want       string
		shown      string
	}{
		"by decision":                  {clinic(nil), auth.Establishment, noon, "oui", "CME 2026-07 du 2 mars 2026"},
		"on its day":                   {clinic(nil), auth.Establishment, day, "oui", "CME 2026-07 du 2 mars 2026"},
		"the evening before":           {clinic(nil), auth.Establishment, day.Add(-time.Microsecond), "403", ""},
		"registered without decision":  {none, auth.Establishment, noon, "403", ""},
		"not registered":               {nil, auth.Establishment, noon, "403", ""},
		"its staff, without decision":  {none, auth.Administrative, noon, "oui", ""},
		"its staff, with the decision": {clinic(nil), auth.Administrative, noon, "oui", ""},
	} {
		e := sandboxEngine(t, func(s *Settings) { s.Establishments = c.registered })
		v := e.view(site(c.kind, "1750000202"), rec, c.at)
		d := v.Add(letter)
		if got := answer(ActAdd, d); got != c.want || v.Situation().Decision != c.shown {
			t.Errorf("%s: %s by %v under %q", name, got, d.Rules(), v.Situation().Decision)
		}
		if c.want == "403" && !strings.Contains(d.Text().FR, "CME") {
			t.Errorf("%s: told %q", name, d.Text().FR)
		}
	}
	e := sandboxEngine(t, func(s *Settings) { s.Establishments = nil })
	patient := rec.Subject(0).Facts
	patient.person.qualified, patient.person.gps = true, nil
	opening := facts(t, consentJSON("alix", Ouverture, "", "", ""), Origin{})
	if d := e.open(site(auth.Establishment, "1750000202"), patient, []Facts{opening}, noon); !d.Allowed() {
		t.Errorf("opening: %v", d.Rules())
	}
}

// An establishment is the set of its identifiers: a Consent that names one is
// about whoever acts under another, and so is what one of them deposited (§1).
func TestEstablishmentIsOne(t *testing.T) {
	e := sandboxEngine(t, func(s *Settings) { s.Establishments = clinic(nil) })
	alone := sandboxEngine(t, nil)
	doctor := cast(t, "medecin-leroy")
	doctor.structures = []fhir.Ident{ident(oidStructure, "1750000202")}
	at := func(kind ConsentKind, system, value string) *Record {
		d := castDossier(t, "alix")
		end := ""
		if kind == Autorisation {
			end = "2027-10-31"
		}
		json := strings.Replace(consentJSON("alix", kind, "hopital-sud", "", end), authorJSON("hopital-sud"),
			`{"type":"Organization","identifier":{"system":"`+system+`","value":"`+value+`"}}`, 1)
		d.add(t, "Consent/site", json, Origin{})
		return d.record()
	}
	for _, id := range []fhir.Ident{{System: oidStructure, Value: "1750000201"}, {System: oidStructure, Value: "1750000202"},
		{System: finess, Value: "750000201"}, {System: "urn:oid:1.2.250.1.213.1.6.4.3", Value: "123456782"}} {
		if got := e.view(doctor, at(Autorisation, id.System, id.Value), noon).Situation().Authorisation; got != Valide {
			t.Errorf("%s authorised: %s", id.Value, got)
		}
		if got := e.view(doctor, at(Blocage, id.System, id.Value), noon).Situation().Authorisation; got != Interdit {
			t.Errorf("%s blocked: %s", id.Value, got)
		}
	}
	other := at(Autorisation, oidStructure, "1750000201")
	if got := alone.view(doctor, other, noon).Situation().Authorisation; got != NonExiste {
		t.Errorf("not registered: %s", got)
	}
	stranger := cast(t, "medecin-petit")
	if got := e.view(stranger, at(Blocage, oidStructure, "1750000201"), noon).Situation().Authorisation; got == Interdit {
		t.Error("who acts elsewhere is blocked")
	}
	masked := docSpec{id: "masque", typ: "11488-4", author: "medecin-leroy", labels: []string{"MASQUE_PS"}}
	d := castDossier(t, "alix")
	d.subjects = append(d.subjects, Subject{"DocumentReference/masque", facts(t, masked.json("alix"), Origin{Structures: []fhir.Ident{ident(oidStructure, "1750000201")}})})
	colleague := cast(t, "medecin-durand")
	colleague.structures = []fhir.Ident{ident(oidStructure, "1750000202")}
	for _, c := range []struct {
		e    *Engine
		want bool
	}{{e, true}, {alone, false}} {
		v := c.e.view(colleague, d.record(), noon)
		if i, _ := v.rec.Index("DocumentReference/masque"); v.Read(i).Allowed() != c.want {
			t.Errorf("deposited at the other site: reads %v", !c.want)
		}
	}
	if len(doctor.structures) != 1 {
		t.Error("the caller was changed")
	}
}

func TestEstablishmentsThatAreRefused(t *testing.T) {
	m, err := LoadMatrix(SandboxMatrix())
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range map[string][]Establishment{
		"no identifier":          clinic(func(s *Establishment) { s.Identifiers = nil }),
		"half an identifier":     clinic(func(s *Establishment) { s.Identifiers[1].System = "" }),
		"no value":               clinic(func(s *Establishment) { s.Identifiers[1].Value = "" }),
		"one identifier twice":   clinic(func(s *Establishment) { s.Identifiers[1] = s.Identifiers[0] }),
		"one of two":             append(clinic(nil), clinic(nil)...),
		"one of two, elsewise":   append(clinic(nil), Establishment{Identifiers: []fhir.Ident{{System: oidStructure, Value: "1750000202"}}}),
		"a decision undated":     clinic(func(s *Establishment) { s.DecisionDate = time.Time{} }),
		"a date and no decision": clinic(func(s *Establishment) { s.DecisionRef = "" }),
		"a blank decision":       clinic(func(s *Establishment) { s.DecisionRef = " " }),
		"a decision in lines":    clinic(func(s *Establishment) { s.DecisionRef = "CME\n2026" }),
		"a long decision":        clinic(func(s *Establishment) { s.DecisionRef = strings.Repeat("x", maxDecisionRef+1) }),
	} {
		s := DefaultSettings()
		s.Establishments = all
		if _, err := New(s, m); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := DefaultSettings()
	s.Establishments = clinic(func(s *Establishment) {
		s.Identifiers = append(s.Identifiers, fhir.Ident{System: oidStructure, Value: "1750000201"}, fhir.Ident{System: sirene, Value: "12345678200010"})
	})
	if _, err := New(s, m); err != nil {
		t.Errorf("an identifier in both its forms: %v", err)
	}
}
