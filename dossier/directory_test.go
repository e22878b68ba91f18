package dossier_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"opendmp/directory"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/sandbox"
	"opendmp/store"
)

// withDirectory is a house whose door has a directory, that of the cast if nil.
func withDirectory(t testing.TB, d directory.Directory) *house {
	if d == nil {
		d = sandbox.Directory()
	}
	return newHouseOver(t, plain, func(c *dossier.Config) { c.Directory = d })
}

// sceneWithDirectory is a dossier in such a house.
func sceneWithDirectory(t testing.TB) *scene {
	h := withDirectory(t, nil)
	return &scene{house: h, patient: h.openFor(published)}
}

func TestSearchDirectory(t *testing.T) {
	h := withDirectory(t, nil)
	me := h.patient(published)
	for _, c := range []struct{ query, total, first string }{
		{"Practitioner?name=martin", "1", "ps-8899900000010"},
		{"Practitioner?name=helene%20martin", "1", "ps-8899900000010"},
		{"Practitioner?family=ro", "2", "ps-8899900000014"},
		{"Practitioner?family=ro&given=cam", "1", "ps-8899900000017"},
		{"Practitioner?identifier=" + systemPerson + "|8899900000012", "1", "ps-8899900000012"},
		{"Practitioner?identifier=https://rpps.esante.gouv.fr|99900000012", "1", "ps-8899900000012"},
		{"Practitioner?identifier=99900000012", "1", "ps-8899900000012"},
		{"Practitioner?identifier=urn:rien|99900000012", "0", ""},
		{"Practitioner?_id=ps-8899900000010", "1", "ps-8899900000010"},
		{"Practitioner?_id=st-F750000001", "0", ""},
		{"Practitioner?name=personne", "0", ""},
		{"PractitionerRole?practitioner.name=martin&role=10", "1", ""},
		{"PractitionerRole?practitioner.name=martin&role=" + systemG15 + "|10", "1", ""},
		{"PractitionerRole?practitioner.name=martin&role=urn:rien|10", "0", ""},
		{"PractitionerRole?practitioner.name=martin&role=60", "0", ""},
		{"PractitionerRole?practitioner=Practitioner/ps-8899900000010", "1", ""},
		{"PractitionerRole?practitioner=Practitioner/ps-8899900000010&organization=Organization/st-F750000003", "1", ""},
		{"PractitionerRole?practitioner=Practitioner/ps-8899900000010&organization=Organization/st-F750000001", "0", ""},
		{"PractitionerRole?practitioner=ps-8899900000010&practitioner:identifier=8899900000012", "0", ""},
		{"PractitionerRole?practitioner=Practitioner/rien", "0", ""},
		{"PractitionerRole?practitioner.identifier=8899900000010&specialty=SM54", "1", ""},
		{"PractitionerRole?practitioner.name=martin&organization.address-city=paris&organization.address-postalcode=75", "1", ""},
		{"PractitionerRole?practitioner.name=martin&organization.address-city=lyon", "0", ""},
		{"PractitionerRole?practitioner.name=martin&organization.identifier=" + systemStructure + "|1750000003", "1", ""},
		{"Organization?name=hopital", "2", "st-F750000001"},
		{"Organization?name=h%C3%B4pital%20sud", "1", "st-F750000002"},
		{"Organization?identifier=https://finess.esante.gouv.fr|750000002", "1", "st-F750000002"},
		{"Organization?name=h%C3%B4pital&address-city=paris", "2", "st-F750000001"},
		{"Organization?name=hopital&_count=1", "2", "st-F750000001"},
		{"Organization?name=hopital&_summary=count", "2", ""},
	} {
		a := me.get(c.query).is(200).has("total", c.total)
		if c.first != "" {
			a.has("entry.0.resource.id", c.first)
		}
		if strings.Contains(string(a.body), "Patient") || a.Clinical() {
			t.Errorf("%s: a patient is in it: %s", c.query, a.body)
		}
	}
}

