package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/issuer"
	"opendmp/policy"
	"opendmp/store"
)

// registered adds the establishments that are clients of the authorisation server to
// those of the setting etablissements. What a certificate covers, what a block names and
// whose a document is are then one set of identifiers (POLICY §1).
//
// An establishment may be registered in several places, a setting and the clients of its
// departments, if each names the same identifiers and none another decision: otherwise
// one of them would cover what was not registered with it. A client that is revoked
// takes its decision with it and leaves its identifiers, unless an active registration
// names one of them: who blocked a site blocked the whole, and the loss of a key must not
// undo that.
func registered(settings []policy.Establishment, clients []issuer.Client) ([]policy.Establishment, error) {
	r := newRegistrations(settings)
	for _, c := range clients {
		if c.Kind == issuer.Establishment && c.Status == issuer.Active {
			if err := r.add(c); err != nil {
				return nil, err
			}
		}
	}
	inForce := len(r.all)
	for _, c := range clients {
		if c.Kind == issuer.Establishment && c.Status == issuer.Revoked {
			r.keep(c, inForce)
		}
	}
	all := make([]policy.Establishment, len(r.all))
	for i, one := range r.all {
		all[i] = one.Establishment
	}
	return all, nil
}

// registration is an establishment, and where it is registered.
type registration struct {
	policy.Establishment
	where string
}

// registrations are the establishments found so far, and by whom each identifier, as
// Struct_IdNat, is held: an index of all.
type registrations struct {
	all    []*registration
	holder map[fhir.Ident]int
}

// newRegistrations begins with those of the settings, which package policy checks among
// each other.
func newRegistrations(settings []policy.Establishment) *registrations {
	r := &registrations{holder: map[fhir.Ident]int{}}
	for i, e := range settings {
		r.put(&registration{e, fmt.Sprintf("etablissements[%d]", i)})
	}
	return r
}

func (r *registrations) put(one *registration) {
	for _, id := range national(one.Identifiers) {
		r.holder[id] = len(r.all)
	}
	r.all = append(r.all, one)
}

// add puts an active client in its place, or refuses what contradicts one that is there.
func (r *registrations) add(c issuer.Client) error {
	one := &registration{establishmentOf(c), "the client " + c.ID}
	held, ids := r.held(one.Identifiers)
	if len(held) == 0 {
		r.put(one)
		return nil
	}
	there := r.all[held[0]]
	if len(held) > 1 || !slices.Equal(national(there.Identifiers), ids) {
		return fmt.Errorf("%s and %s share the identifier %s and not all of them: give both all identifiers of the establishment, or each its own",
			there.where, one.where, r.first(held[0], ids).Value)
	}
	return there.decide(one)
}

// decide takes over a decision of the CME; two are refused.
func (there *registration) decide(one *registration) error {
	switch {
	case one.DecisionRef == "":
		return nil
	case there.DecisionRef == "":
		there.DecisionRef, there.DecisionDate = one.DecisionRef, one.DecisionDate
		return nil
	case there.DecisionRef == one.DecisionRef && there.DecisionDate.Equal(one.DecisionDate):
		return nil
	}
	return fmt.Errorf("%s and %s are one establishment with two decisions of its CME, %q and %q: give both the one in force",
		there.where, one.where, there.DecisionRef, one.DecisionRef)
}

// keep puts a revoked client where nobody in force, those before inForce, has one of its
// identifiers; with other revoked ones that it shares one with it is one.
func (r *registrations) keep(c issuer.Client, inForce int) {
	one := &registration{establishmentOf(c), "the revoked client " + c.ID}
	one.DecisionRef, one.DecisionDate = "", time.Time{}
	held, ids := r.held(one.Identifiers)
	switch {
	case len(held) == 0:
		r.put(one)
		return
	case held[0] < inForce:
		return
	}
	for _, i := range slices.Backward(held) {
		ids = append(ids, r.all[i].Identifiers...)
		r.all = slices.Delete(r.all, i, i+1)
	}
	one.Identifiers = national(ids)
	r.all = append(r.all, one)
	r.index()
}

// index tells anew who has which identifier.
func (r *registrations) index() {
	clear(r.holder)
	for i, one := range r.all {
		for _, id := range national(one.Identifiers) {
			r.holder[id] = i
		}
	}
}

// held returns who has one of some identifiers, by index, in order, and these as
// Struct_IdNat.
func (r *registrations) held(identifiers []fhir.Ident) (by []int, ids []fhir.Ident) {
	ids = national(identifiers)
	for _, id := range ids {
		if i, ok := r.holder[id]; ok && !slices.Contains(by, i) {
			by = append(by, i)
		}
	}
	slices.Sort(by)
	return by, ids
}

// first returns the first of ids that a registration has.
func (r *registrations) first(by int, ids []fhir.Ident) fhir.Ident {
	i := slices.IndexFunc(ids, func(id fhir.Ident) bool {
		holder, ok := r.holder[id]
		return ok && holder == by
	})
	return ids[i]
}

// national returns identifiers in the one form in which they are compared, each once,
// sorted.
func national(ids []fhir.Ident) []fhir.Ident {
	var all []fhir.Ident
	for _, id := range ids {
		if one, ok := auth.NationalStructure(id); ok {
			id = one
		}
		all = append(all, id)
	}
	slices.SortFunc(all, func(a, b fhir.Ident) int {
		return strings.Compare(auth.FormatIdent(a), auth.FormatIdent(b))
	})
	return slices.Compact(all)
}

// establishmentOf returns what a client that passed Check registers.
func establishmentOf(c issuer.Client) policy.Establishment {
	e := policy.Establishment{DecisionRef: c.Decision}
	for _, s := range c.Structures {
		system, value, _ := strings.Cut(s, "|")
		e.Identifiers = append(e.Identifiers, fhir.Ident{System: system, Value: value})
	}
	if day, err := time.ParseInLocation(time.DateOnly, c.DecisionDate, fhir.Paris); err == nil {
		e.DecisionDate = day
	}
	return e
}

// register adds the clients of an authorisation server to the establishments of a plan,
// as they are in its file and in the store at this instant.
func (p *plan) register(ctx context.Context, st store.Store) error {
	if p.oauth == nil {
		return nil
	}
	clients, err := issuer.NewRegistry(ctx, p.oauth.clients, st, nil, p.clock.Now)
	if err != nil {
		return err
	}
	all, err := clients.List(ctx)
	if err != nil {
		return err
	}
	if p.oauth.identity == nil {
		if err := needIdentity(all); err != nil {
			return err
		}
	}
	if p.oauth.check != nil {
		if err := p.oauth.check(all); err != nil {
			return err
		}
	}
	p.settings.Establishments, err = registered(p.settings.Establishments, all)
	return err
}
