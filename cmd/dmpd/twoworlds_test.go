package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"opendmp/fhir"
	"opendmp/sandbox"
)

// everyone are the patients of the sandbox who have a record.
func everyoneBut(patient string) []string {
	var all []string
	for _, p := range []string{"patient-alix", "patient-basile", "patient-claire", "patient-david", "patient-emma", "patient-exemple"} {
		if p != patient {
			all = append(all, p)
		}
	}
	return all
}

const (
	alixKey = "patient-alix"
	noBTG   = "non-bris-de-glace"
)

// callers are every kind of caller, with what may be hidden from them.
func callers() []caller {
	masked := []string{"2-alix-masque", "3-alix-masque", "2-alix-psy"}
	return []caller{
		{name: "patient", as: alixKey, focus: alixKey, absent: everyoneBut(alixKey), history: []string{alixKey}, knows: true,
			hidden: []string{"alix-annonce", "2-alix-annonce", "3-alix-annonce"}},
		{name: "representative", as: "representative-lambert", focus: "patient-emma", absent: everyoneBut("patient-emma"), history: []string{"patient-emma"}, knows: true,
			hidden: []string{"emma-consultation", "2-emma-consultation", "3-emma-consultation"}},
		{name: "professional", as: "medecin-durand", focus: alixKey, knows: true, skip: []string{noBTG}, hidden: masked},
		{name: "author", as: "medecin-leroy", focus: alixKey, keep: []string{noBTG}, hidden: []string{"alix-biologie", "2-alix-psy"}},
		{name: "expired", as: "medecin-petit", focus: alixKey, keep: []string{noBTG}, hidden: []string{"alix-masque", "alix-biologie"}},
		{name: "blocked", as: "medecin-durand", focus: "patient-david", knows: true, skip: []string{noBTG}, hidden: []string{"5-alix-masque", "6-alix-masque"}},
		{name: "médecin traitant", as: "medecin-martin", focus: alixKey, history: []string{alixKey}, knows: true, skip: []string{noBTG}, hidden: []string{"5-alix-masque", "basile-lettre-sortie"}},
		{name: "pharmacist", as: "pharmacien-dubois", focus: alixKey, knows: true, hidden: masked},
		{name: "nurse", as: "infirmier-moreau", focus: alixKey, knows: true, skip: []string{"bloc-petit"}, hidden: masked},
		{name: "optician", as: "opticien-blanc", focus: alixKey, knows: true, hidden: append(masked, "alix-psy")},
		{name: "establishment", as: "hopital-nord", focus: alixKey, hidden: []string{"alix-cr-consultation", "2-alix-masque"}},
		{name: "administrative", as: "secretariat-nord", focus: alixKey, hidden: []string{"alix-cr-consultation", "2-alix-masque"}},
		{name: "insurance feeder", as: "assurance-maladie", focus: alixKey, hidden: []string{"alix-cr-consultation", "2-alix-masque"}},
		{name: "regulator", as: "samu-garnier", focus: alixKey, absent: []string{"patient-basile"}, knows: true, skip: []string{"non-centre-15"}, hidden: masked},
		{name: "emergency", as: "urgentiste-roche", purpose: "BTG", reason: "Patiente inconsciente aux urgences", focus: alixKey, knows: true,
			skip: []string{noBTG, "acces-urgence"}, hidden: masked[:2]},
		{name: "occupational", as: "medecin-travail-colin", focus: alixKey, hidden: []string{"alix-cr-consultation", "alix-masque"}},
		{name: "student", as: "etudiant-simon", focus: alixKey, knows: true, skip: []string{noBTG}, hidden: masked},
		{name: "unknown professional", as: "urgentiste-roche", focus: alixKey, keep: []string{noBTG}, skip: []string{"acces-urgence"}, hidden: []string{"alix-cr-consultation", "alix-masque"}},
		{name: "operator", as: "operateur", focus: alixKey, absent: everyoneBut(""), hidden: []string{"alix-cr-consultation"}},
		{name: "other patient", as: "patient-basile", focus: alixKey, absent: everyoneBut("patient-basile"), history: []string{"patient-basile"}, knows: true, hidden: []string{"alix-cr-consultation"}},
		{name: "nobody", focus: alixKey, absent: everyoneBut(""), hidden: []string{"alix-cr-consultation"}},
	}
}

// What a caller gets is the same, byte for byte, whether or not there is what
// they may not see.
func TestTwoWorlds(t *testing.T) {
	s, err := newStory()
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range callers() {
		t.Run(who.name, func(t *testing.T) {
			t.Parallel()
			p := openPair(t, s, who)
			p.script()
			p.checkCovered()
			t.Logf("%d requests: %v", p.count, p.statuses)
		})
	}
}

