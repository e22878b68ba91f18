package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"opendmp/fhir"
)

// released returns the JSON that comes out, "" if nothing does.
func released(r Released[*fhir.Resource], d Decision) string {
	v, ok := r.Value()
	if ok != d.Allowed() {
		return "released and refused at once"
	}
	if !ok {
		return ""
	}
	return string(v.Bytes())
}

func TestReleaseKeepsBytes(t *testing.T) {
	v := sandboxEngine(t, nil).view(cast(t, "medecin-martin"), castDossier(t, "alix").record(), noon)
	for _, spec := range alixDocuments {
		r := parse(t, spec.json("alix"))
		if got := released(v.Release(r, spec.origin(t))); got != string(r.Bytes()) {
			t.Errorf("%s: %s", spec.id, got)
		}
	}
}

// What may not be read, what is not of the record, and what is about another
// patient does not come out.
func TestReleaseRefuses(t *testing.T) {
	e := sandboxEngine(t, nil)
	rec := castDossier(t, "alix").record()
	spec := func(id string) docSpec {
		for _, s := range alixDocuments {
			if s.id == id {
				return s
			}
		}
		t.Fatalf("no %s", id)
		return docSpec{}
	}
	masked, biology := spec("alix-masque"), spec("alix-biologie")
	unmasked := masked
	unmasked.labels = nil
	relabelled := biology
	relabelled.labels = []string{"MASQUE_PS"}
	stranger := biology
	stranger.id = "basile-lettre-1"
	cases := []struct {
		name, who string
		r         *fhir.Resource
		o         Origin
		allowed   bool
	}{
		{"masked", "pharmacien-dubois", parse(t, masked.json("alix")), masked.origin(t), false},
		{"masked in the record, not in the bytes", "pharmacien-dubois", parse(t, unmasked.json("alix")), masked.origin(t), false},
		{"masked in the bytes, not in the record", "infirmier-moreau", parse(t, relabelled.json("alix")), biology.origin(t), false},
		{"as it is", "infirmier-moreau", parse(t, biology.json("alix")), biology.origin(t), true},
		{"of another patient", "infirmier-moreau", parse(t, biology.json("basile")), biology.origin(t), false},
		{"not of the record", "infirmier-moreau", parse(t, stranger.json("alix")), biology.origin(t), false},
		{"deleted by the server", "infirmier-moreau", parse(t, biology.json("alix")), Origin{Deleted: true}, false},
		{"unreadable", "infirmier-moreau", parse(t, strings.Replace(biology.json("alix"), `"N"`, `"X"`, 1)), biology.origin(t), false},
		{"nothing", "infirmier-moreau", nil, Origin{}, false},
		{"another INS", "infirmier-moreau", parse(t, strings.Replace(biology.json("alix"), `"reference":"Patient/alix"`,
			`"reference":"Patient/alix","identifier":{"system":"`+fhir.SystemINSTest+`","value":"162116938804233"}`, 1)), biology.origin(t), false},
		{"content within, for who reads metadata", "hopital-nord", parse(t, strings.Replace(biology.json("alix"), `"url":`, `"data":"eA==","url":`, 1)), biology.origin(t), false},
		{"metadata", "hopital-nord", parse(t, biology.json("alix")), biology.origin(t), true},
	}
	for _, c := range cases {
		v := e.view(cast(t, c.who), rec, noon)
		r, d := v.Release(c.r, c.o)
		if _, ok := r.Value(); ok != c.allowed || d.Allowed() != c.allowed || !ok && d.Refusal() != Hidden {
			t.Errorf("%s: released %v, decision %v %v", c.name, ok, d.Allowed(), d.Rules())
		}
	}
}

// An old version is governed by the current one, whatever it says itself.
func TestReleaseOld(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	masked := alixDocuments[5]
	before := masked
	before.labels = nil
	v := e.view(cast(t, "pharmacien-dubois"), rec, noon)
	if got := released(v.ReleaseOld(parse(t, masked.json("alix")), masked.origin(t), parse(t, before.json("alix")))); got != "" {
		t.Errorf("a version from before the mask: %s", got)
	}
	biology := alixDocuments[1]
	then := biology
	then.labels = []string{"MASQUE_PS"}
	nurse := e.view(cast(t, "infirmier-moreau"), rec, noon)
	old := parse(t, then.json("alix"))
	if got := released(nurse.ReleaseOld(parse(t, biology.json("alix")), biology.origin(t), old)); got != string(old.Bytes()) {
		t.Errorf("a version from when it was masked: %s", got)
	}
	other := alixDocuments[0]
	if got := released(nurse.ReleaseOld(parse(t, biology.json("alix")), biology.origin(t), parse(t, other.json("alix")))); got != "" {
		t.Errorf("a version of another document: %s", got)
	}
}

