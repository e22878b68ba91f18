package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// The cast of the sandbox, as callers and records of this package: enough to tell
// its stories without tokens or a store.

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	oidPerson    = "urn:oid:1.2.250.1.71.4.2.1"
	oidStructure = "urn:oid:1.2.250.1.71.4.2.2"
)

// structures and persons of the cast, by their national identifiers.
var castStructures = map[string]string{
	"hopital-nord": "1750000001", "hopital-sud": "1750000002", "cabinet-centre": "1750000003",
	"cabinet-sud": "1750000004", "officine-gare": "1750000005", "optique-gare": "1750000006",
	"service-sante-travail": "1750000007", "samu-75": "1750000008", "assurance-maladie": "1750000009",
}

type castPerson struct {
	id, profession, structure string
	kind                      auth.Kind
}

var castPersons = map[string]castPerson{
	"medecin-martin":        {"8899900000010", "10", "cabinet-centre", auth.Professional},
	"medecin-durand":        {"8899900000011", "10", "hopital-nord", auth.Professional},
	"medecin-leroy":         {"8899900000012", "10", "cabinet-sud", auth.Professional},
	"medecin-petit":         {"8899900000013", "10", "hopital-sud", auth.Professional},
	"urgentiste-roche":      {"8899900000014", "10", "hopital-sud", auth.Professional},
	"pharmacien-dubois":     {"8899900000015", "21", "officine-gare", auth.Professional},
	"infirmier-moreau":      {"8899900000016", "60", "cabinet-centre", auth.Professional},
	"sage-femme-roux":       {"8899900000017", "50", "cabinet-sud", auth.Professional},
	"dentiste-faure":        {"8899900000018", "40", "cabinet-sud", auth.Professional},
	"opticien-blanc":        {"8899900000019", "28", "optique-gare", auth.Professional},
	"dieteticien-noel":      {"8899900000020", "95", "cabinet-centre", auth.Professional},
	"medecin-travail-colin": {"8899900000021", "10", "service-sante-travail", auth.Professional},
	"etudiant-simon":        {"8899900000022", "10", "hopital-nord", auth.Professional},
	"samu-garnier":          {"8899900000023", "10", "samu-75", auth.Regulator},
	"medecin-sans-matrice":  {"8899900000099", "97", "cabinet-centre", auth.Professional},
	"hopital-nord":          {"", "", "hopital-nord", auth.Establishment},
	"hopital-sud":           {"", "", "hopital-sud", auth.Establishment},
	"secretariat-nord":      {"8899900000030", "", "hopital-nord", auth.Administrative},
	"assurance-maladie":     {"", "", "assurance-maladie", auth.InsuranceFeeder},
	"operateur":             {"", "", "", auth.Operator},
}

var castPatients = map[string]struct{ ins, birth string }{
	"alix":   {"285047511200116", "1985-04-12"},
	"basile": {"162116938804233", "1962-11-03"},
	"claire": {"247021305511770", "1947-02-21"},
	"david":  {"190073306320538", "1990-07-08"},
	"emma":   {"213035935031003", "2013-03-17"},
	"farid":  {"155126748202370", "1955-12-01"},
}

const representativeAccount = "representative-lambert"

func ident(system, value string) fhir.Ident {
	return fhir.CanonicalIdent(fhir.Ident{System: system, Value: value})
}

// cast returns the caller of that name.
func cast(t testing.TB, name string) caller {
	t.Helper()
	if p, ok := strings.CutPrefix(name, "patient-"); ok {
		return caller{kind: auth.Patient, id: ident(fhir.SystemINSTest, castPatients[p].ins)}
	}
	switch name {
	case "representative-lambert":
		return caller{kind: auth.Representative, id: ident(auth.SystemAccount, representativeAccount)}
	case "personne":
		return caller{}
	}
	p, ok := castPersons[name]
	if !ok {
		t.Fatalf("nobody is called %q", name)
	}
	k := caller{kind: p.kind}
	if p.structure != "" {
		k.structures = []fhir.Ident{ident(oidStructure, castStructures[p.structure])}
		k.id = k.structures[0]
	}
	if p.id != "" {
		k.id = ident(oidPerson, p.id)
	}
	if p.profession != "" {
		k.profession = auth.Coding{System: auth.SystemProfession, Code: p.profession}
	}
	if p.kind == auth.Operator {
		k.id = ident(auth.SystemAccount, name)
	}
	k.occupational = name == "medecin-travail-colin"
	k.student = name == "etudiant-simon"
	if p.kind == auth.Regulator {
		k.mode = auth.Centre15
	}
	return k
}

