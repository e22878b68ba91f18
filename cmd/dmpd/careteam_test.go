package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// teamMember is a participant of a care team, by the national identifier.
func teamMember(typ, system, value string) string {
	return fmt.Sprintf(`{"member":{"type":%q,"identifier":{"system":%q,"value":%q}}}`, typ, system, value)
}

var (
	teamLeroy = teamMember("Practitioner", "urn:oid:1.2.250.1.71.4.2.1", "8899900000012")
	teamSud   = teamMember("Organization", "urn:oid:1.2.250.1.71.4.2.2", "1750000002")
)

// careTeam is a CareTeam of a patient; id and period may be empty.
func careTeam(id, patient, status, period string, members ...string) []byte {
	if id != "" {
		id = fmt.Sprintf(`"id":%q,`, id)
	}
	if period != "" {
		period = `"period":{` + period + `},`
	}
	return fmt.Appendf(nil, `{"resourceType":"CareTeam",%s"status":%q,"name":"Équipe du genou",%s"subject":{"reference":"Patient/%s"},"participant":[%s]}`,
		id, status, period, patient, strings.Join(members, ","))
}

// consentAbout is a Consent of a kind about a reference, to its end ("" for none).
func consentAbout(patient, kind, provision, actor, end string) []byte {
	purpose := ""
	if end != "" {
		end = fmt.Sprintf(`"period":{"end":%q},`, end)
		purpose = `,"purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}]`
	}
	return fmt.Appendf(nil, `{"resourceType":"Consent","status":"active",
		"scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		"category":[{"coding":[{"system":"urn:opendmp:consent-kind","code":%q}]}],"patient":{"reference":"Patient/%s"},
		"policy":[{"uri":"urn:opendmp:politique:autorisation"}],
		"provision":{"type":%q,%s"actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":%s}]%s}}`,
		kind, patient, provision, end, actor, purpose)
}

// statusOf returns the caller's own status as TD0.2 answers it.
func (p *person) statusOf(persona string) string {
	p.t.Helper()
	found := p.get("Patient?identifier=" + p.w.people[persona].INS).is(200)
	for i := range 4 {
		at := fmt.Sprintf("entry.0.resource.extension.%d.", i)
		if found.at(at+"url") == "urn:opendmp:autorisation" {
			return found.at(at + "valueCode")
		}
	}
	return ""
}

// TestCareTeam is the story of a team: the patient makes it, one consent opens the
// record to all its members, and each of its ends closes it again.
func TestCareTeam(t *testing.T) {
	w := openWorld(t)
	patient, leroy, petit := w.as("patient-david"), w.as("medecin-leroy"), w.as("medecin-petit")
	id, author := w.patient("patient-david"), w.as("hopital-nord")
	letter := refOf(author.post("", []byte(hospitalPush(w.people["patient-david"].INS, "care team"))).is(200).at("entry.1.response.location"))
	defer author.delete(letter) // the world is shared
	put := func(p *person, team string, status, period string, members ...string) *reply {
		t.Helper()
		id, _ := strings.CutPrefix(team, "CareTeam/")
		return p.do("PUT", team, "application/fhir+json", careTeam(id, w.patient("patient-david"), status, period, members...))
	}
	for _, p := range []*person{leroy, petit} {
		p.get(letter).is(404)
	}

	team := refOf(patient.post("CareTeam", careTeam("", id, "active", "", teamLeroy, teamSud)).is(201).header.Get("Location"))
	team = team[strings.Index(team, "CareTeam/"):]
	if got := leroy.statusOf("patient-david"); got != "NON_EXISTE" {
		t.Errorf("a team without a consent gives %s", got)
	}
	year := time.Now().AddDate(0, 11, 0).Format(time.DateOnly)
	given := patient.post("Consent", consentAbout(id, "autorisation", "permit", fmt.Sprintf(`{"reference":%q}`, team), year)).is(201)
	defer func() { // the world is shared
		put(patient, team, "inactive", "", teamSud).is(200)
		over := strings.Replace(string(given.body), `"status":"active"`, `"status":"inactive"`, 1)
		patient.do("PUT", "Consent/"+given.at("id"), "application/fhir+json", []byte(over)).is(200)
		leroy.get(letter).is(404)
		petit.get(letter).is(404)
	}()

	leroy.get(letter).is(200)
	petit.get(letter).is(200) // by the structure in which they act
	petit.get(team).is(200).has("participant", "2")
	leroy.get("CareTeam?patient="+id).is(200).has("total", "1")
	leroy.get("CareTeam?patient="+id+"&participant.identifier=1750000001").is(200).has("total", "0")
	leroy.get("Consent/"+given.at("id")).is(200).has("provision.actor.0.reference.reference", team)
	w.as("pharmacien-dubois").get(team).is(404)
	w.as("pharmacien-dubois").get("CareTeam?patient=" + id).is(403)

	if got := leroy.statusOf("patient-david"); got != "VALIDE" {
		t.Errorf("a member is %s", got)
	}
	put(leroy, team, "active", "", teamSud).is(204) // leaves, and sees it no more
	leroy.get(letter).is(404)
	petit.get(letter).is(200)
	put(petit, team, "active", "", teamSud, teamLeroy).is(200) // VALIDE by the team, for a named colleague
	leroy.get(letter).is(200)
	put(leroy, team, "active", "", teamSud, teamLeroy, teamMember("Organization", "urn:oid:1.2.250.1.71.4.2.2", "1750000004")).is(422)

	block := patient.post("Consent", consentAbout(id, "blocage", "deny", `{"type":"Practitioner","identifier":{"system":"urn:oid:1.2.250.1.71.4.2.1","value":"8899900000012"}}`, "")).is(201)
	if got := leroy.statusOf("patient-david"); got != "INTERDIT" {
		t.Errorf("who is blocked is %s", got)
	}
	leroy.get(letter).is(404)
	leroy.get(team).is(404)
	petit.get(letter).is(200)
	lifted := strings.Replace(string(block.body), `"status":"active"`, `"status":"inactive"`, 1)
	patient.do("PUT", "Consent/"+block.at("id"), "application/fhir+json", []byte(lifted)).is(200)
	leroy.get(letter).is(200)

	put(patient, team, "active", `"start":"2020-01-01","end":"`+time.Now().AddDate(0, 0, -2).Format(time.DateOnly)+`"`, teamSud, teamLeroy).is(200)
	leroy.get(letter).is(404)
	if got := leroy.statusOf("patient-david"); got != "EXPIRE" {
		t.Errorf("a team that is over gives %s", got)
	}
	patient.post("Consent", consentAbout(id, "blocage", "deny", fmt.Sprintf(`{"reference":%q}`, team), "")).is(422)
}
