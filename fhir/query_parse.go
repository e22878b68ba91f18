package fhir

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Control parameters, by what may be asked with them.
var (
	searchControls = [...]string{"_count", "_sort", "_total", "_summary", "_elements", "_format", "_pretty", PageParam,
		"_include", "_revinclude", "_include:iterate", "_revinclude:iterate"}
	readControls    = [...]string{"_summary", "_elements", "_format", "_pretty"}
	historyControls = [...]string{"_since", "_count", "_summary", "_elements", "_format", "_pretty", PageParam}
	otherControls   = [...]string{"_format", "_pretty"}
)

// Handling is what becomes of the parameters of a search that the server does not
// know (Prefer: handling, R4 §3.1.1.4.17). The zero Handling is Strict.
type Handling uint8

// Handlings.
const (
	// Strict refuses the search.
	Strict Handling = iota
	// Lenient leaves out a parameter, a sort key or an inclusion that is not in the
	// table, and tells so in Query.Ignored. Nothing else is forgiven: R4 wants an
	// unknown modifier refused, and a value that cannot be read would widen a search
	// by mistake.
	Lenient
)

// parseSearch reads the query of a search on a type.
func (b Base) parseSearch(t *service, rawQuery string, h Handling) (*Query, error) {
	q, err := b.parse(queryParser{t: t, searches: true, lenient: h == Lenient, controls: searchControls[:]}, rawQuery)
	if err == nil && !q.sortGiven {
		q.Sort = slices.Clone(t.sort)
	}
	return q, err
}

// parse reads a query into that of p, which is ready but for it.
func (b Base) parse(p queryParser, rawQuery string) (*Query, error) {
	q := &Query{Count: DefaultCount, base: b}
	p.q = q
	if p.t != nil {
		q.Type = p.t.name
	}
	p.parse(rawQuery)
	p.together()
	if len(p.issues) > 0 {
		return nil, &Invalid{Issues: p.issues}
	}
	return q, nil
}

type queryParser struct {
	q        *Query
	t        *service // nil where no type is asked about
	searches bool     // the search parameters of the type are taken
	lenient  bool
	controls []string
	seen     []string // control parameters so far
	issues   []Issue
}

// together refuses control parameters that exclude each other.
func (p *queryParser) together() {
	q := p.q
	switch {
	case q.Summary != "" && len(q.Elements) > 0:
		p.refuse("invalid", "_elements", "À donner sans _summary.", "To be given without _summary.")
	case p.anywhere():
		p.refuse("too-costly", "identifier", "Un système sans valeur désigne tous les dossiers : donner système|valeur, ou le patient.",
			"A system without a value means all records: give system|value, or the patient.")
	case q.Summary == "text" && len(q.Includes) > 0: // R4 §3.1.1.5.8
		p.refuse("invalid", "_summary", "_summary=text exclut _include et _revinclude.", "_summary=text excludes _include and _revinclude.")
	}
}

// anywhere tells whether nothing but a system would lead to the dossiers: no patient,
// no id and no whole identifier. Looked up as an identifier it would find none, which
// would be taken for the answer.
func (p *queryParser) anywhere() bool {
	q := p.q
	return q.PatientID == "" && q.PatientIdent.IsZero() && len(q.IDs) == 0 && systemAlone(q.Idents)
}

func systemAlone(idents []Ident) bool {
	return slices.ContainsFunc(idents, func(i Ident) bool { return i.Value == "" })
}

func (p *queryParser) parse(rawQuery string) {
	if rawQuery == "" {
		return
	}
	pairs := strings.Split(rawQuery, "&")
	if len(pairs) > MaxParams {
		p.refuse("too-costly", "", fmt.Sprintf("Plus de %d paramètres.", MaxParams), fmt.Sprintf("More than %d parameters.", MaxParams))
		return
	}
	for _, pair := range pairs {
		if pair != "" {
			p.pair(pair)
		}
	}
}