// parse makes a resource of JSON.
func parse(t testing.TB, json string) *fhir.Resource {
	t.Helper()
	r, err := fhir.Scan([]byte(json))
	if err != nil {
		t.Fatalf("%v\n%s", err, json)
	}
	return r
}

// facts takes the facts of JSON, which must be possible.
func facts(t testing.TB, json string, o Origin) Facts {
	t.Helper()
	f, err := FactsOf(parse(t, json), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, json)
	}
	return f
}

// docSpec describes a document of the cast.
type docSpec struct {
	id, typ  string
	author   string // of the cast
	labels   []string
	status   string
	archived bool
	byMe     bool // masked by the patient
	days     int  // since the deposit
	extra    string
}

func (d docSpec) json(patient string) string {
	system := fhir.SystemLOINC
	if d.typ[0] > '9' {
		system = fhir.SystemDocumentType
	}
	labels := ""
	for _, l := range append([]string{"N"}, d.labels...) {
		s := fhir.SystemVisibility
		if l == "N" {
			s = fhir.SystemConfidentiality
		}
		labels += fmt.Sprintf(`,{"coding":[{"system":%q,"code":%q}]}`, s, l)
	}
	status := d.status
	if status == "" {
		status = "current"
	}
	archived := ""
	if d.archived {
		archived = fmt.Sprintf(`"extension":[{"url":%q,"valueBoolean":true}],`, extArchived)
	}
	return fmt.Sprintf(`{"resourceType":"DocumentReference","id":%q,%s"masterIdentifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3.%s"},`+
		`"status":%q,"type":{"coding":[{"system":%q,"code":%q}]},"subject":{"reference":"Patient/%s"},`+
		`"author":[%s],"securityLabel":[%s],%s"content":[{"attachment":{"contentType":"application/pdf","url":"Binary/%s-contenu"}}]}`,
		d.id, archived, d.id, status, system, d.typ, patient, authorJSON(d.author), labels[1:], d.extra, d.id)
}

func authorJSON(name string) string {
	if p, ok := strings.CutPrefix(name, "patient-"); ok {
		return fmt.Sprintf(`{"reference":"Patient/%s"}`, p)
	}
	if p, ok := castPersons[name]; ok && p.id != "" {
		return fmt.Sprintf(`{"type":"Practitioner","identifier":{"system":%q,"value":%q}}`, oidPerson, p.id)
	}
	return fmt.Sprintf(`{"type":"Organization","identifier":{"system":%q,"value":%q}}`, oidStructure, castStructures[name])
}

// origin is that of a document which its author deposited.
func (d docSpec) origin(t testing.TB) Origin {
	t.Helper()
	k := cast(t, d.author)
	return Origin{
		Deposited: noon.AddDate(0, 0, -d.days), By: k.id, ByKind: k.kind, Structures: k.structures,
		MaskedByPatient: d.byMe,
	}
}

func (d docSpec) subject(t testing.TB, patient string) Subject {
	t.Helper()
	return Subject{"DocumentReference/" + d.id, facts(t, d.json(patient), d.origin(t))}
}

