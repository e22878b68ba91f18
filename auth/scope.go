package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrScope: a scope that is written as no SMART scope is, or that asks for what is
// not enforced here.
var ErrScope = errors.New("auth: scope malformed")

// Permission is one letter of a SMART v2 scope, or several in their order.
type Permission string

// Permissions, in the order in which a scope must write them.
const (
	MayCreate Permission = "c"
	MayRead   Permission = "r"
	MayUpdate Permission = "u"
	MayDelete Permission = "d"
	MaySearch Permission = "s"
)

const permissions = "cruds"

const (
	maxScopes      = 64
	maxScopeLength = 2 << 10
)

// Scope is one resource scope of SMART v2: context/Type.cruds.
type Scope struct {
	Context string // "patient", "user" or "system"
	Type    string // of resources, or "*"
	Letters string // subset of "cruds", in that order, never empty
}

// String writes the scope as SMART v2 does.
func (s Scope) String() string { return s.Context + "/" + s.Type + "." + s.Letters }

// Scopes caps what a token may be used for. It never grants: the policy decides
// within it. The zero Scopes allows nothing. It must not be changed.
type Scopes []Scope

// ParseScopes reads a scope parameter or claim (RFC 6749 §3.3, SMART App Launch
// 2.2). The forms of SMART v1 are read as what they mean in v2: read is rs, write
// is cud, * is cruds. Scopes that name no resources (openid, launch) limit nothing
// and give nothing: they are left out. Query parameters in a scope are refused,
// because they are not enforced. The error wraps ErrScope.
func ParseScopes(s string) (Scopes, error) {
	if len(s) > maxScopeLength {
		return nil, fmt.Errorf("%w: too long", ErrScope)
	}
	if s == "" {
		return nil, nil
	}
	var all Scopes
	for word := range strings.SplitSeq(s, " ") {
		if word == "" || strings.IndexFunc(word, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
			return nil, fmt.Errorf("%w: blank or a character outside ASCII", ErrScope)
		}
		if !strings.Contains(word, "/") {
			continue
		}
		one, err := parseScope(word)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if len(all) > maxScopes {
		return nil, fmt.Errorf("%w: more than %d", ErrScope, maxScopes)
	}
	return all, nil
}

func parseScope(word string) (Scope, error) {
	context, rest, _ := strings.Cut(word, "/")
	kind, letters, ok := strings.Cut(rest, ".")
	switch {
	case context != "patient" && context != "user" && context != "system":
		return Scope{}, fmt.Errorf("%w: %q: the context is patient, user or system", ErrScope, word)
	case !ok || kind != "*" && !typeName(kind):
		return Scope{}, fmt.Errorf("%w: %q: no resource type", ErrScope, word)
	}
	switch letters {
	case "read":
		letters = "rs"
	case "write":
		letters = "cud"
	case "*":
		letters = permissions
	}
	if !inOrder(letters) {
		return Scope{}, fmt.Errorf("%w: %q: permissions are letters of %q in their order", ErrScope, word, permissions)
	}
	return Scope{context, kind, letters}, nil
}

// typeName accepts what a FHIR resource type can be called.
func typeName(s string) bool {
	return s != "" && s[0] >= 'A' && s[0] <= 'Z' && code(s) && !strings.ContainsAny(s, "-_")
}

// inOrder tells whether letters is a subset of "cruds", in that order, not empty.
func inOrder(letters string) bool {
	last := -1
	for _, l := range letters {
		at := strings.IndexRune(permissions, l)
		if at <= last {
			return false
		}
		last = at
	}
	return last >= 0
}

// String writes the scopes as a scope parameter.
func (s Scopes) String() string {
	words := make([]string, len(s))
	for i, one := range s {
		words[i] = one.String()
	}
	return strings.Join(words, " ")
}

// Narrow returns what both sets allow: never more than either. The order is that
// of s, and a scope that another one of the result holds is left out.
func (s Scopes) Narrow(registered Scopes) Scopes {
	var both Scopes
	for _, asked := range s {
		for _, may := range registered {
			if one, ok := asked.intersect(may); ok && !both.hold(one) {
				both = append(both, one)
			}
		}
	}
	return both
}

func (s Scope) intersect(o Scope) (Scope, bool) {
	if s.Context != o.Context {
		return Scope{}, false
	}
	kind := s.Type
	switch {
	case kind == "*":
		kind = o.Type
	case o.Type != "*" && o.Type != kind:
		return Scope{}, false
	}
	letters := common(s.Letters, o.Letters)
	return Scope{s.Context, kind, letters}, letters != ""
}

// common returns the letters of a that are in b too.
func common(a, b string) string {
	return strings.Map(func(l rune) rune {
		if strings.ContainsRune(b, l) {
			return l
		}
		return -1
	}, a)
}

// hold tells whether one scope allows all of o by itself.
func (s Scopes) hold(o Scope) bool {
	return slices.ContainsFunc(s, func(one Scope) bool {
		return one.Context == o.Context && (one.Type == "*" || one.Type == o.Type) && common(o.Letters, one.Letters) == o.Letters
	})
}

// Without returns the scopes less some letters; scopes that lose all are left out.
func (s Scopes) Without(letters string) Scopes {
	var rest Scopes
	for _, one := range s {
		one.Letters = strings.Map(func(l rune) rune {
			if strings.ContainsRune(letters, l) {
				return -1
			}
			return l
		}, one.Letters)
		if one.Letters != "" {
			rest = append(rest, one)
		}
	}
	return rest
}

// Allows tells whether the scopes of a context allow something on resources of a
// type. Needs is one letter or several, all of which one type must be given.
func (s Scopes) Allows(context, resourceType string, needs Permission) bool {
	given := ""
	for _, one := range s {
		if one.Context == context && (one.Type == "*" || one.Type == resourceType) {
			given += one.Letters
		}
	}
	return needs != "" && common(string(needs), given) == string(needs)
}

// context returns the context of the scopes that a kind of caller acts under.
func (k Kind) context() string {
	switch k {
	case Patient, Representative:
		return "patient"
	case Professional, Regulator, Administrative, Operator:
		return "user"
	case Establishment, InsuranceFeeder:
		return "system"
	}
	return ""
}

// Scopes returns the scopes of the token, and whether it had any: a token without
// the claim scope is not capped by it.
func (p Principal) Scopes() (Scopes, bool) { return p.scopes, p.scoped }

// Within tells whether the token of the caller may be used for something on
// resources of a type. It is a cap only: what is within it is for the policy to
// decide. The zero Principal is within nothing.
func (p Principal) Within(resourceType string, needs Permission) bool {
	if p.kind == Nobody {
		return false
	}
	return !p.scoped || p.scopes.Allows(p.kind.context(), resourceType, needs)
}

// putScopes reads the claim scope.
func (c Claims) putScopes(p *Principal) error {
	if c.Scope == nil {
		return nil
	}
	p.scoped = true
	var err error
	p.scopes, err = ParseScopes(*c.Scope)
	return err
}
