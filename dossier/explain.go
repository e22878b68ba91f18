package dossier

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// explain carries out $expliquer on a DocumentReference (G13): who may read it, by
// which rule, told to the patient and to a médecin traitant who read it
// themselves. To anybody else it answers what read answers for an unknown id, with
// the same work. No token opens an emergency grant by it.
func (c *call) explain(ctx context.Context) (Answer, error) {
	if !c.r.ByGet {
		if _, err := c.readArguments(); err != nil {
			return Answer{}, err
		}
	}
	d, err := c.loadByID(ctx, c.r.Type, c.r.ID)
	if err != nil {
		return Answer{}, err
	}
	v := c.policy.View(c.p, d.record, c.at)
	ref := c.r.Type + "/" + c.r.ID
	row := d.find(ref)
	if row == nil || row.deleted {
		return c.hidden(ctx, d, v, policy.Decision{}, ref)
	}
	explanation, dec := v.Explain(d.byRef[ref])
	if !dec.Allowed() {
		return c.hidden(ctx, d, v, dec, ref)
	}
	names, err := c.namesSeen(ctx, d, v, row)
	if err != nil {
		return Answer{}, err
	}
	body, err := policy.Compose(func(x []policy.Explanation) ([]byte, error) {
		return explanationJSON(x[0], names, c.r.Lang)
	}, explanation)
	if err != nil {
		return Answer{}, internal(err, "explanation")
	}
	receipt, err := c.record(ctx, d, c.events(d, dec, doRead, []string{versionRef(row)}, v))
	if err != nil {
		return Answer{}, err
	}
	return c.clinical(http.StatusOK, content{mime: fhirJSON, body: body}, receipt).in(v), nil
}

// explained is a parameter of the answer, or a part of one.
type explained struct {
	Name      string          `json:"name"`
	Code      string          `json:"valueCode,omitempty"`
	Text      string          `json:"valueString,omitempty"`
	Coding    *coding         `json:"valueCoding,omitempty"`
	Reference *namedReference `json:"valueReference,omitempty"`
	Part      []explained     `json:"part,omitempty"`
}

// namedReference refers to a resource, or to somebody by identifier, with a name
// for people.
type namedReference struct {
	Reference  string     `json:"reference,omitempty"`
	Identifier *idWithUse `json:"identifier,omitempty"`
	Display    string     `json:"display,omitempty"`
}

// explanationJSON writes the Parameters of the operation's definition.
func explanationJSON(x policy.Explanation, names names, lang string) ([]byte, error) {
	parameters := []explained{{Name: "document", Reference: &namedReference{Reference: x.Ref}}}
	for _, r := range x.Readers {
		parameters = append(parameters, explained{Name: "lecteur", Part: readerParts(r, names, lang)})
	}
	return json.Marshal(struct {
		ResourceType string      `json:"resourceType"`
		Parameter    []explained `json:"parameter"`
	}{"Parameters", parameters})
}

func readerParts(r policy.Reader, names names, lang string) []explained {
	parts := []explained{{Name: "qualite", Code: r.Quality.String()}}
	for _, who := range [...]struct {
		part string
		id   fhir.Ident
	}{{"personne", r.Person}, {"structure", r.Structure}} {
		if !who.id.IsZero() {
			parts = append(parts, explained{Name: who.part, Reference: &namedReference{
				Identifier: &idWithUse{System: who.id.System, Value: who.id.Value}, Display: names.of(who.id),
			}})
		}
	}
	if r.Team != "" {
		parts = append(parts, explained{Name: "equipe", Reference: &namedReference{Reference: r.Team, Display: names.of(fhir.Ident{Value: r.Team})}})
	}
	for _, p := range r.Professions {
		parts = append(parts, explained{Name: "profession", Coding: &coding{p.System, p.Code}})
	}
	if r.Cell != policy.Unknown {
		parts = append(parts, explained{Name: "matrice", Code: r.Cell.String()})
	}
	parts = append(parts, explained{Name: "lit", Code: extentCode(r.Decision.Extent())})
	for _, id := range r.Decision.Rules() {
		parts = append(parts, explained{Name: "regle", Text: id})
	}
	sentence := r.Sentence(names.of)
	text := sentence.FR
	if lang == "en" {
		text = sentence.EN
	}
	return append(parts, explained{Name: "phrase", Text: text})
}

