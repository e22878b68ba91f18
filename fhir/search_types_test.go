package fhir

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestPatientParameters(t *testing.T) {
	const patient = `{"resourceType":"Patient","id":"alix","meta":{"lastUpdated":"2026-11-20T10:00:00Z"},
 "identifier":[{"use":"official","system":"urn:oid:1.2.250.1.213.1.4.10","value":"285047511200116"}]}`
	checkMatches(t, "Patient", patient, []match{
		{"_id=alix", "_id=basile"},
		{"_lastUpdated=le2026-11-20T10:00:00Z", "_lastUpdated=lt2026-11-20"},
		{"identifier=urn:oid:1.2.250.1.213.1.4.10|000000000000000", ""}, // the door has chosen the dossier
	})
	idents := slices.Collect(searchValues(t, patient).Tokens("identifier"))
	if !slices.Equal(idents, []Ident{{"urn:oid:1.2.250.1.213.1.4.10", "285047511200116"}}) {
		t.Errorf("identifiers %v", idents)
	}
}

func TestListParameters(t *testing.T) {
	const list = `{"resourceType":"List","id":"l1","meta":{"lastUpdated":"2026-11-20T10:00:00Z"},
 "contained":[{"resourceType":"Practitioner","id":"p","name":[{"family":"Martin","given":["Jean"]}],
   "identifier":[{"system":"urn:oid:1.2.250.1.71.4.2.1","value":"899700218896"}]}],
 "extension":[
  {"url":"https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType","valueCodeableConcept":{"coding":[{"system":"urn:d","code":"SA05"}]}},
  {"url":"https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId","valueIdentifier":{"system":"urn:oid:1.2","value":"SRC-01"}}],
 "identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3"}],
 "status":"current","mode":"working","title":"Suivi post-opératoire",
 "code":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes","code":"submissionset"}]},
 "subject":{"reference":"Patient/alix"},"date":"2026-11-19T09:30:00+01:00",
 "source":{"reference":"#p","extension":[{"url":"https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-authorOrg","valueReference":{"reference":"Organization/o"}}]},
 "entry":[{"item":{"reference":"DocumentReference/d1"}},{"item":{"identifier":{"system":"urn:x","value":"D-1"}}}]}`
	checkMatches(t, "List", list, []match{
		{"_id=l1", "_id=l2"},
		{"_lastUpdated=2026-11-20", "_lastUpdated=2026-11-19"},
		{"code=submissionset", "code=folder"},
		{"code=https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes|submissionset", "code:not=submissionset"},
		{"status=current", "status=retired"},
		{"date=ge2026-11-19", "date=ge2026-11-20"},
		{"designationType=urn:d|SA05", "designationType=SA07"},
		{"sourceId=urn:oid:1.2|SRC-01", "sourceId=SRC-02"},
		{"identifier=urn:oid:1.2.3", "identifier=urn:oid:1.2.4"},
		{"item=DocumentReference/d1", "item=DocumentReference/d2"},
		{"item=d1", "item:missing=true"},
		{"item:identifier=D-1", "item.identifier=D-2"},
		{"source:missing=false", "source=p"}, // a contained source has no address
		{"source.given=jean", "source.given=jeanne"},
		{"source.family:exact=Martin", "source.family:exact=martin"},
		{"source.identifier=899700218896", "source.identifier=899700218897"},
		{"authorOrg=Organization/o", "authorOrg=Organization/p"},
		{"authorOrg=o", ""},
		{"title=suivi", "title=opératoire"},
		{"title:contains=OPERATOIRE", "title:contains=orthopedie"},
		{"title:missing=false", "title:missing=true"},
		{"isArchived=false", "isArchived=true"}, // without the extension
	})
}

func TestConsentParameters(t *testing.T) {
	const consent = `{"resourceType":"Consent","id":"c1","meta":{"lastUpdated":"2026-11-22T10:00:00Z"},"status":"active",
 "category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"},{"system":"urn:opendmp:consent-kind","code":"autorisation"}]}],
 "patient":{"reference":"Patient/alix"},"sourceReference":{"reference":"DocumentReference/d1"},"dateTime":"2026-11-22T09:00:00+01:00",
 "provision":{"type":"permit","period":{"start":"2026-11-22","end":"2026-11-25"},
  "actor":[{"reference":{"identifier":{"system":"urn:oid:1.2.250.1.71.4.2.1","value":"8899900000012"}}},{"reference":{"reference":"CareTeam/t"}}],
  "purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}]}}`
	checkMatches(t, "Consent", consent, []match{
		{"_id=c1", "_id=c2"},
		{"_lastUpdated=ge2026-11-22", "_lastUpdated=lt2026-11-22"},
		{"status=active", "status=inactive,proposed"},
		{"category=urn:opendmp:consent-kind|autorisation", "category=blocage"},
		{"category=59284-0", ""},
		{"actor=CareTeam/t", "actor=Practitioner/t"},
		{"actor=t", ""},
		{"actor:identifier=urn:oid:1.2.250.1.71.4.2.1|8899900000012", "actor:identifier=urn:oid:1.2.250.1.71.4.2.1|8899900000013"},
		{"actor.identifier=8899900000012", "actor.identifier=urn:oid:1.2.250.1.71.4.2.2|8899900000012"},
		{"source-reference=DocumentReference/d1", "source-reference=DocumentReference/d2"},
		{"date=2026-11-22", "date=2026-11-21"},
		{"period=ge2026-11-24", "period=ge2026-11-25"}, // a period that only ends with that day is not from it on
		{"purpose=TREAT", "purpose=BTG"},
	})
}