// Each resource is FHIR, is read by its id, and is told in XML too.
func TestDirectoryResources(t *testing.T) {
	h := withDirectory(t, nil)
	me := h.patient(published)
	found := me.get("PractitionerRole?practitioner.name=martin&_include=PractitionerRole:practitioner&_include=PractitionerRole:organization").is(200)
	found.has("entry", "3").has("entry.1.search.mode", "include").has("entry.1.resource.resourceType", "Practitioner").
		has("entry.2.resource.resourceType", "Organization")
	for i := range 3 {
		ref := found.at(fmt.Sprintf("entry.%d.resource.resourceType", i)) + "/" + found.at(fmt.Sprintf("entry.%d.resource.id", i))
		read := me.get(ref).is(200)
		if issues := fhir.Validate(parsed(t, read.body)); fhir.Failed(issues) {
			t.Errorf("%s: %+v", ref, issues)
		}
		if x := read.As(fhir.FormatXML, false); !strings.HasPrefix(x.MediaType(), "application/fhir+xml") || !strings.Contains(string(x.Body()), "<id value=") {
			t.Errorf("%s in XML: %s", ref, x.Body())
		}
		me.get(ref+"?_elements=id").is(200).has("meta.tag.0.code", "SUBSETTED")
	}
	found.has("entry.0.resource.practitioner.identifier.value", "8899900000010").has("entry.0.resource.organization.identifier.value", "1750000003")
	me.get("Practitioner/ps-8899900000010").is(200).has("name.0.text", "DR Hélène MARTIN")
	for _, ref := range []string{
		"Practitioner/rien", "Practitioner/ps-", "Practitioner/ps-8899900000099", "Practitioner/st-F750000001", "Practitioner/ps-99900000010",
		"PractitionerRole/ps-8899900000010", "PractitionerRole/ps-8899900000010-rien", "Organization/ps-8899900000010", "Organization/st-1750000001", "Organization/st-",
	} {
		me.get(ref).is(404)
	}
}

func parsed(t *testing.T, body []byte) *fhir.Resource {
	t.Helper()
	r, err := fhir.Parse(body)
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return r
}

func TestDirectoryRefuses(t *testing.T) {
	h := withDirectory(t, nil)
	me := h.patient(published)
	for _, query := range []string{
		"Practitioner", "Practitioner?given=marie", "Practitioner?name=m", "Practitioner?_id=a&name=martin", "Practitioner?_id=a,b",
		"PractitionerRole?role=10", "PractitionerRole?organization=Organization/st-F750000001", "Organization?address-city=paris", "Practitioner?name=martin&_page=rien",
	} {
		me.get(query).is(400)
	}
	if a := h.door.Do(t.Context(), actor{}.p, dossier.Request{Request: fhir.Request{Interaction: fhir.Search, Type: "Practitioner"}, Lang: "fr"}); a.Status() != 401 {
		t.Errorf("nobody: %d", a.Status())
	}
	// Without a directory the types do not exist, and /metadata does not name them.
	bare := newHouse(t)
	bare.patient(published).get("Practitioner?name=martin").is(404)
	bare.patient(published).get("Organization/st-F750000001").is(404)
	for door, want := range map[*dossier.Service]bool{h.door: true, bare.door: false} {
		if got := strings.Contains(string(door.Published(dossier.Request{Request: fhir.Request{Interaction: fhir.Capabilities}}).Body()), `"type":"PractitionerRole"`); got != want {
			t.Errorf("in /metadata: %v, want %v", got, want)
		}
	}
}

// Each caller has their own allowance, and the system journal keeps who looked.
func TestDirectoryIsBoundedAndTold(t *testing.T) {
	h := newHouseOver(t, plain, func(c *dossier.Config) { c.Directory, c.LookupsPerMinute = sandbox.Directory(), 3 })
	me, doctor := h.patient(published), h.doctor(leroy, "1750000004")
	for range 3 {
		me.get("Practitioner?name=martin").is(200)
	}
	me.get("Practitioner?name=martin").is(429)
	me.get("Practitioner/ps-8899900000010").is(429)
	doctor.get("Practitioner?name=martin").is(200)
	h.now = h.now.Add(time.Minute)
	me.get("Practitioner/ps-8899900000010").is(200)
	events, err := h.log.Read(t.Context(), h.log.Journal(), store.Cursor{}, 100)
	h.must(err)
	told := 0
	for _, e := range events {
		if strings.HasPrefix(e.Query, "Practitioner?name=martin") && e.Allowed {
			told++
		}
	}
	if told != 4 {
		t.Errorf("%d searches are in the journal, want 4", told)
	}
}

