package dossier_test

import (
	"strings"
	"testing"

	"opendmp/auth"
)

// establishment is the system of an establishment.
func (h *house) establishment(number string) actor {
	id := systemStructure + "|" + number
	c := auth.Claims{Subject: number, Client: "test", DMP: auth.DMP{Kind: "establishment", Structures: []string{id}}}
	c.Extensions.IUA = auth.IUA{
		SubjectName: "Hôpital", Organization: []string{"Hôpital"}, OrganizationID: []string{id},
		Purpose: []auth.Coding{{System: systemMode, Code: "normal"}},
	}
	return h.as(c)
}

// An establishment feeds by itself under the decision of its CME, which the
// history shows; one without is told what is missing, and nothing is written (E01).
func TestEstablishmentFeeds(t *testing.T) {
	s := newScene(t)
	letter := func(number string) string {
		return strings.Replace(fixture(t, "pdsm4dmp/DocumentReference-example-td2-iti105-publication-simplifiee.json"), `"resourceType": "DocumentReference",`,
			`"resourceType": "DocumentReference", "custodian": {"type":"Organization","identifier":{"system":"`+systemStructure+`","value":"`+number+`"}},`, 1)
	}
	refused := s.establishment("1750000002").post("DocumentReference", letter("1750000002")).is(403)
	if got := refused.at("issue.0.details.text"); !strings.Contains(got, "CME") {
		t.Errorf("told %q", got)
	}
	s.establishment("1750000001").post("DocumentReference", letter("1750000001")).is(201)

	history := s.me().get("AuditEvent?patient=" + s.patient + "&action=C&_count=200").is(200)
	if n := strings.Count(string(history.body), "décision de la CME : "+decision+`"`); n != 1 {
		t.Errorf("the decision is shown %d times", n)
	}
}