// pair reads one name=value.
func (p *queryParser) pair(pair string) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, err := unescapeQuery(rawName)
	if err != nil {
		p.refuse("invalid", "", "Nom de paramètre illisible.", "Unreadable parameter name.")
		return
	}
	value, err := unescapeQuery(rawValue)
	switch {
	case err != nil:
		p.refuse("invalid", name, "Valeur illisible (encodage %, UTF-8 ou caractères de contrôle).", "Unreadable value (percent escapes, UTF-8 or control characters).")
	case value == "":
		p.refuse("invalid", name, "La valeur est vide.", "The value is empty.")
	case len(value) > MaxValue:
		p.refuse("too-long", name, fmt.Sprintf("La valeur dépasse %d octets.", MaxValue), fmt.Sprintf("The value exceeds %d bytes.", MaxValue))
	case slices.Contains(p.controls, name):
		p.control(name, value)
	case p.searches:
		p.search(name, value)
	default:
		p.unknown(name)
	}
}

// errEscape is that a part of a query cannot be read.
var errEscape = fmt.Errorf("fhir: unreadable query")

// unescapeQuery decodes one name or value. A raw semicolon is refused, since some
// readers take it for a separator and others do not; so are control characters.
func unescapeQuery(s string) (string, error) {
	if strings.Contains(s, ";") {
		return "", errEscape
	}
	s, err := url.QueryUnescape(s)
	if err != nil || !utf8.ValidString(s) || strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) >= 0 {
		return "", errEscape
	}
	return s, nil
}

// refuse notes an issue on a parameter; its value is never quoted.
func (p *queryParser) refuse(code, name, fr, en string) {
	where := ""
	if name = shownName(name); name != "" {
		where = "http." + name
		fr, en = "« "+name+" » : "+fr, name+": "+en
	}
	p.issues = append(p.issues, Issue{Severity: Error, Code: code, Text: Text{FR: fr, EN: en}, Expression: where})
}

// shownName returns a parameter name that is safe to show, "" for one that is
// not.
func shownName(name string) string {
	const most = 64
	if len(name) > most || strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.:", r)
	}) >= 0 {
		return ""
	}
	return name
}

// unsupported refuses what is not of the table and narrows nothing, or leaves it
// out where the client prefers that.
func (p *queryParser) unsupported(name, fr, en string) {
	if p.refuse("not-supported", name, fr, en); p.lenient {
		p.ignore()
	}
}

// ignore makes the last issue a warning about what was left out.
func (p *queryParser) ignore() {
	last := len(p.issues) - 1
	i := p.issues[last]
	i.Severity = Warning
	p.q.Ignored, p.issues = append(p.q.Ignored, i), p.issues[:last]
}

// unknown refuses a parameter that is not of the table, with the name of the one
// that was perhaps meant; with lenient handling it leaves it out.
func (p *queryParser) unknown(name string) {
	tail := Text{
		FR: " ; aucun paramètre n’est ignoré, la liste est dans /metadata.",
		EN: "; no parameter is ignored, the list is in /metadata.",
	}
	if p.lenient {
		tail = Text{FR: " ; il a été ignoré.", EN: "; it was ignored."}
		defer p.ignore()
	}
	fr, en, where := "Paramètre inconnu", "Unknown parameter", ""
	if shown := shownName(name); shown != "" {
		fr, en, where = "Paramètre « "+shown+" » inconnu", en+" “"+shown+"”", "http."+shown
		if meant := nearest(shown, p.known()); meant != "" {
			fr, en = fr+" (« "+meant+" » ?)", en+" (“"+meant+"”?)"
		}
	}
	p.issues = append(p.issues, Issue{Severity: Error, Code: "not-supported", Expression: where, Text: Text{
		FR: fr + tail.FR,
		EN: en + tail.EN,
	}})
}

