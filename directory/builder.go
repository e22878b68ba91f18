package directory

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
)

// Record is one line of the Annuaire Santé: one practice of one professional, with
// one savoir-faire. Who has several has several records.
type Record struct {
	// National is the PS_IdNat of the professional.
	National             string
	Title, Family, Given string
	Profession           fhir.Code
	Category             string
	Skill                fhir.Code
	Mode, Sector, Role   fhir.Code
	// Structure is where; its Key is "" for nowhere.
	Structure Structure
}

// Builder makes an Index of records. The zero Builder is not ready: NewBuilder.
type Builder struct {
	x      *Index
	person map[uint64]uint32
	place  map[string]uint32
	known  map[string]text
	// keys are those of names that were kept.
	keys    map[string]text
	codes   map[fhir.Code]uint16
	records []placed
}

// placed is a role and whose it is.
type placed struct {
	role
	person uint32
}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder {
	return &Builder{
		x:      &Index{codes: []fhir.Code{{}}},
		person: make(map[uint64]uint32),
		place:  make(map[string]uint32),
		known:  make(map[string]text),
		keys:   make(map[string]text),
		codes:  map[fhir.Code]uint16{{}: 0},
	}
}

// Add takes a record. The error says what is wrong with it, for whoever reads the
// line that it comes from; the Builder is then as it was.
func (b *Builder) Add(r Record) error {
	if err := check(r); err != nil {
		return err
	}
	who, err := b.personOf(r)
	if err != nil {
		return err
	}
	own := role{category: category(r.Category)}
	for _, c := range []struct {
		code fhir.Code
		to   *uint16
	}{{r.Profession, &own.profession}, {r.Skill, &own.skill}, {r.Mode, &own.mode}, {r.Sector, &own.sector}, {r.Role, &own.function}} {
		if *c.to, err = b.code(c.code); err != nil {
			return err
		}
	}
	if own.place, err = b.placeOf(r.Structure); err != nil {
		return err
	}
	b.records = append(b.records, placed{own, who})
	return nil
}

// check refuses what no professional of the directory is.
func check(r Record) error {
	id := fhir.CanonicalIdent(fhir.Ident{System: fhir.SystemIDNPS, Value: r.National})
	switch {
	case id.System != fhir.SystemRPPS && id.System != fhir.SystemADELI:
		return errors.New("the national identifier is not that of a RPPS or an ADELI")
	case key(r.Family) == "":
		return errors.New("no family name")
	case !isCode(r.Profession.Code):
		return errors.New("no code of a profession")
	case len(r.Category) > 1:
		return errors.New("the category of the profession is no letter")
	case !isKey(r.Structure.Key):
		return errors.New("the technical identifier of the structure is not of letters and digits")
	}
	return nil
}

// isCode tells whether a text is a code of the national terminologies.
func isCode(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	}) < 0
}

// isKey tells whether a text can name a structure in an address; "" names none.
func isKey(s string) bool {
	const most = 48
	return len(s) <= most && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-'
	}) < 0
}

