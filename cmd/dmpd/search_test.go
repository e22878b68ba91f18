package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// entry is what the tests of searches look at in an entry.
type entry struct {
	FullURL  string
	Resource struct {
		ResourceType, ID string
		Entry            []any
		RelatesTo        []any
		Meta             struct {
			VersionID string
			Tag       []struct{ Code string }
		}
		Issue []struct {
			Severity   string
			Expression []string
		}
	}
	Search   struct{ Mode string }
	Response struct{ Status, ETag string }
}

func (r *reply) entries() []entry {
	r.t.Helper()
	var b struct{ Entry []entry }
	if err := json.Unmarshal(r.body, &b); err != nil {
		r.t.Fatalf("%s: %v", r.what, err)
	}
	return b.Entry
}

// found returns the references of the entries of a mode, in their order.
func (r *reply) found(mode string) []string {
	r.t.Helper()
	var refs []string
	for _, e := range r.entries() {
		if e.Search.Mode == mode {
			ref := e.Resource.ResourceType + "/" + e.Resource.ID
			if mode != "outcome" && !strings.HasSuffix(e.FullURL, "/fhir/"+ref) {
				r.t.Errorf("%s: fullUrl %s of %s", r.what, e.FullURL, ref)
			}
			refs = append(refs, ref)
		}
	}
	return refs
}

