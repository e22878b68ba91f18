package sandbox

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

var present = time.Date(2026, time.November, 22, 10, 0, 0, 0, fhir.Paris)

func script(t testing.TB, c Config) []Step {
	t.Helper()
	steps, err := Script(c)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// anyID answers every key that was saved before with an id made of it.
func anyID(saved map[string]bool) func(string) (string, bool) {
	return func(key string) (string, bool) { return "id-" + key, saved[key] }
}

// body returns the filled body of a step as a resource, or nil for a JSON Patch.
func body(t *testing.T, s Step) *fhir.Resource {
	t.Helper()
	_, data, err := s.Fill(func(key string) (string, bool) { return "id-" + key, true })
	if err != nil {
		t.Fatal(err)
	}
	if s.ContentType == mediaPatch {
		return nil
	}
	r, err := fhir.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v\n%.200s", s.Note, err, data)
	}
	return r
}

func TestBodiesAreFHIR(t *testing.T) {
	for _, s := range script(t, Config{Now: present}) {
		if s.ContentType == mediaFHIR {
			body(t, s)
			continue
		}
		_, data, err := s.Fill(func(string) (string, bool) { return "x", true })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fhir.ParsePatch(data); err != nil {
			t.Errorf("%s: %v\n%s", s.Note, err, data)
		}
	}
}

// A driver needs nothing but what earlier answers said, by personas that exist.
func TestStepsFollowEachOther(t *testing.T) {
	saved := map[string]bool{}
	var last time.Time
	for _, s := range script(t, Config{Now: present}) {
		if s.At.Before(last) {
			t.Errorf("%s at %v, after %v", s.Note, s.At, last)
		}
		last = s.At
		if p, ok := Lookup(s.As); !ok || p.Key != s.As {
			t.Errorf("%s: persona %q", s.Note, s.As)
		}
		if _, _, err := s.Fill(anyID(saved)); err != nil {
			t.Errorf("%s: %v", s.Note, err)
		}
		if s.Note == "" || s.Method == "" || s.Expect == 0 || len(s.Body) == 0 || s.ContentType == "" {
			t.Errorf("incomplete step %+v", s)
		}
		for _, save := range s.Saves {
			if saved[save.Key] {
				t.Errorf("%s saves %s again", s.Note, save.Key)
			}
			saved[save.Key] = true
		}
	}
	if last.After(present) {
		t.Errorf("the story ends at %v, after its present", last)
	}
	for _, d := range Documents() {
		if !saved[d.Key] {
			t.Errorf("document %s is not pushed", d.Key)
		}
	}
	for _, p := range patients() {
		if opened := saved[p.Key]; opened == (p.Key == "patient-farid") {
			t.Errorf("%s: dossier opened %v", p.Key, opened)
		}
	}
}

func TestScriptIsDeterministic(t *testing.T) {
	flat := func(c Config) string {
		var b strings.Builder
		for _, s := range script(t, c) {
			fmt.Fprintf(&b, "%v %s %s %s %d %v\n%s\n", s.At, s.As, s.Method, s.Path, s.Expect, s.Saves, s.Body)
		}
		return b.String()
	}
	a := flat(Config{Now: present, Seed: 1})
	if flat(Config{Now: present, Seed: 1}) != a {
		t.Error("the same configuration gives two scripts")
	}
	if flat(Config{Now: present, Seed: 2}) == a {
		t.Error("another seed gives the same script")
	}
	if flat(Config{Now: present.In(time.UTC), Seed: 1}) != a {
		t.Error("the script depends on the time zone of its present")
	}
}

// Identifiers are unique over the whole story, and another seed has others.
func TestIdentifiersAreUnique(t *testing.T) {
	uuids := regexp.MustCompile(`"fullUrl":"urn:uuid:([0-9a-f-]{36})"|"value":"urn:oid:(2\.25\.[0-9]{12,})"`)
	seen := map[string]int{}
	for seed := range uint64(2) {
		for _, s := range script(t, Config{Now: present, Seed: seed}) {
			for _, m := range uuids.FindAllString(string(s.Body), -1) {
				if strings.Contains(m, `2.25.1750000`) {
					continue
				}
				seen[m]++
			}
		}
	}
	if len(seen) < 100 {
		t.Fatalf("only %d identifiers found", len(seen))
	}
	for id, n := range seen {
		if n > 1 {
			t.Errorf("%s, %d times", id, n)
		}
	}
}