// known are the names that might have been given.
func (p *queryParser) known() []string {
	names := slices.Clone(p.controls)
	if p.searches {
		for _, param := range p.t.params {
			names = append(names, param.Name)
		}
	}
	return names
}

// control reads a control parameter.
func (p *queryParser) control(name, value string) {
	if strings.Contains(name, "include") {
		p.include(name, value)
		return
	}
	if slices.Contains(p.seen, name) {
		p.refuse("invalid", name, "Paramètre donné deux fois.", "Given twice.")
		return
	}
	p.seen = append(p.seen, name)
	q := p.q
	switch name {
	case "_count":
		n, err := strconv.Atoi(value)
		if err != nil || !digits(value) || n > MaxCount {
			p.refuse("value", name, fmt.Sprintf("Nombre de 0 à %d attendu.", MaxCount), fmt.Sprintf("A number from 0 to %d is expected.", MaxCount))
			return
		}
		q.Count, q.CountGiven = n, true
	case "_sort":
		p.sort(value)
	case "_total":
		if value != "none" && value != "estimate" && value != "accurate" {
			p.refuse("value", name, "none, estimate ou accurate attendu.", "none, estimate or accurate is expected.")
			return
		}
		q.Total = value
	case "_summary":
		p.summary(value)
	case "_elements":
		p.elements(value)
	case "_since":
		p.since(value)
	case "_pretty":
		if value != "true" && value != "false" {
			p.refuse("value", name, "true ou false attendu.", "true or false is expected.")
			return
		}
		q.Pretty = value == "true"
	case "_format":
		// A media type has a plus, which a form writes %2B and many clients do not.
		q.Format = strings.ReplaceAll(value, " ", "+")
	case PageParam:
		q.Page = value
	case "mode":
		q.mode = value
	case "profile":
		q.profile = value
	}
}

func (p *queryParser) sort(value string) {
	keys := strings.Split(value, ",")
	if len(keys) > MaxSort {
		p.refuse("too-costly", "_sort", fmt.Sprintf("Plus de %d clés.", MaxSort), fmt.Sprintf("More than %d keys.", MaxSort))
		return
	}
	for _, key := range keys {
		name, desc := strings.CutPrefix(key, "-")
		param := p.t.param(name)
		if param == nil || !param.Sortable {
			p.unsupported("_sort", "Clé de tri non proposée.", "Unsupported sort key.")
			continue
		}
		if slices.ContainsFunc(p.q.Sort, func(k SortKey) bool { return k.Param == name }) {
			p.refuse("invalid", "_sort", "Clé de tri donnée deux fois.", "Sort key given twice.")
			return
		}
		p.q.Sort = append(p.q.Sort, SortKey{name, desc})
	}
	p.q.sortGiven = len(p.q.Sort) > 0
}

// search reads a search parameter.
func (p *queryParser) search(name, value string) {
	c := condition{raw: value}
	base, suffix, modified := strings.Cut(name, ":")
	if suffix == "identifier" {
		// The modifier on a reference is the chain of the same meaning.
		base, modified = base+".identifier", false
	}
	if c.param = p.t.param(base); c.param == nil {
		p.unknown(name)
		return
	}
	if modified && c.param.Type == ReferenceParam && !c.param.role.ofDirectory() && KnownResource(suffix) {
		if value, modified = ofType(suffix, value), false; value == "" {
			p.refuse("value", name, "Id, ou référence à une ressource de ce type, attendu.", "An id, or a reference to a resource of that type, is expected.")
			return
		}
		c.raw = value
	}
	if modified {
		bit := slices.Index(modifierNames[:], suffix)
		if bit < 0 || c.param.mods&(1<<bit) == 0 {
			p.refuse("not-supported", name, "Modificateur non proposé.", "Unsupported modifier.")
			return
		}
		c.mod = 1 << bit
	}
	if refusal := p.values(&c, value); refusal != nil {
		p.refuse(refusal.code, name, refusal.text.FR, refusal.text.EN)
		return
	}
	if refusal := p.choose(&c); refusal != nil {
		p.refuse(refusal.code, name, refusal.text.FR, refusal.text.EN)
		return
	}
	p.q.conditions = append(p.q.conditions, c)
}