// alixDocuments is the table of the sandbox.
var alixDocuments = []docSpec{
	{id: "alix-cr-consultation", typ: "11488-4", author: "medecin-martin", days: 40},
	{id: "alix-biologie", typ: "11502-2", author: "hopital-nord", days: 30},
	{id: "alix-lettre-sortie", typ: "11490-0", author: "hopital-nord", days: 20,
		extra: `"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/alix-lettre-ancienne"}}],`},
	{id: "alix-lettre-ancienne", typ: "11490-0", author: "hopital-nord", status: "superseded", days: 21},
	{id: "alix-ordonnance", typ: "57833-6", author: "medecin-durand", days: 10},
	{id: "alix-masque", typ: "11488-4", author: "medecin-leroy", labels: []string{"MASQUE_PS"}, byMe: true, days: 60},
	{id: "alix-annonce", typ: "11526-1", author: "medecin-durand", labels: []string{"INVISIBLE_PATIENT"}, days: 1},
	{id: "alix-psy", typ: "68599-0", author: "medecin-petit", days: 90},
	{id: "alix-vaccins", typ: "11369-6", author: "pharmacien-dubois", archived: true, days: 200},
	{id: "alix-directives", typ: "EXPPAT_3", author: "patient-alix", days: 300},
	{id: "alix-remb", typ: "REMB", author: "assurance-maladie", days: 5},
}

// patientJSON is a Patient of the cast.
func patientJSON(name string, active bool, extra string, gps ...string) string {
	p := castPatients[name]
	var practitioners []string
	for _, gp := range gps {
		practitioners = append(practitioners, authorJSON(gp))
	}
	if len(practitioners) > 0 {
		extra += `"generalPractitioner":[` + strings.Join(practitioners, ",") + `],`
	}
	return fmt.Sprintf(`{"resourceType":"Patient","id":%q,%s"identifier":[{"use":"official","system":%q,"value":%q}],`+
		`"active":%v,"name":[{"use":"official","family":"NOM","given":["Prénom"]}],"birthDate":%q}`,
		name, extra, fhir.SystemINSTest, p.ins, active, p.birth)
}

// consentJSON is a Consent of a kind about someone of the cast ("" for nobody).
func consentJSON(patient string, kind ConsentKind, actor, start, end string) string {
	shape := shapeOf(kind)
	parts := []string{fmt.Sprintf(`"type":%q`, shape.provision)}
	if start != "" || end != "" {
		var bounds []string
		for _, b := range [...][2]string{{"start", start}, {"end", end}} {
			if b[1] != "" {
				bounds = append(bounds, fmt.Sprintf("%q:%q", b[0], b[1]))
			}
		}
		parts = append(parts, `"period":{`+strings.Join(bounds, ",")+`}`)
	}
	if actor != "" {
		parts = append(parts, fmt.Sprintf(`"actor":[{"role":{"coding":[{"system":%q,"code":"IRCP"}]},"reference":%s}]`,
			systemParticipant, authorJSON(actor)))
	}
	if shape.purpose != "" {
		parts = append(parts, fmt.Sprintf(`"purpose":[{"system":%q,"code":%q}]`, systemActReason, shape.purpose))
	}
	return fmt.Sprintf(`{"resourceType":"Consent","id":"c","status":"active","scope":{"coding":[{"system":%q,"code":"patient-privacy"}]},`+
		`"category":[{"coding":[{"system":%q,"code":%q}]}],"patient":{"reference":"Patient/%s"},`+
		`"performer":[{"reference":"Patient/%s"}],"sourceAttachment":{"title":"Accord recueilli par case cochée"},"provision":{%s}}`,
		systemConsentScope, SystemConsentKind, kind, patient, patient, strings.Join(parts, ","))
}

// dossier is a dossier of the cast under construction.
type dossier struct {
	state    State
	name     string
	subjects []Subject
}

func (d *dossier) add(t testing.TB, ref, json string, o Origin) {
	t.Helper()
	d.subjects = append(d.subjects, Subject{ref, facts(t, json, o)})
}

func (d *dossier) consent(t testing.TB, kind ConsentKind, actor, start, end string) {
	t.Helper()
	ref := fmt.Sprintf("Consent/%s-%s-%d", d.name, kind, len(d.subjects))
	d.add(t, ref, consentJSON(d.name, kind, actor, start, end), Origin{})
}