// A content comes out with the document that names it, if all of that is read.
func TestReleaseContent(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	biology, masked := alixDocuments[1], alixDocuments[5]
	cases := []struct {
		name, who string
		governor  docSpec
		ref       string
		allowed   bool
	}{
		{"named and read", "infirmier-moreau", biology, "Binary/alix-biologie-contenu", true},
		{"by its address", "infirmier-moreau", biology, "https://dmp.example/fhir/Binary/alix-biologie-contenu", true},
		{"of another document", "infirmier-moreau", biology, "Binary/alix-masque-contenu", false},
		{"named by nothing", "infirmier-moreau", biology, "", false},
		{"masked", "infirmier-moreau", masked, "Binary/alix-masque-contenu", false},
		{"metadata only", "hopital-nord", biology, "Binary/alix-biologie-contenu", false},
		{"author without authorisation", "medecin-leroy", masked, "Binary/alix-masque-contenu", false},
		{"médecin traitant", "medecin-martin", masked, "Binary/alix-masque-contenu", true},
	}
	for _, c := range cases {
		v := e.view(cast(t, c.who), rec, noon)
		r, d := ReleaseContent(v, parse(t, c.governor.json("alix")), c.governor.origin(t), c.ref, "content")
		if got, ok := r.Value(); ok != c.allowed || d.Allowed() != c.allowed || ok && got != "content" {
			t.Errorf("%s: %v %q %v", c.name, ok, got, d.Rules())
		}
	}
	v := e.view(cast(t, "medecin-martin"), rec, noon)
	list := parse(t, `{"resourceType":"List","id":"alix-dossier-soins","status":"current","subject":{"reference":"Patient/alix"},`+
		`"entry":[{"item":{"reference":"DocumentReference/alix-ordonnance"}}]}`)
	if r, _ := ReleaseContent(v, list, Origin{}, "DocumentReference/alix-ordonnance", 1); r.Ok() {
		t.Error("a List governs a content")
	}
}

