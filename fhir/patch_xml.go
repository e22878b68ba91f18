package fhir

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// ParsePatchXML reads an XML Patch (RFC 5261) in a root element <diff>: add,
// replace and remove, by paths of the XML form of a resource, which may be of any
// prefix that names the namespace of FHIR, or of none where that is the default:
// f:DocumentReference/f:status/@value,
// f:DocumentReference/f:securityLabel[1],
// f:DocumentReference/f:extension[@url='…']/f:valueBoolean/@value. A step is a
// name, with a position or a value of an attribute or child: [2], [@url='…'],
// [f:system/@value='…']. What add and replace hold is FHIR XML. There are no other
// attributes to add than those of elements, no namespaces to change, and no other
// XPath.
//
// The error is an *Invalid.
func ParsePatchXML(data []byte) (PatchSet, error) {
	s, err := newXMLScanner(data)
	if err != nil {
		return PatchSet{}, err
	}
	p := xmlPatch{s: s}
	if err := p.document(); err != nil {
		return PatchSet{}, err
	}
	if len(p.set.Operations) == 0 {
		return PatchSet{}, patchError(-1, "value", "Un XML Patch est un élément diff de 1 à 100 opérations.", "An XML Patch is an element diff of 1 to 100 operations.")
	}
	return p.set, nil
}

type xmlPatch struct {
	s   *xmlScanner
	set PatchSet
}

// selector is a path of an XML Patch.
type selector struct {
	resource string
	owner    typeID   // the type that has the element; of the resource itself noType
	row      *element // nil for the resource itself
	value    bool     // its attribute value
}

// inner is the type of what the element holds.
func (l selector) inner() typeID {
	if l.row == nil {
		return resourceNamed(l.resource)
	}
	return l.row.typ
}

func (p *xmlPatch) document() error {
	opened := false
	for {
		token, err := p.s.next()
		switch {
		case err != nil:
			return err
		case token == xmlEOF:
			return nil
		case token == xmlText && !p.s.blank:
			return patchError(-1, "structure", "Un XML Patch n’a pas de texte entre ses opérations.", "An XML Patch has no text between its operations.")
		case token == xmlStart && !opened:
			if opened = true; string(p.s.tag.local) != "diff" {
				return patchError(-1, "structure", "L’élément racine d’un XML Patch est diff.", "The root element of an XML Patch is diff.")
			}
		case token == xmlStart:
			if err := p.operation(); err != nil {
				return err
			}
		}
	}
}

// operation reads one operation, whose start tag was just read.
func (p *xmlPatch) operation() error {
	index := len(p.set.Operations)
	o := PatchOp{Op: string(p.s.tag.local)}
	pos := ""
	for _, a := range p.s.tag.attrs {
		value := string(appendXMLValue(nil, a.raw))
		switch name := string(a.local); {
		case a.prefix == nil && name == "sel":
			o.Path = strings.TrimSpace(value)
		case a.prefix == nil && name == "pos" && o.Op == "add":
			pos = value
		default:
			return patchError(index, "not-supported", "Cet attribut d’une opération n’est pas accepté : sel et, pour add, pos.", "This attribute of an operation is not supported: sel and, for add, pos.")
		}
	}
	at, ok := o.parseSelector(p.s)
	if !ok || p.set.Type != "" && p.set.Type != at.resource {
		return patchError(index, "value", "Ce chemin XPath n’est pas accepté.", "The XPath is not one of those supported.")
	}
	p.set.Type = at.resource
	if len(p.set.Operations) >= maxOperations {
		return patchError(index, "too-long", "Un patch a cent opérations au plus.", "A patch has a hundred operations at most.")
	}
	switch o.Op {
	case "add":
		return p.add(o, at, pos, index)
	case "replace":
		return p.replace(o, at, index)
	case "remove":
		return p.remove(o, at, index)
	}
	return patchError(index, "not-supported", "L’opération est inconnue : add, replace ou remove.", "The operation is unknown: add, replace or remove.")
}