func TestScriptTooEarly(t *testing.T) {
	if _, err := Script(Config{Now: time.Date(2025, time.July, 31, 23, 59, 0, 0, fhir.Paris)}); !errors.Is(err, ErrTooEarly) {
		t.Errorf("error %v", err)
	}
	script(t, Config{Now: time.Date(2025, time.August, 1, 0, 0, 0, 0, fhir.Paris)})
}

// pushed is a document as the script sends it.
type pushed struct {
	step    Step
	bundle  *fhir.Resource
	doc     fhir.Node
	list    fhir.Node
	content []byte
}

func pushes(t *testing.T) map[string]pushed {
	t.Helper()
	out := map[string]pushed{}
	for _, s := range script(t, Config{Now: present}) {
		if len(s.Saves) != 1 || s.Saves[0].Type != "DocumentReference" {
			continue
		}
		p := pushed{step: s, bundle: body(t, s)}
		for e := range p.bundle.Get("entry").Items() {
			r := e.Get("resource")
			switch r.Get("resourceType").Text() {
			case "DocumentReference":
				p.doc = r
			case "List":
				p.list = r
			case "Binary":
				data, err := base64.StdEncoding.DecodeString(r.Get("data").Text())
				if err != nil {
					t.Fatal(err)
				}
				p.content = data
			}
		}
		out[s.Saves[0].Key] = p
	}
	return out
}

// What the metadata say of the content is true.
func TestMetadataMatchContent(t *testing.T) {
	for key, p := range pushes(t) {
		a := p.doc.At("content", "attachment")
		sum := sha1.Sum(p.content)
		if got, want := a.Get("hash").Text(), base64.StdEncoding.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: hash %s, want %s", key, got, want)
		}
		if got := a.Get("size").Text(); got != strconv.Itoa(len(p.content)) {
			t.Errorf("%s: size %s, content %d", key, got, len(p.content))
		}
		if key == "doc-x-id" {
			continue
		}
		if n := len(p.content); n < 5000 || n > 60_000 {
			t.Errorf("%s: %d bytes", key, n)
		}
		switch mime := a.Get("contentType").Text(); {
		case mime == "application/pdf" && bytes.HasPrefix(p.content, []byte("%PDF-1.7")):
		case mime == "application/xml" && bytes.HasPrefix(p.content, []byte("<?xml")):
		default:
			t.Errorf("%s: %s begins with %.10q", key, mime, p.content)
		}
	}
}

// The table of SANDBOX.md: type, author, flag.
func TestDocumentsOfAlix(t *testing.T) {
	all := pushes(t)
	for key, want := range map[string]struct{ typ, author, label string }{
		"alix-cr-consultation":        {"11488-4", "medecin-martin", ""},
		"alix-biologie":               {"11502-2", "hopital-nord", ""},
		"alix-lettre-sortie":          {"11490-0", "hopital-nord", ""},
		"alix-lettre-sortie-ancienne": {"11490-0", "hopital-nord", ""},
		"alix-ordonnance":             {"57833-6", "medecin-durand", ""},
		"alix-masque":                 {"11488-4", "medecin-leroy", ""}, // masked by the patient afterwards
		"alix-annonce":                {"11526-1", "medecin-durand", flagHidden},
		"alix-psy":                    {"68599-0", "medecin-petit", ""},
		"alix-vaccins":                {"11369-6", "pharmacien-dubois", ""},
		"alix-directives":             {"EXPPAT_3", "patient-alix", ""},
		"alix-remb":                   {"REMB", "assurance-maladie", ""},
	} {
		p, ok := all[key]
		if !ok {
			t.Errorf("no document %s", key)
			continue
		}
		label := ""
		for c := range p.doc.All("securityLabel", "coding") {
			if c.Get("system").Is(fhir.SystemVisibility) {
				label += c.Get("code").Text()
			}
		}
		if typ := p.doc.At("type", "coding", "code").Text(); typ != want.typ || p.step.As != want.author || label != want.label {
			t.Errorf("%s: %s by %s, label %q; want %+v", key, typ, p.step.As, label, want)
		}
		if subject := p.doc.At("subject", "reference").Text(); !strings.HasSuffix(subject, "|285047511200116") {
			t.Errorf("%s: of %s", key, subject)
		}
	}
	yesterday := present.AddDate(0, 0, -1).Format(time.DateOnly)
	if at := all["alix-annonce"].step.At.In(fhir.Paris).Format(time.DateOnly); at != yesterday {
		t.Errorf("alix-annonce is deposited on %s, want %s", at, yesterday)
	}
}

