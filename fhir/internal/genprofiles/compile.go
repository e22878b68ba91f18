package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"opendmp/fhir/internal/definitions"
)

const hl7 = "http://hl7.org/fhir/StructureDefinition/"

// foreign are profiles that references name and that we do not have, with the
// resource types that they constrain: the annuaire of the ANS.
var foreign = map[string]string{
	"https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-organization":     "Organization",
	"https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-practitioner":     "Practitioner",
	"https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-practitionerrole": "PractitionerRole",
}

type (
	// table is what package fhir gets.
	table struct {
		targets  []targetRow
		profiles []profileRow
		codes    map[string][]string // by URL of the value set
		skipped  []string
	}
	targetRow struct {
		element string
		types   []string
	}
	profileRow struct {
		url, typ string
		shape    shape
	}
	// shape is what a profile says of an element beyond the R4 definition.
	shape struct {
		name      string
		choice    bool
		min       int
		max       int // unbounded if negative
		types     []string
		value     any
		fixed     bool
		codes     string
		targets   []string
		contained bool
		profiles  []string
		keys      []string
		children  []shape
		closed    bool
		slices    []slice
	}
	slice struct {
		name  string
		conds []cond
		shape shape
	}
	// cond is how a discriminator tells the slice: one of value, codes, types,
	// profiles and exists.
	cond struct {
		path     []string
		value    any
		codes    string
		types    []string
		profiles []string
		exists   *bool
	}
	// node is an element of a snapshot with those below it.
	node struct {
		e        *definitions.Element
		name     string
		children []*node
		slices   []*node
	}
	compiler struct {
		src     *source
		table   *table
		profile *definitions.Structure
	}
)

const unbounded = -1