func category(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

// personOf returns the person of a record. Who practises under two names has that of
// the first record.
func (b *Builder) personOf(r Record) (uint32, error) {
	id, err := number36(canonical(r.National))
	if err != nil {
		return 0, err
	}
	if i, ok := b.person[id]; ok {
		return i, nil
	}
	if len(b.x.people) >= math.MaxUint32 {
		return 0, errFull
	}
	var p person
	if p.national, err = b.x.texts.add(r.National); err == nil {
		err = b.keep([]string{r.Family, r.Given, r.Title}, &p.family, &p.given, &p.title)
	}
	if err == nil {
		err = b.keepKeys([]string{r.Family, r.Given}, &p.familyKey, &p.givenKey)
	}
	if err != nil {
		return 0, err
	}
	i := uint32(len(b.x.people))
	b.x.people = append(b.x.people, p)
	b.person[id] = i
	return i, nil
}

// number36 is a national identifier as a number: of up to twelve digits and capitals.
func number36(national string) (uint64, error) {
	n, err := strconv.ParseUint(national, 36, 64)
	if err != nil || len(national) > 12 {
		return 0, errors.New("the national identifier is not of digits and capitals")
	}
	return n, nil
}

// keep keeps strings that come often.
func (b *Builder) keep(from []string, to ...*text) error {
	for i, s := range from {
		t, ok := b.known[s]
		if !ok {
			var err error
			if t, err = b.x.texts.add(s); err != nil {
				return err
			}
			b.known[strings.Clone(s)] = t
		}
		*to[i] = t
	}
	return nil
}

// keepKeys keeps the keys of names that come often.
func (b *Builder) keepKeys(from []string, to ...*text) error {
	for i, s := range from {
		t, ok := b.keys[s]
		if !ok {
			if err := b.keep([]string{key(s)}, &t); err != nil {
				return err
			}
			b.keys[strings.Clone(s)] = t
		}
		*to[i] = t
	}
	return nil
}

func (b *Builder) code(c fhir.Code) (uint16, error) {
	if i, ok := b.codes[c]; ok {
		return i, nil
	}
	if len(b.x.codes) > math.MaxUint16 {
		return 0, errFull
	}
	c = fhir.Code{System: strings.Clone(c.System), Code: strings.Clone(c.Code), Display: strings.Clone(c.Display)}
	i := uint16(len(b.x.codes))
	b.x.codes, b.codes[c] = append(b.x.codes, c), i
	return i, nil
}

// nowhere is the place of a role without structure.
const nowhere = math.MaxUint32

// placeOf returns the place of a structure: as the first record of it says.
func (b *Builder) placeOf(s Structure) (uint32, error) {
	if s.Key == "" {
		return nowhere, nil
	}
	if i, ok := b.place[s.Key]; ok {
		return i, nil
	}
	if len(b.x.places) >= nowhere {
		return 0, errFull
	}
	var p place
	var err error
	for _, own := range []struct {
		s string
		t *text
	}{{s.Key, &p.key}, {s.Name, &p.name}, {s.Trade, &p.trade}, {s.Line, &p.line}, {values(s.Sites), &p.sites}, {values(s.Legal), &p.legal}, {titleKey(s), &p.titleKey}} {
		if *own.t, err = b.x.texts.add(own.s); err != nil {
			return 0, err
		}
	}
	if err := b.keep([]string{s.Postal, s.City, s.Commune}, &p.postal, &p.city, &p.commune); err != nil {
		return 0, err
	}
	if err := b.keepKeys([]string{s.City}, &p.cityKey); err != nil {
		return 0, err
	}
	i := uint32(len(b.x.places))
	b.x.places = append(b.x.places, p)
	b.place[strings.Clone(s.Key)] = i
	return i, nil
}

// titleKey is the key of both names of a structure.
func titleKey(s Structure) string {
	name, trade := key(s.Name), key(s.Trade)
	if trade == name {
		return name
	}
	return joined(name, trade)
}

// values writes the Struct_IdNat of a structure in one text.
func values(idents []fhir.Ident) string {
	var v []string
	for _, i := range idents {
		if id, err := auth.ParseStructure(i); err == nil && !slices.Contains(v, id.Value) {
			v = append(v, id.Value)
		}
	}
	return strings.Join(v, " ")
}

// Index returns what was added, and ends the Builder.
func (b *Builder) Index() *Index {
	x := b.x
	b.person, b.place, b.known, b.keys, b.codes, b.x = nil, nil, nil, nil, nil, nil
	x.order(b.records)
	b.records = nil
	x.finish()
	return x
}

// order puts people and places in the order of their names, and the roles in that of
// their people.
func (x *Index) order(records []placed) {
	compare := func(a, b text) int { return cmp.Compare(x.texts.get(a), x.texts.get(b)) }
	var ofPeople, ofPlaces []uint32 // the new number of an old one
	x.people, ofPeople = sorted(x.people, func(a, b *person) int {
		return cmp.Or(compare(a.familyKey, b.familyKey), compare(a.givenKey, b.givenKey), compare(a.national, b.national))
	})
	x.places, ofPlaces = sorted(x.places, func(a, b *place) int {
		return cmp.Or(compare(a.titleKey, b.titleKey), compare(a.cityKey, b.cityKey), compare(a.key, b.key))
	})
	for i := range records {
		r := &records[i]
		r.person = ofPeople[r.person]
		if r.place != nowhere {
			r.place = ofPlaces[r.place]
		}
	}
	slices.SortStableFunc(records, func(a, b placed) int { return cmp.Compare(a.person, b.person) })
	x.roles = make([]role, len(records))
	for i, r := range records {
		x.roles[i] = r.role
		if i == 0 || records[i-1].person != r.person {
			x.people[r.person].first = uint32(i)
		}
	}
}

// sorted returns items in order, and at which place each is now.
func sorted[T any](items []T, compare func(a, b *T) int) (in []T, rank []uint32) {
	order := make([]uint32, len(items))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return compare(&items[a], &items[b]) })
	in, rank = make([]T, len(items)), make([]uint32, len(items))
	for now, was := range order {
		in[now], rank[was] = items[was], uint32(now)
	}
	return in, rank
}