// More than fit are counted, and who asks is told to narrow.
func TestDirectoryShowsSome(t *testing.T) {
	b := directory.NewBuilder()
	for i := range 60 {
		err := b.Add(directory.Record{National: fmt.Sprintf("8999%08d", i), Family: "NOMBREUX", Given: fmt.Sprint(i), Profession: fhir.Code{Code: "60"}})
		if err != nil {
			t.Fatal(err)
		}
	}
	me := withDirectory(t, b.Index()).patient(published)
	a := me.get("Practitioner?name=nombreux&_count=200").is(200).has("total", "60").has("entry", "51")
	a.has("entry.50.search.mode", "outcome").has("entry.50.resource.issue.0.severity", "information")
	if strings.Contains(string(a.body), `"next"`) {
		t.Error("there is a next page")
	}
	me.get("PractitionerRole?practitioner.name=nombreux&_count=5").is(200).has("entry", "6")
}

// In a batch and in a transaction the directory answers as alone.
func TestDirectoryInBundles(t *testing.T) {
	s := sceneWithDirectory(t)
	const entry = `{"resourceType":"Bundle","type":"%s","entry":[{"request":{"method":"GET","url":"Practitioner?name=martin"}},{"request":{"method":"GET","url":"Patient/%s"}}]}`
	for _, typ := range []string{"batch", "transaction"} {
		s.me().post("", fmt.Sprintf(entry, typ, s.patient)).is(200).has("entry.0.resource.total", "1").has("entry.1.resource.resourceType", "Patient")
	}
}

// A document may refer to somebody of a directory, this one or another, as before: that
// is no reference into the dossier.
func TestDocumentsReferToTheDirectory(t *testing.T) {
	for _, ref := range []string{"Practitioner/ps-8899900000012", "Organization/rien"} {
		s := sceneWithDirectory(t)
		const at = `"status": "current",`
		body := fixture(t, "pdsm4dmp/DocumentReference-example-td2-iti105-publication-simplifiee.json")
		if !strings.Contains(body, at) {
			t.Fatal("the fixture has another form")
		}
		body = strings.Replace(body, at, at+`"authenticator":{"reference":"`+ref+`"},`, 1)
		s.doctor("899700218896", "1750000003").post("DocumentReference", body).is(201)
	}
}

// Who is named médecin traitant is a physician of the directory, where there is one.
func TestMedecinTraitantIsPhysician(t *testing.T) {
	s := sceneWithDirectory(t)
	naming := func(ids ...string) string {
		var gps []string
		for _, id := range ids {
			gps = append(gps, `{"type":"Practitioner","identifier":{"system":"`+systemPerson+`","value":"`+id+`"}}`)
		}
		return `[{"op":"add","path":"/generalPractitioner","value":[` + strings.Join(gps, ",") + `]}]`
	}
	const pharmacist, student, nobody = "8899900000015", "8899900000022", "8899900000099"
	for _, id := range []string{pharmacist, student, nobody} {
		a := s.me().patch("Patient/"+s.patient, naming(leroy, id)).is(422)
		if !strings.Contains(a.at("issue.0.details.text"), "annuaire") {
			t.Errorf("%s", a.body)
		}
		// Who may not name anybody is refused for that.
		s.doctor(durand, "1750000001").patch("Patient/"+s.patient, naming(id)).is(403)
	}
	s.name(leroy)
	s.me().get("Patient/"+s.patient).is(200).has("generalPractitioner", "1")
	newScene(t).name(pharmacist) // without a directory
}

// Who was named stays named, though the directory knows them no more.
func TestMedecinTraitantRetires(t *testing.T) {
	d := &changing{Index: sandbox.Directory()}
	h := withDirectory(t, d)
	s := &scene{house: h, patient: h.openFor(published)}
	s.name(leroy)
	d.Index = directory.NewBuilder().Index()
	s.me().patch("Patient/"+s.patient, `[{"op":"add","path":"/telecom","value":[{"system":"phone","value":"+33639980001"}]}]`).is(200)
	s.me().patch("Patient/"+s.patient, `[{"op":"add","path":"/generalPractitioner/-","value":{"type":"Practitioner","identifier":{"system":"`+systemPerson+`","value":"`+durand+`"}}}]`).is(422)
}