func compile(src *source) (*table, error) {
	t := &table{codes: map[string][]string{}}
	if err := t.baseTargets(src); err != nil {
		return nil, err
	}
	for _, url := range slices.Sorted(maps.Keys(src.profiles)) {
		c := compiler{src, t, src.profiles[url]}
		root, err := tree(c.profile)
		if err == nil {
			var s shape
			s, err = c.root(root)
			t.profiles = append(t.profiles, profileRow{url, c.profile.Type, s})
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
	}
	return t, nil
}

// baseTargets lists the resource types that each Reference of R4 may name.
func (t *table) baseTargets(src *source) error {
	for _, d := range src.base {
		for _, e := range d.Snapshot.Element {
			types, err := src.targetTypes(e)
			if err != nil {
				return fmt.Errorf("%s: %w", e.Path, err)
			}
			if len(types) > 0 {
				t.targets = append(t.targets, targetRow{strings.TrimSuffix(e.Path, "[x]"), types})
			}
		}
	}
	slices.SortFunc(t.targets, func(a, b targetRow) int { return cmp.Compare(a.element, b.element) })
	return nil
}

// targetTypes returns the resource types that the references of an element may
// name, sorted; none when it may name any.
func (s *source) targetTypes(e *definitions.Element) ([]string, error) {
	var types []string
	for _, t := range e.Type {
		if t.Code != "Reference" {
			continue
		}
		for _, url := range t.TargetProfile {
			switch {
			case url == hl7+"Resource":
				return nil, nil
			case strings.HasPrefix(url, hl7):
				types = append(types, url[len(hl7):])
			case s.profiles[url] != nil:
				types = append(types, s.profiles[url].Type)
			case foreign[url] != "":
				types = append(types, foreign[url])
			case strings.HasPrefix(url, "https://medplum.com/"): // an artefact of the tool that made the snapshot
			default:
				return nil, fmt.Errorf("unknown target %s", url)
			}
		}
	}
	slices.Sort(types)
	return slices.Compact(types), nil
}

// tree puts the elements of a snapshot under one another.
func tree(d *definitions.Structure) (*node, error) {
	nodes := map[string]*node{}
	for _, e := range d.Snapshot.Element {
		n := &node{e: e}
		nodes[e.ID] = n
		dot := strings.LastIndexByte(e.ID, '.')
		last := e.ID[dot+1:]
		name, _, sliced := strings.Cut(last, ":")
		n.name = name
		switch {
		case dot < 0 && !sliced:
			continue
		case sliced:
			whole := nodes[e.ID[:dot+1]+name]
			if whole == nil {
				return nil, fmt.Errorf("%s: slice of nothing", e.ID)
			}
			whole.slices = append(whole.slices, n)
		default:
			parent := nodes[e.ID[:dot]]
			if parent == nil {
				return nil, fmt.Errorf("%s: no parent", e.ID)
			}
			parent.children = append(parent.children, n)
		}
	}
	root := nodes[d.Type]
	if root == nil {
		return nil, fmt.Errorf("no root")
	}
	return root, nil
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// baseElement returns the R4 definition of an element of owner, which is a type or
// the path of a backbone element.
func (s *source) baseElement(owner, name string) *definitions.Element {
	typ, _, _ := strings.Cut(owner, ".")
	d := s.base[typ]
	if d == nil {
		return nil
	}
	path := owner + "." + name
	if name == "" {
		path = owner
	}
	for _, e := range d.Snapshot.Element {
		if e.Path == path {
			return e
		}
	}
	return nil
}

// ownerOf returns where the elements of an element are defined.
func ownerOf(base, e *definitions.Element) string {
	if base.ContentReference != "" {
		_, path, _ := strings.Cut(base.ContentReference, "#")
		return path
	}
	types := e.Type
	if len(types) == 0 {
		types = base.Type
	}
	if len(types) == 0 {
		return base.Path
	}
	if code := types[0].Code; code != "BackboneElement" && code != "Element" {
		return code
	}
	return base.Path
}

func (c *compiler) root(n *node) (shape, error) {
	base := c.src.baseElement(c.profile.Type, "")
	if base == nil {
		return shape{}, fmt.Errorf("no R4 definition of %s", c.profile.Type)
	}
	s := shape{max: unbounded, keys: c.keys(n.e, base, c.profile.Type)}
	var err error
	s.children, err = c.children(n, c.profile.Type)
	return s, err
}

func (c *compiler) children(n *node, owner string) ([]shape, error) {
	var out []shape
	for _, child := range n.children {
		base := c.src.baseElement(owner, child.name)
		if base == nil {
			if owner == "Meta" {
				continue // elements of the tool that made the snapshot
			}
			return nil, fmt.Errorf("%s is not an element of %s", child.e.ID, owner)
		}
		shapes, err := c.element(child, base)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", child.e.ID, err)
		}
		out = append(out, shapes...)
	}
	return out, nil
}

// element compiles an element and its slices; nothing if it says no more than R4.
// The slices of a choice by type become elements with the name of their type.
func (c *compiler) element(n *node, base *definitions.Element) ([]shape, error) {
	s, err := c.shape(n, base)
	if err != nil {
		return nil, err
	}
	var typed []shape
	if n.e.Slicing != nil && len(n.slices) > 0 {
		if s.choice {
			typed, err = c.typedSlices(n, base)
		} else {
			s.closed = n.e.Slicing.Rules == "closed"
			s.slices, err = c.slices(n, base)
		}
		if err != nil {
			return nil, err
		}
	}
	if s.empty() {
		return typed, nil
	}
	return append([]shape{s}, typed...), nil
}

func (c *compiler) shape(n *node, base *definitions.Element) (shape, error) {
	s := shape{
		name: strings.TrimSuffix(n.name, "[x]"), choice: strings.HasSuffix(n.name, "[x]"),
		max: unbounded, value: n.e.Value, fixed: n.e.Fixed, keys: c.keys(n.e, base, ownerOf(base, n.e)),
	}
	if n.e.Min > base.Min {
		s.min = n.e.Min
	}
	if n.e.Max != base.Max {
		most, err := strconv.Atoi(n.e.Max)
		if err != nil {
			return s, err
		}
		s.max = most
	}
	c.binding(&s, n.e, base)
	if err := c.types(&s, n.e, base); err != nil {
		return s, err
	}
	owner := ownerOf(base, n.e)
	var err error
	s.children, err = c.children(n, owner)
	if d := c.src.base[owner]; err == nil && d != nil && d.Kind == "primitive-type" && len(s.children) > 0 {
		err = fmt.Errorf("rules below the primitive %s", owner)
	}
	return s, err
}

// keys returns the invariants of an element that R4 does not have there.
func (c *compiler) keys(e, base *definitions.Element, owner string) []string {
	known := map[string]bool{}
	for _, b := range []*definitions.Element{base, c.src.baseElement(owner, "")} {
		if b == nil {
			continue
		}
		for _, k := range b.Constraint {
			known[k.Key] = true
		}
	}
	var keys []string
	for _, k := range e.Constraint {
		if !known[k.Key] && k.Key != "ele-1" && k.Severity == "error" {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

func (c *compiler) binding(s *shape, e, base *definitions.Element) {
	if e.Binding == nil || e.Binding.Strength != "required" {
		return
	}
	url, _, _ := strings.Cut(e.Binding.ValueSet, "|")
	if base.Binding != nil && base.Binding.Strength == "required" {
		if of, _, _ := strings.Cut(base.Binding.ValueSet, "|"); of == url {
			return
		}
	}
	s.codes = c.codes(e, url)
}

// codes keeps the codes of a value set and returns its URL, "" if they cannot be
// listed.
func (c *compiler) codes(e *definitions.Element, url string) string {
	codes := c.src.codes(url)
	if len(codes) == 0 {
		c.skip(e, "codes of "+url)
		return ""
	}
	c.table.codes[url] = codes
	return url
}

func (c *compiler) skip(e *definitions.Element, what string) {
	c.table.skipped = append(c.table.skipped, c.profile.URL+" "+e.ID+": "+what)
}

// types compiles the types of an element where they are narrower than in R4.
func (c *compiler) types(s *shape, e, base *definitions.Element) error {
	if len(e.Type) == 0 {
		return nil
	}
	codes := codesOf(e)
	if !slices.Equal(codes, codesOf(base)) && e.Max != "0" {
		for _, code := range codes {
			if s.choice {
				code = s.name + strings.ToUpper(code[:1]) + code[1:]
			}
			s.types = append(s.types, code)
		}
	}
	for _, t := range e.Type {
		for _, url := range t.Profile {
			switch {
			case strings.HasPrefix(url, hl7) && c.src.base[url[len(hl7):]] != nil, t.Code == "Extension":
				// The type says it; extensions are checked wherever they stand.
			case c.src.profiles[url] != nil:
				s.profiles = append(s.profiles, url)
			default:
				c.skip(e, "profile "+url)
			}
		}
		s.contained = s.contained || len(t.Aggregation) == 1 && t.Aggregation[0] == "contained"
	}
	targets, err := c.src.targetTypes(e)
	if err != nil {
		return err
	}
	of, err := c.src.targetTypes(base)
	if err != nil {
		return err
	}
	if !slices.Equal(targets, of) {
		s.targets = targets
	}
	return nil
}

func codesOf(e *definitions.Element) []string {
	var codes []string
	for _, t := range e.Type {
		codes = append(codes, t.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func (c *compiler) typedSlices(n *node, base *definitions.Element) ([]shape, error) {
	var out []shape
	for _, sl := range n.slices {
		s, err := c.shape(sl, base)
		if err != nil {
			return nil, err
		}
		if len(sl.e.Type) != 1 {
			return nil, fmt.Errorf("%s: a slice by type has one type", sl.e.ID)
		}
		code := sl.e.Type[0].Code
		s.name, s.choice, s.types = s.name+strings.ToUpper(code[:1])+code[1:], false, nil
		if !s.empty() {
			out = append(out, s)
		}
	}
	return out, nil
}

func (c *compiler) slices(n *node, base *definitions.Element) ([]slice, error) {
	var out []slice
	for _, sl := range n.slices {
		s, err := c.shape(sl, base)
		if err != nil {
			return nil, err
		}
		s.types, s.min = nil, sl.e.Min // R4 counts all items, a slice its own
		conds, err := c.conds(n.e.Slicing, sl)
		if err != nil {
			return nil, err
		}
		if len(conds) == 0 {
			c.skip(sl.e, "nothing tells this slice apart")
			continue
		}
		out = append(out, slice{sl.e.SliceName, conds, s})
	}
	return out, nil
}

// conds compiles what tells a slice apart.
func (c *compiler) conds(by *definitions.Slicing, sl *node) ([]cond, error) {
	var out []cond
	for _, d := range by.Discriminator {
		path := pathOf(d.Path)
		switch d.Type {
		case "value", "pattern":
			if k, ok := c.valueCond(sl, path); ok {
				out = append(out, k)
			}
		case "profile", "type":
			at := sl.at(path)
			if at == nil {
				return nil, fmt.Errorf("%s: no %s", sl.e.ID, d.Path)
			}
			k := cond{path: path, types: codesOf(at.e)}
			for _, t := range at.e.Type {
				for _, url := range t.Profile {
					if d.Type == "profile" && c.src.profiles[url] != nil {
						k.profiles = append(k.profiles, url)
					}
				}
			}
			out = append(out, k)
		case "exists":
			at := sl.at(path)
			if at == nil {
				return nil, fmt.Errorf("%s: no %s", sl.e.ID, d.Path)
			}
			yes := at.e.Max != "0"
			out = append(out, cond{path: path, exists: &yes})
		default:
			return nil, fmt.Errorf("%s: discriminator %s", sl.e.ID, d.Type)
		}
	}
	return out, nil
}

// pathOf returns the names of a discriminator's path as in JSON:
// "value.ofType(Identifier).type" is valueIdentifier, type.
func pathOf(path string) []string {
	var names []string
	for name := range strings.SplitSeq(path, ".") {
		if of, ok := strings.CutPrefix(name, "ofType("); ok && len(names) > 0 {
			names[len(names)-1] += strings.TrimSuffix(of, ")")
		} else if name != "$this" {
			names = append(names, name)
		}
	}
	return names
}

func (n *node) at(path []string) *node {
	for _, name := range path {
		if n = n.child(name); n == nil {
			return nil
		}
	}
	return n
}

// valueCond finds the value that the slice has at the path, in the slice or in the
// profiles of the elements on the way.
func (c *compiler) valueCond(sl *node, path []string) (cond, bool) {
	at := sl
	for i := 0; ; i++ {
		if i == len(path) {
			break
		}
		next := at.child(path[i])
		if next == nil || i == len(path)-1 && next.e.Value == nil {
			if k, ok := c.profileCond(at, path[i:]); ok {
				k.path = path
				return k, true
			}
		}
		if next == nil {
			return cond{}, false
		}
		at = next
	}
	if at.e.Value != nil {
		return cond{path: path, value: at.e.Value}, true
	}
	if b := at.e.Binding; b != nil && b.Strength == "required" && !strings.HasPrefix(b.ValueSet, "http://hl7.org/fhir/ValueSet/") {
		if url := c.codes(at.e, b.ValueSet); url != "" {
			return cond{path: path, codes: url}, true
		}
	}
	return cond{}, false
}

func (c *compiler) profileCond(at *node, rest []string) (cond, bool) {
	for _, t := range at.e.Type {
		for _, url := range t.Profile {
			if t.Code == "Extension" && len(rest) == 1 && rest[0] == "url" {
				return cond{value: url}, true
			}
			d := c.src.profiles[url]
			if d == nil {
				continue
			}
			if root, err := tree(d); err == nil {
				if k, ok := c.valueCond(root, rest); ok {
					return k, true
				}
			}
		}
	}
	return cond{}, false
}

// empty tells whether a shape says nothing.
func (s *shape) empty() bool {
	return s.min == 0 && s.max == unbounded && len(s.types) == 0 && s.value == nil && s.codes == "" && len(s.targets) == 0 &&
		!s.contained && len(s.profiles) == 0 && len(s.keys) == 0 && len(s.children) == 0 && len(s.slices) == 0
}
