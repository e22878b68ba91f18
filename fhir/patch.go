package fhir

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of a patch. The largest ones that the guides describe have three
// operations.
const (
	maxOperations = 100
	maxPathLength = 1024
	maxSteps      = 32
)

// PatchSet is a list of changes to one resource, done in their order.
type PatchSet struct {
	Operations []PatchOp
	// Type is the resource type that the paths name, "" in a JSON Patch.
	Type string
}

// PatchOp is one change: of a JSON Patch (RFC 6902: add, replace, remove, test),
// of a FHIRPath Patch or of an XML Patch as such.
type PatchOp struct {
	// Op is add, replace, remove or test; of a FHIRPath or XML Patch insert and move
	// too.
	Op string
	// Path is the path as it was sent.
	Path string
	// Segments are the names and indexes of the path, without escapes:
	// ["securityLabel", "0"]. After the last element of an array stands "-".
	Segments []string
	// Value is the JSON of the value, nil for remove. It may be of a wrong type:
	// only Apply checks.
	Value []byte
	// Pseudo tells that the path chooses an element by a value in it, which a
	// JSON pointer cannot: /extension[url:'…']/valueBoolean, as the PDSm guide
	// writes it, or extension.where(url='…').value in FHIRPath. Segments are then
	// the names only.
	Pseudo bool
	// Extension is the URL of the top-level extension that a pseudo-path chooses.
	Extension string

	steps []step // the path of a FHIRPath or XML Patch
	typed string // the name of its value: "valueBoolean"
	into  string // add: the member to add below what the path leads to
	many  bool   // which is a list
	fresh bool   // add: what does not repeat must not be there yet
	place spot   // insert, move, and add at the beginning of a list
	lax   bool   // remove: what is not there need not be
}

// spot is where in a list a value goes.
type spot struct {
	at, from      int  // of a FHIRPath Patch: the index to insert at, or to move to and from
	first         bool // before all others
	before, after bool // beside what the path leads to
}

// step is one step of a FHIRPath: a member, an index, or the choice of the
// elements whose member key has a value.
type step struct {
	name       string
	key, value string
}

// ParsePatch reads a JSON Patch (RFC 6902). It knows add, replace, remove and
// test; move, copy and anything else is an error, as are more than a hundred
// operations and a path to the whole resource. Besides JSON pointers it takes
// the paths of the PDSm guide, with plain or typographic quotes, and there the
// string "true" for a boolean.
//
// The error is an *Invalid.
func ParsePatch(data []byte) (PatchSet, error) {
	t, err := scanJSON(data)
	if err != nil {
		return PatchSet{}, err
	}
	root := Node{t, 0}
	if root.Kind() != Array || root.Len() == 0 || root.Len() > maxOperations {
		return PatchSet{}, patchError(-1, "value", "Un JSON Patch est un tableau de 1 à 100 opérations.", "A JSON Patch is an array of 1 to 100 operations.")
	}
	var p PatchSet
	for n := range root.Items() {
		o, err := parseOperation(n, len(p.Operations))
		if err != nil {
			return PatchSet{}, err
		}
		p.Operations = append(p.Operations, o)
	}
	return p, nil
}

func parseOperation(n Node, index int) (PatchOp, error) {
	o := PatchOp{Op: n.Get("op").Text(), Path: n.Get("path").Text()}
	if n.Kind() != Object || n.Get("op").Kind() != String || n.Get("path").Kind() != String {
		return o, patchError(index, "required", "Une opération a « op » et « path ».", "An operation has “op” and “path”.")
	}
	value := n.Get("value")
	switch o.Op {
	case "add", "replace", "test":
		if !value.Exists() {
			return o, patchError(index, "required", "L’opération demande « value ».", "The operation needs “value”.")
		}
		o.Value = value.Raw()
	case "remove":
	case "move", "copy":
		return o, patchError(index, "not-supported", "Les opérations move et copy ne sont pas acceptées.", "The operations move and copy are not supported.")
	default:
		return o, patchError(index, "value", "L’opération est inconnue : add, replace, remove ou test.", "The operation is unknown: add, replace, remove or test.")
	}
	if !o.parsePointer() {
		return o, patchError(index, "value", "Le chemin n’est pas un pointeur JSON vers un élément.", "The path is not a JSON pointer to an element.")
	}
	return o, nil
}