func unfitXML(index int) error {
	return patchError(index, "value", "L’opération ne convient pas à son chemin, ou son contenu n’est pas un élément à cette place.", "The operation does not fit its path, or what it holds is no element of that place.")
}

// add appends what the operation holds to the element that it selects, puts it at
// its beginning (pos="prepend"), or beside it (before, after).
func (p *xmlPatch) add(o PatchOp, at selector, pos string, index int) error {
	beside := pos == "before" || pos == "after"
	owner := at.inner()
	if beside {
		owner = at.owner
	}
	if at.value || owner == noType || owner.primitive() || pos != "" && pos != "prepend" && !beside {
		return unfitXML(index)
	}
	members, err := p.held(owner, at, index)
	if err != nil {
		return err
	}
	for _, m := range members {
		one := o
		one.Value, one.steps, one.Extension = m.value, o.steps, ""
		switch {
		case beside:
			if len(members) != 1 || m.row != at.row || m.row.flags&flagMany == 0 {
				return unfitXML(index)
			}
			one.Op, one.place = "insert", spot{before: pos == "before", after: pos == "after"}
		default:
			one.into, one.many, one.place.first = m.row.name, m.row.flags&flagMany != 0, pos == "prepend"
			if one.Segments = o.Segments; len(o.steps) == 0 {
				one.Segments = []string{m.row.name, "-"}
			}
		}
		p.set.Operations = append(p.set.Operations, one)
	}
	if len(p.set.Operations) > maxOperations {
		return patchError(index, "too-long", "Un patch a cent opérations au plus.", "A patch has a hundred operations at most.")
	}
	return nil
}

func (p *xmlPatch) replace(o PatchOp, at selector, index int) error {
	switch {
	case at.row == nil:
		return unfitXML(index)
	case at.value:
		value, err := p.text(at.row.typ, index)
		if err != nil {
			return err
		}
		o.Value, o.typed = value, at.row.name
		o.forExtension()
	default:
		members, err := p.held(at.owner, at, index)
		if err != nil {
			return err
		}
		if len(members) != 1 || members[0].row != at.row {
			return unfitXML(index)
		}
		o.Value, o.Extension = members[0].value, ""
	}
	p.set.Operations = append(p.set.Operations, o)
	return nil
}

func (p *xmlPatch) remove(o PatchOp, at selector, index int) error {
	token, err := p.s.next()
	for err == nil && token == xmlText && p.s.blank {
		token, err = p.s.next()
	}
	switch {
	case err != nil:
		return err
	case token != xmlEnd || at.row == nil || at.value:
		return unfitXML(index)
	}
	o.forExtension()
	p.set.Operations = append(p.set.Operations, o)
	return nil
}

// heldMember is one element that an operation holds, as JSON.
type heldMember struct {
	row   *element
	value []byte
}

// held reads the elements that an operation holds: children of the type.
func (p *xmlPatch) held(owner typeID, at selector, index int) ([]heldMember, error) {
	r := xmlReader{s: p.s, out: []byte{'{'}, path: []xmlStep{{at.resource, -1}}}
	if err := r.members(owner, false); err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	if len(r.issues) > 0 {
		return nil, &Invalid{Issues: r.issues}
	}
	t, err := scanJSON(append(r.out, '}'))
	if err != nil {
		return nil, unfitXML(index)
	}
	var held []heldMember
	for name, value := range (Node{t, 0}).Members() {
		row := owner.element(name)
		if row == nil { // "_status": an extension of a primitive
			return nil, unfitXML(index)
		}
		if row.flags&flagMany == 0 {
			held = append(held, heldMember{row, value.Raw()})
			continue
		}
		for item := range value.Items() {
			held = append(held, heldMember{row, item.Raw()})
		}
	}
	if len(held) == 0 {
		return nil, unfitXML(index)
	}
	return held, nil
}