// References to what the caller may not see are cut, whether or not it is there;
// all else stays as it is.
func TestTrim(t *testing.T) {
	d := castDossier(t, "alix")
	list := `{"resourceType":"List","id":"l","status":"current","text":{"status":"generated","div":"<div/>"},"subject":{"reference":"Patient/alix"},` +
		`"entry":[{"item":{"reference":"DocumentReference/alix-masque"}}, {"item":{"reference":"DocumentReference/alix-biologie"}},{"item":{"reference":"DocumentReference/absent"}}]}`
	d.add(t, "List/l", list, Origin{})
	provenance := `{"resourceType":"Provenance","id":"p","target":[{"reference":"DocumentReference/alix-biologie"},{"reference":"DocumentReference/alix-masque"},{"reference":"List/l"}],` +
		`"agent":[{"who":{"display":"x"}}],"entity":[{"role":"source","what":{"reference":"Binary/alix-masque-contenu"}}]}`
	d.add(t, "Provenance/p", provenance, Origin{})
	consent := strings.Replace(consentJSON("alix", Blocage, "pharmacien-dubois", "", ""), `"provision"`, `"sourceReference":{"reference":"DocumentReference/alix-masque"},"provision"`, 1)
	document := func(extra string) string {
		spec := alixDocuments[1]
		spec.extra = extra
		return spec.json("alix")
	}
	const (
		related  = `"context":{"related":[{"reference":"DocumentReference/alix-masque"}]},`
		withMore = `"context":{"period":{"start":"2026-01-01"},"related":[{"reference":"DocumentReference/alix-masque"},{"reference":"DocumentReference/alix-ordonnance"}]},`
	)
	cases := []struct{ name, in, out string }{
		{"entries", list, `{"resourceType":"List","id":"l","status":"current","subject":{"reference":"Patient/alix"},` +
			`"entry":[{"item":{"reference":"DocumentReference/alix-biologie"}}]}`},
		{"targets and entities", provenance, `{"resourceType":"Provenance","id":"p","target":[{"reference":"DocumentReference/alix-biologie"},{"reference":"List/l"}],` +
			`"agent":[{"who":{"display":"x"}}]}`},
		{"relatesTo", document(`"relatesTo":[{"code":"appends","target":{"reference":"DocumentReference/alix-masque"}}],`), document("")},
		{"relatesTo by address and version", document(`"relatesTo":[{"code":"appends","target":{"reference":"http://a.example/fhir/DocumentReference/alix-masque/_history/2"}}],`), document("")},
		{"relatesTo by identifier", document(`"relatesTo":[{"code":"appends","target":{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3.alix-masque"}}}],`), document("")},
		{"relatesTo of what nobody knows", document(`"relatesTo":[{"code":"appends","target":{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:9.9"}}}],`), document("")},
		{"relatesTo of what is not resolved", document(`"relatesTo":[{"code":"appends","target":{"reference":"urn:uuid:1"}}],`), document("")},
		{"related, of a type of the dossier", document(`"context":{"related":[{"type":"DocumentReference","identifier":{"system":"urn:oid:1.2.3","value":"venue-1"}}]},`), document("")},
		{"related, of no type of FHIR", document(`"context":{"related":[{"type":"Venue","identifier":{"system":"urn:oid:1.2.3","value":"venue-1"}}]},`), document("")},
		{"a context of nothing else", document(related), document("")},
		{"a context of more", document(withMore), document(`"context":{"period":{"start":"2026-01-01"},"related":[{"reference":"DocumentReference/alix-ordonnance"}]},`)},
		{"an extension", document(`"x":[{"url":"urn:x","valueReference":{"reference":"Binary/alix-masque-contenu"}}],`), document(`"x":[{"url":"urn:x"}],`)},
	}
	v := sandboxEngine(t, nil).view(cast(t, "infirmier-moreau"), d.record(), noon)
	for _, c := range cases {
		got, err := v.trim(parse(t, c.in))
		if err != nil || string(got.Bytes()) != c.out {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, got.Bytes(), c.out)
		}
	}
	kept := []string{
		document(`"relatesTo":[{"code":"appends","target":{"reference":"DocumentReference/alix-ordonnance"}}],`),
		document(`"relatesTo":[{"code":"appends","target":{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3.alix-ordonnance"}}}],`),
		document(`"context":{"related":[{"identifier":{"type":{"coding":[{"system":"urn:ietf:rfc:3986","code":"urn:ihe:iti:xds:2013:order"}]},"value":"urn:oid:1.2.3.alix-masque"}}]},`),
		document(`"context":{"related":[{"type":"Encounter","identifier":{"system":"urn:oid:1.2.3","value":"venue-1"}}]},`),
		document(`"context":{"related":[{"type":"ServiceRequest","identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3.alix-masque"}}]},`),
		document(`"authenticator":{"reference":"#a"},"contained":[{"resourceType":"Practitioner","id":"a"}],`),
		document(`"context":{"encounter":[{"reference":"Encounter/1"}]},`),
	}
	for _, in := range kept {
		if got, err := v.trim(parse(t, in)); err != nil || string(got.Bytes()) != in {
			t.Errorf("changed: %v\n%s\nto\n%s", err, in, got.Bytes())
		}
	}
	// The médecin traitant sees all of it, but what is not there.
	mt := sandboxEngine(t, nil).view(cast(t, "medecin-martin"), d.record(), noon)
	if got, err := mt.trim(parse(t, consent)); err != nil || string(got.Bytes()) != consent {
		t.Errorf("%v\n%s", err, got.Bytes())
	}
	if got, _ := v.trim(parse(t, consent)); strings.Contains(string(got.Bytes()), "alix-masque") {
		t.Errorf("%s", got.Bytes())
	}
}

// A list is released without what is hidden, and not at all when nothing is left.
func TestReleaseLists(t *testing.T) {
	d := castDossier(t, "alix")
	e, rec := sandboxEngine(t, nil), d.record()
	list := parse(t, `{"resourceType":"List","id":"alix-dossier-soins","status":"current","subject":{"reference":"Patient/alix"},"source":`+authorJSON("medecin-durand")+
		`,"entry":[{"item":{"reference":"DocumentReference/alix-masque"}},{"item":{"reference":"DocumentReference/alix-ordonnance"}}]}`)
	got := released(e.view(cast(t, "infirmier-moreau"), rec, noon).Release(list, Origin{}))
	if strings.Contains(got, "alix-masque") || !strings.Contains(got, "alix-ordonnance") {
		t.Errorf("nurse: %s", got)
	}
	if got := released(e.view(cast(t, "urgentiste-roche"), rec, noon).Release(list, Origin{})); got != "" {
		t.Errorf("no authorisation: %s", got)
	}
	// An old version that named only what is hidden now.
	old := parse(t, `{"resourceType":"List","id":"alix-dossier-soins","status":"current","subject":{"reference":"Patient/alix"},`+
		`"entry":[{"item":{"reference":"DocumentReference/alix-masque"}}]}`)
	if got := released(e.view(cast(t, "infirmier-moreau"), rec, noon).ReleaseOld(list, Origin{}, old)); got != "" {
		t.Errorf("old version: %s", got)
	}
}