func TestCareTeamParameters(t *testing.T) {
	const team = `{"resourceType":"CareTeam","id":"t1","meta":{"lastUpdated":"2026-11-22T10:00:00Z"},"status":"active",
 "identifier":[{"system":"urn:x","value":"genou"}],"category":[{"coding":[{"system":"http://loinc.org","code":"LA27976-2"}]}],
 "subject":{"reference":"Patient/alix"},"period":{"start":"2026-11-22","end":"2026-12-25"},
 "participant":[{"member":{"identifier":{"system":"urn:oid:1.2.250.1.71.4.2.1","value":"8899900000012"}}},
  {"member":{"reference":"Organization/o","identifier":{"system":"urn:oid:1.2.250.1.71.4.2.2","value":"1750000001"}}}]}`
	checkMatches(t, "CareTeam", team, []match{
		{"_id=t1", "_id=t2"},
		{"_lastUpdated=ge2026-11-22", "_lastUpdated=lt2026-11-22"},
		{"status=active", "status=inactive,entered-in-error"},
		{"status:not=inactive", "status:not=active"},
		{"category=LA27976-2", "category=LA27977-0"},
		{"identifier=urn:x|genou", "identifier=urn:x|hanche"},
		{"participant=Organization/o", "participant=Organization/p"},
		{"participant.identifier=https://rpps.esante.gouv.fr|99900000012", "participant.identifier=99900000013"},
		{"participant:identifier=urn:oid:1.2.250.1.71.4.2.2|1750000001", "participant:identifier=urn:x|1750000001"},
		{"date=ge2026-11-22", "date=gt2026-12-26"},
	})
}

func TestAuditEventParameters(t *testing.T) {
	const event = `{"resourceType":"AuditEvent","id":"e1","meta":{"lastUpdated":"2026-11-22T10:00:00Z"},
 "type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest"},
 "subtype":[{"system":"http://hl7.org/fhir/restful-interaction","code":"read"},{"system":"urn:ihe:event-type-code","code":"ITI-68"}],
 "action":"R","recorded":"2026-11-22T09:59:59.123456Z","outcome":"0",
 "agent":[{"who":{"identifier":{"system":"https://rpps.esante.gouv.fr","value":"99700218896"}},"requestor":true},{"who":{"reference":"Device/server"},"requestor":false}],
 "source":{"observer":{"display":"x"}},"entity":[{"what":{"reference":"Patient/alix"}},{"what":{"reference":"DocumentReference/d1/_history/2"}}]}`
	checkMatches(t, "AuditEvent", event, []match{
		{"_id=e1", "_id=e2"},
		{"_lastUpdated=2026-11-22", "_lastUpdated=2026-11-23"},
		{"entity=DocumentReference/d1", "entity=DocumentReference/d2"},
		{"entity=d1", ""},
		{"date=2026-11-22T09:59:59Z", "date=2026-11-22T09:59:59.123457Z"},
		{"date=ge2026-11-22&date=lt2026-11-23", "date=gt2026-11-22"},
		{"agent=Device/server", "agent=Device/other"},
		{"agent.identifier=urn:oid:1.2.250.1.71.4.2.1|899700218896", "agent.identifier=1"},
		{"agent:identifier=https://rpps.esante.gouv.fr|", "agent:identifier=urn:x|"},
		{"action=R", "action=C,U"},
		{"action=http://hl7.org/fhir/audit-event-action|R", ""},
		{"type=rest", "type=110100"},
		{"subtype=ITI-68", "subtype=ITI-67"},
		{"subtype=http://hl7.org/fhir/restful-interaction|read", ""},
		{"outcome=0", "outcome=4,8,12"},
	})
}