// parsePointer reads Path, a JSON pointer (RFC 6901) or a pseudo-path.
func (o *PatchOp) parsePointer() bool {
	rest, ok := strings.CutPrefix(o.Path, "/")
	if !ok || len(o.Path) > maxPathLength {
		return false
	}
	if strings.HasPrefix(rest, "extension[") {
		key, value, after, ok := cutPseudo(rest, "extension")
		return ok && o.pseudo(key, value, after)
	}
	for segment := range strings.SplitSeq(rest, "/") {
		name, ok := unescapePointer(segment)
		if !ok || name == "" || len(o.Segments) == maxSteps {
			return false
		}
		o.Segments = append(o.Segments, name)
	}
	return true
}

// unescapePointer resolves ~0 and ~1.
func unescapePointer(s string) (string, bool) {
	if !strings.Contains(s, "~") {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '~' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) || s[i] != '0' && s[i] != '1' {
			return "", false
		}
		b.WriteByte("~/"[s[i]-'0'])
	}
	return b.String(), true
}

// cutPseudo reads name[key:'value'] or name[key='value'] at the beginning of a
// path, with quotes of any kind.
func cutPseudo(s, name string) (key, value, after string, ok bool) {
	s, ok = strings.CutPrefix(s, name+"[")
	if !ok {
		return "", "", "", false
	}
	end := strings.IndexAny(s, ":=")
	if end < 0 {
		return "", "", "", false
	}
	key, s = strings.TrimSpace(s[:end]), strings.TrimSpace(s[end+1:])
	const quotes = "'\"‘’“”«»"
	trimmed := strings.TrimLeft(s, quotes)
	closing := strings.IndexAny(trimmed, quotes)
	if len(trimmed) == len(s) || closing < 0 {
		return "", "", "", false
	}
	value, s = trimmed[:closing], strings.TrimLeft(trimmed[closing:], quotes)
	after, ok = strings.CutPrefix(strings.TrimSpace(s), "]")
	return key, value, after, ok
}

// pseudo sets the operation on the value of a top-level extension.
func (o *PatchOp) pseudo(key, url, after string) bool {
	member, ok := strings.CutPrefix(after, "/")
	row := extensionType.element(member)
	if key != "url" || url == "" || hasSpace([]byte(url)) || !ok || row == nil || row.choice == 0 {
		return false
	}
	o.setExtension(url, member)
	if row.typ == booleanType {
		switch string(o.Value) {
		case `"true"`, `"false"`:
			o.Value = o.Value[1 : len(o.Value)-1]
		}
	}
	return true
}

// setExtension sets the operation on a top-level extension and its member, ""
// for the extension as a whole.
func (o *PatchOp) setExtension(url, member string) {
	o.Pseudo, o.Extension = true, url
	if o.Segments = []string{"extension"}; member != "" {
		o.Segments = append(o.Segments, member)
	}
}

// Elements returns the top-level elements that the patch names, each once:
// "status", "securityLabel", and "extension[URL]" where the path or the value
// tells which extension; where only the resource could tell, "extension".
func (p PatchSet) Elements() []string {
	var names []string
	for _, o := range p.Operations {
		if name := o.element(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (o PatchOp) element() string {
	switch {
	case o.Extension != "":
		return "extension[" + o.Extension + "]"
	case len(o.Segments) == 0:
		return ""
	case len(o.Segments) == 2 && len(o.steps) == 0 && o.Segments[0] == "extension" && o.Op == "add":
		if t, err := scanJSON(o.Value); err == nil && (Node{t, 0}).Get("url").Kind() == String {
			return "extension[" + (Node{t, 0}).Get("url").Text() + "]"
		}
	}
	return o.Segments[0]
}

// Tests tells whether an operation compares what is there with a value, so that the
// answer tells of it.
func (p PatchSet) Tests() bool {
	return slices.ContainsFunc(p.Operations, func(o PatchOp) bool { return o.Op == "test" })
}

// patchError is the refusal of an operation; index -1 is the patch itself.
func patchError(index int, code, fr, en string) *Invalid {
	expression := ""
	if index >= 0 {
		expression = fmt.Sprintf("operation[%d]", index)
	}
	return invalid(code, expression, fr, en)
}