// script asks everything of both worlds: reads, searches to the last page, then
// writes, with what they change looked at again, and at last the history.
func (p *pair) script() {
	looks := p.pool.reads()
	searches := p.pool.searches()
	for _, a := range searches {
		p.follow(a, 4)
	}
	for _, a := range looks {
		p.ask(a)
	}
	looks = append(looks, searches...)
	p.ask(p.pool.batch(looks))
	w := p.writer()
	for i, a := range w.writes() {
		p.ask(a)
		if i%5 == 0 {
			p.ask(p.pool.cheap(looks))
		}
	}
	p.ask(p.pool.batch(looks))
	p.everything()
	for i, a := range w.operations() {
		p.ask(a)
		if i%3 == 0 {
			p.ask(p.pool.cheap(looks))
		}
	}
	p.everything()
}

// note keeps which interaction, parameter and operation a request asked for.
func (p *pair) note(a ask) {
	path, query, _ := strings.Cut(strings.TrimPrefix(p.b.names.expand(a.path), worldsBase+"/"), "?")
	r, err := fhir.Base(worldsBase).ParsePath(a.method, path, query)
	if err == nil && r.Form {
		r, err = r.WithForm(p.b.names.expand(a.body))
	}
	if err != nil {
		return
	}
	if a.path == "" {
		p.noteEntries(a)
	}
	p.covered[r.Type+" "+string(r.Interaction)] = true
	p.covered[r.Type+"/$"+r.Operation] = true
	if r.Query == nil {
		return
	}
	for _, param := range fhir.Params(r.Type) {
		if len(r.Query.Names(param.Name)) > 0 {
			p.covered[r.Type+"?"+param.Name] = true
		}
	}
	for _, key := range r.Query.Sort {
		p.covered[r.Type+"?_sort="+key.Param] = true
	}
}

// noteEntries does the same for what a bundle asks for.
func (p *pair) noteEntries(a ask) {
	var b struct {
		Entry []struct {
			Request struct{ Method, URL string }
		}
	}
	if json.Unmarshal([]byte(p.b.names.expand(a.body)), &b) != nil {
		return
	}
	for _, e := range b.Entry {
		if r, err := fhir.Base(worldsBase).ParseEntry(e.Request.Method, e.Request.URL); err == nil {
			p.covered[r.Type+" "+string(r.Interaction)] = true
		}
	}
}

// statement is what of the capability statement tells what may be asked for.
type statement struct {
	Rest []struct {
		Resource []struct {
			Type        string
			Interaction []struct{ Code string }
			SearchParam []struct{ Name string }
			Operation   []struct{ Name string }
		}
	}
}

// checkCovered fails the test where the script leaves out something that the
// server offers.
func (p *pair) checkCovered() {
	r, err := p.b.send(p.step, p.now, nil, get("metadata"))
	if err != nil {
		p.t.Fatal(err)
	}
	var s statement
	if err := json.Unmarshal(r.body, &s); err != nil || len(s.Rest) != 1 {
		p.t.Fatal("the capability statement cannot be read", err)
	}
	need := func(what string) {
		if !p.covered[what] {
			p.t.Errorf("%s: nothing asked for %s", p.who.name, what)
		}
	}
	need(" " + string(fhir.Transaction)) // a batch is one until its body is read
	for _, res := range s.Rest[0].Resource {
		for _, i := range res.Interaction {
			need(res.Type + " " + i.Code)
		}
		for _, param := range res.SearchParam {
			need(res.Type + "?" + param.Name)
		}
		for _, op := range res.Operation {
			need(res.Type + "/$" + op.Name)
		}
	}
	for _, typ := range fhir.Types() {
		for _, param := range fhir.Params(typ) {
			if param.Sortable {
				need(typ + "?_sort=" + param.Name)
			}
		}
	}
	if p.count < 300 {
		p.t.Errorf("%s: %d requests, want 300 at least", p.who.name, p.count)
	}
}

// everything looks at all of the record to the last page.
func (p *pair) everything() {
	for _, typ := range fhir.Types() {
		if fhir.Supports(typ, fhir.Search) {
			p.follow(get(typ+"?"+p.pool.named(typ)+"&_count=200"), 100)
		}
	}
	p.follow(get("DocumentReference?"+p.pool.named("DocumentReference")+"&_count=9&_total=accurate&_sort=-date"), 100)
}

// writer makes the writes of the caller. Where they see next to nothing, no
// consent that they record is about them.
func (p *pair) writer() *writer {
	w := &writer{pool: p.pool}
	w.who, _ = sandbox.Lookup(p.who.as)
	for _, persona := range []string{"sage-femme-roux", "dentiste-faure", "dieteticien-noel"} {
		if persona != p.who.as {
			w.safe = append(w.safe, persona)
		}
	}
	return w
}

// next finds the link to the next page.
var next = regexp.MustCompile(`"relation": ?"next", ?"url": ?"([^"]*)"|"url": ?"([^"]*)", ?"relation": ?"next"`)

// follow asks, and then for the further pages, in both worlds by their own links.
func (p *pair) follow(a ask, pages int) {
	for range pages {
		g := p.ask(a)
		link := next.FindStringSubmatch(g.body)
		if link == nil {
			return
		}
		a = get(link[1] + link[2])
	}
}
