package dossier_test

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/store"
)

const noParameters = `{"resourceType":"Parameters"}`

// readers are the lines of an explanation: quality, then extent and rules.
func (a answer) readers() map[string]string {
	a.t.Helper()
	lines := map[string]string{}
	for i := 1; ; i++ {
		at := "parameter." + strconv.Itoa(i) + ".part."
		if a.at("parameter."+strconv.Itoa(i)+".name") != "lecteur" {
			return lines
		}
		var quality, rest string
		for n := 0; a.at(at+strconv.Itoa(n)+".name") != ""; n++ {
			part := at + strconv.Itoa(n)
			switch a.at(part + ".name") {
			case "qualite":
				quality = a.at(part + ".valueCode")
			case "lit":
				rest = a.at(part + ".valueCode")
			case "regle":
				rest += " " + a.at(part+".valueString")
			}
		}
		lines[quality] = rest
	}
}

// The patient and a médecin traitant are told who reads a document, by GET and by
// POST, in sentences that name people by what the caller may read.
func TestExplain(t *testing.T) {
	s := newScene(t)
	s.name(martin)
	doc := "DocumentReference/" + s.doc
	s.me().patch(doc, label("MASQUE_PS")).is(200)
	gp := s.doctor(martin, "1750000003")
	for _, who := range []actor{s.me(), gp} {
		a := who.get(doc+"/$expliquer").is(200).has("parameter.0.valueReference.reference", doc)
		if b := who.post(doc+"/$expliquer", noParameters).is(200); string(b.body) != string(a.body) {
			t.Error("GET and POST differ")
		}
		lines := a.readers()
		for quality, want := range map[string]string{
			"patient": "entier L03", "medecin-traitant": "entier L06 L06a", "auteur": "entier L06 L09",
			"autre-professionnel": "rien L08", "bris-de-glace": "rien L08", "operateur": "rien 1.operateur",
		} {
			if lines[quality] != want {
				t.Errorf("%s: %q, want %q", quality, lines[quality], want)
			}
		}
		if !strings.Contains(string(a.body), "Le patient lit ce document en entier : le dossier est le sien (L03).") {
			t.Errorf("%.500s", a.body)
		}
	}
	english := func(r *dossier.Request) { r.Lang = "en" }
	if a := s.me().do("GET", doc+"/$expliquer", "", "", english).is(200); !strings.Contains(string(a.body), "The patient reads this document whole: the dossier is theirs (L03).") {
		t.Errorf("%.500s", a.body)
	}
	s.me().post(doc+"/$expliquer", `{"resourceType":"Parameters","parameter":[{"name":"qui","valueString":"x"}]}`).is(400)
}

// A name is told from what the caller may read: the author's in the document.
func TestExplainNames(t *testing.T) {
	s := newScene(t)
	a := s.me().get("DocumentReference/" + s.doc + "/$expliquer").is(200)
	if !strings.Contains(string(a.body), `"name":"personne"`) || !strings.Contains(string(a.body), `"display":"`) {
		t.Errorf("nobody has a name: %.3000s", a.body)
	}
}

