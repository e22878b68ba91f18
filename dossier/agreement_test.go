package dossier_test

import (
	"regexp"
	"strings"
	"testing"

	"opendmp/fhir"
)

// A physician who names themself médecin traitant says where the patient's
// agreement is recorded, and the patient is told (G07).
func TestNamingOneselfNeedsAnAgreement(t *testing.T) {
	s := newScene(t)
	doctor := s.doctor(leroy, "1750000004")
	naming := func(extension string) string {
		return `[{"op":"add","path":"/generalPractitioner","value":[{"type":"Practitioner",` + extension +
			`"identifier":{"system":"` + systemPerson + `","value":"` + leroy + `"}}]}]`
	}
	patient := "Patient/" + s.patient
	doctor.patch(patient, naming("")).is(422)
	doctor.patch(patient, naming(`"extension":[{"url":"urn:opendmp:accord-patient","valueAttachment":{"title":" "}}],`)).is(422)
	doctor.get("DocumentReference?patient=" + s.patient).is(403)
	if told := s.told(); strings.Contains(told, "medecin-traitant") {
		t.Errorf("told of what was refused: %s", told)
	}
	doctor.patch(patient, naming(`"extension":[{"url":"urn:opendmp:accord-patient","valueAttachment":{"title":"Accord recueilli au cabinet le 22 novembre 2026"}}],`)).is(200)
	doctor.get("DocumentReference?patient=" + s.patient).is(200)
	if told := s.told(); !strings.Contains(told, "medecin-traitant") {
		t.Errorf("the patient is not told: %s", told)
	}
	doctor.patch(patient, `[{"op":"remove","path":"/generalPractitioner"}]`).is(204) // which asks for nothing
}

// A consent to open or to reactivate says who consents and where that is recorded
// (G01, G03); the patient who opens is the one who consents.
func TestOpeningStatesTheConsent(t *testing.T) {
	h := newHouse(t)
	whole := opening(t, farid)
	bare := regexp.MustCompile(`(?s)"sourceAttachment":\s*\{.*?\},\s*`).ReplaceAllString(whole, "")
	silent := regexp.MustCompile(`(?s)"performer":\s*\[.*?\],\s*`).ReplaceAllString(whole, "")
	if bare == whole || silent == whole {
		t.Fatal("the fixture of the opening has another form")
	}
	doctor := h.doctor("8899900000011", "1750000001")
	doctor.post("", bare).is(422)
	doctor.post("", silent).is(422)
	h.patient(farid).post("", bare).is(422)
	h.patient(farid).post("", silent).is(200)
}

func TestRenewedConsentStatesItself(t *testing.T) {
	s := newScene(t)
	s.close()
	doctor := s.doctor(leroy, "1750000004")
	for _, missing := range []string{`"performer":[{"reference":"Patient/` + s.patient + `"}],`, `"sourceAttachment":{"title":"Accord renouvelé, recueilli par case cochée"},`} {
		consent := strings.Replace(renewed(s.patient), missing, "", 1)
		doctor.post("Patient/"+s.patient+"/$reactiver", parameters(consent)).is(422)
	}
	doctor.post("Patient/"+s.patient+"/$reactiver", parameters(renewed(s.patient))).is(200)
}

// A dossier closed by death is that of a dead person: who reactivates it takes that
// back. Nobody dies before their birth (G12).
func TestDeathAndReactivation(t *testing.T) {
	s := newScene(t)
	staff := s.as(administrative("8899900000070", "1750000003"))
	death := func(day string) answer {
		motive := strings.Replace(motiveCoding, "patient-demande", "DECES", 1)
		return staff.post("Patient/"+s.patient+"/$fermer", parameters(motive, closingReason, `"name":"date-deces","valueDateTime":"`+day+`"`))
	}
	death("1900-11-20").is(422)
	death("2026-11-20").is(200)
	s.me().patch("Patient/"+s.patient, `[{"op":"replace","path":"/active","value":true}]`).is(422)
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(200).has("active", "true").has("deceasedDateTime", "")
}

// Who opens no dossier does not learn by trying whether there is one (G01, §7).
func TestOpeningTellsOthersNothing(t *testing.T) {
	h := newHouse(t)
	samu := h.samu("centre_15")
	before := samu.post("", opening(t, farid)).is(403)
	h.openFor(farid)
	after := samu.post("", opening(t, farid)).is(403)
	if string(before.body) != string(after.body) {
		t.Error("the refusal tells whether there is a dossier")
	}
}

// A patient who has no dossier finds none by their own INS (§7).
func TestOwnDossierThatIsNot(t *testing.T) {
	h := newHouse(t)
	own := systemTestINS + "|" + farid.Value
	for _, path := range []string{"Patient?identifier=" + own, "DocumentReference?patient.identifier=" + own, "Consent?patient.identifier=" + own, "AuditEvent?patient.identifier=" + own} {
		if body := string(h.patient(farid).get(path).is(200).body); strings.Contains(body, `"entry"`) {
			t.Errorf("%s: %s", path, body)
		}
		h.patient(fhir.Ident{System: systemTestINS, Value: "190073306320538"}).get(path).is(403)
	}
}

// Whoever opens a dossier names nobody médecin traitant but themself, with the
// agreement (G07); nobody is opened a dossier who is dead (G12), or with the INS of
// another (G11).
func TestOpeningNamesNobodyElse(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	with := func(more string) string {
		return strings.Replace(opening(t, farid), `"active": true,`, `"active": true,`+more, 1)
	}
	gp := func(id, extension string) string {
		return with(`"generalPractitioner":[{"type":"Practitioner",` + extension + `"identifier":{"system":"` + systemPerson + `","value":"` + id + `"}}],`)
	}
	const accord = `"extension":[{"url":"urn:opendmp:accord-patient","valueAttachment":{"title":"Accord recueilli au cabinet"}}],`
	h.as(professional("8899900000019", "28", "1750000001")).post("", gp("8899900000019", accord)).is(403)
	h.doctor(leroy, "1750000001").post("", gp(martin, accord)).is(403)
	h.doctor(leroy, "1750000001").post("", gp(leroy, "")).is(422)
	h.doctor(leroy, "1750000001").post("", with(`"deceasedBoolean":true,`)).is(422)
	former := regexp.MustCompile(`("value": "`+farid.Value+`"\s*\})`).ReplaceAllString(opening(t, farid), `$1,{"use":"old","system":"`+published.System+`","value":"`+published.Value+`"}`)
	h.doctor(leroy, "1750000001").post("", former).is(422)
	h.doctor(leroy, "1750000001").post("", gp(leroy, accord)).is(200)
}

// A physician changes nothing of what is said of others as médecins traitants.
func TestNamingIsOfOneself(t *testing.T) {
	s := newScene(t)
	s.name(martin)
	doctor := s.doctor(leroy, "1750000004")
	doctor.patch("Patient/"+s.patient, `[{"op":"add","path":"/generalPractitioner/-","value":{"display":"Dr Personne"}}]`).is(403)
	doctor.patch("Patient/"+s.patient, `[{"op":"add","path":"/generalPractitioner/0/display","value":"Dr Personne"}]`).is(403)
}

// What no type of resource creates alone is 405 in a batch too.
func TestBatchCreatesAlone(t *testing.T) {
	s := newScene(t)
	a := s.author.post("", `{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Binary","contentType":"text/plain","data":"YQ=="},"request":{"method":"POST","url":"Binary"}}]}`)
	a.is(200).has("entry.0.response.status", "405 Method Not Allowed")
}