func TestInclude(t *testing.T) {
	w := openWorld(t)
	patient, doctor, pharmacist := w.as("patient-alix"), w.as("medecin-durand"), w.as("pharmacien-dubois")
	alix, letter, earlier := "Patient/"+w.patient("patient-alix"), w.doc("alix-lettre-sortie"), w.doc("alix-lettre-sortie-ancienne")
	of := "patient=" + alix

	t.Run("forward", func(t *testing.T) {
		r := doctor.get("DocumentReference?_id=" + strings.TrimPrefix(letter, "DocumentReference/") + "&_include=DocumentReference:relatesto&_include=DocumentReference:patient").is(200)
		r.has("total", "1")
		if got := r.found("match"); !slices.Equal(got, []string{letter}) {
			t.Errorf("matches %v", got)
		}
		if got := r.found("include"); !slices.Equal(got, []string{earlier, alix}) {
			t.Errorf("included %v", got)
		}
	})
	t.Run("once, and not what is on the page", func(t *testing.T) {
		r := doctor.get("DocumentReference?" + of + "&_count=200&_include=DocumentReference:relatesto&_include=DocumentReference:subject").is(200)
		if got := r.found("include"); !slices.Equal(got, []string{alix}) {
			t.Errorf("included %v", got)
		}
		r.has("total", fmt.Sprint(len(r.found("match"))))
	})
	t.Run("pages hold matches alone", func(t *testing.T) {
		var all []string
		pages := 0
		for url := "DocumentReference?" + of + "&_count=2&_revinclude=List:item"; url != ""; pages++ {
			r := doctor.get(url).is(200)
			if n := len(r.found("match")); n > 2 {
				t.Fatalf("%d matches on a page of 2", n)
			}
			if len(r.found("include")) == 0 {
				t.Errorf("page %d includes no submission set", pages)
			}
			all = append(all, r.found("match")...)
			url = r.next()
		}
		want := doctor.get("DocumentReference?" + of + "&_count=200").found("match")
		if !slices.Equal(all, want) || pages < 2 {
			t.Errorf("%d pages: %v, want %v", pages, all, want)
		}
	})
	t.Run("iterating", func(t *testing.T) {
		sets := doctor.get("List?" + of + "&_count=200").is(200).found("match")
		r := doctor.get("DocumentReference?_id=" + strings.TrimPrefix(letter, "DocumentReference/") + "&_revinclude=List:item&_include:iterate=List:subject").is(200)
		got := r.found("include")
		if len(got) != 2 || !slices.Contains(sets, got[0]) || got[1] != alix {
			t.Errorf("included %v", got)
		}
		of := "DocumentReference?_id=" + strings.TrimPrefix(letter, "DocumentReference/") + "&_include=DocumentReference:relatesto"
		for query, want := range map[string]int{
			of + "&_revinclude=List:item":         1, // that of the letter
			of + "&_revinclude:iterate=List:item": 2, // and that of the one that it replaces
		} {
			n := 0
			for _, ref := range doctor.get(query).is(200).found("include") {
				if slices.Contains(sets, ref) {
					n++
				}
			}
			if n != want {
				t.Errorf("%s: %d submission sets, want %d", query, n, want)
			}
		}
	})
	t.Run("what is hidden", func(t *testing.T) {
		for _, c := range []struct {
			who *person
			doc string
		}{{patient, w.doc("alix-annonce")}, {pharmacist, w.doc("alix-masque")}} {
			shown := doctor.get(c.doc + "?_elements=id").status
			if c.who == patient && shown != 200 {
				t.Fatal("the document is not there")
			}
			r := c.who.get("List?" + of + "&_count=200&_include=List:item&_include:iterate=DocumentReference:related&_revinclude=List:item").is(200)
			if slices.Contains(r.found("include"), c.doc) || strings.Contains(string(r.body), strings.TrimPrefix(c.doc, "DocumentReference/")) {
				t.Errorf("%s is told of", c.doc)
			}
			for _, ref := range r.found("include") {
				c.who.get(ref).is(200) // as if it were read alone
			}
			r = c.who.get("DocumentReference?_id=" + strings.TrimPrefix(c.doc, "DocumentReference/") + "&_revinclude=List:item&_include=DocumentReference:patient").is(200)
			if r.has("total", "0"); len(r.entries()) > 0 {
				t.Errorf("%s", r.body)
			}
		}
	})
	t.Run("what is hidden and refers to what is shown", func(t *testing.T) {
		push := strings.NewReplacer(`"status":"current","type"`, `"status":"current","relatesTo":[{"code":"appends","target":{"reference":"`+letter+`"}}],"securityLabel":[{"coding":[{"system":"`+
			visibility+`","code":"INVISIBLE_PATIENT"}]}],"type"`).Replace(hospitalPush(w.people["patient-alix"].INS, "hidden addition"))
		author := w.as("hopital-nord")
		hidden := refOf(author.post("", []byte(push)).is(200).at("entry.1.response.location"))
		defer author.delete(hidden) // the world is shared
		for persona, want := range map[string]bool{"medecin-durand": true, "patient-alix": false} {
			for _, start := range []string{"DocumentReference?_id=" + strings.TrimPrefix(letter, "DocumentReference/") + "&_revinclude=DocumentReference:relatesto",
				"List?" + of + "&_count=200&_include=List:item&_revinclude:iterate=DocumentReference:relatesto"} {
				r := w.as(persona).get(start).is(200)
				if got := slices.Contains(r.found("include"), hidden); got != want {
					t.Errorf("%s %s: included: %v", persona, start, got)
				}
				if strings.Contains(string(r.body), strings.TrimPrefix(hidden, "DocumentReference/")) != want {
					t.Errorf("%s is told of it", persona)
				}
			}
		}
	})
	t.Run("is in the history", func(t *testing.T) {
		doctor.get("DocumentReference?_id=" + strings.TrimPrefix(letter, "DocumentReference/") + "&_include=DocumentReference:relatesto").is(200)
		last := patient.get("AuditEvent?" + of + "&_count=1&agent.identifier=8899900000011").is(200)
		if !strings.Contains(string(last.body), letter+"/_history/") || !strings.Contains(string(last.body), earlier+"/_history/") {
			t.Errorf("the event does not name what was included: %s", last.body)
		}
	})
	doctor.get("DocumentReference?" + of + "&_include=List:item").is(400)
	doctor.get("DocumentReference?" + of + "&_revinclude=AuditEvent:entity").is(400)
	doctor.get("Patient?identifier=" + w.people["patient-alix"].INS + "&_revinclude=DocumentReference:patient").is(400)
	doctor.get("DocumentReference?"+of+"&_include=DocumentReference:subject&_summary=count").is(200).has("entry", "")
}