// extentCode is the code of an extent in the answer.
func extentCode(e policy.Extent) string {
	switch e {
	case policy.Full:
		return "entier"
	case policy.Metadata:
		return "metadonnees"
	}
	return "rien"
}

// names are what persons, structures and care teams are called, by identifier; a
// care team by its reference.
type names map[fhir.Ident]string

func (n names) of(id fhir.Ident) string { return n[id] }

// maxName is how much of a name is told, in characters: it stands in sentences.
const maxName = 80

func (n names) put(id fhir.Ident, name string) {
	name = strings.Join(strings.Fields(name), " ")
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName]) + "…"
	}
	if _, known := n[id]; !known && name != "" && id.Value != "" {
		n[id] = name
	}
}

// namesSeen reads the names in the resources that say who has a part in the
// dossier, and in the document, as they are released to the caller: nobody is named
// to them but by what they may read.
func (c *call) namesSeen(ctx context.Context, d *loaded, v *policy.View, document *row) (names, error) {
	var told []*row
	for i, r := range d.rows {
		switch r.typ {
		case "Patient", "Consent", "RelatedPerson", "CareTeam":
			if !r.deleted && v.Read(i).Allowed() {
				told = append(told, r)
			}
		}
	}
	found := names{}
	for some := range slices.Chunk(append(told, document), bodiesAtOnce) {
		refs := make([]store.BodyRef, len(some))
		for i, r := range some {
			refs[i] = store.BodyRef{Row: r.key, Version: r.version}
		}
		recs, err := c.bodies(ctx, d.id, d.ring, refs)
		if err != nil {
			return nil, err
		}
		for _, rec := range recs {
			released, _ := v.Release(rec.resource, rec.origin)
			if r, ok := released.Value(); ok {
				found.read(r)
			}
		}
	}
	return found, nil
}

// read takes the names of a resource: displays beside identifiers, and names of
// contained persons and structures.
func (n names) read(r *fhir.Resource) {
	if r.Type() == "CareTeam" {
		n.put(fhir.Ident{Value: "CareTeam/" + r.ID()}, r.Get("name").Text())
	}
	n.walk(r.Root())
}

func (n names) walk(node fhir.Node) {
	switch node.Kind() {
	case fhir.Array:
		for item := range node.Items() {
			n.walk(item)
		}
	case fhir.Object:
		n.note(node)
		for _, member := range node.Members() {
			n.walk(member)
		}
	}
}

// note takes the name of one element that has an identifier.
func (n names) note(node fhir.Node) {
	idents, called := node.Get("identifier"), node.Get("display").Text()
	switch name := node.Get("name"); {
	case idents.Kind() == fhir.Object:
		n.put(canonical(idents), called)
	case name.Kind() == fhir.Array:
		called = humanName(name)
		fallthrough
	case name.Kind() == fhir.String:
		if called == "" {
			called = name.Text()
		}
		for i := range idents.Items() {
			n.put(canonical(i), called)
		}
	}
}

func canonical(identifier fhir.Node) fhir.Ident {
	return fhir.CanonicalIdent(fhir.Ident{System: identifier.Get("system").Text(), Value: identifier.Get("value").Text()})
}

// humanName is the first of some HumanNames, in one line.
func humanName(all fhir.Node) string {
	for name := range all.Items() {
		if text := name.Get("text").Text(); text != "" {
			return text
		}
		var parts []string
		for _, part := range [...]string{"prefix", "given"} {
			for p := range name.Get(part).Items() {
				parts = append(parts, p.Text())
				break
			}
		}
		return strings.Join(append(parts, name.Get("family").Text()), " ")
	}
	return ""
}
