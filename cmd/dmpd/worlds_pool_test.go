package main

import (
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// pool is what requests are made of: what the caller may know of, and what only
// world B holds.
type pool struct {
	r       *rand.Rand
	focus   string   // persona
	shown   []string // documents that the caller sees, by key
	hidden  []string // those that they do not
	idents  []string // identifiers of either, system|value
	dates   []time.Time
	codings map[string][]string // system|code, by element
	texts   map[string][]string // by element
	actors  []string
	// decisions are the Consents that somebody may know.
	decisions []string
}

// newPool gathers what the acts of world B tell.
func newPool(s *story, p *pair, acts []act) *pool {
	o := &pool{r: rand.New(rand.NewPCG(20260310, seedOf(p.who.name))), focus: p.who.focus, codings: map[string][]string{}, texts: map[string][]string{}}
	for _, key := range sortedKeys(s.patient) {
		switch {
		case p.hidden[key]:
			o.hidden = append(o.hidden, key)
		case s.patient[key] == o.focus:
			o.shown = append(o.shown, key)
		}
	}
	for _, a := range acts {
		if a.patient != o.focus {
			continue
		}
		o.dates = append(o.dates, a.at)
		var body any
		if json.Unmarshal([]byte(a.ask.body), &body) == nil {
			o.gather("", body)
		}
	}
	for _, name := range sortedKeys(p.b.names.known) {
		if strings.HasSuffix(name, "/Consent") {
			o.decisions = append(o.decisions, "{{"+name+"}}")
		}
	}
	o.decisions = append(o.decisions, "inconnu")
	for _, persona := range []string{"medecin-leroy", "medecin-durand", "medecin-martin", "hopital-nord", "sage-femme-roux", "urgentiste-roche", "pharmacien-dubois", o.focus} {
		o.actors = append(o.actors, identOf(persona))
	}
	return o
}

// seedOf gives each caller requests of their own, the same on every run.
func seedOf(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// gather keeps codings, identifiers and texts by the element that holds them.
func (o *pool) gather(element string, v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			o.gather(element, item)
		}
	case object:
		system, _ := v["system"].(string)
		if code, ok := v["code"].(string); ok && system != "" {
			o.codings[element] = appendNew(o.codings[element], system+"|"+code)
		}
		if value, ok := v["value"].(string); ok && system != "" && (element == "masterIdentifier" || element == "identifier") && strings.HasPrefix(value, "urn:") {
			o.idents = appendNew(o.idents, system+"|"+value)
		}
		for _, name := range sortedKeys(v) {
			below := element
			if name != "coding" && name != "value" && name != "resource" {
				below = name
			}
			o.gather(below, v[name])
		}
	case string:
		o.texts[element] = appendNew(o.texts[element], v)
	}
}

func appendNew(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// pick draws one of the values.
func (o *pool) pick(of ...string) string {
	if len(of) == 0 {
		return "rien"
	}
	return of[o.r.IntN(len(of))]
}

// doc draws a document: hidden, shown, or one that never was.
func (o *pool) doc() string {
	switch n := o.r.IntN(8); {
	case n < 4 && len(o.hidden) > 0:
		return "{{" + o.pick(o.hidden...) + "}}"
	case n < 7 && len(o.shown) > 0:
		return "{{" + o.pick(o.shown...) + "}}"
	}
	return "inconnu"
}

// part draws the submission set or the content of a document.
func (o *pool) part(typ string) string {
	return strings.Replace(o.doc(), "}}", "/"+typ+"}}", 1)
}

// id draws the id of a resource of a type.
func (o *pool) id(typ string) string {
	switch typ {
	case "Patient":
		return o.pick("{{"+o.focus+"}}", "{{patient-basile}}", "{{patient-david}}", "inconnu")
	case "DocumentReference":
		return o.doc()
	case "List", "Binary":
		return o.part(typ)
	case "Consent":
		return o.pick(o.decisions...)
	case "RelatedPerson":
		return o.pick("{{patient-emma/RelatedPerson}}", "inconnu")
	}
	return "inconnu"
}

// date draws an instant around what was done, in one of the precisions of FHIR.
func (o *pool) date() string {
	at := o.dates[o.r.IntN(len(o.dates))].Add(time.Duration(o.r.IntN(5)-2) * time.Second).UTC()
	return o.pick("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap") +
		o.pick(at.Format(time.RFC3339), at.Format("2006-01-02T15:04:05.000Z"), at.Format(time.DateOnly), at.Format("2006-01"), at.Format("2006"))
}

// coding draws a coding of the element that a parameter is about, by its name.
func (o *pool) coding(param string) string {
	param = strings.ReplaceAll(strings.ToLower(param), "-", "")
	var of []string
	for _, element := range sortedKeys(o.codings) {
		if name := strings.ToLower(element); strings.HasPrefix(name, param) || strings.HasSuffix(name, param) {
			of = append(of, o.codings[element]...)
		}
	}
	if len(of) == 0 {
		of = o.codings[o.pick(sortedKeys(o.codings)...)]
	}
	c := o.pick(of...)
	system, code, _ := strings.Cut(c, "|")
	return o.pick(c, c, code, system+"|", "|"+code, c+","+o.pick(of...))
}
