package fhir

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// document is a DocumentReference that has a value for every parameter.
const document = `{
 "resourceType":"DocumentReference","id":"d1","meta":{"lastUpdated":"2026-11-20T10:00:00.250Z"},
 "contained":[
  {"resourceType":"Practitioner","id":"p","identifier":[{"system":"urn:oid:1.2.250.1.71.4.2.1","value":"899700218896"}],
   "name":[{"family":"Lefèvre","given":["Zoé","Anne-Marie"]}]},
  {"resourceType":"PractitionerRole","id":"r","identifier":[{"system":"https://rpps.esante.gouv.fr","value":"99700218897"}],
   "practitioner":{"reference":"#q"}},
  {"resourceType":"Practitioner","id":"q","name":[{"family":"Cœurderoy","given":["Ève"]}]}],
 "extension":[{"url":"https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived","valueBoolean":true}],
 "masterIdentifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3"},"description":"Compte rendu d’opération",
 "custodian":{"reference":"Organization/o"},"authenticator":{"reference":"Practitioner/a"},
 "identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21"},{"value":"a,b|c$d\\e"}],
 "status":"current",
 "type":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc","code":"11488-4"}]},
 "category":[{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument","code":"10"}]}],
 "subject":{"reference":"Patient/alix"},"date":"2026-11-19T09:30:00+01:00",
 "author":[{"reference":"#p"},{"reference":"#r"},{"identifier":{"system":"urn:oid:1.2.250.1.71.4.2.2","value":"1750000001"}},{"reference":"#missing"},{"reference":"Device/v"}],
 "relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/d0/_history/3"}},{"code":"transforms","target":{"identifier":{"system":"urn:x","value":"D-1"}}}],
 "securityLabel":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"N"}]},
  {"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument","code":"INVISIBLE_REP_LEGAUX"}]}],
 "content":[{"attachment":{"contentType":"application/pdf","language":"fr","url":"Binary/b","creation":"2026-11-18"},"format":{"system":"urn:f","code":"pdf"}}],
 "context":{"event":[{"coding":[{"system":"urn:e","code":"E1"}]}],"period":{"start":"2026-11-10","end":"2026-11-12T12:00:00+01:00"},
  "facilityType":{"coding":[{"system":"urn:fa","code":"SA01"}]},"practiceSetting":{"coding":[{"system":"urn:s","code":"ETABLISSEMENT"}]},
  "related":[{"reference":"https://other.example/fhir/ServiceRequest/9"},{"identifier":{"system":"urn:acc","value":"A1"}}]}}`

func searchValues(t testing.TB, resource string) Values {
	t.Helper()
	r, err := Scan([]byte(resource))
	if err != nil {
		t.Fatal(err)
	}
	return ValuesOf(r)
}

func query(t testing.TB, typ, raw string) *Query {
	t.Helper()
	q, err := ParseQuery(typ, raw)
	if err != nil {
		t.Fatalf("%s?%s: %v", typ, raw, err)
	}
	return q
}

// match is one query that finds a resource, and one that does not.
type match struct{ finds, misses string }

func checkMatches(t *testing.T, typ, resource string, cases []match) {
	t.Helper()
	v := searchValues(t, resource)
	asked := map[string]bool{}
	for _, c := range cases {
		q := query(t, typ, c.finds)
		if !q.Match(v) {
			t.Errorf("%s?%s does not find", typ, c.finds)
		}
		for i := range q.conditions {
			asked[q.conditions[i].param.Name] = true
		}
		if c.misses != "" && query(t, typ, c.misses).Match(v) {
			t.Errorf("%s?%s finds", typ, c.misses)
		}
	}
	for _, p := range Params(typ) {
		if p.slot != slotNone && p.role != choosesPatientIdent && !asked[p.Name] {
			t.Errorf("no case for %s", p.Name)
		}
	}
}

