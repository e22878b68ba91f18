package fhir

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// MaxIncludes is how many _include and _revinclude a query may have.
const MaxIncludes = 10

// Include is one _include or _revinclude (R4 §3.1.1.5.4): the references of one
// parameter, followed from the resource that holds them or back to it.
type Include struct {
	// Reverse is that the resources wanted are those that refer to what was found.
	Reverse bool
	// Iterate is that what was included counts as found.
	Iterate bool
	// Type is of the resources that hold the references.
	Type string
	// Target is the only type that the references may lead to, "" for any.
	Target string

	param *Param
}

// LeadsTo tells whether resources of a type are included: forward those that the
// references name, backward those that hold them.
func (i Include) LeadsTo(typ string) bool {
	if i.Reverse {
		return typ == i.Type
	}
	return slices.Contains(i.param.leads, typ) && (i.Target == "" || i.Target == typ)
}

// References returns the references of a resource that the include follows, as
// they are written but without version; none of a resource of another type. r is
// the resource as its reader is shown it.
func (i Include) References(r *Resource) []string {
	if r.Type() != i.Type {
		return nil
	}
	w := valueWalker{resource: r}
	p := Param{Type: ReferenceParam, slot: slotID, paths: i.param.paths}
	for _, steps := range p.paths {
		w.walk(&p, r.Root(), steps)
	}
	var refs []string
	for at := w.out.values().cursor(); at.next(); {
		refs = append(refs, at.a)
	}
	return refs
}

// Named yields the references that the search values of a resource of Type hold,
// in the form of References.
func (i Include) Named(v Values) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := v.cursor(); at.nextOf(i.param.slot); {
			if at.kind == kindReference && !yield(at.a) {
				return
			}
		}
	}
}

// name is the name of the parameter that asks for it.
func (i Include) name() string {
	name := "_include"
	if i.Reverse {
		name = "_revinclude"
	}
	if i.Iterate {
		name += ":iterate"
	}
	return name
}

// value is what the parameter says.
func (i Include) value() string {
	value := i.Type + ":" + i.param.Name
	if i.Target != "" {
		value += ":" + i.Target
	}
	return value
}

// reversible tells whether a parameter can be followed back: its references are
// among the search values. Those that name the patient are not: they would
// include a whole record.
func (p *Param) reversible() bool { return len(p.leads) > 0 && p.slot != slotNone }

// include reads one of the four parameters.
func (p *queryParser) include(name, value string) {
	base, iterate, _ := strings.Cut(name, ":")
	i := Include{Reverse: base == "_revinclude", Iterate: iterate != ""}
	parts := strings.Split(value, ":")
	if len(parts) > 3 {
		p.refuse("value", name, "Forme attendue : Type:paramètre ou Type:paramètre:Cible.", "Expected: Type:parameter or Type:parameter:Target.")
		return
	}
	parts = append(parts, "", "")
	i.Type, i.Target = parts[0], parts[2]
	if t := serviceOf(i.Type); t != nil && !t.lone {
		i.param = t.param(parts[1])
	}
	switch {
	case !p.follows(i):
		p.unsupported(name, "Inclusion non proposée ; la liste est dans /metadata.", "This inclusion is not supported; the list is in /metadata.")
	case len(p.q.Includes) == MaxIncludes:
		p.refuse("too-costly", name, fmt.Sprintf("Plus de %d inclusions.", MaxIncludes), fmt.Sprintf("More than %d inclusions.", MaxIncludes))
	case !slices.Contains(p.q.Includes, i):
		p.q.Includes = append(p.q.Includes, i)
	}
}

// follows tells whether an inclusion is of the table, and may find something: one
// that does not iterate starts from the type that is searched.
func (p *queryParser) follows(i Include) bool {
	if i.param == nil || i.Target != "" && !slices.Contains(i.param.leads, i.Target) {
		return false
	}
	from := i.Type == p.t.name
	if i.Reverse {
		from = i.param.reversible() && (i.Target == "" || i.Target == p.t.name || i.Iterate) && slices.Contains(i.param.leads, p.t.name)
	}
	return len(i.param.leads) > 0 && !p.t.lone && (from || i.Iterate && (!i.Reverse || i.param.reversible()))
}

// Includes returns the values of _include, or of _revinclude, that a search of a
// type takes without :iterate, in the order of the table.
func Includes(typ string, reverse bool) []string {
	t := serviceOf(typ)
	if t == nil || t.lone {
		return nil
	}
	var values []string
	for s := range services {
		for i := range services[s].params {
			p := &services[s].params[i]
			own := services[s].name == typ && len(p.leads) > 0
			if reverse {
				own = p.reversible() && slices.Contains(p.leads, typ)
			}
			if own {
				values = append(values, services[s].name+":"+p.Name)
			}
		}
	}
	return values
}