// changing is a directory that a test changes.
type changing struct{ *directory.Index }

// A directory that cannot answer refuses what depends on it, with 503.
func TestDirectoryDown(t *testing.T) {
	h := withDirectory(t, down{})
	patient := h.openFor(published) // names nobody
	me := h.patient(published)
	me.get("Practitioner?name=martin").is(503)
	me.patch("Patient/"+patient, `[{"op":"add","path":"/generalPractitioner","value":[{"identifier":{"system":"`+systemPerson+`","value":"`+leroy+`"}}]}]`).is(503)
}

type down struct{}

func (down) Professionals(context.Context, directory.ProfessionalQuery) (f directory.Found[directory.Professional], err error) {
	return f, directory.ErrUnavailable
}

func (down) Structures(context.Context, directory.StructureQuery) (f directory.Found[directory.Structure], err error) {
	return f, directory.ErrUnavailable
}

// An opening names no médecin traitant who is no physician.
func TestOpeningNamesAPhysician(t *testing.T) {
	h := withDirectory(t, nil)
	open := func(id string) string {
		const at = `"resourceType": "Patient",`
		whole := opening(t, published)
		if !strings.Contains(whole, at) {
			t.Fatal("the fixture of the opening has another form")
		}
		return strings.Replace(whole, at, at+`"generalPractitioner":[{"type":"Practitioner","identifier":{"system":"`+systemPerson+`","value":"`+id+`"}}],`, 1)
	}
	me := h.patient(published)
	refused := me.post("", open("8899900000015")).is(422)
	if !strings.Contains(string(refused.body), "annuaire") {
		t.Errorf("%s", refused.body)
	}
	me.post("", open(leroy)).is(200)
}

// A name beside an identifier that is not the directory's is a warning, and an
// identifier that nobody has is one: the write is done.
func TestNamesDoubted(t *testing.T) {
	s := sceneWithDirectory(t)
	outcome := func(r *dossier.Request) { r.Return = "OperationOutcome" }
	write := func(actor string) string {
		t.Helper()
		body := fmt.Sprintf(`{"resourceType":"Consent","status":"active",
 "scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
 "category":[{"coding":[{"system":%q,"code":"blocage"}]}],"patient":{"reference":"Patient/%s"},"policy":[{"uri":"urn:opendmp:politique:blocage"}],
 "provision":{"type":"deny","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":%s}]}}`,
			policy.SystemConsentKind, s.patient, actor)
		return string(s.me().do("POST", "Consent", "application/fhir+json", body, outcome).is(201).body)
	}
	person := func(id, display string) string {
		return fmt.Sprintf(`{"type":"Practitioner","identifier":{"system":%q,"value":%q}%s}`, systemPerson, id, display)
	}
	for _, c := range []struct{ name, actor, want string }{
		{"right name", person(leroy, `,"display":"Dr Sophie Leroy"`), ""},
		{"no name", person(roche, ""), ""},
		{"another name", person(leroy, `,"display":"Dr Antoine Petit"`), "DR Sophie LEROY"},
		{"nobody", person("8899900000098", `,"display":"Dr Inconnu"`), "n’est pas dans l’annuaire"},
		{"structure", `{"type":"Organization","identifier":{"system":"` + systemStructure + `","value":"1750000002"},"display":"Hopital sud"}`, ""},
		{"another structure", `{"type":"Organization","identifier":{"system":"` + systemStructure + `","value":"1750000002"},"display":"Clinique des Lilas"}`, "Hôpital Sud"},
	} {
		body := write(c.actor)
		if warned := strings.Contains(body, `"warning"`); warned != (c.want != "") || !strings.Contains(body, c.want) {
			t.Errorf("%s: %s", c.name, body)
		}
	}
	team := strings.Replace(s.team("", "", member1), `"type":"Practitioner"`, `"type":"Practitioner","display":"Dr Petit"`, 1)
	if a := s.me().do("POST", "CareTeam", "application/fhir+json", team, outcome).is(201); !strings.Contains(string(a.body), "DR Sophie LEROY") {
		t.Errorf("a care team: %s", a.body)
	}
}