func TestDocumentReferenceParameters(t *testing.T) {
	checkMatches(t, "DocumentReference", document, []match{
		{"_id=d1", "_id=d2"},
		{"_id=d2,d1", "_id=d1&_id=d2"},
		{"_lastUpdated=2026-11-20", "_lastUpdated=gt2026-11-20"},
		{"_lastUpdated=gt2026-11-20T10:00:00.249Z", "_lastUpdated=gt2026-11-20T10:00:00.250Z"},
		{"status=current", "status=superseded"},
		{"status=http://hl7.org/fhir/document-reference-status|current", "status=urn:x|current"},
		{"status=superseded,current", "status=superseded,entered-in-error"},
		{"status=|current", ""},
		{"status:missing=false", "status:missing=true"},
		{"status:in=http://hl7.org/fhir/ValueSet/document-reference-status", "status:not-in=http://hl7.org/fhir/ValueSet/document-reference-status"},
		{"status:in=https://profiles.ihe.net/ITI/MHD/ValueSet/DocumentReferenceStats|4.2.3", "status:not-in=https://profiles.ihe.net/ITI/MHD/ValueSet/DocumentReferenceStats"},
		{"type:not-in=https://profiles.ihe.net/ITI/MHD/ValueSet/MHDlistTypesVS", "type:in=https://profiles.ihe.net/ITI/MHD/ValueSet/MHDlistTypesVS"},
		{"_lastUpdated:missing=false", "_lastUpdated:missing=true"},
		{"identifier:missing=false", "identifier:missing=true"},
		{"identifier:not=urn:oid:9.9", "identifier:not=urn:oid:1.2.3"},
		{"isArchived:not=false", "isArchived:not=true"},
		{"contenttype=application/pdf", "contenttype=text/plain"},
		{"language=fr", "language=en"},
		{"description=compte", "description=operation"},
		{"description:contains=operation", "description:missing=true"},
		{"custodian=o", "custodian=p"},
		{"custodian:Organization=o", "custodian:Organization=p"},
		{"author:Device=v", "author:Practitioner=v"},
		{"author:Device=x,v", "author:Device=Device/x"},
		{"author:Device=Device/v", ""},
		{"related:ServiceRequest=https://other.example/fhir/ServiceRequest/9", "related:ServiceRequest=9"},
		{"authenticator=Practitioner/a", "authenticator:missing=true"},
		{"relatesto:identifier=urn:x|D-1", "relatesto.identifier=urn:x|D-2"},
		{"status:not=superseded", "status:not=current"},
		{"status:not=superseded,entered-in-error", "status:not=superseded,current"},
		{"type=11488-4", "type=11488-5"},
		{"type=http://loinc.org|11488-4", "type=http://snomed.info/sct|11488-4"},
		{"type=urn:oid:2.16.840.1.113883.6.1|11488-4", "type=|11488-4"},
		{"type=http://loinc.org|", "type=http://snomed.info/sct|"},
		{"type:missing=false", "type:missing=true"},
		{"category=10", "category=11"},
		{"category=urn:oid:1.2.250.1.213.1.1.4.1|10", ""},
		{"date=2026-11-19", "date=2026-11-20"},
		{"date=ge2026-11-01&date=lt2026-12-01", "date=ge2026-11-01&date=lt2026-11-15"},
		{"date=2026-11-19T08:30:00Z", "date=2026-11-19T09:30:00Z"},
		{"date=eq2026-11-19T09:30", "date=ne2026-11-19"},
		{"date=2026-11-19T09:30:00+01:00", ""}, // the plus of a careless client
		{"period=2026-11", "period=2026-11-10"},
		{"period=ge2026-11-11", "period=sa2026-11-11"},
		{"period=ap2026-11-11", "period=ap2026-11-13"},
		{"period-start=2026-11-10", "period-start=2026-11-12"},
		{"period-end=2026-11-12", "period-end=2026-11-10"},
		{"creation=2026-11-18", "creation=2026-11-19"},
		{"author.identifier=urn:oid:1.2.250.1.71.4.2.1|899700218896", "author.identifier=urn:oid:1.2.250.1.71.4.2.1|899700218899"},
		{"author.identifier=https://rpps.esante.gouv.fr|99700218896", "author.identifier=|99700218896"},
		{"author.identifier=899700218896", "author.identifier=9970021889"},
		{"author.identifier=99700218897", ""},
		{"author=Device/v", "author=Practitioner/v"},
		{"author=v", "author=p"},
		{"author:identifier=urn:oid:1.2.250.1.71.4.2.2|1750000001", "author:identifier=urn:oid:1.2.250.1.71.4.2.2|1750000002"},
		{"author.family=lefevre", "author.family=martin"},
		{"author.family=LEF", "author.family=fevre"},
		{"author.family:contains=FEVRE", "author.family:contains=durand"},
		{"author.family:exact=Lefèvre", "author.family:exact=lefevre"},
		{"author.family=coeur", ""},
		{"author.given=anne", "author.given=marie"},
		{"author.given=eve", ""},
		{"identifier=urn:ietf:rfc:3986|urn:oid:1.2.3", "identifier=urn:ietf:rfc:3986|urn:oid:1.2.4"},
		{"identifier=urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21", "identifier=urn:uuid:0C287D32-01E3-4D87-9953-9FCC9404EB21"},
		{`identifier=a\,b\|c\$d\\e`, ""},
		{`identifier=|a\,b\|c\$d\\e`, ""},
		{"security-label=N", "security-label=R"},
		{"security-label=https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument|INVISIBLE_REPRESENTANTS_LEGAUX", ""},
		{"security-label=INVISIBLE_REP_LEGAUX", "security-label=MASQUE_PS"},
		{"security-label:not=MASQUE_PS", "security-label:not=N"},
		{"format=urn:f|pdf", "format=urn:f|xml"},
		{"facility=SA01", "facility=SA02"},
		{"setting=ETABLISSEMENT", "setting=AMBULATOIRE"},
		{"event=urn:e|E1", "event=urn:e|E2"},
		{"related=https://other.example/fhir/ServiceRequest/9", "related=ServiceRequest/9"},
		{"related.identifier=urn:acc|A1", "related.identifier=urn:acc|A2"},
		{"related:identifier=A1", ""},
		{"relatesto=DocumentReference/d0", "relatesto=DocumentReference/d1"},
		{"relatesto=d0", "relatesto=d"},
		{"relation=replaces", "relation=appends"},
		{"isArchived=true", "isArchived=false"},
		{"patient=Patient/other", ""}, // the door has chosen the dossier
		{"status=current&type=11488-4&date=ge2026", "status=current&type=11488-4&date=lt2026"},
	})
}