// Each document names its author, its structure, and its patient with their
// traits, by contained resources.
func TestPartiesAreContained(t *testing.T) {
	for key, p := range pushes(t) {
		author := persona(p.step.As)
		for name, r := range map[string]fhir.Node{"document": p.doc, "list": p.list} {
			if key == "doc-x-id" && name == "document" {
				continue
			}
			ids := map[string]fhir.Node{}
			var idents []string
			for c := range r.Get("contained").Items() {
				ids["#"+c.Get("id").Text()] = c
				for i := range c.Get("identifier").Items() {
					idents = append(idents, i.Get("value").Text())
				}
			}
			ref := r.At("author", "reference").Text()
			if name == "list" {
				ref = r.At("source", "reference").Text()
			}
			if !ids[ref].Exists() {
				t.Errorf("%s: the author of the %s is %q", key, name, ref)
			}
			if !slices.Contains(idents, author.ID.Value) {
				t.Errorf("%s: the %s does not name %s: %v", key, name, author.Key, idents)
			}
			if author.Structure != "" && !slices.Contains(idents, structureOf(author.Structure).number) {
				t.Errorf("%s: the %s does not name %s: %v", key, name, author.Structure, idents)
			}
			if patient := ids["#patient-source"]; name == "document" && (!patient.Get("birthDate").Exists() || !patient.Get("name").Exists()) {
				t.Errorf("%s: the %s does not say who the patient is", key, name)
			}
		}
	}
}

func TestReplacement(t *testing.T) {
	p := pushes(t)["alix-lettre-sortie"]
	if code := p.doc.At("relatesTo", "code").Text(); code != "replaces" {
		t.Errorf("relatesTo %q", code)
	}
	if ref := p.doc.At("relatesTo", "target", "reference").Text(); ref != "DocumentReference/id-alix-lettre-sortie-ancienne" {
		t.Errorf("replaces %q", ref)
	}
	patched := false
	for e := range p.bundle.Get("entry").Items() {
		patched = patched || e.At("request", "method").Is("PATCH") && e.At("request", "url").Is("DocumentReference/id-alix-lettre-sortie-ancienne")
	}
	if !patched {
		t.Error("no patch of the replaced document")
	}
}

// doc-x-id keeps every byte of the published metadata but its status and the
// address of its content.
func TestPublishedExample(t *testing.T) {
	p := pushes(t)["doc-x-id"]
	if p.step.ID != "doc-x-id" || p.step.As != "medecin-exemple" {
		t.Errorf("%q by %s", p.step.ID, p.step.As)
	}
	if p.doc.Get("status").Text() != "current" || !strings.HasPrefix(p.doc.At("content", "attachment", "url").Text(), "urn:uuid:") {
		t.Errorf("status %s, content %s", p.doc.Get("status").Text(), p.doc.At("content", "attachment", "url").Text())
	}
	if len(p.content) != 80 || p.doc.At("masterIdentifier", "value").Text() != "urn:oid:1.2.250.1.213.1.4.8.99999.0" {
		t.Errorf("content of %d bytes, identifier %s", len(p.content), p.doc.At("masterIdentifier", "value").Text())
	}
	original, err := fhir.Scan(publishedJSON)
	if err != nil {
		t.Fatal(err)
	}
	if original.Get("status").Text() != "superseded" {
		t.Error("the published example is not the one that was published")
	}
	for name := range original.Root().Members() {
		if !p.doc.Get(name).Exists() {
			t.Errorf("lost %s", name)
		}
	}
}