func TestOtherParameters(t *testing.T) {
	checkMatches(t, "RelatedPerson", `{"resourceType":"RelatedPerson","id":"r1","meta":{"lastUpdated":"2026-11-22T10:00:00Z"}}`, []match{
		{"_id=r1", "_id=r2"},
		{"_lastUpdated=2026", "_lastUpdated=2025"},
	})
	checkMatches(t, "Provenance", `{"resourceType":"Provenance","id":"p1","meta":{"lastUpdated":"2026-11-22T10:00:00Z"},"target":[{"reference":"DocumentReference/d1"},{"identifier":{"system":"urn:x","value":"D-1"}}]}`, []match{
		{"_id=p1", "_id=p2"},
		{"_lastUpdated=2026", "_lastUpdated=2025"},
		{"target=DocumentReference/d1", "target=List/d1"},
		{"target:identifier=urn:x|D-1", "target.identifier=urn:x|D-2"},
	})
}

// TestPublishedQueries are the searches of the PDSm4DMP pages, on their own
// examples.
func TestPublishedQueries(t *testing.T) {
	const author = "author.identifier=urn:oid:1.2.250.1.71.4.2.1|899700218896"
	for _, c := range []struct {
		fixture, raw string
		want         bool
	}{
		{"DocumentReference-doc-x-id.json", "identifier=urn:ietf:rfc:3986|urn:oid:1.2.250.1.213.1.4.8.99999.0", true},
		{"DocumentReference-doc-x-id.json", "identifier=urn:oid:1.2.250.1.213.1.4.8.99999.0", true},
		{"DocumentReference-doc-x-id.json", "status=current", false},
		{"DocumentReference-doc-x-id.json", author, true},
		{"DocumentReference-example-td3-1a-ordonnance.json", author, true},
		{"DocumentReference-example-td3-1a-ordonnance.json", "status=current&type=http://loinc.org|57833-6&category=03", true},
		{"DocumentReference-example-td3-1a-ordonnance.json", "status=current&period=ge2024-01-01", true},
		{"DocumentReference-example-td3-1a-ordonnance.json", "status=current&period=le2024-11-19", false},
		{"DocumentReference-example-td3-1a-ordonnance.json", "date=ge2024-11-20T10:35:00%2B01:00", true},
		{"DocumentReference-example-td3-1a-ordonnance.json", "creation=2024-11-20T09:35:00Z", true},
		{"DocumentReference-example-td3-1a-ordonnance.json", "format=urn:ihe:iti:xds-sd:pdf:2008&facility=35971002&setting=394802001&security-label=N", true},
		{"DocumentReference-example-td3-1a-ordonnance.json", "isArchived=false", true},
		{"DocumentReference-example-td2-iti105-publication-simplifiee.json", "category:missing=true", true},
	} {
		v := ValuesOf(parseFixture(t, "pdsm4dmp/"+c.fixture))
		if got := query(t, "DocumentReference", c.raw).Match(v); got != c.want {
			t.Errorf("%s, %s: %v", c.fixture, c.raw, got)
		}
	}
}

// Each parameter of the table is the official one of its definition: name, type
// and base.
func TestParametersAreTheOfficialOnes(t *testing.T) {
	f, err := os.Open("testdata/search-parameters.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	official := map[string][]string{}
	for _, r := range records[1:] {
		official[r[0]] = r[1:]
	}
	for _, typ := range Types() {
		for _, p := range Params(typ) {
			if p.Definition == "" {
				if !strings.Contains(p.Name, ".") {
					t.Errorf("%s of %s has no definition", p.Name, typ)
				}
				continue
			}
			o := official[p.Definition]
			if o == nil {
				t.Errorf("%s of %s: unknown definition %s", p.Name, typ, p.Definition)
				continue
			}
			bases := strings.Fields(o[2])
			if o[0] != p.Name || o[1] != string(p.Type) || !slices.Contains(bases, typ) && !slices.Contains(bases, "Resource") {
				t.Errorf("%s of %s, a %s, is %v", p.Name, typ, p.Type, o)
			}
		}
	}
}

// A slot belongs to one name and one type of parameter, for ever; a name is
// there once in a type.
func TestSlots(t *testing.T) {
	names := map[slot]Param{}
	for _, typ := range Types() {
		var seen []string
		for _, p := range Params(typ) {
			if slices.Contains(seen, p.Name) {
				t.Errorf("%s is in %s twice", p.Name, typ)
			}
			seen = append(seen, p.Name)
			if p.slot == slotNone {
				if !p.role.ofDoor() {
					t.Errorf("%s of %s has no slot", p.Name, typ)
				}
				continue
			}
			if have, ok := names[p.slot]; ok && (have.Name != p.Name || have.Type != p.Type) {
				t.Errorf("slot %d is %s, a %s, and %s, a %s", p.slot, have.Name, have.Type, p.Name, p.Type)
			}
			names[p.slot] = p
		}
	}
	for s, p := range names {
		if slotNamed(p.Name) != s {
			t.Errorf("slot of %s: %d and %d", p.Name, slotNamed(p.Name), s)
		}
	}
}