func TestQueryNamesThePatient(t *testing.T) {
	const ins = "urn:oid:1.2.250.1.213.1.4.10|285047511200116"
	ident := Ident{"urn:oid:1.2.250.1.213.1.4.10", "285047511200116"}
	for _, c := range []struct {
		typ, raw, id string
		ident        Ident
	}{
		{"DocumentReference", "patient=Patient/alix", "alix", Ident{}},
		{"DocumentReference", "patient=alix", "alix", Ident{}},
		{"DocumentReference", "subject=Patient/alix&patient=alix", "alix", Ident{}},
		{"DocumentReference", "patient=https://dmp.test/fhir/Patient/alix", "alix", Ident{}},
		{"DocumentReference", "patient.identifier=" + ins, "", ident},
		{"DocumentReference", "patient:identifier=" + ins, "", ident},
		{"DocumentReference", "subject:identifier=" + ins + "&patient=alix", "alix", ident},
		{"Patient", "identifier=" + ins, "", ident},
		{"RelatedPerson", "patient=alix", "alix", Ident{}},
		{"CareTeam", "patient.identifier=" + ins + "&status=active", "", ident},
		{"Provenance", "patient=alix&target=DocumentReference/d1", "alix", Ident{}},
	} {
		q, err := Base("https://dmp.test/fhir").ParseQuery(c.typ, c.raw)
		if err != nil {
			t.Errorf("%s: %v", c.raw, err)
			continue
		}
		if q.PatientID != c.id || q.PatientIdent != c.ident {
			t.Errorf("%s: %q, %v", c.raw, q.PatientID, q.PatientIdent)
		}
	}
	for _, raw := range []string{
		"patient=a&patient=b", "patient=a,b", "patient=a&subject=b", "patient=a,a",
		"patient.identifier=urn:x|1&patient.identifier=urn:x|2", "patient.identifier=urn:x|1,urn:x|2",
		"patient.identifier=1", "patient.identifier=|1", "patient.identifier=urn:x|", "patient.identifier=899700218896",
		"patient=Practitioner/a", "patient=https://other.test/fhir/Patient/a", "patient=urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21",
		"patient=Patient/a/_history/1", "patient=Patient?identifier=urn:x|1", "patient:Patient.identifier=urn:x|1", "patient:Device=a", "patient:Patient=Device/a", "patient:Patient=a,b", "patient:Patients=a", "patient:Patient=Patient/Patient/a",
		"patient=%23a", "patient=..", "patient=Patient/..", "patient:missing=true", "patient:not=a", "patient=a b",
	} {
		if _, err := Base("https://dmp.test/fhir").ParseQuery("DocumentReference", raw); err == nil {
			t.Errorf("%s was accepted", raw)
		}
	}
}