// What the patients decided, by kind and actor, and its period.
func TestConsents(t *testing.T) {
	got := map[string]string{}
	collect := func(patient string, c fhir.Node) {
		kind := ""
		for coding := range c.All("category", "coding") {
			if coding.Get("system").Is("urn:opendmp:consent-kind") {
				kind = coding.Get("code").Text()
			}
		}
		actor := c.At("provision", "actor", "reference", "identifier", "value").Text()
		period := c.At("provision", "period")
		got[strings.Join([]string{patient, kind, actor}, " ")] = c.At("provision", "type").Text() + " " +
			c.At("provision", "purpose", "code").Text() + " " + period.Get("start").Text() + ".." + period.Get("end").Text()
	}
	for _, s := range script(t, Config{Now: present}) {
		if s.ContentType != mediaFHIR {
			continue
		}
		r := body(t, s)
		if r.Type() == "Consent" {
			collect(s.As, r.Root())
		}
		for e := range r.Root().All("entry", "resource") {
			if e.Get("resourceType").Is("Consent") {
				collect(s.Saves[0].Key, e)
			}
		}
	}
	number := func(key string) string { return persona(key).ID.Value }
	today := "permit TREAT 2026-11-22..2026-11-22"
	want := map[string]string{
		"patient-david autorisation 1750000001":                     "permit TREAT 2026-09-23..2027-09-22",
		"patient-david blocage " + number("medecin-durand"):         "deny  ..",
		"patient-basile opposition-bris-de-glace ":                  "deny BTG ..",
		"patient-basile opposition-centre-15 ":                      "deny ETREAT ..",
		"patient-alix autorisation " + number("medecin-petit"):      "permit TREAT 2025-11-15..2025-11-15",
		"patient-exemple autorisation " + number("medecin-exemple"): today,
		"patient-alix autorisation " + number("medecin-durand"):     today,
		"patient-alix autorisation " + number("pharmacien-dubois"):  today,
		"patient-alix autorisation " + number("infirmier-moreau"):   today,
		"patient-alix autorisation " + number("sage-femme-roux"):    today,
		"patient-alix autorisation " + number("dentiste-faure"):     today,
		"patient-alix autorisation " + number("opticien-blanc"):     today,
		"patient-alix autorisation " + number("dieteticien-noel"):   today,
	}
	for _, p := range patients() {
		if p.Key != "patient-farid" {
			want[p.Key+" ouverture "] = "permit  .."
		}
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %q, want %q", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d consents, want %d: %v", len(got), len(want), got)
	}
}

func TestAuthorisedDays(t *testing.T) {
	found := false
	for _, s := range script(t, Config{Now: present, AuthorisedDays: 30}) {
		if s.Note != "autorise infirmier-moreau" {
			continue
		}
		found = true
		if end := body(t, s).At("provision", "period", "end").Text(); end != "2026-12-21" {
			t.Errorf("ends on %s", end)
		}
	}
	if !found {
		t.Error("infirmier-moreau is not authorised")
	}
}

// The opening has the shape of the project's own example.
func TestOpeningHasTheShapeOfTheExample(t *testing.T) {
	for _, s := range script(t, Config{Now: present}) {
		if s.Note != "ouvre le dossier de patient-david" {
			continue
		}
		got, want := shape(body(t, s).Root(), "Bundle"), shape(exampleOpening(t).Root(), "Bundle")
		for path := range want {
			// The example opposes centre 15; David does not.
			if !got[path] {
				t.Errorf("%s is in the example and not in the script", path)
			}
		}
		for path := range got {
			if !want[path] {
				t.Errorf("%s is in the script and not in the example", path)
			}
		}
		return
	}
	t.Error("David's dossier is not opened")
}