// The answer of TD0.2 is that of the published example, to the element.
func TestReleaseStatusAsPublished(t *testing.T) {
	b, err := os.ReadFile("../testdata/fixtures/opendmp/Bundle-td02-ferme.json")
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, string(b)).At("entry", "resource").Resource()
	// The stored Patient has much more.
	stored := strings.Replace(string(want.Bytes()), `"meta": {`, `"text":{"status":"empty","div":"<div/>"},"telecom":[{"system":"phone","value":"+33600000003"}],`+
		`"address":[{"city":"Bordeaux"}],"generalPractitioner":[`+authorJSON("medecin-martin")+`],"meta": { "versionId":"4",`, 1)
	stored = strings.Replace(stored, `"extension": [`, `"extension": [{"url":"`+extReliability+`","extension":[{"url":"identityStatus","valueCoding":{"code":"QUAL"}}]},`, 1)
	stored = strings.Replace(stored, `"given": [`, `"suffix":["veuve"],"given": [`, 1)
	stored = strings.Replace(stored, `"identifier": [`, `"identifier": [{"system":"urn:ipp","value":"7"},{"use":"old","system":"`+fhir.SystemINSNIA+`","value":"9"},`, 1)
	record := NewRecord(Closed, []Subject{{"Patient/claire", facts(t, stored, Origin{})}})
	v := sandboxEngine(t, nil).view(cast(t, "medecin-leroy"), record, noon)
	got := released(v.ReleaseStatus(parse(t, stored), Origin{}))
	if !sameJSON(t, got, string(want.Bytes())) {
		t.Errorf("%s", got)
	}
}