// ofType returns the values of a reference that the modifier :[type] gives a type to
// (R4 §3.1.1.4.10), each as Type/id; "" if one is not of that type.
func ofType(typ, value string) string {
	parts := splitEscaped(value, ',')
	for i, part := range parts {
		switch {
		case validID(part):
			parts[i] = typ + "/" + part
		case !strings.HasPrefix(part, typ+"/") && !strings.Contains(part, "/"+typ+"/"):
			return ""
		}
	}
	return strings.Join(parts, ",")
}

// refusal is why a value cannot be taken.
type refusal struct {
	code string
	text Text
}

func refused(code, fr, en string) *refusal { return &refusal{code, Text{FR: fr, EN: en}} }

// values reads the alternatives of a condition.
func (p *queryParser) values(c *condition, value string) *refusal {
	if c.mod == modMissing {
		c.missing = value == "true"
		if value != "true" && value != "false" {
			return refused("value", "true ou false attendu.", "true or false is expected.")
		}
		return nil
	}
	if c.mod == modIn || c.mod == modNotIn {
		return wantCodes(p.t.name, c, value)
	}
	parts := splitEscaped(value, ',')
	if len(parts) > MaxOr {
		return refused("too-costly", fmt.Sprintf("Plus de %d valeurs.", MaxOr), fmt.Sprintf("More than %d values.", MaxOr))
	}
	for _, part := range parts {
		var w []want
		var r *refusal
		switch c.param.Type {
		case TokenParam:
			w, r = wantToken(c.param, part)
		case DateParam:
			w, r = wantDate(part)
		case StringParam:
			w, r = wantText(c.mod, part)
		case ReferenceParam:
			w, r = wantReference(p.q.base, c.param, part)
		}
		if r != nil {
			return r
		}
		c.any = append(c.any, w...)
	}
	return nil
}

// choose does what a parameter does besides comparing: naming the patient, or
// giving what a dossier may be found by.
func (p *queryParser) choose(c *condition) *refusal {
	q := p.q
	if c.mod != 0 {
		return nil // tells what is not wanted, which finds no dossier
	}
	switch c.param.role {
	case choosesPatient:
		id, ok := strings.CutPrefix(c.any[0].text, "Patient/")
		if !ok || len(c.any) > 1 {
			return refused("value", "Référence à un seul Patient de ce serveur attendue.", "A reference to one Patient of this server is expected.")
		}
		if q.PatientID != "" && q.PatientID != id {
			return secondPatient()
		}
		q.PatientID = id
	case choosesPatientIdent:
		if len(splitEscaped(c.raw, ',')) > 1 || c.any[0].anyCode || c.any[0].system == "" {
			return refused("value", "Un seul identifiant complet attendu : système|valeur.", "One complete identifier is expected: system|value.")
		}
		i := Ident{c.any[0].system, c.any[0].text}
		if !q.PatientIdent.IsZero() && q.PatientIdent != i {
			return secondPatient()
		}
		q.PatientIdent = i
	case findsID:
		if q.IDs == nil {
			for _, w := range c.any {
				q.IDs = append(q.IDs, w.text)
			}
		}
	case findsIdent:
		if q.Idents == nil || systemAlone(q.Idents) {
			q.Idents = nil
			for _, w := range c.any {
				q.Idents = append(q.Idents, Ident{w.system, w.text})
			}
		}
	case tellsTrait:
		return q.tellTrait(c)
	case asksDirectory:
		return q.askOnce(c)
	}
	return nil
}

func secondPatient() *refusal {
	return refused("invalid", "Un seul patient à la fois.", "One patient at a time.")
}