// text reads the value of an attribute that an operation holds, and returns it as
// JSON of its type.
func (p *xmlPatch) text(t typeID, index int) ([]byte, error) {
	var raw []byte
	for {
		token, err := p.s.next()
		switch {
		case err != nil:
			return nil, err
		case token == xmlText:
			raw = append(raw, p.s.raw[p.s.start:p.s.at]...)
			continue
		case token != xmlEnd || !t.primitive() || len(bytes.TrimSpace(raw)) == 0:
			return nil, unfitXML(index)
		}
		r := xmlReader{s: p.s, path: []xmlStep{{p.set.Type, -1}}}
		if err := r.value(t, bytes.TrimSpace(raw)); err != nil && !errors.Is(err, errFull) {
			return nil, err
		}
		if len(r.issues) > 0 {
			return nil, &Invalid{Issues: r.issues}
		}
		return r.out, nil
	}
}

// parseSelector reads Path into steps and segments. The prefixes are those in
// force at the tag at hand.
func (o *PatchOp) parseSelector(s *xmlScanner) (at selector, ok bool) {
	rest := strings.TrimPrefix(o.Path, "/")
	if len(o.Path) > maxPathLength {
		return at, false
	}
	if at.resource, rest, ok = cutQName(s, rest); !ok || resourceNamed(at.resource) == noType {
		return at, false
	}
	o.steps = []step{}
	for rest != "" {
		switch {
		case rest == "/@value" && at.row != nil && at.row.typ.primitive():
			at.value, rest = true, ""
		case rest[0] == '/':
			var name string
			if name, rest, ok = cutQName(s, rest[1:]); !ok {
				return at, false
			}
			owner := at.inner()
			if at.row = owner.element(name); at.row == nil {
				return at, false
			}
			at.owner = owner
			o.steps, o.Segments = append(o.steps, step{name: name}), append(o.Segments, name)
		case rest[0] == '[' && at.row != nil:
			var chosen step
			if chosen, rest, ok = cutPredicate(s, rest); !ok {
				return at, false
			}
			if o.steps = append(o.steps, chosen); chosen.key != "" {
				o.Pseudo = true
			} else {
				o.Segments = append(o.Segments, chosen.name)
			}
		default:
			return at, false
		}
		if len(o.steps) > maxSteps {
			return at, false
		}
	}
	if len(o.steps) >= 2 && o.steps[0].name == "extension" && o.steps[1].key == "url" {
		o.Extension = o.steps[1].value
	}
	return at, true
}

// cutQName reads a name of the namespace of FHIR.
func cutQName(s *xmlScanner, path string) (local, rest string, ok bool) {
	var prefix []byte
	local, rest = cutName(path)
	if after, prefixed := strings.CutPrefix(rest, ":"); prefixed {
		prefix = []byte(local)
		local, rest = cutName(after)
	}
	space, bound := s.namespace(prefix)
	return local, rest, local != "" && bound && string(space) == fhirNamespace
}

// cutPredicate reads [2], [@url='…'] or [f:system/@value='…'].
func cutPredicate(s *xmlScanner, path string) (step, string, bool) {
	inside, rest, ok := strings.Cut(path[1:], "]")
	if n, isIndex := indexOf(inside); isIndex {
		return step{name: strconv.Itoa(n - 1)}, rest, ok && n > 0
	}
	key := "url"
	value, isURL := strings.CutPrefix(path[1:], "@url")
	if !isURL {
		if key, value, ok = cutQName(s, path[1:]); !ok {
			return step{}, "", false
		}
		if value, ok = strings.CutPrefix(value, "/@value"); !ok {
			return step{}, "", false
		}
	}
	value, ok = strings.CutPrefix(strings.TrimLeft(value, " "), "=")
	value = strings.TrimLeft(value, " ")
	if !ok || value == "" || value[0] != '\'' && value[0] != '"' {
		return step{}, "", false
	}
	chosen, rest, ok := strings.Cut(value[1:], value[:1])
	rest, closed := strings.CutPrefix(strings.TrimLeft(rest, " "), "]")
	return step{key: key, value: chosen}, rest, ok && closed && chosen != ""
}
