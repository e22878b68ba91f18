package fhir

import (
	"slices"
	"strings"
)

// target checks the resource type that a Reference names, when it can be told.
func (v *validator) target(n Node, types []string, def *profileDef) {
	if typ := v.targetType(n); typ != "" && !slices.Contains(types, typ) {
		v.report(n, wrongTarget, strings.Join(types, ", "), "target", def)
	}
}

// targetType returns the type of the resource that a Reference names: the one that
// it resolves to, else what its text or its type says; "" if none can be told.
func (v *validator) targetType(n Node) string {
	text := n.Get("reference").Text()
	switch {
	case text == "":
	case text[0] == '#':
		if found := v.local(text[1:]); found.Exists() {
			return found.Get("resourceType").Text()
		}
		return ""
	default:
		if found := v.entry(text); found.Exists() {
			return found.Get("resourceType").Text()
		}
		if typ := typeInAddress(text); typ != "" {
			return typ
		}
	}
	if typ := n.Get("type").Text(); KnownResource(typ) {
		return typ
	}
	return ""
}

// local returns the contained resource of an id; the container itself for "".
func (v *validator) local(id string) Node {
	if id == "" {
		return v.scope.container
	}
	for c := range v.scope.container.Get("contained").Items() {
		if c.Get("id").Is(id) {
			return c
		}
	}
	return Node{}
}

// entry returns the resource of the Bundle at hand whose fullUrl is the address.
func (v *validator) entry(address string) Node {
	b := v.scope.bundle
	if !b.Exists() {
		return Node{}
	}
	entries, done := v.bundled[b.i]
	if !done {
		entries = make(map[string]Node)
		for e := range b.Get("entry").Items() {
			if url := e.Get("fullUrl").Text(); url != "" {
				entries[url] = e.Get("resource")
			}
		}
		if v.bundled == nil {
			v.bundled = make(map[uint32]map[string]Node)
		}
		v.bundled[b.i] = entries
	}
	return entries[address]
}

// typeInAddress returns the resource type in "Patient/1", "https://…/Patient/1",
// with or without version, or "Patient?identifier=…"; "" if there is none.
func typeInAddress(address string) string {
	if typ, _, query := strings.Cut(address, "?"); query {
		typ = typ[strings.LastIndexByte(typ, '/')+1:]
		return knownOrNone(typ)
	}
	address, _, _ = strings.Cut(address, "/_history/")
	slash := strings.LastIndexByte(address, '/')
	if slash < 0 {
		return ""
	}
	return knownOrNone(address[strings.LastIndexByte(address[:slash], '/')+1 : slash])
}

func knownOrNone(typ string) string {
	if KnownResource(typ) {
		return typ
	}
	return ""
}
