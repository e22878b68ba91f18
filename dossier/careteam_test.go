package dossier_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"opendmp/dossier"
)

const (
	member1 = `{"member":{"type":"Practitioner","identifier":{"system":"` + systemPerson + `","value":"` + leroy + `"}}}`
	member2 = `{"member":{"type":"Practitioner","identifier":{"system":"` + systemPerson + `","value":"` + roche + `"}}}`
)

func (s *scene) team(id, more string, members ...string) string {
	if id != "" {
		id = fmt.Sprintf(`"id":%q,`, id)
	}
	return fmt.Sprintf(`{"resourceType":"CareTeam",%s"status":"active",%s"identifier":[{"system":"urn:x","value":"genou"}],"subject":{"reference":"Patient/%s"},"participant":[%s]}`,
		id, more, s.patient, strings.Join(members, ","))
}

// teamConsent is the authorisation of a care team, for eleven months.
func (s *scene) teamConsent(team string) string {
	return fmt.Sprintf(`{"resourceType":"Consent","status":"active",
 "scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
 "category":[{"coding":[{"system":"urn:opendmp:consent-kind","code":"autorisation"}]}],"patient":{"reference":"Patient/%s"},
 "policy":[{"uri":"urn:opendmp:politique:autorisation"}],
 "provision":{"type":"permit","period":{"end":"2027-10-22"},"purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}],
  "actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":{"reference":%q}}]}}`,
		s.patient, team)
}

// A care team is written and read through the door like a Consent: created once,
// changed at the version that was read, each with its event and its notice.
func TestCareTeams(t *testing.T) {
	s := newScene(t)
	doctor := s.doctor(leroy, "1750000004")
	made := s.me().post("CareTeam", s.team("", "", member1)).is(201)
	made.has("meta.versionId", "1")
	id := made.at("id")
	once := func(r *dossier.Request) { r.IfNoneExist = "identifier=urn:x|genou" }
	s.me().do("POST", "CareTeam", "application/fhir+json", s.team("", "", member1), once).is(200).has("id", id)
	s.me().get("CareTeam?patient="+s.patient+"&identifier=urn:x|genou").is(200).has("total", "1")

	stale := func(r *dossier.Request) { r.IfMatch = `W/"7"` }
	held := func(r *dossier.Request) { r.IfMatch = `W/"1"` }
	both := s.team(id, "", member1, member2)
	s.me().do("PUT", "CareTeam/"+id, "application/fhir+json", both, stale).is(412)
	s.me().do("PUT", "CareTeam/"+id, "application/fhir+json", both, held).is(200).has("meta.versionId", "2")
	doctor.get("CareTeam/"+id).is(200).has("participant", "2") // at once
	doctor.get("CareTeam/"+id+"/_history/1").is(200).has("participant", "1")
	doctor.get("CareTeam/"+id+"/_history").is(200).has("total", "2")
	s.doctor(durand, "1750000001").get("CareTeam/" + id).is(404)

	elsewhere := strings.Replace(both, "Patient/"+s.patient, "Patient/nobody", 1)
	s.me().do("PUT", "CareTeam/"+id, "application/fhir+json", elsewhere).is(422)
	s.me().post("CareTeam", strings.Replace(s.team("", "", member1), `"subject":{"reference":"Patient/`+s.patient+`"},`, "", 1)).is(422)
	s.me().post("CareTeam", s.team("", `"note":[{"text":"genou"}],`, member1)).is(422)
	s.me().post("CareTeam", s.team("", "", `{"member":{"reference":"Practitioner/x"}}`)).is(422)
	doctor.post("CareTeam", s.team("", "", member2)).is(403)

	error1 := strings.Replace(both, `"status":"active"`, `"status":"entered-in-error"`, 1)
	s.me().do("PUT", "CareTeam/"+id, "application/fhir+json", error1).is(200).has("status", "entered-in-error")
	s.me().get("CareTeam/" + id).is(404)
	s.me().get("CareTeam?patient="+s.patient).is(200).has("total", "0")

	history := s.me().get("AuditEvent?patient=" + s.patient + "&action=C,U&_count=200").is(200)
	events := 0
	for i := range 200 {
		if strings.Contains(history.at(fmt.Sprintf("entry.%d.resource.entity.1.what.reference", i)), "CareTeam/"+id) {
			events++
		}
	}
	if want := 6; events != want { // made, found, refused for its version, widened, refused for its patient, an error
		t.Errorf("%d events of its writes, want %d", events, want)
	}
}

// One consent holds for the members of its team, to the end of the team.
func TestCareTeamConsent(t *testing.T) {
	s := newScene(t)
	doc := "DocumentReference/" + s.doc
	doctor := s.doctor(leroy, "1750000004")
	team := "CareTeam/" + s.me().post("CareTeam", s.team("", `"period":{"end":"2026-11-23"},`, member1)).is(201).at("id")
	doctor.get(doc).is(404)
	s.me().post("Consent", s.teamConsent("CareTeam/none")).is(422)
	s.me().post("Consent", s.teamConsent(team)).is(201).has("provision.actor.0.reference.reference", team)
	doctor.get(doc).is(200)
	s.doctor(roche, "1750000002").get(doc).is(404)
	s.now = s.now.Add(48 * time.Hour) // the team is over
	doctor.get(doc).is(404)
	status := doctor.get("Patient?identifier=" + published.System + "|" + published.Value).is(200)
	if !strings.Contains(string(status.body), `"EXPIRE"`) {
		t.Errorf("after its end: %s", status.body)
	}
}