func TestLenientSearch(t *testing.T) {
	w := openWorld(t)
	doctor := w.as("medecin-durand")
	of := "DocumentReference?patient=Patient/" + w.patient("patient-alix") + "&status=current"
	doctor.get(of + "&couleur=bleu").is(400)
	doctor.with("Prefer", "handling=strict").get(of + "&couleur=bleu").is(400)
	want := doctor.get(of).is(200).found("match")
	for _, prefer := range []string{"handling=lenient", `return=minimal, handling="lenient"`} {
		r := doctor.with("Prefer", prefer).get(of + "&couleur=bleu&_include=X:y").is(200)
		if got := r.found("match"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", prefer, got, want)
		}
		entries := r.entries()
		last := entries[len(entries)-1]
		if last.Search.Mode != "outcome" || len(last.Resource.Issue) != 2 || last.Resource.Issue[0].Severity != "warning" ||
			last.Resource.Issue[0].Expression[0] != "http.couleur" || strings.Contains(string(r.body), "bleu") {
			t.Errorf("%s: %+v", prefer, last)
		}
		if r.has("total", fmt.Sprint(len(want))); strings.Contains(r.at("link.0.url"), "couleur") {
			t.Errorf("self link %s", r.at("link.0.url"))
		}
	}
	lenient := doctor.with("Prefer", "handling=lenient")
	lenient.get("DocumentReference?couleur=bleu").is(400) // names no record
	lenient.get(of + "&date=jamais").is(400)
	lenient.get(of + "&type:text=x").is(400)
	lenient.do("PATCH", "DocumentReference?identifier=urn:oid:9.9&couleur=bleu", "application/json-patch+json", []byte(`[]`)).is(400)
	lenient.do("POST", "DocumentReference/_search", "application/x-www-form-urlencoded", []byte(strings.TrimPrefix(of, "DocumentReference?")+"&couleur=bleu")).is(200)
	lenient.get("Patient?identifier="+w.people["patient-alix"].INS+"&couleur=bleu").is(200).has("entry.1.search.mode", "outcome")
	w.as("patient-alix").with("Prefer", "handling=lenient").get("AuditEvent?patient=Patient/"+w.patient("patient-alix")+"&couleur=bleu&_count=1").is(200).has("entry.1.search.mode", "outcome")
}

func TestParts(t *testing.T) {
	w := openWorld(t)
	doctor, patient := w.as("medecin-durand"), w.as("patient-alix")
	letter := w.doc("alix-lettre-sortie")
	of := "DocumentReference?patient=Patient/" + w.patient("patient-alix")
	for _, part := range []string{"_summary=true", "_summary=data", "_summary=text", "_elements=date,type"} {
		r := doctor.get(of + "&_count=2&" + part).is(200)
		for _, e := range r.entries() {
			if len(e.Resource.Meta.Tag) != 1 || e.Resource.Meta.Tag[0].Code != "SUBSETTED" {
				t.Errorf("%s: %+v is not marked", part, e)
			}
		}
		if next := r.next(); !strings.Contains(next, part[:9]) {
			t.Errorf("%s: the next page is %s", part, next)
		}
		one := doctor.get(letter+"?"+part).is(200).has("meta.tag.0.code", "SUBSETTED").has("status", "current")
		if tag := one.header.Get("ETag"); tag != doctor.get(letter).header.Get("ETag") {
			t.Errorf("%s: ETag %s", part, tag)
		}
		doctor.get(letter + "/_history/1?" + part).is(200)
	}
	doctor.get(letter+"?_summary=true").is(200).has("content.0.attachment.contentType", doctor.get(letter).at("content.0.attachment.contentType"))
	doctor.get(letter+"?_elements=date").has("author", "").has("content", "1")
	doctor.get(letter+"?_summary=false").is(200).has("meta.tag", "")
	doctor.get(letter + "?_summary=count").is(400)
	doctor.get(letter + "?_elements=inconnu").is(400)
	doctor.get(of + "&_summary=text&_include=DocumentReference:patient").is(400)
	// A part is not written back.
	part := patient.get("Consent?patient=Patient/" + w.patient("patient-alix") + "&_elements=provision&_count=1").is(200)
	consent := part.found("match")[0]
	patient.do("PUT", consent, "application/fhir+json", patient.get(consent+"?_summary=data").is(200).body).is(422).has("issue.0.expression.0", "Consent.meta.tag")
	// A part keeps nothing that is hidden.
	annonce := strings.TrimPrefix(w.doc("alix-annonce"), "DocumentReference/")
	w.as("patient-alix").get(w.doc("alix-annonce") + "?_summary=true").is(404)
	if r := w.as("patient-alix").get("List?patient=Patient/" + w.patient("patient-alix") + "&_elements=entry&_count=200").is(200); strings.Contains(string(r.body), annonce) {
		t.Error("a part names a hidden document")
	}
}

