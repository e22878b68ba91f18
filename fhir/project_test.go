package fhir

import (
	"strings"
	"testing"
)

func TestShow(t *testing.T) {
	const tag = `"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]`
	const doc = `{"resourceType":"DocumentReference","id":"d","meta":{"versionId":"1"},"implicitRules":"urn:r","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},` +
		`"contained":[{"resourceType":"Practitioner","id":"p"},{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"#p"}},{"resourceType":"Practitioner","id":"q"}],"extension":[{"url":"urn:e","valueBoolean":true}],"modifierExtension":[{"url":"urn:m","valueBoolean":true}],` +
		`"status":"current","_status":{"id":"s"},"date":"2026-11-19T09:30:00+01:00","author":[{"reference":"#r"}],"custodian":{"reference":"Organization/o"},` +
		`"content":[{"attachment":{"contentType":"text/plain","data":"eA==","url":"Binary/b"}},{"attachment":{"data":"eA=="}}]}`
	const team = `{"resourceType":"CareTeam","id":"t","status":"active","name":"N","reasonCode":[{"text":"r"}],"participant":[{"period":{"start":"2026"}}]}`
	for _, c := range []struct{ name, typ, query, resource, want string }{
		{"whole", "DocumentReference", "", doc, doc},
		{"false", "DocumentReference", "_summary=false", doc, doc},
		{"of another type", "List", "_elements=status", doc, doc},
		{"true", "DocumentReference", "_summary=true", doc,
			`{"resourceType":"DocumentReference","id":"d","meta":{"versionId":"1",` + tag + `},"implicitRules":"urn:r",` +
				`"contained":[{"resourceType":"Practitioner","id":"p"},{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"#p"}}],"modifierExtension":[{"url":"urn:m","valueBoolean":true}],` +
				`"status":"current","_status":{"id":"s"},"date":"2026-11-19T09:30:00+01:00","author":[{"reference":"#r"}],` +
				`"content":[{"attachment":{"contentType":"text/plain","url":"Binary/b"}},{"attachment":{"data":"eA=="}}]}`},
		{"text", "DocumentReference", "_summary=text", doc,
			`{"resourceType":"DocumentReference","id":"d","meta":{"versionId":"1",` + tag + `},"implicitRules":"urn:r","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},` +
				`"modifierExtension":[{"url":"urn:m","valueBoolean":true}],"status":"current","_status":{"id":"s"},` +
				`"content":[{"attachment":{"contentType":"text/plain","data":"eA==","url":"Binary/b"}},{"attachment":{"data":"eA=="}}]}`},
		{"elements", "DocumentReference", "_elements=date,DocumentReference.custodian,date", doc,
			`{"resourceType":"DocumentReference","id":"d","meta":{"versionId":"1",` + tag + `},"implicitRules":"urn:r",` +
				`"modifierExtension":[{"url":"urn:m","valueBoolean":true}],"status":"current","_status":{"id":"s"},"date":"2026-11-19T09:30:00+01:00","custodian":{"reference":"Organization/o"},` +
				`"content":[{"attachment":{"contentType":"text/plain","data":"eA==","url":"Binary/b"}},{"attachment":{"data":"eA=="}}]}`},
		{"no meta", "CareTeam", "_elements=name", team, `{"resourceType":"CareTeam","id":"t","status":"active","name":"N","meta":{` + tag + `}}`},
		{"nothing left", "CareTeam", "_elements=id", `{"resourceType":"CareTeam","name":"N"}`, `{"resourceType":"CareTeam","meta":{` + tag + `}}`},
		{"tagged before", "CareTeam", "_elements=id", `{"resourceType":"CareTeam","meta":{` + tag + `},"name":"N"}`, `{"resourceType":"CareTeam","meta":{` + tag + `}}`},
		{"another tag", "CareTeam", "_elements=id", `{"resourceType":"CareTeam","meta":{"tag":[{"code":"x"}]}}`,
			`{"resourceType":"CareTeam","meta":{"tag":[{"code":"x"},{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Scan([]byte(c.resource))
			if err != nil {
				t.Fatal(err)
			}
			shown, err := query(t, c.typ, c.query).Show(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(shown.Bytes()); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if whole := c.want == c.resource; !whole && !Subsetted(shown) {
				t.Error("not marked as a part")
			}
		})
	}
}

// Every part of every fixture is a resource that Parse takes, but for ppc-1 and
// org-1: neither the policy of a Consent nor the name of an Organization is a mandatory
// element.
func TestShowFixtures(t *testing.T) {
	for _, name := range fixtureNames(t) {
		r, err := Parse(readFixture(t, name))
		if err != nil || !Supports(r.Type(), Search) {
			continue
		}
		for _, raw := range []string{"_summary=true", "_summary=text", "_summary=data", "_elements=id"} {
			shown, err := query(t, r.Type(), raw).Show(r)
			if err != nil {
				t.Errorf("%s %s: %v", name, raw, err)
				continue
			}
			if _, err := Parse(shown.Bytes()); err != nil && !strings.Contains(err.Error(), "ppc-1") && !strings.Contains(err.Error(), "org-1") {
				t.Errorf("%s %s: %v", name, raw, err)
			}
		}
	}
}