// shape returns the paths of a resource, whatever the place in an array.
func shape(n fhir.Node, path string) map[string]bool {
	paths := map[string]bool{}
	for name, member := range n.Members() {
		here := path + "." + name
		paths[here] = true
		for item := range member.Items() {
			for p := range shape(item, here) {
				paths[p] = true
			}
		}
	}
	return paths
}

// Every CDA document is well-formed and names patient, author and type.
func TestCDAIsWellFormed(t *testing.T) {
	count := 0
	for key, p := range pushes(t) {
		if key == "doc-x-id" || !p.doc.At("content", "attachment", "contentType").Is("application/xml") {
			continue
		}
		count++
		var d struct {
			XMLName xml.Name `xml:"urn:hl7-org:v3 ClinicalDocument"`
			ID      struct {
				Root string `xml:"root,attr"`
			} `xml:"id"`
			Code struct {
				Code string `xml:"code,attr"`
			} `xml:"code"`
			Title   string `xml:"title"`
			Patient struct {
				Extension string `xml:"extension,attr"`
				Root      string `xml:"root,attr"`
			} `xml:"recordTarget>patientRole>id"`
			Author struct {
				Extension string `xml:"extension,attr"`
			} `xml:"author>assignedAuthor>id"`
			Replaced []struct {
				Root string `xml:"root,attr"`
			} `xml:"relatedDocument>parentDocument>id"`
			PDF string `xml:"component>nonXMLBody>text"`
		}
		if err := xml.Unmarshal(p.content, &d); err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if !bytes.HasSuffix(p.content, []byte("</ClinicalDocument>\n")) {
			t.Errorf("%s: ends with %.40q", key, p.content[len(p.content)-40:])
		}
		patient := persona(Documents()[slices.IndexFunc(Documents(), func(d Document) bool { return d.Key == key })].Patient)
		if "urn:oid:"+d.ID.Root != p.doc.At("masterIdentifier", "value").Text() || d.Code.Code != p.doc.At("type", "coding", "code").Text() ||
			d.Title != p.doc.At("content", "attachment", "title").Text() || d.Patient.Extension != patient.ID.Value ||
			"urn:oid:"+d.Patient.Root != patient.ID.System || d.Author.Extension != persona(p.step.As).ID.Value {
			t.Errorf("%s: header %+v", key, d)
		}
		if (key == "alix-lettre-sortie") != (len(d.Replaced) == 1) {
			t.Errorf("%s: replaces %v", key, d.Replaced)
		}
		if d.PDF != "" {
			if data, err := base64.StdEncoding.DecodeString(d.PDF); err != nil {
				t.Errorf("%s: %v", key, err)
			} else {
				checkPDF(t, key, data)
			}
		}
	}
	if count < 5 {
		t.Errorf("only %d CDA documents", count)
	}
}

func TestPDFs(t *testing.T) {
	count := 0
	for key, p := range pushes(t) {
		if p.doc.At("content", "attachment", "contentType").Is("application/pdf") {
			checkPDF(t, key, p.content)
			count++
		}
	}
	if count < 8 {
		t.Errorf("only %d PDFs", count)
	}
}