// To everybody else a document that is there is one that never was: the same bytes,
// the same store calls, one durable event. So it is to the patient and to a médecin
// traitant themselves when they do not read it.
func TestExplainIsNoOracle(t *testing.T) {
	c := &counted{}
	c.reset()
	h := newHouseOver(t, func(s store.Store) store.Store { c.Store = s; return c })
	s := &scene{house: h, patient: h.openFor(published)}
	s.author = h.doctor("899700218896", "1750000003")
	pushDocX(h, s.author)
	s.doc = "doc-x-id"
	s.name(martin)
	doc, none := "DocumentReference/"+s.doc+"/$expliquer", "DocumentReference/nothing/$expliquer"

	operator := auth.Claims{Subject: "operateur", Client: "test", DMP: auth.DMP{Kind: "operator"}}
	operator.Extensions.IUA = auth.IUA{PersonID: auth.SystemAccount + "|operateur", Purpose: []auth.Coding{{System: auth.SystemActReason, Code: "HSYSADMIN"}}}
	reads := map[string]actor{"reader": s.reader(), "author": s.author}
	callers := map[string]actor{
		"stranger": h.doctor("8899900000098", "1750000004"), "operator": h.as(operator), "establishment": h.establishment("1750000001"),
	}
	maps.Copy(callers, reads)
	for name, who := range reads {
		if who.get("DocumentReference/"+s.doc).Status() != 200 {
			t.Fatalf("%s does not read: the test shows nothing", name)
		}
	}
	check := func(t *testing.T, who actor) {
		t.Helper()
		who.get(none)
		ask := func(path string) (map[string]int, int, answer) {
			c.reset()
			a := who.get(path)
			return c.calls, c.events, a
		}
		who.get(doc) // both are known to the cache from here
		hidden, hiddenEvents, a := ask(doc)
		absent, absentEvents, b := ask(none)
		if a.Status() != 404 || b.Status() != 404 || string(a.body) != string(b.body) {
			t.Errorf("%d %s\n%d %s", a.Status(), a.body, b.Status(), b.body)
		}
		if !maps.Equal(hidden, absent) || hiddenEvents != 1 || absentEvents != 1 {
			t.Errorf("there: %v, %d events; not there: %v, %d events", hidden, hiddenEvents, absent, absentEvents)
		}
	}
	for name, who := range callers {
		t.Run(name, func(t *testing.T) { check(t, who) })
	}
	s.author.patch("DocumentReference/"+s.doc, label("INVISIBLE_PATIENT")).is(200)
	t.Run("the patient, of what is hidden from them", func(t *testing.T) { check(t, s.me()) })
	if lines := s.doctor(martin, "1750000003").get(doc).is(200).readers(); lines["patient"] != "rien L04" {
		t.Errorf("the médecin traitant is told of the patient: %q", lines["patient"])
	}
	s.author.do("DELETE", "DocumentReference/"+s.doc, "", "").is(204)
	t.Run("a médecin traitant, of what is deleted", func(t *testing.T) { check(t, s.doctor(martin, "1750000003")) })
}

// An explanation is an act in the history, with the rule that let it out.
func TestExplainIsInTheHistory(t *testing.T) {
	s := newScene(t)
	s.me().get("DocumentReference/" + s.doc + "/$expliquer").is(200)
	history := string(s.me().get("AuditEvent?patient=" + s.patient).is(200).body)
	if !strings.Contains(history, "$expliquer") || !strings.Contains(history, "G13") {
		t.Errorf("%.3000s", history)
	}
}

// The operator is told what the rules say of somebody, and the patient that they
// asked. Nobody else is told that way.
func TestVerdict(t *testing.T) {
	s := newScene(t)
	s.name(martin)
	claims := auth.Claims{Subject: "operateur", Client: "test", DMP: auth.DMP{Kind: "operator"}}
	claims.Extensions.IUA = auth.IUA{SubjectName: "Alice OPÉRATRICE", PersonID: auth.SystemAccount + "|operateur", Purpose: []auth.Coding{{System: auth.SystemActReason, Code: "HSYSADMIN"}}}
	operator := s.as(claims)
	s.me().patch("DocumentReference/"+s.doc, label("MASQUE_PS")).is(200)
	for name, want := range map[string]struct {
		who    actor
		extent string
		rule   string
	}{
		"médecin traitant": {s.doctor(martin, "1750000003"), "Dr TEST lit ce document en entier : ", "L06a"},
		"masked":           {s.reader(), "Dr TEST ne lit pas ce document : ", "L08"},
		"the patient":      {s.me(), "Patient lit ce document en entier : ", "L03"},
	} {
		v, err := s.door.Verdict(t.Context(), operator.p, want.who.p, s.doc)
		if err != nil || !strings.HasPrefix(v.Sentence.FR, want.extent) || !strings.Contains(strings.Join(v.Decision.Rules(), " "), want.rule) {
			t.Errorf("%s: %q by %q, %v", name, v.Sentence.FR, v.Decision.Rules(), err)
		}
	}
	history := string(s.me().get("AuditEvent?patient=" + s.patient).is(200).body)
	if !strings.Contains(history, "Alice OPÉRATRICE") || !strings.Contains(history, `"explain"`) {
		t.Errorf("the patient is not told: %.3000s", history)
	}
	if _, err := s.door.Verdict(t.Context(), operator.p, s.me().p, "nothing"); !errors.Is(err, dossier.ErrNotFound) {
		t.Errorf("an id that is not there: %v", err)
	}
	for _, no := range []auth.Principal{s.me().p, s.doctor(martin, "1750000003").p, {}} {
		if v, err := s.door.Verdict(t.Context(), no, s.me().p, s.doc); !errors.Is(err, dossier.ErrForbidden) || v.Decision.Allowed() {
			t.Errorf("told to one who is no operator: %+v, %v", v, err)
		}
	}
}