func TestHistoryWindow(t *testing.T) {
	w := openWorld(t)
	doctor := w.as("medecin-durand")
	vaccins := w.doc("alix-vaccins") // deposited, then archived
	all := doctor.get(vaccins + "/_history").is(200)
	versions := func(r *reply) (numbers []string) {
		for _, e := range r.entries() {
			numbers = append(numbers, e.Response.ETag)
		}
		return numbers
	}
	want := versions(all)
	if len(want) < 2 || want[len(want)-1] != `W/"1"` || all.next() != "" {
		t.Fatalf("versions %v", want)
	}
	all.has("total", fmt.Sprint(len(want)))
	var got []string
	for url := vaccins + "/_history?_count=1"; url != ""; {
		r := doctor.get(url).is(200).has("total", fmt.Sprint(len(want)))
		if n := versions(r); len(n) != 1 {
			t.Fatalf("a page of %d", len(n))
		}
		got = append(got, versions(r)...)
		if url = r.next(); url != "" {
			w.as("patient-alix").get(url).is(400) // somebody else's page
			doctor.get(strings.Replace(url, vaccins, w.doc("alix-ordonnance"), 1)).is(400)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages of %v, want %v", got, want)
	}
	last := all.at("entry.0.resource.meta.lastUpdated")
	recent := doctor.get(vaccins+"/_history?_since="+strings.ReplaceAll(last, "+", "%2B")).is(200).has("total", "1")
	if n := versions(recent); !slices.Equal(n, want[:1]) {
		t.Errorf("since %s: %v", last, n)
	}
	doctor.get(vaccins+"/_history?_since=2100").is(200).has("total", "0").has("entry", "")
	doctor.get(vaccins+"/_history?_count=0").is(200).has("total", fmt.Sprint(len(want))).has("entry", "")
	doctor.get(vaccins + "/_history?_at=2026").is(400)
	doctor.get(vaccins+"/_history?_summary=true").is(200).has("entry.0.resource.meta.tag.0.code", "SUBSETTED").has("entry.1.resource.meta.tag.0.code", "SUBSETTED")
	part := doctor.get(vaccins+"/_history?_elements=date&_count=1").is(200).has("entry.0.resource.type", "").has("entry.0.resource.status", "current")
	doctor.get(part.next()).is(200).has("entry.0.resource.type", "").has("entry.0.response.etag", want[1])
	doctor.get(vaccins + "/_history?_summary=count").is(400)
	w.as("patient-alix").get(w.doc("alix-annonce") + "/_history?_since=2020&_count=1").is(404)
}

// A 304 tells that a version is there: it is for those who may read it.
func TestConditionalReadAndHead(t *testing.T) {
	w := openWorld(t)
	doctor, patient := w.as("medecin-durand"), w.as("patient-alix")
	annonce := w.doc("alix-annonce")
	read := doctor.get(annonce).is(200)
	tag, modified := read.header.Get("ETag"), read.header.Get("Last-Modified")
	if r := doctor.with("If-None-Match", tag).get(annonce).is(304); len(r.body) > 0 {
		t.Errorf("a 304 with %s", r.body)
	}
	doctor.with("If-None-Match", `W/"99"`).get(annonce).is(200)
	doctor.with("If-Modified-Since", modified).get(annonce).is(304)
	doctor.with("If-Modified-Since", "Mon, 01 Jan 2024 00:00:00 GMT").get(annonce).is(200)
	doctor.with("If-None-Match", `W/"99"`).with("If-Modified-Since", modified).get(annonce).is(200) // RFC 9110 §13.1.3
	patient.with("If-None-Match", tag).get(annonce).is(404)
	patient.with("If-None-Match", "*").get(annonce).is(404)
	patient.with("If-Modified-Since", modified).get(annonce).is(404)
	content := doctor.get(annonce).at("content.0.attachment.url")
	of := "patient=Patient/" + w.patient("patient-alix")
	for path, who := range map[string]*person{
		annonce: doctor, annonce + "/_history": doctor, annonce + "/_history/1": doctor, content: doctor,
		"DocumentReference?" + of: doctor, "DocumentReference?" + of + "&_include=DocumentReference:patient": doctor,
		"AuditEvent?" + of: patient, "metadata": w.as(""),
	} {
		head, get := who.do(http.MethodHead, path, "", nil).is(200), who.get(path).is(200)
		if len(head.body) > 0 || head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.header.Get("ETag") != get.header.Get("ETag") {
			t.Errorf("HEAD %s: %v, %d bytes", path, head.header, len(head.body))
		}
	}
	patient.do(http.MethodHead, annonce, "", nil).is(404)
}

// A batch may name our own addresses in full, and no others.
func TestBatchOfOwnAddresses(t *testing.T) {
	w := openWorld(t)
	doctor, letter := w.as("medecin-durand"), w.doc("alix-lettre-sortie")
	batch := func(url string) *reply {
		return doctor.post("", fmt.Appendf(nil, `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":%q}}]}`, url))
	}
	for _, url := range []string{letter, "/" + letter, w.base + "/" + letter, w.base + "/" + letter + "/_history/1"} {
		batch(url).is(200).has("entry.0.response.status", "200 OK").has("entry.0.resource.resourceType", "DocumentReference")
	}
	inWhole := func(url string) *reply {
		return doctor.post("", fmt.Appendf(nil, `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":%q}}]}`, url))
	}
	inWhole("/"+letter).is(200).has("entry.0.resource.resourceType", "DocumentReference")
	inWhole("//" + letter).is(400)
	for _, url := range []string{"//" + letter, "http://ailleurs.exemple.test/fhir/" + letter, w.base + ".exemple.test/" + letter, w.base + "//" + letter, w.base + "/../" + letter, w.base} {
		if got := batch(url).is(200); !strings.HasPrefix(got.at("entry.0.response.status"), "40") {
			t.Errorf("%s: %s", url, got.body)
		}
	}
}

// A content is asked for in its own type by Accept or by _format.
func TestContentByFormat(t *testing.T) {
	w := openWorld(t)
	doctor := w.as("medecin-durand")
	doc := doctor.get(w.doc("alix-ordonnance")).is(200)
	content := doc.at("content.0.attachment.url")
	for _, ask := range []string{content, content + "?_format=application/pdf"} {
		if r := doctor.get(ask).is(200); r.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(string(r.body), "%PDF") {
			t.Errorf("%s: %s", ask, r.header.Get("Content-Type"))
		}
	}
	doctor.get(content+"?_format=json").is(200).has("resourceType", "Binary")
	doctor.get(content + "?_format=rien").is(406)
	doctor.get(w.doc("alix-ordonnance") + "?_format=application/pdf").is(406)
}

// :missing asks for the element, not for what a query could name in it: most authors
// are contained.
func TestMissingReferences(t *testing.T) {
	w := openWorld(t)
	doctor := w.as("medecin-durand")
	of := "patient=Patient/" + w.patient("patient-alix") + "&_count=200"
	for _, search := range []string{"DocumentReference?" + of + "&author", "List?" + of + "&source"} {
		element := search[strings.LastIndex(search, "&")+1:]
		missing, present := 0, 0
		for _, truth := range []string{"true", "false"} {
			r := doctor.get(search + ":missing=" + truth).is(200)
			for i := range r.entries() {
				if has := r.at(fmt.Sprintf("entry.%d.resource.%s", i, element)) != ""; has != (truth == "false") {
					t.Errorf("%s:missing=%s finds one of the others", search, truth)
				} else if has {
					present++
				} else {
					missing++
				}
			}
		}
		whole := len(doctor.get(search[:strings.LastIndex(search, "&")]).is(200).entries())
		if present == 0 || missing+present != whole {
			t.Errorf("%s: %d with and %d without, of %d", search, present, missing, whole)
		}
	}
}

// A system without a value leads to no record, and is not answered as if none had it.
func TestIdentifierOfASystemAlone(t *testing.T) {
	w := openWorld(t)
	doctor := w.as("medecin-durand")
	const alone = "DocumentReference?identifier=urn:ietf:rfc:3986%7C"
	doctor.get(alone).is(400).has("issue.0.code", "too-costly").has("issue.0.expression.0", "http.identifier")
	if doctor.get(alone+"&patient=Patient/"+w.patient("patient-alix")).is(200).at("total") == "0" {
		t.Error("the patient has no document of that system")
	}
}