func TestQueryFindsDossiers(t *testing.T) {
	q := query(t, "DocumentReference", "identifier=urn:ietf:rfc:3986|urn:oid:1.2.3,x&identifier=y&_id=a,b&_id=b")
	if want := []Ident{{"urn:ietf:rfc:3986", "urn:oid:1.2.3"}, {"", "x"}}; !reflect.DeepEqual(q.Idents, want) {
		t.Errorf("Idents %v", q.Idents)
	}
	if want := []string{"a", "b"}; !reflect.DeepEqual(q.IDs, want) {
		t.Errorf("IDs %v", q.IDs)
	}
	if got := q.Names("identifier"); !reflect.DeepEqual(got, []string{"urn:ietf:rfc:3986|urn:oid:1.2.3,x", "y"}) {
		t.Errorf("Names %v", got)
	}
	// A system without a value is a condition and leads nowhere by itself.
	for _, raw := range []string{"patient=alix&identifier=urn:x|", "_id=a&identifier=urn:x|", "patient:identifier=urn:x|1&identifier=urn:x|"} {
		query(t, "DocumentReference", raw)
	}
	if got := query(t, "DocumentReference", "identifier=urn:x|&identifier=urn:x|1").Idents; !reflect.DeepEqual(got, []Ident{{"urn:x", "1"}}) {
		t.Errorf("Idents %v", got)
	}
	for _, raw := range []string{"identifier=urn:ietf:rfc:3986%7C", "identifier=urn:x|1,urn:x|", "identifier=urn:x|&status=current", "identifier=urn:x|&identifier=urn:y|"} {
		var refused *Invalid
		if _, err := ParseQuery("DocumentReference", raw); !errors.As(err, &refused) || refused.Issues[0].Code != "too-costly" || refused.Issues[0].Expression != "http.identifier" {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if q := query(t, "DocumentReference", "_id=899700218896"); len(q.IDs) != 1 {
		t.Errorf("IDs %v", q.IDs)
	}
}

func TestQueryControls(t *testing.T) {
	q := query(t, "DocumentReference", "_count=10&_sort=-date,status&_total=accurate&_summary=count&_pretty=true&_format=application/fhir+json&_page=abc")
	if q.Count != 10 || !q.CountGiven || q.Total != "accurate" || !q.SummaryCount || !q.Pretty || q.Format != "application/fhir+json" || q.Page != "abc" {
		t.Errorf("%+v", q)
	}
	if want := []SortKey{{"date", true}, {"status", false}}; !reflect.DeepEqual(q.Sort, want) {
		t.Errorf("Sort %v", q.Sort)
	}
	if got, want := q.String(), "_count=10&_sort=-date,status&_summary=count&_total=accurate"; got != want {
		t.Errorf("String %q, want %q", got, want)
	}
	if q := query(t, "DocumentReference", ""); q.Count != DefaultCount || q.CountGiven || q.Sort != nil || q.String() != "" {
		t.Errorf("%+v", q)
	}
	if q := query(t, "AuditEvent", ""); !reflect.DeepEqual(q.Sort, []SortKey{{"date", true}}) || q.String() != "" {
		t.Errorf("%+v", q)
	}
	if q := query(t, "DocumentReference", "_count=0"); q.Count != 0 || !q.CountGiven {
		t.Errorf("%+v", q)
	}
}

// Each refusal is a 400 that names the parameter and quotes no value.
func TestQueryRefuses(t *testing.T) {
	many := func(n int, s, sep string) string { return strings.TrimSuffix(strings.Repeat(s+sep, n), sep) }
	for _, c := range []struct{ raw, code, where string }{
		{"foo=secret", "not-supported", "http.foo"},
		{"Type=secret", "not-supported", "http.Type"},
		{"_include=List:item", "not-supported", "http._include"},
		{"_include=*", "not-supported", "http._include"},
		{"_include=DocumentReference:*", "not-supported", "http._include"},
		{"_include=DocumentReference:type", "not-supported", "http._include"},
		{"_include=DocumentReference:relatesto:Patient", "not-supported", "http._include"},
		{"_include=DocumentReference:relatesto:DocumentReference:x", "value", "http._include"},
		{"_include:recurse=DocumentReference:relatesto", "not-supported", "http._include:recurse"},
		{"_include:iterate=AuditEvent:patient", "not-supported", "http._include:iterate"},
		{"_revinclude=DocumentReference:patient", "not-supported", "http._revinclude"},
		{"_revinclude:iterate=DocumentReference:patient", "not-supported", "http._revinclude:iterate"},
		{"_revinclude=Consent:actor", "not-supported", "http._revinclude"},
		{"_revinclude=List:item:List", "not-supported", "http._revinclude"},
		{"_revinclude=AuditEvent:entity", "not-supported", "http._revinclude"},
		{"_since=2026", "not-supported", "http._since"},
		{"_has:X:y:z=secret", "not-supported", "http._has:X:y:z"},
		{"_filter=secret", "not-supported", "http._filter"},
		{"$where=secret", "not-supported", ""},
		{"<script>=secret", "not-supported", ""},
		{"type:text=secret", "not-supported", "http.type:text"},
		{"type:=secret", "not-supported", "http.type:"},
		{"type:exact=secret", "not-supported", "http.type:exact"},
		{"date:not=2026", "not-supported", "http.date:not"},
		{"isArchived:missing=true", "not-supported", "http.isArchived:missing"},
		{"_id:not=a", "not-supported", "http._id:not"},
		{"type:in=urn:secret", "not-found", "http.type:in"},
		{"status:in=http://hl7.org/fhir/ValueSet/list-status", "not-found", "http.status:in"},
		{"type:in=http://hl7.org/fhir/ValueSet/document-reference-status", "not-found", "http.type:in"},
		{"date:in=urn:secret", "not-supported", "http.date:in"},
		{"isArchived=secret", "value", "http.isArchived"},
		{"type:missing=secret", "value", "http.type:missing"},
		{"type=", "invalid", "http.type"},
		{"type", "invalid", "http.type"},
		{"type=a,,b", "value", "http.type"},
		{"type=|", "value", "http.type"},
		{"type=a|b|secret", "value", "http.type"},
		{`type=secret\`, "value", "http.type"},
		{`type=\secret`, "value", "http.type"},
		{"type=%ff", "invalid", "http.type"},
		{"type=%00", "invalid", "http.type"},
		{"type=%0d%0aX", "invalid", "http.type"},
		{"type=%zz", "invalid", "http.type"},
		{"type=a;b", "invalid", "http.type"},
		{"%zz=a", "invalid", ""},
		{"date=secret", "value", "http.date"},
		{"date=zz2026", "value", "http.date"},
		{"date=2026-13", "value", "http.date"},
		{"author.family=%CC%81", "value", "http.author.family"},
		{"related=a b", "value", "http.related"},
		{`related=a\b`, "value", "http.related"},
		{`author.given=a\b`, "value", "http.author.given"},
		{"related=service-request/1", "value", "http.related"},
		{"related=ServiceRequest2/1", "value", "http.related"},
		{"related=javascript:secret", "value", "http.related"},
		{"_id=a/b", "value", "http._id"},
		{"_id=urn:x|a", "value", "http._id"},
		{"_count=201", "value", "http._count"},
		{"_count=-1", "value", "http._count"},
		{"_count=%2B5", "value", "http._count"},
		{"_count=1000000000000000000000", "value", "http._count"},
		{"_count=5&_count=5", "invalid", "http._count"},
		{"_sort=date,date", "invalid", "http._sort"},
		{"_sort=date,-date", "invalid", "http._sort"},
		{"_sort=secret", "not-supported", "http._sort"},
		{"_sort=security-label", "not-supported", "http._sort"},
		{"_sort=--date", "not-supported", "http._sort"},
		{"_sort=date,period,creation,status,type", "too-costly", "http._sort"},
		{"_total=secret", "value", "http._total"},
		{"_summary=secret", "value", "http._summary"},
		{"_summary=true&_summary=data", "invalid", "http._summary"},
		{"_summary=true&_elements=id", "invalid", "http._elements"},
		{"_summary=text&_include=DocumentReference:patient", "invalid", "http._summary"},
		{"_elements=secret", "value", "http._elements"},
		{"_elements=id,,type", "value", "http._elements"},
		{"_elements=Patient.id", "value", "http._elements"},
		{"_elements=content.attachment", "value", "http._elements"},
		{"_elements=" + many(51, "id", ","), "too-costly", "http._elements"},
		{"_pretty=1", "value", "http._pretty"},
		{"type=" + strings.Repeat("a", MaxValue+1), "too-long", "http.type"},
		{"type=" + many(MaxOr+1, "a", ","), "too-costly", "http.type"},
		{many(MaxParams+1, "type=a", "&"), "too-costly", ""},
		{strings.Repeat("&", MaxParams), "too-costly", ""},
	} {
		_, err := ParseQuery("DocumentReference", c.raw)
		var invalid *Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%.60s: %v", c.raw, err)
			continue
		}
		i := invalid.Issues[0]
		if i.Code != c.code || i.Expression != c.where || i.Severity != Error || i.Text.FR == "" {
			t.Errorf("%.60s: %+v", c.raw, i)
		}
		if strings.Contains(fmt.Sprint(i), "secret") {
			t.Errorf("%.60s: the value is quoted: %+v", c.raw, i)
		}
	}
	for _, raw := range []string{
		"type=" + strings.Repeat("a", MaxValue), "type=" + many(MaxOr, "a", ","), many(MaxParams, "type=a", "&"), "type=a&&status=current&",
	} {
		if _, err := ParseQuery("DocumentReference", raw); err != nil {
			t.Errorf("%.60s: %v", raw, err)
		}
	}
	for _, typ := range []string{"", "Observation", "Binary", "Bundle"} {
		if _, err := ParseQuery(typ, ""); err == nil {
			t.Errorf("type %q can be searched", typ)
		}
	}
}

// All that is wrong is said at once.
func TestQueryReportsEveryIssue(t *testing.T) {
	_, err := ParseQuery("DocumentReference", "foo=1&date=x&_count=y&status=current")
	var invalid *Invalid
	if !errors.As(err, &invalid) || len(invalid.Issues) != 3 {
		t.Fatalf("%v", err)
	}
}

func TestQueryString(t *testing.T) {
	q := query(t, "DocumentReference", "type=http://loinc.org%7C11488-4&patient:identifier=urn:x%7C1&author.family:exact=d%27%C3%89tat&date=ge2026-01-01T00:00:00%2B01:00&_format=json&_page=x")
	const want = "author.family:exact=d%27%C3%89tat&date=ge2026-01-01T00:00:00%2B01:00&patient.identifier=urn:x%7C1&type=http://loinc.org%7C11488-4"
	if got := q.String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// The canonical form is a fixed point, and means the same.
func TestQueryStringIsEquivalent(t *testing.T) {
	pairs := []string{
		"type=11488-4", "type=http://loinc.org|11488-4", "type:not=x,y", "status=current", "date=ge2026-11-01", "date=lt2026-11-19T10:00:00 01:00",
		`identifier=a\,b\|c\$d\\e`, "author.family=Lefe", "author.family:contains=È&", "isArchived=true", "_id=d1", "relatesto=d0", "_sort=-date", "_count=3",
		"patient=alix", "patient:identifier=urn:x|1", "security-label:missing=false", "_total=none", "_summary=count",
	}
	v := searchValues(t, document)
	rapid.Check(t, func(t *rapid.T) {
		var raw []string
		for i, p := range pairs {
			if rapid.Bool().Draw(t, fmt.Sprint(i)) {
				name, value, _ := strings.Cut(p, "=")
				raw = append(raw, name+"="+url.QueryEscape(value))
			}
		}
		raw = rapid.Permutation(raw).Draw(t, "order")
		q, err := ParseQuery("DocumentReference", strings.Join(raw, "&"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseQuery("DocumentReference", q.String())
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		if again.String() != q.String() || again.Match(v) != q.Match(v) || again.Count != q.Count || !reflect.DeepEqual(again.Sort, q.Sort) ||
			again.PatientID != q.PatientID || again.PatientIdent != q.PatientIdent || again.Total != q.Total || again.SummaryCount != q.SummaryCount {
			t.Fatalf("%s and %s differ", q, again)
		}
	})
}

func TestOwnBase(t *testing.T) {
	const base = Base("https://dmp.test/fhir")
	list := `{"resourceType":"Provenance","id":"x","target":[{"reference":"https://dmp.test/fhir/DocumentReference/d1"},{"reference":"List/l"}]}`
	v := searchValues(t, list)
	for _, c := range []struct {
		base Base
		raw  string
		want bool
	}{
		{base, "target=DocumentReference/d1", true},
		{base, "target=https://dmp.test/fhir/DocumentReference/d1", true},
		{base, "target=d1", true},
		{base, "target=https://dmp.test/fhir/List/l", true},
		{"", "target=https://dmp.test/fhir/DocumentReference/d1", true},
		{"", "target=DocumentReference/d1", false},
		{"", "target=d1", false},
		{base, "target=https://dmp.test/fhirDocumentReference/d1", false},
	} {
		q, err := c.base.ParseQuery("Provenance", c.raw)
		if err != nil {
			t.Errorf("%s: %v", c.raw, err)
			continue
		}
		if got := q.Match(v); got != c.want {
			t.Errorf("base %q, %s: %v", c.base, c.raw, got)
		}
	}
}

func TestCompare(t *testing.T) {
	doc := func(id, date, status, family string) Values {
		s := `{"resourceType":"DocumentReference","id":"` + id + `"`
		if date != "" {
			s += `,"date":"` + date + `"`
		}
		return searchValues(t, s+`,"status":"`+status+`","contained":[{"resourceType":"Practitioner","id":"p","name":[{"family":"`+family+`"}]}],"author":[{"reference":"#p"}]}`)
	}
	a := doc("a", "2026-01-01", "current", "Émile")
	b := doc("b", "2026-02-01", "superseded", "denis")
	none := doc("n", "", "current", "Zola")
	for _, c := range []struct {
		sort string
		x, y Values
		want int
	}{
		{"date", a, b, -1}, {"-date", a, b, 1}, {"date", a, a, 0},
		{"date", a, none, -1}, {"-date", a, none, -1}, {"date", none, a, 1}, {"-date", none, a, 1}, {"date", none, none, 0},
		{"author.family", a, b, 1}, {"-author.family", a, b, -1},
		{"status", a, b, -1}, {"status,-date", a, none, -1}, {"status,author.family", a, none, -1},
		{"", a, b, 0},
	} {
		raw := ""
		if c.sort != "" {
			raw = "_sort=" + c.sort
		}
		if got := query(t, "DocumentReference", raw).Compare(c.x, c.y); got != c.want {
			t.Errorf("_sort=%s: %d, want %d", c.sort, got, c.want)
		}
	}
}

// Of several values, and of the two ends of a period, the one counts that comes
// first in the direction asked for.
func TestCompareSeveralValues(t *testing.T) {
	doc := func(start, end string, families ...string) Values {
		var names string
		for _, f := range families {
			names += `,{"family":"` + f + `"}`
		}
		return searchValues(t, `{"resourceType":"DocumentReference","contained":[{"resourceType":"Practitioner","id":"p","name":[`+names[1:]+`]}],
 "author":[{"reference":"#p"}],"context":{"period":{"start":"`+start+`","end":"`+end+`"}}}`)
	}
	outer := doc("2026-01-01", "2026-12-31", "m", "a", "z")
	inner := doc("2026-05-01", "2026-06-01", "n", "b", "y")
	for _, key := range []string{"period", "-period", "author.family", "-author.family"} {
		q := query(t, "DocumentReference", "_sort="+key)
		if q.Compare(outer, inner) != -1 || q.Compare(inner, outer) != 1 {
			t.Errorf("_sort=%s: the outer does not come first", key)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{
		"patient=alix&status=current", "type=http://loinc.org%7C11488-4,x&date=ge2026", `identifier=a\,b%7Cc&_sort=-date`,
		"author.family:contains=%C3%89&_count=5&_summary=count", "patient:identifier=urn:x%7C1", "_id=a,b&&%00=;",
	} {
		f.Add("DocumentReference", s)
		f.Add("List", s)
	}
	f.Fuzz(func(t *testing.T, typ, raw string) {
		q, err := ParseQuery(typ, raw)
		if err != nil {
			var invalid *Invalid
			if !errors.As(err, &invalid) || len(invalid.Issues) == 0 {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := ParseQuery(typ, q.String())
		if err != nil || again.String() != q.String() {
			t.Fatalf("%q → %q → %v, %v", raw, q, again, err)
		}
	})
}
