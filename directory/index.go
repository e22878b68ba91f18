package directory

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
)

// Index is a directory in memory. It does not change. The zero Index is empty.
type Index struct {
	texts  texts
	codes  []fhir.Code
	people []person // in the order of their names
	roles  []role   // of people[i] those from its first to the first of the next
	places []place

	byNational []uint32 // people
	byNumber   []number // places, by each of their identifiers and by their key
	names      words    // of people, by their family name
	titles     words    // of places, by their names
}

// person, role and place are what the index keeps of the types of this package.
type person struct {
	national, family, given, title text
	familyKey, givenKey            text
	first                          uint32
}

type role struct {
	place                                     uint32
	profession, skill, mode, sector, function uint16
	category                                  byte
}

type place struct {
	key, name, trade, line, postal, city, commune text
	titleKey, cityKey                             text
	// sites and legal are Struct_IdNat with a space between.
	sites, legal text
}

// number is an identifier of a place: where it is in the text.
type number struct {
	place    uint32
	in       text
	from, to uint16
}

func (x *Index) finish() {
	x.byNational = make([]uint32, len(x.people))
	for i := range x.byNational {
		x.byNational[i] = uint32(i)
	}
	slices.SortFunc(x.byNational, func(a, b uint32) int { return cmp.Compare(x.nationalOf(a), x.nationalOf(b)) })
	for i, p := range x.places {
		for _, t := range []text{p.key, p.sites, p.legal} {
			x.number(uint32(i), t)
		}
	}
	slices.SortStableFunc(x.byNumber, func(a, b number) int { return cmp.Compare(x.numberOf(a), x.numberOf(b)) })
	x.names = newWords(len(x.people), x.familyKey)
	x.titles = newWords(len(x.places), x.titleKey)
}

func (x *Index) number(place uint32, in text) {
	all := x.texts.get(in)
	for from := 0; from < len(all) && len(all) < 1<<16; {
		to := from + strings.IndexByte(all[from:]+" ", ' ')
		x.byNumber = append(x.byNumber, number{place, in, uint16(from), uint16(to)})
		from = to + 1
	}
}

func (x *Index) numberOf(n number) string   { return x.texts.get(n.in)[n.from:n.to] }
func (x *Index) nationalOf(i uint32) string { return canonical(x.texts.get(x.people[i].national)) }
func (x *Index) familyKey(i uint32) string  { return x.texts.get(x.people[i].familyKey) }
func (x *Index) givenKey(i uint32) string   { return x.texts.get(x.people[i].givenKey) }
func (x *Index) titleKey(i uint32) string   { return x.texts.get(x.places[i].titleKey) }

// Size returns how many professionals, practices and structures there are.
func (x *Index) Size() (professionals, practices, structures int) {
	return len(x.people), len(x.roles), len(x.places)
}

// minWord is how many letters of a name find people.
const minWord = 2

// Professionals implements Directory. It never fails but for ErrBroad.
func (x *Index) Professionals(_ context.Context, q ProfessionalQuery) (Found[Professional], error) {
	candidates, err := x.candidates(q)
	if err != nil {
		return Found[Professional]{}, err
	}
	a := asked(q)
	return gather(candidates, q.Limit, func(i uint32) bool { return x.matches(a, i) }, func(i uint32) Professional { return x.professional(a, i) }), nil
}

// gather returns the entries that match, made whole as far as the limit goes.
func gather[T any](candidates []uint32, limit int, matches func(uint32) bool, whole func(uint32) T) Found[T] {
	limit = min(limit, MaxFound)
	var f Found[T]
	for _, i := range candidates {
		if !matches(i) {
			continue
		}
		if f.Total++; len(f.Items) < limit {
			f.Items = append(f.Items, whole(i))
		}
	}
	return f
}