func TestReleaseStatus(t *testing.T) {
	e := sandboxEngine(t, nil)
	patient := func(d *dossier) *fhir.Resource {
		return parse(t, patientJSON(d.name, d.state == Active, `"extension":[{"url":"`+extRattachement+`","valueBoolean":true}],`, "medecin-martin"))
	}
	cases := []struct{ dossier, who, has string }{
		{"alix", "medecin-durand", `"valueCode":"VALIDE"`},
		{"alix", "medecin-petit", `"valueCode":"EXPIRE"`},
		{"alix", "medecin-leroy", `"valueCode":"NON_EXISTE"`},
		{"alix", "medecin-martin", `medecin-traitant","valueBoolean":true`},
		{"alix", "medecin-durand", `medecin-traitant","valueBoolean":false`},
		{"alix", "medecin-durand", `rattachement-mes","valueBoolean":true`},
		{"alix", "medecin-durand", `"active":true`},
		{"david", "medecin-durand", `"valueCode":"INTERDIT"`},
		{"david", "hopital-nord", `"valueCode":"VALIDE"`},
		{"claire", "hopital-sud", `"active":false`},
		{"basile", "samu-garnier", ""},
		{"alix", "assurance-maladie", `"valueCode":"NON_EXISTE"`},
		{"alix", "operateur", ""},
		{"alix", "patient-basile", ""},
		{"alix", "personne", ""},
	}
	for _, c := range cases {
		d := castDossier(t, c.dossier)
		got := released(e.view(cast(t, c.who), d.record(), noon).ReleaseStatus(patient(d), Origin{}))
		if c.has == "" && got != "" || !strings.Contains(got, c.has) {
			t.Errorf("%s on %s: %s", c.who, c.dossier, got)
		}
	}
	d := castDossier(t, "alix")
	v := e.view(cast(t, "medecin-durand"), d.record(), noon)
	other := parse(t, patientJSON("basile", true, ""))
	if got := released(v.ReleaseStatus(other, Origin{})); got != "" {
		t.Errorf("another patient: %s", got)
	}
	if got := released(v.ReleaseStatus(nil, Origin{})); got != "" {
		t.Errorf("no patient: %s", got)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatalf("%v: %s", err, a)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

func TestCompose(t *testing.T) {
	v := sandboxEngine(t, nil).view(cast(t, "medecin-martin"), castDossier(t, "alix").record(), noon)
	one, _ := v.Release(parse(t, alixDocuments[0].json("alix")), alixDocuments[0].origin(t))
	two, _ := v.Release(parse(t, alixDocuments[1].json("alix")), alixDocuments[1].origin(t))
	join := func(rs []*fhir.Resource) ([]byte, error) {
		var b bytes.Buffer
		for _, r := range rs {
			b.WriteString(r.ID())
		}
		return b.Bytes(), nil
	}
	all, err := Compose(join, one, two)
	if got, ok := all.Value(); err != nil || !ok || string(got) != "alix-cr-consultationalix-biologie" {
		t.Errorf("%q %v %v", got, ok, err)
	}
	if all, err := Compose(join, one, Released[*fhir.Resource]{}); !errors.Is(err, ErrNotReleased) || all.Ok() {
		t.Errorf("with a part that was not released: %v", err)
	}
	failed := errors.New("encoding failed")
	if all, err := Compose(func([]*fhir.Resource) ([]byte, error) { return nil, failed }, one); !errors.Is(err, failed) || all.Ok() {
		t.Errorf("with an encoding that fails: %v", err)
	}
	if none, err := Compose(join); err != nil || !none.Ok() {
		t.Errorf("of nothing: %v", err)
	}
}

// Events come out by their class.
func TestReleaseEvent(t *testing.T) {
	e := sandboxEngine(t, nil)
	cases := []struct {
		who     string
		classes []Class
	}{
		{"patient-emma", []Class{Open, Secret}},
		{"representative-lambert", []Class{Open}},
		{"medecin-martin", []Class{Open, Withheld, Secret}},
		{"medecin-leroy", nil},
		{"hopital-nord", nil},
		{"personne", nil},
	}
	for _, c := range cases {
		v := e.view(cast(t, c.who), castDossier(t, "emma").record(), noon)
		for class := Open; class <= Secret+1; class++ {
			r, d := ReleaseEvent(v, class, "event")
			want := false
			for _, k := range c.classes {
				want = want || k == class
			}
			if _, ok := r.Value(); ok != want || d.Allowed() != want {
				t.Errorf("%s: class %d: %v", c.who, class, ok)
			}
		}
	}
}

// The health insurance may ask whether there is a dossier, and gets the answer
// that an establishment gets. Who may not ask learns nothing from the refusal.
func TestWhoAsksForStatus(t *testing.T) {
	e, rec := sandboxEngine(t, nil), castDossier(t, "alix").record()
	patient := parse(t, patientJSON("alix", true, "", "medecin-martin"))
	status := func(who string) string {
		return released(e.view(cast(t, who), rec, noon).ReleaseStatus(patient, Origin{}))
	}
	if insurance := status("assurance-maladie"); insurance == "" || insurance != status("hopital-nord") {
		t.Errorf("the health insurance: %s", insurance)
	}
	for _, c := range []struct {
		who     string
		refused bool
	}{
		{"assurance-maladie", false}, {"secretariat-nord", false}, {"hopital-nord", false}, {"medecin-leroy", false}, {"samu-garnier", false},
		{"operateur", true}, {"personne", true}, {"patient-basile", true}, {"representative-lambert", true},
	} {
		there, none := e.view(cast(t, c.who), rec, noon).Search("Patient", true), e.view(cast(t, c.who), nil, noon).Search("Patient", true)
		if there.Allowed() == c.refused || none.Allowed() {
			t.Errorf("%s: %v by %v; no dossier: %v by %v", c.who, there.Allowed(), there.Rules(), none.Allowed(), none.Rules())
		}
		if c.refused && (there.Refusal() != Forbidden || none.Refusal() != Forbidden) || !c.refused && none.Refusal() != Hidden {
			t.Errorf("%s: refusal %v; no dossier %v", c.who, there.Refusal(), none.Refusal())
		}
	}
}

// What can be cut for somebody is known without knowing for whom.
func TestTrimmable(t *testing.T) {
	document := func(extra string) string {
		spec := alixDocuments[1]
		spec.extra = extra
		return spec.json("alix")
	}
	for in, want := range map[string]bool{
		document(""): false,
		document(`"context":{"encounter":[{"reference":"Encounter/1"}]},`):                                                           false,
		document(`"context":{"related":[{"type":"Encounter","identifier":{"value":"1"}}]},`):                                         false,
		document(`"context":{"related":[{"identifier":{"value":"1"}}]},`):                                                            true,
		document(`"relatesTo":[{"code":"appends","target":{"reference":"DocumentReference/x"}}],`):                                   true,
		document(`"relatesTo":[{"code":"appends","target":{"identifier":{"value":"1"}}}],`):                                          true,
		document(`"x":[{"url":"urn:x","valueReference":{"reference":"Binary/x"}}],`):                                                 true,
		`{"resourceType":"List","status":"current","entry":[{"item":{"reference":"https://dmp.example/fhir/DocumentReference/x"}}]}`: true,
		`{"resourceType":"List","status":"current"}`:                                                                                 false,
	} {
		if got := Trimmable(parse(t, in)); got != want {
			t.Errorf("%v, want %v: %s", got, want, in)
		}
	}
}
