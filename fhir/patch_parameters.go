package fhir

import (
	"strings"
)

// ParsePatchParameters reads a FHIRPath Patch: a Parameters with one "operation"
// for each change (FHIR R4 §3.1.0.6, IHE MHD Patch.Parameters, PDSm flux 03). It
// knows add, insert, replace, delete and move, and paths made of names, indexes
// and where(name='value'): DocumentReference.status,
// DocumentReference.extension.where(url='…').value. add takes the resource itself
// or an element that has elements, and what does not repeat must not be there yet;
// insert and move take a list. Everything else is an error.
//
// The error is an *Invalid.
func ParsePatchParameters(r *Resource) (PatchSet, error) {
	var p PatchSet
	if r.Type() != "Parameters" || r.Get("parameter").Len() == 0 || r.Get("parameter").Len() > maxOperations {
		return p, patchError(-1, "value", "Un FHIRPath Patch est un Parameters de 1 à 100 opérations.", "A FHIRPath Patch is a Parameters of 1 to 100 operations.")
	}
	for n := range r.Get("parameter").Items() {
		index := len(p.Operations)
		parts, ok := patchPartsOf(n)
		if !ok {
			return PatchSet{}, patchError(index, "value", "Une opération a les parties type, path, value et, selon son type, name, index, source ou destination, chacune une fois.", "An operation has the parts type, path, value and, by its type, name, index, source or destination, each once.")
		}
		o := PatchOp{Op: parts.op, Path: parts.path}
		typ, ok := o.parseFHIRPath()
		if !ok || p.Type != "" && p.Type != typ {
			return PatchSet{}, patchError(index, "value", "Ce chemin FHIRPath n’est pas accepté.", "The FHIRPath is not one of those supported.")
		}
		p.Type = typ
		if err := o.fill(parts, typ, index); err != nil {
			return PatchSet{}, err
		}
		p.Operations = append(p.Operations, o)
	}
	return p, nil
}

// patchParts are the parts of one operation.
type patchParts struct {
	op, path, name             string
	index, source, destination string // digits
	value                      Node   // the part called "value"
}

func patchPartsOf(n Node) (patchParts, bool) {
	var parts patchParts
	if !n.Get("name").Is("operation") {
		return parts, false
	}
	for part := range n.Get("part").Items() {
		text := ""
		kind := String
		into := &text
		switch part.Get("name").Text() {
		case "type":
			into = &parts.op
		case "path":
			into = &parts.path
		case "name":
			into = &parts.name
		case "index":
			into, kind = &parts.index, Number
		case "source":
			into, kind = &parts.source, Number
		case "destination":
			into, kind = &parts.destination, Number
		case "value":
			if parts.value.Exists() {
				return parts, false
			}
			parts.value = part
			continue
		default:
			return parts, false
		}
		if v := part.choice("value"); len(v) == 1 && v[0].Kind() == kind {
			text = v[0].Text()
		}
		if *into != "" || text == "" {
			return parts, false
		}
		*into = text
	}
	return parts, parts.op != "" && parts.path != ""
}

// parseFHIRPath reads Path into steps and segments; the first name is the type.
func (o *PatchOp) parseFHIRPath() (typ string, ok bool) {
	if len(o.Path) > maxPathLength {
		return "", false
	}
	typ, rest := cutName(o.Path)
	if !KnownResource(typ) {
		return "", false
	}
	for rest != "" {
		var s step
		if s, rest, ok = cutStep(rest); !ok || len(o.steps) == maxSteps {
			return "", false
		}
		o.steps = append(o.steps, s)
		if s.key != "" {
			o.Pseudo = true
		} else {
			o.Segments = append(o.Segments, s.name)
		}
	}
	if len(o.steps) >= 2 && o.steps[0].name == "extension" && o.steps[1].key == "url" {
		o.Extension = o.steps[1].value
	}
	return typ, len(o.steps) == 0 || o.steps[0].key == ""
}