// checkPDF follows the trailer and the cross-reference table, holds each stream
// to its length, and looks for the text that every page must show.
func checkPDF(t *testing.T, key string, data []byte) {
	t.Helper()
	tail := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(data)
	if tail == nil {
		t.Fatalf("%s: no end", key)
	}
	start, err := strconv.Atoi(string(tail[1]))
	if err != nil || !bytes.HasPrefix(data[start:], []byte("xref\n0 ")) {
		t.Fatalf("%s: startxref leads to %.10q", key, data[min(start, len(data)):])
	}
	entries := regexp.MustCompile(`(?m)^(\d{10}) 00000 n $`).FindAllSubmatch(data[start:], -1)
	for i, e := range entries {
		offset, err := strconv.Atoi(string(e[1]))
		if err != nil || !bytes.HasPrefix(data[offset:], fmt.Appendf(nil, "%d 0 obj\n", i+1)) {
			t.Errorf("%s: object %d is not at %d", key, i+1, offset)
		}
	}
	if want := fmt.Sprintf("/Size %d ", len(entries)+1); !bytes.Contains(data, []byte(want)) {
		t.Errorf("%s: trailer without %s", key, want)
	}
	pages := bytes.Count(data, []byte("/Type /Page "))
	marks, err := winAnsi("Document fictif – bac à sable")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, marks); pages == 0 || n != pages {
		t.Errorf("%s: %d pages, %d of them marked as fictitious", key, pages, n)
	}
	for _, m := range regexp.MustCompile(`<< /Length (\d+) >>\nstream\n`).FindAllSubmatchIndex(data, -1) {
		length, err := strconv.Atoi(string(data[m[2]:m[3]]))
		if err != nil || !bytes.HasPrefix(data[m[1]+length:], []byte("endstream")) {
			t.Errorf("%s: a stream of another length than %d", key, length)
		}
	}
}

func TestWinAnsi(t *testing.T) {
	got, err := winAnsi("Né à Œuf – l’été… 3 €")
	if err != nil || string(got) != "N\xe9 \xe0 \x8cuf \x96 l\x92\xe9t\xe9\x85 3 \x80" {
		t.Errorf("%q, %v", got, err)
	}
	for _, s := range []string{"≥", "日", "\n", "\u0081"} {
		if _, err := winAnsi(s); err == nil {
			t.Errorf("%q is encoded", s)
		}
	}
}

func TestWrap(t *testing.T) {
	const text = "Un texte assez long pour tenir sur plusieurs lignes d’une colonne étroite"
	lines := wrap(regular(), 10, 90, text)
	if strings.Join(lines, " ") != text || len(lines) < 3 {
		t.Errorf("%q", lines)
	}
	for _, l := range lines {
		if w := regular().width(l, 10); w > 90 {
			t.Errorf("%q is %.1f wide", l, w)
		}
	}
	if got := wrap(regular(), 10, 5, "anticonstitutionnellement"); len(got) != 1 {
		t.Errorf("a long word: %q", got)
	}
	if got := wrap(regular(), 10, 5, ""); got != nil {
		t.Errorf("nothing: %q", got)
	}
}

// A sign that French sets off by a space never begins a line.
func TestWrapKeepsSignsWithTheirWord(t *testing.T) {
	for width := 20.0; width < 120; width++ {
		for _, l := range wrap(regular(), 10, width, "technique vérifiée : revoir ; « citer » 98 % ou pas ? oui") {
			if strings.HasPrefix(l, ":") || strings.HasPrefix(l, ";") || strings.HasPrefix(l, "»") || strings.HasPrefix(l, "%") || strings.HasPrefix(l, "?") || strings.HasSuffix(l, "«") {
				t.Errorf("%.0f: line %q", width, l)
			}
		}
	}
}

// A report longer than a page goes on, and each page is marked and numbered.
func TestPDFOfSeveralPages(t *testing.T) {
	long := prescriptionOfAlix()
	for range 3 {
		long.sections = append(long.sections, prescriptionOfAlix().sections...)
	}
	h := heading{patient: persona("patient-alix"), author: persona("medecin-durand"), structure: structureOf("hopital-nord"), act: present, written: present, oid: "2.25.1", version: 1}
	data, err := renderPDF(h, long)
	if err != nil {
		t.Fatal(err)
	}
	checkPDF(t, "long", data)
	if !bytes.Contains(data, []byte("(Page 1 / 3)")) || !bytes.Contains(data, []byte("(Page 3 / 3)")) {
		t.Errorf("not of three pages: %q", regexp.MustCompile(`Page \d+ / \d+`).FindAll(data, -1))
	}
	long.title = "≥"
	if _, err := renderPDF(h, long); err == nil {
		t.Error("a character that cannot be written is lost")
	}
}