// candidates are those whom the narrowest criterion of a query finds.
func (x *Index) candidates(q ProfessionalQuery) ([]uint32, error) {
	if !q.ID.IsZero() {
		return x.byIdent(q.ID), nil
	}
	if family := key(q.Family); len(family) >= minWord {
		return x.names.find(family), nil
	}
	var found []uint32
	broad := true
	for _, w := range strings.Fields(key(q.Name)) {
		if len(w) >= minWord {
			broad = false
			found = append(found, x.names.find(w)...)
		}
	}
	if broad {
		return nil, ErrBroad
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// byIdent returns who has an identifier: one, or without a system whoever has it as
// RPPS, as ADELI or with its prefix.
func (x *Index) byIdent(id fhir.Ident) []uint32 {
	var found []uint32
	for _, system := range []string{fhir.SystemIDNPS, fhir.SystemRPPS, fhir.SystemADELI} {
		if id.System != "" && id.System != system {
			continue
		}
		national := id.Value
		if system != fhir.SystemIDNPS {
			national = withPrefix(fhir.CanonicalIdent(fhir.Ident{System: system, Value: id.Value}))
		}
		national = canonical(national)
		i := sort.Search(len(x.byNational), func(i int) bool { return x.nationalOf(x.byNational[i]) >= national })
		if i < len(x.byNational) && x.nationalOf(x.byNational[i]) == national {
			found = append(found, x.byNational[i])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// canonical is the one form of a PS_IdNat: the prefix and the bare number. Synthetic
// numbers may be written longer (fhir.CanonicalIdent).
func canonical(national string) string {
	return withPrefix(fhir.CanonicalIdent(fhir.Ident{System: fhir.SystemIDNPS, Value: national}))
}

func withPrefix(id fhir.Ident) string {
	switch id.System {
	case fhir.SystemRPPS:
		return "8" + id.Value
	case fhir.SystemADELI:
		return "0" + id.Value
	}
	return id.Value
}

// askedOf is a ProfessionalQuery with its names as keys.
type askedOf struct {
	ProfessionalQuery
	name, given  []string
	family, city string
	structure    string
}

func asked(q ProfessionalQuery) askedOf {
	a := askedOf{ProfessionalQuery: q, name: strings.Fields(key(q.Name)), given: strings.Fields(key(q.Given)), family: key(q.Family), city: key(q.City)}
	if !q.Structure.IsZero() {
		a.structure = structNumber(q.Structure)
	}
	return a
}

// anywhere tells whether the query does not ask where.
func (a askedOf) anywhere() bool {
	return a.Postal == "" && a.city == "" && a.Key == "" && a.Structure.IsZero()
}

func (x *Index) matches(a askedOf, i uint32) bool {
	family := x.familyKey(i)
	if !strings.HasPrefix(family, a.family) {
		return false
	}
	if len(a.name)+len(a.given) > 0 {
		given := x.givenKey(i)
		if !beginsEach(given, a.given) || !beginsEach(family+" "+given, a.name) {
			return false
		}
	}
	if a.Profession == "" && a.Skill == "" && a.anywhere() {
		return true
	}
	return slices.ContainsFunc(x.rolesOf(i), func(r role) bool { return x.practises(a, r) })
}

// practises tells whether a role is what the query asks of one and the same practice.
func (x *Index) practises(a askedOf, r role) bool {
	switch {
	case a.Profession != "" && x.codes[r.profession].Code != a.Profession,
		a.Skill != "" && x.codes[r.skill].Code != a.Skill:
		return false
	case a.anywhere():
		return true
	case r.place == nowhere:
		return false
	}
	p := x.places[r.place]
	if !x.isAt(p, a.Postal, a.city) || a.Key != "" && x.texts.get(p.key) != a.Key {
		return false
	}
	return a.Structure.IsZero() || a.structure != "" && slices.Contains(strings.Fields(x.texts.get(p.sites)+" "+x.texts.get(p.legal)), a.structure)
}

func (x *Index) isAt(p place, postal, city string) bool {
	return strings.HasPrefix(x.texts.get(p.postal), postal) && strings.HasPrefix(x.texts.get(p.cityKey), city)
}

func (x *Index) rolesOf(i uint32) []role {
	end := uint32(len(x.roles))
	if int(i)+1 < len(x.people) {
		end = x.people[i+1].first
	}
	return x.roles[x.people[i].first:end]
}

// professional makes a person whole, or with the practices that are asked for. Records
// that differ by their savoir-faire alone are one practice.
func (x *Index) professional(a askedOf, i uint32) Professional {
	p := x.people[i]
	out := Professional{
		National: x.texts.get(p.national), Title: x.texts.get(p.title),
		Family: x.texts.get(p.family), Given: x.texts.get(p.given),
	}
	var wanted, seen []role
	for _, r := range x.rolesOf(i) {
		if x.practises(a, r) {
			r.skill = 0
			wanted = append(wanted, r)
		}
	}
	for _, r := range x.rolesOf(i) {
		skill := x.codes[r.skill]
		r.skill = 0
		if a.Matching && !slices.Contains(wanted, r) {
			continue
		}
		at := slices.Index(seen, r)
		if at < 0 {
			at = len(seen)
			seen, out.Practices = append(seen, r), append(out.Practices, x.practice(r))
		}
		if own := &out.Practices[at]; !skill.IsZero() && !slices.Contains(own.Skills, skill) {
			own.Skills = append(own.Skills, skill)
		}
	}
	return out
}

func (x *Index) practice(r role) Practice {
	p := Practice{Profession: x.codes[r.profession], Mode: x.codes[r.mode], Sector: x.codes[r.sector], Role: x.codes[r.function]}
	if r.category != 0 {
		p.Category = string(r.category)
	}
	if r.place != nowhere {
		s := x.structure(r.place)
		p.Structure = &s
	}
	return p
}

// Structures implements Directory. It never fails but for ErrBroad.
func (x *Index) Structures(_ context.Context, q StructureQuery) (Found[Structure], error) {
	var candidates []uint32
	words := strings.Fields(key(q.Name))
	switch long := longest(words); {
	case q.Key != "":
		candidates = x.numbered(q.Key)
		candidates = slices.DeleteFunc(candidates, func(i uint32) bool { return x.texts.get(x.places[i].key) != q.Key })
	case !q.ID.IsZero():
		candidates = x.numbered(structNumber(q.ID))
	case len(long) < minWord:
		return Found[Structure]{}, ErrBroad
	default:
		candidates = x.titles.find(long)
	}
	city := key(q.City)
	return gather(candidates, q.Limit, func(i uint32) bool {
		return beginsEach(x.titleKey(i), words) && x.isAt(x.places[i], q.Postal, city)
	}, x.structure), nil
}

func longest(words []string) string {
	long := ""
	for _, w := range words {
		if len(w) > len(long) {
			long = w
		}
	}
	return long
}

// structNumber is the Struct_IdNat of an identifier; without a system it is taken
// for one. "" for an identifier of another register.
func structNumber(id fhir.Ident) string {
	if id.System == "" {
		return id.Value
	}
	national, _ := auth.NationalStructure(id)
	return national.Value
}

// numbered returns the places that have a number, each once.
func (x *Index) numbered(n string) []uint32 {
	var found []uint32
	for i := sort.Search(len(x.byNumber), func(i int) bool { return x.numberOf(x.byNumber[i]) >= n }); i < len(x.byNumber) && x.numberOf(x.byNumber[i]) == n; i++ {
		found = append(found, x.byNumber[i].place)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (x *Index) structure(i uint32) Structure {
	p := x.places[i]
	return Structure{
		Key: x.texts.get(p.key), Name: x.texts.get(p.name), Trade: x.texts.get(p.trade),
		Sites: idents(x.texts.get(p.sites)), Legal: idents(x.texts.get(p.legal)),
		Line: x.texts.get(p.line), Postal: x.texts.get(p.postal), City: x.texts.get(p.city), Commune: x.texts.get(p.commune),
	}
}

func idents(numbers string) []fhir.Ident {
	var out []fhir.Ident
	for n := range strings.FieldsSeq(numbers) {
		out = append(out, fhir.Ident{System: fhir.SystemStructure, Value: n})
	}
	return out
}
