package dossier_test

import (
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/store"
)

// parameters makes the body of an operation of parts like `"name":"motif","value…`.
func parameters(parts ...string) string {
	return `{"resourceType":"Parameters","parameter":[{` + strings.Join(parts, "},{") + `}]}`
}

const motiveCoding = `"name":"motif","valueCoding":{"system":"https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture","code":"patient-demande"}`

const closingReason = `"name":"raison","valueString":"Je ne veux plus de ce dossier."`

func byINS(i fhir.Ident) string {
	return `"name":"identifier","valueIdentifier":{"system":"` + i.System + `","value":"` + i.Value + `"}`
}

func confirmed(value string) string { return `"name":"confirmation","valueString":"` + value + `"` }

// sure is the patient with a second factor given just now.
func (h *house) sure(ins fhir.Ident) actor {
	c := auth.Claims{Subject: ins.Value, Client: "test", DMP: auth.DMP{Kind: "patient", Confirmed: h.now.Unix()}}
	c.Extensions.IUA = auth.IUA{
		SubjectName: "Patient", PersonID: ins.System + "|" + ins.Value,
		Purpose: []auth.Coding{{System: "http://terminology.hl7.org/CodeSystem/v3-ActReason", Code: "PATRQT"}},
	}
	return h.as(c)
}

// close closes the dossier by its patient, by INS.
func (s *scene) close() answer {
	s.t.Helper()
	return s.me().post("Patient/$fermer", parameters(byINS(published), motiveCoding, closingReason)).is(200)
}

// renewed is a Consent of kind ouverture, for $reactiver.
func renewed(patient string) string {
	return `"name":"consentement","resource":{"resourceType":"Consent","status":"active",
		"scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"},{"system":"urn:opendmp:consent-kind","code":"ouverture"}]}],
		"patient":{"reference":"Patient/` + patient + `"},"performer":[{"reference":"Patient/` + patient + `"}],
		"sourceAttachment":{"title":"Accord renouvelé, recueilli par case cochée"},
		"policy":[{"uri":"urn:opendmp:politique:ouverture"}],"provision":{"type":"permit"}}`
}

const extClosed = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-fermeture"

func TestFermerEtReactiver(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	closed := s.close().has("resourceType", "Patient").has("active", "false").has("extension.2.url", extClosed).
		has("extension.2.extension.0.valueDate", "2026-11-22").
		has("extension.2.extension.1.valueCodeableConcept.coding.0.code", "patient-demande").
		has("extension.2.extension.2.valueString", "Je ne veux plus de ce dossier.")
	if closed.ETag() != `W/"2"` {
		t.Errorf("ETag %s", closed.ETag())
	}
	s.reader().get(doc).is(404)
	s.me().get(doc).is(404)
	s.me().get("Patient/" + s.patient).is(200)
	s.me().post("Patient/$fermer", parameters(byINS(published), motiveCoding, closingReason)).is(403) // closed already
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(200).has("active", "true").has("extension", "2")
	s.reader().get(doc).is(200)
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(422)
}

// A professional closes at the patient's request and reactivates with the renewed
// consent, in one write; what they may not read, they are not answered.
func TestReactiverParProfessionnel(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	s.reader().post("Patient/"+s.patient+"/$fermer", parameters(motiveCoding, closingReason)).is(200).has("resourceType", "OperationOutcome")
	empty := `{"resourceType":"Parameters"}`
	s.reader().post("Patient/"+s.patient+"/$reactiver", empty).is(422)
	other := strings.Replace(parameters(renewed(s.patient)), "Patient/"+s.patient, "Patient/other", 1)
	s.reader().post("Patient/"+s.patient+"/$reactiver", other).is(422)
	wrong := strings.Replace(parameters(renewed(s.patient)), `"ouverture"`, `"masquage-total"`, 1)
	s.reader().post("Patient/"+s.patient+"/$reactiver", wrong).is(422)
	s.me().get("Consent?patient="+s.patient+"&category=urn:opendmp:consent-kind|ouverture&_summary=count").is(200).has("total", "1")

	before := s.me().get("AuditEvent?patient=" + s.patient + "&_summary=count").at("total")
	s.reader().post("Patient/"+s.patient+"/$reactiver", parameters(renewed(s.patient))).is(200).has("active", "true")
	after := s.me().get("AuditEvent?patient=" + s.patient + "&_summary=count").at("total")
	if before == after {
		t.Error("the reactivation is not in the history")
	}
	s.me().get("Consent?patient="+s.patient+"&category=urn:opendmp:consent-kind|ouverture&status=active&_summary=count").is(200).has("total", "1")
	s.reader().get(doc).is(200) // the authorisation is there as before
	s.doctor("8899900000098", "1750000004").post("Patient/"+s.patient+"/$fermer", parameters(motiveCoding, closingReason)).is(403)
}

