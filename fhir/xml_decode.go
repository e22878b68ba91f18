package fhir

import (
	"errors"
	"strconv"
)

// FromXML reads one resource in FHIR XML (R4 §2.6.1) and returns it as JSON, with
// nothing lost but comments, white space between elements and the way of writing
// characters: decimals keep their digits, and a narrative its text.
//
// It is strict: XML 1.0 in UTF-8, without document type declaration, entities,
// processing instructions or CDATA; the namespace of FHIR; elements known, in the
// order of their definition and not repeated beyond it; no text outside of
// narratives; no attributes but value, id and url where they belong (and
// xsi:schemaLocation, which is ignored). What is left to judge (formats,
// cardinalities, codes, narratives, invariants) is the same in both formats: the
// JSON that comes back is for Parse.
//
// The error is an *Invalid with at most twenty issues.
func FromXML(data []byte) ([]byte, error) {
	s, err := newXMLScanner(data)
	if err != nil {
		return nil, err
	}
	const small = 64 << 10
	r := xmlReader{s: s, out: make([]byte, 0, min(len(data), small))}
	if err := r.document(); err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	if len(r.issues) > 0 {
		return nil, &Invalid{Issues: r.issues}
	}
	return r.out, nil
}

// errFull ends the reading when there are issues enough.
var errFull = errors.New("fhir: too many issues")

// xmlReader writes JSON while it reads XML. It holds the JSON so far and no tree,
// so that what is refused costs no more than its first bytes.
type xmlReader struct {
	s      *xmlScanner
	out    []byte
	text   []byte // scratch
	path   []xmlStep
	issues []Issue
	depth  int // of the JSON
}

// xmlStep is one step of the path to the element at hand.
type xmlStep struct {
	name  string
	index int // -1 if the element does not repeat
}

func (r *xmlReader) document() error {
	for {
		token, err := r.s.next()
		switch {
		case err != nil:
			return err
		case token == xmlEOF:
			return nil
		case token == xmlStart:
			if err := r.resource(); err != nil {
				return err
			}
		}
	}
}

// resource reads the resource whose start tag was just read.
func (r *xmlReader) resource() error {
	tag := &r.s.tag
	root := len(r.path) == 0
	t := noType
	if string(tag.space) == fhirNamespace {
		t = xmlResourceNamed(tag.local)
	}
	if root {
		name := "Resource"
		if t != noType {
			name = t.def().name
		}
		r.path = append(r.path, xmlStep{name, -1})
		defer r.leave()
	}
	switch {
	case string(tag.space) != fhirNamespace:
		return r.refuseResource(wrongNamespace, root)
	case t == noType:
		return r.refuseResource(unknownType, root)
	}
	r.attributes(false, false)
	if err := r.enter(); err != nil {
		return err
	}
	r.out = append(r.out, `{"resourceType":"`...)
	r.out = append(r.out, t.def().name...)
	r.out = append(r.out, '"')
	if err := r.members(t, true); err != nil {
		return err
	}
	r.out = append(r.out, '}')
	r.depth--
	return nil
}

// refuseResource is refuse for a resource. Nothing of a document is read when its
// root is none.
func (r *xmlReader) refuseResource(broken *rule, root bool) error {
	if !root {
		return r.refuse(broken)
	}
	_ = r.report(broken)
	return errFull
}

// enter counts a level of the JSON.
func (r *xmlReader) enter() error {
	if r.depth++; r.depth > MaxDepth {
		return xmlSyntax(r.s.start, "nested too deep")
	}
	return nil
}

func (r *xmlReader) leave() { r.path = r.path[:len(r.path)-1] }

// members reads the children of an element of the type up to its end tag, and
// writes them as members; some tells whether there is one before them.
func (r *xmlReader) members(t typeID, some bool) error {
	rows := t.elements()
	run := xmlRun{at: -1, some: some}
	for {
		token, err := r.s.next()
		switch {
		case err != nil:
			return err
		case token == xmlEnd:
			r.endRun(&run)
			return nil
		case token == xmlText:
			if !r.s.blank {
				if err := r.report(strayText); err != nil {
					return err
				}
			}
			continue
		}
		at := lookup(rows, r.s.tag.local, max(run.at, 0))
		if broken := r.misplaced(rows, run.at, at); broken != nil {
			name := printable(string(r.s.tag.local))
			if at >= 0 {
				name = rows[at].pathName()
			}
			r.path = append(r.path, xmlStep{name, -1})
			err = r.refuse(broken)
		} else {
			if at != run.at {
				r.endRun(&run)
				r.startRun(&run, rows, at)
			}
			r.path = append(r.path, xmlStep{run.row.pathName(), run.index()})
			err = r.item(&run)
		}
		if err != nil {
			return err
		}
		r.leave()
	}
}