func TestFill(t *testing.T) {
	known := func(key string) (string, bool) { return strings.ToUpper(key), key == "a" || key == "b" }
	path, body, err := Step{Path: "/P/{{a}}", Body: []byte(`{{b}}-{{a}}{}`)}.Fill(known)
	if err != nil || path != "/P/A" || string(body) != "B-A{}" {
		t.Errorf("%q %q %v", path, body, err)
	}
	for _, s := range []Step{{Path: "{{c}}"}, {Body: []byte("{{a")}, {Body: []byte("{{}}")}} {
		if _, _, err := s.Fill(known); err == nil {
			t.Errorf("%+v is filled", s)
		}
	}
}

func TestCapture(t *testing.T) {
	s := Step{Note: "n", Saves: []Save{{"p", "Patient"}, {"d", "DocumentReference"}}}
	answer := []byte(`{"resourceType":"Bundle","type":"transaction-response","entry":[
		{"response":{"status":"201","location":"Patient/12/_history/1"}},
		{"response":{"status":"201","location":"http://x/fhir/DocumentReference/34/_history/1"}}]}`)
	got, err := s.Capture("", answer)
	if err != nil || got["p"] != "12" || got["d"] != "34" || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	got, err = Step{Saves: []Save{{"c", "Consent"}}}.Capture("http://x/fhir/Consent/9", nil)
	if err != nil || got["c"] != "9" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := s.Capture("Patient/1", nil); err == nil {
		t.Error("a missing location is no error")
	}
	if got, err := (Step{}).Capture("", nil); err != nil || len(got) != 0 {
		t.Errorf("nothing to save: %v, %v", got, err)
	}
}

func TestObject(t *testing.T) {
	o := obj("b", "<1> & 2", "a", nil, "c", "", "d", []object(nil), "e", object(nil), "f", 0, "g", false, "h", list(object(nil)), "i", obj("x", []string{"y"}))
	const want = `{"b":"<1> & 2","f":0,"g":false,"i":{"x":["y"]}}`
	if got := mustEncode(o); string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Types that the script uses are those of the DMP, with their class; facility and
// practice are of the French value sets.
func TestCodesAreOfTheValueSets(t *testing.T) {
	facilities, practices := column(t, "JDV_J02_XdsHealthcareFacilityTypeCode_CISIS.csv"), column(t, "JDV_J04_XdsPracticeSettingCode_CISIS.csv")
	classes := map[string]string{}
	for _, r := range records(t, "document-types.csv") {
		classes[r[0]] = r[2]
	}
	specialties := column(t, "JDV_J01_XdsAuthorSpecialty_CISIS.csv")
	for key, p := range pushes(t) {
		if key == "doc-x-id" {
			continue // the published example is of no French value set
		}
		typ, class := p.doc.At("type", "coding"), p.doc.At("category", "coding")
		if got := classes[typ.Get("code").Text()]; got == "" || got != class.Get("code").Text() {
			t.Errorf("%s: type %s, class %s, want %s", key, typ.Get("code").Text(), class.Get("code").Text(), got)
		}
		for name, c := range map[string]struct {
			node fhir.Node
			set  map[string]string
		}{
			"facility": {p.doc.At("context", "facilityType", "coding"), facilities},
			"practice": {p.doc.At("context", "practiceSetting", "coding"), practices},
		} {
			if display := c.set[c.node.Get("code").Text()]; display == "" || display != c.node.Get("display").Text() {
				t.Errorf("%s: %s %s %q, the value set has %q", key, name, c.node.Get("code").Text(), c.node.Get("display").Text(), display)
			}
		}
		if a := persona(p.step.As); a.Kind == auth.Professional {
			if s := specialtyOf(a); specialties[s.code] == "" || specialties[s.code] != s.display {
				t.Errorf("%s: specialty %v, the value set has %q", key, s, specialties[s.code])
			}
		}
	}
}
