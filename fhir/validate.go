package fhir

import "slices"

// maxFindings is how many findings one validation lists.
const maxFindings = 100

// Validate checks a resource that Parse accepted against what Parse does not look
// at: the targets of its references, the extensions that we know, the profiles that
// it and the resources in it claim in meta.profile, and the profiles given. It
// returns errors, warnings and, for profiles that we do not have, informations;
// nothing if all is well. At most a hundred findings are listed.
//
// References are resolved in the resource (contained), and in the Bundle that
// holds it, by fullUrl. Those that lead out of it are judged by their text.
//
// Time is linear in the size of the resource for each profile, and memory in the
// number of resources of a Bundle.
func Validate(r *Resource, profiles ...string) []Issue {
	v := validator{}
	root := r.Root()
	if !root.Exists() {
		return nil
	}
	v.resource(root, atRoot)
	scope := v.enter(root)
	for _, url := range profiles {
		v.claim(root, url, Node{})
	}
	v.scope = scope
	return v.issues
}

// Failed tells whether one of the findings is an error.
func Failed(issues []Issue) bool {
	return slices.ContainsFunc(issues, func(i Issue) bool { return i.Severity == Error || i.Severity == Fatal })
}

// validator walks a resource for Validate.
type validator struct {
	scope  scope
	issues []Issue
	found  tally
	silent int // how many trials are under way, which list nothing
	tried  map[trial]result
	// bundled are the resources of each Bundle by fullUrl, found on first need.
	bundled map[uint32]map[string]Node
}

// trial is a node under a profile.
type trial struct {
	node    uint32
	profile uint16
}

// tally counts findings, listed or not.
type tally struct{ errors, warnings int }

// result is what came of checking a node against a profile.
type result struct {
	tally
	counted bool
	listed  bool // its findings are among the issues
}

// scope is where references are resolved.
type scope struct {
	container Node // the resource that has the contained ones
	bundle    Node
}

// enter makes n the resource that references are resolved in, and returns the
// scope before.
func (v *validator) enter(n Node) scope {
	before := v.scope
	v.scope.container = n
	if n.Get("resourceType").Is("Bundle") {
		v.scope.bundle = n
	}
	return before
}

func (v *validator) full() bool { return len(v.issues) >= maxFindings }

// resource checks the resource at n and those in it against R4 and their claims.
func (v *validator) resource(n Node, where place) {
	t := n.resourceTypeID()
	if where != atContained {
		before := v.enter(n)
		defer func() { v.scope = before }()
	}
	for claim := range n.Get("meta").Get("profile").Items() {
		v.claim(n, claim.Text(), claim)
	}
	if t == noType {
		return
	}
	if where != atContained && t.element("text") != nil && !n.Get("text").Get("div").Exists() {
		v.report(n, dom6, "", "dom-6", nil)
	}
	v.walk(n, t)
}

// claim checks a resource against a profile that it claims, or that was given. A
// profile that we do not have is noted at the claim.
func (v *validator) claim(n Node, url string, claim Node) {
	if i := profileNamed(url); i >= 0 {
		v.profile(n, uint16(i))
		return
	}
	at := claim
	if !at.Exists() {
		at = n
	}
	switch t := baseProfile(url); {
	case t == noType:
		v.report(at, unknownProfile, "", "profile", nil)
	case t != n.resourceTypeID():
		v.report(at, otherType, t.def().name, "type", nil)
	}
}

// profile checks n against a profile and lists what it finds, once.
func (v *validator) profile(n Node, row uint16) {
	if v.full() {
		return
	}
	if v.silent == 0 {
		key := trial{n.i, row}
		r, done := v.tried[key]
		if done && (r.listed || r.counted && r.tally == tally{}) {
			return
		}
		r.listed = true
		v.remember(key, r)
	}
	def := &profileTable[row]
	if typ := n.Get("resourceType"); typ.Exists() {
		if !typ.Is(def.typ) {
			v.report(n, otherType, def.typ, "type", def)
			return
		}
		before := v.enter(n)
		defer func() { v.scope = before }()
	}
	v.shape(n, &def.shape, def)
}

// conforms counts the errors that n has under a profile, and lists nothing.
func (v *validator) conforms(n Node, row uint16) (errors int) {
	key := trial{n.i, row}
	r := v.tried[key]
	if r.counted {
		return r.errors
	}
	before := v.found
	v.silent++
	v.profile(n, row)
	v.silent--
	r.tally = tally{v.found.errors - before.errors, v.found.warnings - before.warnings}
	r.counted = true
	v.found = before
	v.remember(key, r)
	return r.errors
}

func (v *validator) remember(key trial, r result) {
	if v.tried == nil {
		v.tried = make(map[trial]result)
	}
	v.tried[key] = r
}

// walk checks what R4 says of references and extensions below n, of type t.
func (v *validator) walk(n Node, t typeID) {
	for row, item := range n.described(t) {
		switch {
		case v.full():
			return
		case row == nil:
			v.walk(item, elementType)
		case !row.typ.primitive():
			v.element(item, t, row)
		}
	}
}

func (v *validator) element(n Node, owner typeID, row *element) {
	switch row.typ {
	case resourceType:
		where := atEntry
		if row.name == "contained" {
			where = atContained
		}
		v.resource(n, where)
		return
	case referenceType:
		if types := targetsOf(owner.def().name, row.pathName()); types != nil {
			v.target(n, types, nil)
		}
	case extensionType:
		if i := extensionNamed(n.Get("url").Text()); i >= 0 {
			v.profile(n, uint16(i))
		}
	}
	v.walk(n, row.typ)
}