func TestDeces(t *testing.T) {
	s := newScene(t)
	death := strings.Replace(motiveCoding, "patient-demande", "DECES", 1)
	day := `"name":"date-deces","valueDateTime":"2026-11-20"`
	body := parameters(death, closingReason, day)
	s.me().post("Patient/"+s.patient+"/$fermer", body).is(403)
	s.doctor("8899900000098", "1750000004").post("Patient/"+s.patient+"/$fermer", body).is(403)
	s.reader().post("Patient/"+s.patient+"/$fermer", parameters(motiveCoding, closingReason, day)).is(422)
	s.reader().post("Patient/"+s.patient+"/$fermer", strings.Replace(body, "2026-11-20", "2027-01-01", 1)).is(422)
	s.reader().post("Patient/"+s.patient+"/$fermer", body).is(200)
	s.me().get("Patient/"+s.patient).is(200).has("deceasedDateTime", "2026-11-20").has("active", "false")
}

func TestFermerRefuse(t *testing.T) {
	s := newScene(t)
	url := "Patient/" + s.patient + "/$fermer"
	for name, body := range map[string]string{
		"no motive":       parameters(closingReason),
		"no reason":       parameters(motiveCoding),
		"unknown":         parameters(motiveCoding, closingReason, `"name":"x","valueString":"y"`),
		"twice":           parameters(motiveCoding, motiveCoding, closingReason),
		"of another type": parameters(motiveCoding, `"name":"raison","valueInteger":5`),
		"out parameter":   parameters(motiveCoding, closingReason, `"name":"return","valueString":"y"`),
		"not Parameters":  `{"resourceType":"Basic","code":{"text":"x"}}`,
	} {
		t.Run(name, func(t *testing.T) { s.me().post(url, body).is(400) })
	}
	for name, body := range map[string]string{
		"unknown motive": parameters(strings.Replace(motiveCoding, "patient-demande", "AUTRE", 1), closingReason),
		"other system":   parameters(strings.Replace(motiveCoding, "dmp-motif", "x", 1), closingReason),
		"short reason":   parameters(motiveCoding, `"name":"raison","valueString":"trop court"`[:40]+`"`),
		"few letters":    parameters(motiveCoding, `"name":"raison","valueString":"abcdefghi -- -- --"`),
		"no letters":     parameters(motiveCoding, `"name":"raison","valueString":"-- -- -- -- --"`),
	} {
		t.Run(name, func(t *testing.T) { s.me().post(url, body).is(422) })
	}
	s.me().post("Patient/$fermer", parameters(motiveCoding, closingReason)).is(400) // whose?
	unknown := fhir.Ident{System: systemTestINS, Value: "190073306320538"}
	s.reader().post("Patient/$fermer", parameters(byINS(unknown), motiveCoding, closingReason)).is(404)
	s.me().post("Patient/$fermer", parameters(byINS(unknown), motiveCoding, closingReason)).is(403)
	s.me().get("Patient/"+s.patient).is(200).has("active", "true")
}