// cutStep reads ".name", "[0]" or ".where(name='value')".
func cutStep(s string) (step, string, bool) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		index, rest, ok := strings.Cut(rest, "]")
		_, bad := cutDigits(index)
		return step{name: index}, rest, ok && !bad
	}
	if rest, ok := strings.CutPrefix(s, ".where("); ok {
		key, rest := cutName(rest)
		rest, ok := strings.CutPrefix(strings.TrimLeft(rest, " "), "=")
		rest = strings.TrimLeft(rest, " ")
		if key == "" || !ok || rest == "" || rest[0] != '\'' && rest[0] != '"' {
			return step{}, "", false
		}
		value, rest, ok := strings.Cut(rest[1:], rest[:1])
		rest, closed := strings.CutPrefix(strings.TrimLeft(rest, " "), ")")
		return step{key: key, value: value}, rest, ok && closed && value != "" && !strings.Contains(value, `\`)
	}
	rest, ok := strings.CutPrefix(s, ".")
	name, rest := cutName(rest)
	return step{name: name}, rest, ok && name != ""
}

// cutName reads letters and digits, a letter first.
func cutName(s string) (name, rest string) {
	i := 0
	for i < len(s) && isAlphanumeric(s[i]) && (i > 0 || s[i] > '9') {
		i++
	}
	return s[:i], s[i:]
}

// cutDigits tells whether s is anything but an index.
func cutDigits(s string) (string, bool) {
	if s == "" || len(s) > 4 || s[0] == '0' && len(s) > 1 {
		return s, true
	}
	return s, strings.Trim(s, "0123456789") != ""
}

// fill sets the operation and its value from the parts.
func (o *PatchOp) fill(parts patchParts, typ string, index int) error {
	unfit := patchError(index, "value", "L’opération ne convient pas à son chemin, ou sa valeur manque.", "The operation does not fit its path, or its value is missing.")
	switch o.Op {
	case "delete":
		if len(o.steps) == 0 || parts.value.Exists() || parts.name != "" {
			return unfit
		}
		// R4 does not say what is to be done where the path finds nothing; R5 does:
		// "the element to delete (if found)". A path to no element of the type is an
		// error all the same.
		_, row := typeAlong(resourceNamed(typ), o.steps)
		o.Op, o.lax = "remove", row != nil
		o.forExtension()
		return nil
	case "replace":
		value := parts.value.choice("value")
		if len(o.steps) == 0 || len(value) != 1 || parts.name != "" {
			return unfit
		}
		o.typed, o.Value = value[0].Name(), value[0].Raw()
		o.forExtension()
		return nil
	case "add":
		if parts.name == "" || !parts.value.Exists() {
			return unfit
		}
		if len(o.steps) > 0 {
			return o.fillInner(parts, typ, index)
		}
		return o.fillAdd(parts, typ, index)
	case "insert", "move":
		if !o.fillList(parts, typ) {
			return unfit
		}
		return nil
	}
	return patchError(index, "not-supported", "Le type d’opération n’est pas accepté : add, insert, replace, delete ou move.", "The type of operation is not supported: add, insert, replace, delete or move.")
}

// forExtension turns extension.where(url='…') and its value into the operation
// on that extension, and leaves other paths as they are.
func (o *PatchOp) forExtension() {
	switch {
	case o.Extension == "":
		return
	case o.Op == "remove" && (len(o.steps) == 2 || len(o.steps) == 3 && o.steps[2].name == "value"):
		o.setExtension(o.Extension, "")
	case len(o.steps) == 3 && (o.steps[2].name == "value" || o.steps[2].name == o.typed):
		o.setExtension(o.Extension, o.typed)
	default:
		// Its url may change too: only the result shows which extensions do.
		o.Extension = ""
		return
	}
	o.steps = nil
}

// fillAdd sets what add puts into the resource itself.
func (o *PatchOp) fillAdd(parts patchParts, typ string, index int) error {
	unfit := patchError(index, "value", "L’élément à ajouter n’est pas un élément de la ressource, ou sa valeur est incomplète.", "The element to add is not an element of the resource, or its value is incomplete.")
	t := resourceNamed(typ)
	if t == noType {
		return unfit
	}
	name, value, row := addition(t, parts.name, parts.value, 0)
	if row == nil || value == nil {
		return unfit
	}
	o.Value, o.Segments = value, []string{name}
	if o.fresh = row.flags&flagMany == 0; !o.fresh {
		o.Segments = append(o.Segments, "-")
	}
	if row.typ != extensionType || name != "extension" {
		return nil
	}
	scanned, err := Scan(value)
	if err != nil {
		return unfit
	}
	url, member := scanned.Get("url").Text(), scanned.Root().choice("value")
	if url == "" || len(member) != 1 {
		return unfit
	}
	o.Value = member[0].Raw()
	o.setExtension(url, member[0].Name())
	return nil
}

// addition returns the JSON of a part: its value[x], or the object of its parts.
func addition(owner typeID, name string, part Node, depth int) (string, []byte, *element) {
	values := part.choice("value")
	row := owner.element(name)
	if len(values) == 1 {
		if row == nil {
			name = strings.TrimSuffix(name, "[x]") + strings.TrimPrefix(values[0].Name(), "value")
			row = owner.element(name)
		}
		return name, values[0].Raw(), row
	}
	if row == nil || row.typ.primitive() || depth > maxSteps || part.Get("part").Len() == 0 {
		return name, nil, nil
	}
	out := []byte{'{'}
	for inner := range part.Get("part").Items() {
		key, value, r := addition(row.typ, inner.Get("name").Text(), inner, depth+1)
		if r == nil || value == nil {
			return name, nil, nil
		}
		if r.flags&flagMany != 0 {
			value = inArray(value)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = appendMember(out, key, ":", value)
	}
	return name, append(out, '}'), row
}