func (d *dossier) record() *Record { return NewRecord(d.state, d.subjects) }

// castDossier makes a dossier of the sandbox.
func castDossier(t testing.TB, name string) *dossier {
	t.Helper()
	d := &dossier{state: Active, name: name}
	patient := func(gps ...string) {
		d.add(t, "Patient/"+name, patientJSON(name, d.state == Active, "", gps...), Origin{})
	}
	documents := func(specs ...docSpec) {
		for _, s := range specs {
			d.subjects = append(d.subjects, s.subject(t, name))
		}
	}
	letter := func(id string) docSpec { return docSpec{id: id, typ: "11490-0", author: "hopital-nord", days: 50} }
	switch name {
	case "alix":
		patient("medecin-martin")
		for _, who := range []string{"medecin-durand", "pharmacien-dubois", "infirmier-moreau", "sage-femme-roux",
			"dentiste-faure", "opticien-blanc", "dieteticien-noel", "medecin-sans-matrice"} {
			d.consent(t, Autorisation, who, "2026-11-22", "2026-11-22")
		}
		d.consent(t, Autorisation, "medecin-petit", "2025-11-01", "2026-01-31")
		documents(alixDocuments...)
		d.add(t, "List/alix-lot", `{"resourceType":"List","id":"alix-lot","status":"current","subject":{"reference":"Patient/alix"},`+
			`"source":`+authorJSON("medecin-durand")+`,"entry":[{"item":{"reference":"DocumentReference/alix-annonce"}}]}`, Origin{})
		d.add(t, "List/alix-dossier-soins", `{"resourceType":"List","id":"alix-dossier-soins","status":"current","subject":{"reference":"Patient/alix"},`+
			`"source":`+authorJSON("medecin-durand")+`,"entry":[{"item":{"reference":"DocumentReference/alix-masque"}},{"item":{"reference":"DocumentReference/alix-ordonnance"}}]}`, Origin{})
	case "basile":
		patient()
		d.consent(t, OppositionBrisDeGlace, "", "", "")
		d.consent(t, OppositionCentre15, "", "", "")
		documents(letter("basile-lettre-1"), letter("basile-lettre-2"))
	case "claire":
		d.state = Closed
		patient("medecin-martin")
		documents(letter("claire-1"), letter("claire-2"), letter("claire-3"))
	case "david":
		patient()
		d.consent(t, Autorisation, "hopital-nord", "2026-01-15", "2027-01-14")
		d.consent(t, Blocage, "medecin-durand", "", "")
		documents(letter("david-lettre"), docSpec{id: "david-ordonnance", typ: "57833-6", author: "medecin-durand", days: 3})
	case "emma":
		patient("medecin-martin")
		d.add(t, "RelatedPerson/lambert", fmt.Sprintf(`{"resourceType":"RelatedPerson","id":"lambert","active":true,`+
			`"identifier":[{"system":%q,"value":%q}],"patient":{"reference":"Patient/emma"}}`, auth.SystemAccount, representativeAccount), Origin{})
		documents(letter("emma-lettre"),
			docSpec{id: "emma-secret", typ: "11488-4", author: "medecin-leroy", labels: []string{"INVISIBLE_REPRESENTANTS_LEGAUX"}, days: 9})
	default:
		t.Fatalf("no dossier %q", name)
	}
	return d
}

// sandboxEngine has the sandbox's matrix and settings.
func sandboxEngine(t testing.TB, change func(*Settings)) *Engine {
	t.Helper()
	m, err := LoadMatrix(SandboxMatrix())
	if err != nil {
		t.Fatal(err)
	}
	s := DefaultSettings()
	s.Students = true
	for _, hospital := range []string{"hopital-nord", "hopital-sud"} {
		s.Establishments = append(s.Establishments, Establishment{
			Identifiers: []fhir.Ident{ident(oidStructure, castStructures[hospital])},
			DecisionRef: "CME-" + hospital, DecisionDate: noon.AddDate(-1, 0, 0),
		})
	}
	if change != nil {
		change(&s)
	}
	e, err := New(s, m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