func TestDetruire(t *testing.T) {
	s := newScene(t)
	url := "Patient/" + s.patient + "/$detruire"
	body := parameters(confirmed(published.Value))
	s.me().post(url, body).is(403) // no second factor
	s.name(martin)
	s.doctor(martin, "1750000003").post(url, body).is(403)
	s.sure(published).post(url, parameters(confirmed("190073306320538"))).is(422)
	s.sure(published).post(url, `{"resourceType":"Parameters"}`).is(400)
	s.reader().get("DocumentReference/" + s.doc).is(200)
	event := s.me().get("AuditEvent?patient=" + s.patient + "&_count=1").is(200).at("entry.0.resource.id")

	told := s.journal(func() { s.sure(published).post(url, body).is(200).has("resourceType", "OperationOutcome") })
	if len(told) != 1 || told[0].Interaction != "$detruire" || !told[0].Allowed || told[0].Patient != "" {
		t.Errorf("the journal says %+v", told)
	}

	s.sure(published).post(url, body).is(403) // names a dossier that is not theirs, or no more
	for _, pair := range [][2]string{
		{"Patient/" + s.patient, "Patient/never"},
		{"Patient/" + s.patient + "/_history", "Patient/never/_history"},
		{"DocumentReference/" + s.doc, "DocumentReference/never"},
		{s.binary, "Binary/never"},
		{"AuditEvent/" + event, "AuditEvent/never"},
		{"DocumentReference?patient=" + s.patient, "DocumentReference?patient=never"},
		{"AuditEvent?patient=" + s.patient, "AuditEvent?patient=never"},
	} {
		for _, who := range []actor{s.me(), s.reader(), s.author} {
			gone, never := who.get(pair[0]), who.get(pair[1])
			if gone.Status() != never.Status() || strings.ReplaceAll(string(gone.body), s.patient, "never") != string(never.body) {
				t.Errorf("%s: %d %s, and what never was %d %s", pair[0], gone.Status(), gone.body, never.Status(), never.body)
			}
		}
	}
	q := published.System + "|" + published.Value
	s.reader().get("Patient?identifier="+q).is(200).has("total", "0")
	s.reader().get("DocumentReference?patient.identifier="+q).is(200).has("total", "0")
	s.author.post("", fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")).is(422)
	// The INS opens anew, and nothing comes back.
	patient := s.openFor(published)
	if patient == s.patient {
		t.Error("the same Patient")
	}
	s.me().get("DocumentReference?patient="+patient).is(200).has("total", "0")
	s.author.post("", fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")).is(200)
}

func TestDetruireDocument(t *testing.T) {
	s := newScene(t)
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	kept := s.author.post("", strings.ReplaceAll(push, "99999.2", "99999.7")).is(200)
	other := "DocumentReference/" + strings.Split(kept.at("entry.1.response.location"), "/")[1]
	url := "DocumentReference/" + s.doc + "/$detruire"
	body := parameters(confirmed(s.doc))
	s.author.post(url, body).is(403)
	s.doctor("8899900000098", "1750000004").post(url, body).is(404)
	s.me().post(url, body).is(403)
	s.sure(published).post(url, parameters(confirmed("other"))).is(422)
	rows := s.rows()
	s.sure(published).post(url, body).is(200)
	if n := rows - s.rows(); n != 2 {
		t.Errorf("%d rows are gone, not the document and its content", n)
	}
	s.sure(published).post(url, body).is(404)
	for _, path := range []string{"DocumentReference/" + s.doc, "DocumentReference/" + s.doc + "/_history/1", s.binary} {
		s.me().get(path).is(404)
		s.author.get(path).is(404)
	}
	s.me().get(other).is(200)
	s.me().get("DocumentReference?patient="+s.patient).is(200).has("total", "1")
	s.me().get("List?patient="+s.patient).is(200).has("total", "1") // that of the other
	s.author.post("", push).is(409)                                 // its source does not bring it back
	s.doctor("8899900000099", "1750000001").get("DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:1.2.250.1.213.1.4.8.99999.2").is(200).has("total", "0")
	// A system is its own structure: one source, claimed once.
	hospital := s.establishment("1750000001")
	letter := strings.Replace(fixture(t, "pdsm4dmp/DocumentReference-example-td2-iti105-publication-simplifiee.json"), `"resourceType": "DocumentReference",`,
		`"resourceType": "DocumentReference", "custodian": {"type":"Organization","identifier":{"system":"`+systemStructure+`","value":"1750000001"}},`, 1)
	theirs := hospital.post("DocumentReference", letter).is(201).at("id")
	s.sure(published).post("DocumentReference/"+theirs+"/$detruire", parameters(confirmed(theirs))).is(200)
	hospital.post("DocumentReference", letter).is(409)
	history := s.me().get("AuditEvent?patient=" + s.patient).is(200)
	if !strings.Contains(string(history.body), s.doc) {
		t.Error("the history forgot the document")
	}
}

// rows counts the rows of the one dossier of the house.
func (s *scene) rows() int {
	s.t.Helper()
	waiting, err := s.store.StateList(s.t.Context(), "outbox-assurance-maladie", "", 2)
	s.must(err)
	if len(waiting) != 1 {
		s.t.Fatalf("%d dossiers", len(waiting))
	}
	n := 0
	for _, err := range s.store.Rows(s.t.Context(), store.Dossier(waiting[0].Value)) {
		s.must(err)
		n++
	}
	return n
}

// What is reopened is as it was: authorisations, blocks and oppositions.
func TestReactiverRendTout(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	s.me().post("Consent", consent(t, "Consent-blocage.json", s.patient)).is(201)
	s.me().post("Consent", consent(t, "Consent-opposition-bris-de-glace.json", s.patient)).is(201)
	s.close()
	s.now = s.now.AddDate(9, 11, 0)
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(200)
	s.doctor(durand, "1750000001").get(doc).is(404)
	s.me().get("Consent?patient="+s.patient+"&status=active").is(200).has("total", "5")
	s.me().get(doc).is(200)
	s.me().post("Patient/"+s.patient+"/$fermer", parameters(motiveCoding, closingReason)).is(200)
	s.now = s.now.AddDate(10, 0, 1)
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(422)
}

// A closing that says no date gets today's: without one nobody could reactivate.
func TestClosingIsDated(t *testing.T) {
	s := newScene(t)
	s.me().patch("Patient/"+s.patient, `[{"op":"replace","path":"/active","value":false},{"op":"add","path":"/extension/-","value":{"url":"`+extClosed+`","extension":[
		{"url":"motifFermeture","valueCodeableConcept":{"coding":[{"code":"patient-demande"}]}}]}}]`).is(200).
		has("extension.2.extension.1.valueDate", "2026-11-22")
	s.now = s.now.Add(time.Hour)
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(200)
}