// misplaced returns the rule that an element breaks by its name and place; last
// is the row of the element before it, -1 if none, and at its own.
func (r *xmlReader) misplaced(rows []element, last, at int) *rule {
	if at < 0 || rows[at].flags&flagAttribute != 0 {
		return unknownElement
	}
	row := &rows[at]
	space := fhirNamespace
	if row.typ == xhtmlType {
		space = xhtmlNamespace
	}
	switch {
	case string(r.s.tag.space) != space:
		return wrongNamespace
	case last < 0 || row.bit > rows[last].bit:
		return nil
	case row.bit < rows[last].bit:
		return outOfOrder
	case at != last:
		return twoChoices
	case row.flags&flagMany == 0:
		return repeated
	}
	return nil
}

// xmlRun is the elements of one name that follow each other: one member of the
// JSON, or two for primitives with extensions.
type xmlRun struct {
	at    int // the row
	row   *element
	count int
	some  bool // there is a member before

	from   int    // where the member begins
	before bool   // some, as it was then
	values bool   // a primitive has a value
	beside []byte // the items of "_name", none as long as there is no extension
}

func (run *xmlRun) many() bool { return run.row.flags&flagMany != 0 }

func (run *xmlRun) index() int {
	if run.many() {
		return run.count
	}
	return -1
}

func (r *xmlReader) startRun(run *xmlRun, rows []element, at int) {
	*run = xmlRun{at: at, row: &rows[at], some: true, from: len(r.out), before: run.some}
	r.name(run.before, "", run.row.name)
	if run.many() {
		r.out = append(r.out, '[')
	}
}

// name writes the name of a member, after a comma if there is one before it.
func (r *xmlReader) name(comma bool, prefix, name string) {
	if comma {
		r.out = append(r.out, ',')
	}
	r.out = append(r.out, '"')
	r.out = append(r.out, prefix...)
	r.out = append(r.out, name...)
	r.out = append(r.out, '"', ':')
}

func (r *xmlReader) endRun(run *xmlRun) {
	if run.row == nil {
		return
	}
	if run.row.typ.primitive() && !run.values {
		r.out, run.some = r.out[:run.from], run.before
	} else if run.many() {
		r.out = append(r.out, ']')
	}
	if run.beside == nil {
		return
	}
	r.name(run.some, "_", run.row.name)
	if run.many() {
		r.out = append(r.out, '[')
	}
	r.out = append(r.out, run.beside...)
	if run.many() {
		r.out = append(r.out, ']')
	}
	run.some = true
}

// item reads one element of the run, whose start tag was just read.
func (r *xmlReader) item(run *xmlRun) (err error) {
	if run.count > 0 {
		r.out = append(r.out, ',')
	}
	if run.many() {
		if err := r.enter(); err != nil {
			return err
		}
	}
	switch typ := run.row.typ; {
	case typ == xhtmlType:
		run.values = true
		err = r.narrative()
	case typ.primitive():
		err = r.primitive(run)
	case typ.resource():
		err = r.wrapped()
	default:
		id, url, _ := r.attributes(true, typ == extensionType)
		err = r.object(typ, id, url)
	}
	if run.many() {
		r.depth--
	}
	run.count++
	return err
}

// object writes an element of the type, with its attributes and children.
func (r *xmlReader) object(t typeID, id, url []byte) error {
	if err := r.enter(); err != nil {
		return err
	}
	r.out = append(r.out, '{')
	if id != nil {
		r.name(false, "", "id")
		r.string(id)
	}
	if url != nil {
		r.name(id != nil, "", "url")
		r.string(url)
	}
	if err := r.members(t, id != nil || url != nil); err != nil {
		return err
	}
	r.out = append(r.out, '}')
	r.depth--
	return nil
}

// wrapped reads an element that holds one resource and nothing else, of any type.
func (r *xmlReader) wrapped() error {
	r.attributes(false, false)
	count := 0
	for {
		token, err := r.s.next()
		switch {
		case err != nil:
		case token == xmlText && !r.s.blank:
			err = r.report(strayText)
		case token == xmlEnd && count == 0:
			return r.report(notOneResource)
		case token == xmlEnd:
			return nil
		case token == xmlStart && count > 0:
			err = r.refuse(notOneResource)
		case token == xmlStart:
			count++
			err = r.resource()
		}
		if err != nil {
			return err
		}
	}
}

// skip reads to the end of the element whose start tag was just read.
func (r *xmlReader) skip() error {
	for depth := 1; depth > 0; {
		token, err := r.s.next()
		if err != nil {
			return err
		}
		switch token {
		case xmlStart:
			depth++
		case xmlEnd:
			depth--
		}
	}
	return nil
}

// refuse reports a rule that the element at hand breaks, and passes over it.
func (r *xmlReader) refuse(broken *rule) error {
	if err := r.report(broken); err != nil {
		return err
	}
	return r.skip()
}

// report notes that the element at hand breaks a rule. It returns errFull when the
// list is full.
func (r *xmlReader) report(broken *rule) error {
	if len(r.issues) >= maxIssues {
		return errFull
	}
	path := ""
	for i, step := range r.path {
		if i > 0 {
			path += "."
		}
		path += step.name
		if step.index >= 0 {
			path += "[" + strconv.Itoa(step.index) + "]"
		}
	}
	r.issues = append(r.issues, broken.at(path))
	if len(r.issues) >= maxIssues {
		return errFull
	}
	return nil
}
