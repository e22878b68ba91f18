package policy

import (
	"slices"
	"strconv"

	"opendmp/fhir"
)

// ReleaseStatus releases the answer of TD0.2: a Patient with the INS, the names,
// sex and birth date, the state of the dossier, and the caller's own status, and
// nothing else (POLICY §6). patient is the current version of the Patient of the
// record.
func (v *View) ReleaseStatus(patient *fhir.Resource, o Origin) (Released[*fhir.Resource], Decision) {
	if v.empty() || patient == nil {
		return Released[*fhir.Resource]{}, Decision{}
	}
	c := v.base
	c.Act = ActReadStatus
	d := v.decide(c)
	if !d.Allowed() {
		return Released[*fhir.Resource]{}, d
	}
	f, err := FactsOf(patient, o)
	if err != nil || f.typ != typePatient || !v.belongs(f) || "Patient/"+patient.ID() != v.rec.patientRef() {
		return Released[*fhir.Resource]{}, refused(d)
	}
	answer, err := fhir.Scan(v.statusOf(patient))
	if err != nil {
		return Released[*fhir.Resource]{}, refused(d)
	}
	return release(d, answer), d
}

// statusOf writes the answer, in the order of its published example.
func (v *View) statusOf(p *fhir.Resource) []byte {
	var w object
	w.open()
	w.text("resourceType", "Patient")
	w.text("id", p.ID())
	w.raw("meta", []byte(`{"profile":["https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient"]}`))
	w.raw("extension", v.statusExtensions(p))
	w.raw("identifier", activeINS(p))
	w.raw("active", strconv.AppendBool(nil, v.base.State == Active))
	w.raw("name", statusNames(p))
	w.node(p.Get("gender"))
	w.node(p.Get("birthDate"))
	w.close()
	return w.b
}

func (v *View) statusExtensions(p *fhir.Resource) []byte {
	attached := false
	var closing []byte
	for e := range p.Get("extension").Items() {
		switch {
		case e.Get("url").Is(extFermeture):
			closing = statusClosing(e)
		case e.Get("url").Is(extRattachement):
			attached = e.Get("valueBoolean").True()
		}
	}
	var w array
	w.item(closing)
	w.item(extension(extRattachement, "valueBoolean", strconv.AppendBool(nil, attached)))
	w.item(extension(extMT, "valueBoolean", strconv.AppendBool(nil, v.situation.MedecinTraitant)))
	w.item(extension(extAutorisation, "valueCode", fhir.Quote(v.situation.Authorisation.String())))
	return w.bytes()
}

// statusClosing copies date, motive and reason of a closing.
func statusClosing(e fhir.Node) []byte {
	var parts array
	for sub := range e.Get("extension").Items() {
		switch sub.Get("url").Text() {
		case "dateFermeture", "motifFermeture", "raisonFermeture":
			parts.item(sub.Raw())
		}
	}
	return extension(extFermeture, "extension", parts.bytes())
}

func extension(url, member string, value []byte) []byte {
	if value == nil {
		return nil
	}
	var w object
	w.open()
	w.text("url", url)
	w.raw(member, value)
	w.close()
	return w.b
}

func activeINS(p *fhir.Resource) []byte {
	var w array
	for i := range p.Get("identifier").Items() {
		if isINS(identOf(i)) && !i.Get("use").Is("old") {
			w.item(members(i, "use", "type", "system", "value"))
		}
	}
	return w.bytes()
}

// statusNames copies the names of birth and of use.
func statusNames(p *fhir.Resource) []byte {
	var w array
	for n := range p.Get("name").Items() {
		if slices.Contains([]string{"", "official", "usual", "maiden"}, n.Get("use").Text()) {
			w.item(members(n, "use", "family", "given", "prefix"))
		}
	}
	return w.bytes()
}

// members copies the named members of an object; nil if it has none of them.
func members(n fhir.Node, names ...string) []byte {
	var w object
	w.open()
	for _, name := range names {
		w.node(n.Get(name))
	}
	w.close()
	if len(w.b) == len("{}") {
		return nil
	}
	return w.b
}

// object writes a JSON object.
type object struct{ b []byte }

func (w *object) open() { w.b = append(w.b, '{') }

func (w *object) close() { w.b = append(w.b, '}') }

// raw writes a member; nothing if it has no value.
func (w *object) raw(name string, value []byte) {
	if value == nil {
		return
	}
	if len(w.b) > 1 {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, fhir.Quote(name)...), ':'), value...)
}

func (w *object) text(name, value string) { w.raw(name, fhir.Quote(value)) }

// node copies a member of another object.
func (w *object) node(n fhir.Node) {
	if n.Exists() {
		w.raw(n.Name(), n.Raw())
	}
}

// array writes a JSON array.
type array struct{ b []byte }

// item writes an element; nothing if it has no value.
func (w *array) item(value []byte) {
	if value == nil {
		return
	}
	if w.b == nil {
		w.b = []byte{'['}
	} else {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, value...)
}

// bytes returns the array; nil if it has no element.
func (w *array) bytes() []byte {
	if w.b == nil {
		return nil
	}
	return append(w.b, ']')
}
