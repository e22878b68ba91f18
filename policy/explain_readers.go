package policy

import (
	"slices"

	"opendmp/auth"
	"opendmp/fhir"
)

// inquiry asks the rulebook about one document, for one explanation: each line is
// what it says of a supposed caller on the record as it is.
type inquiry struct {
	asker      *View // who asks, and so what may be named
	doc        *Facts
	persons    []named
	structures []named
	readers    []Reader
}

// named is a person or a structure that the dossier names, by the first of their
// qualities.
type named struct {
	id      fhir.Ident
	quality Quality
	team    string
}

// supposed changes a case beyond what its caller and the record make of it.
type supposed func(*Case)

// somebody is a person whom no dossier names.
var somebody = fhir.Ident{System: "urn:opendmp:explication", Value: "quiconque"}

func (v *View) explanation(i int) Explanation {
	s := &v.rec.subjects[i]
	q := &inquiry{asker: v, doc: &s.Facts}
	q.meet()
	q.patientSide()
	q.carers(somewhere{kind: auth.Professional}, OtherProfessional)
	q.byProfession()
	q.modes()
	q.systems()
	return Explanation{Ref: s.Ref, Readers: q.readers}
}

// ask decides on reading the document as a caller.
func (q *inquiry) ask(k caller, changes ...supposed) (Case, Decision) {
	v := q.asker
	h := &View{engine: v.engine, rec: v.rec, at: v.at, now: v.now, caller: v.engine.registry.placed(k)}
	h.situate()
	c := h.document(ActRead, q.doc, -1)
	for _, change := range changes {
		change(&c)
	}
	return c, h.decide(c)
}

// add adds a line, unless it is about nothing.
func (q *inquiry) add(r Reader, k caller, changes ...supposed) Decision {
	c, d := q.ask(k, changes...)
	r.Decision, r.matrix = d, byMatrix(c, d)
	q.readers = append(q.readers, r)
	return d
}

// meet finds the persons and structures that the dossier names, in the order in
// which qualities tell most of them.
func (q *inquiry) meet() {
	v := q.asker
	var authorised, teams, grants []*Facts
	for _, id := range v.rec.patientFacts().gps {
		q.person(id, TreatingPhysician, "")
	}
	for _, i := range v.rec.consents {
		f := &v.rec.subjects[i].Facts
		if f.status != Current || !v.Read(i).Allowed() {
			continue
		}
		switch {
		case f.consent.kind == Blocage:
			q.party(f.consent, BlockedPerson, BlockedStructure)
		case !f.period.holds(v.now):
		case f.consent.kind == AccesUrgence:
			grants = append(grants, f)
		case f.consent.kind == Autorisation && f.consent.actorKind == aboutTeam:
			teams = append(teams, f)
		case f.consent.kind == Autorisation:
			authorised = append(authorised, f)
		}
	}
	for _, id := range q.doc.persons {
		if isPerson(id) {
			q.person(id, AuthorPerson, "")
		}
	}
	for _, f := range authorised {
		q.party(f.consent, AuthorisedPerson, AuthorisedStructure)
	}
	for _, f := range grants {
		q.person(f.consent.actor, EmergencyPerson, "")
	}
	for _, f := range teams {
		q.team(f)
	}
	for _, id := range q.doc.structures {
		q.structure(id, AuthorStructure, "")
	}
	if v.base.Kind == auth.Representative {
		return // the deposit may be of a secret session, which they are not told of (G09)
	}
	for _, id := range q.doc.origin.Structures {
		q.structure(id, DepositorStructure, "")
	}
}

func (q *inquiry) party(c consentFacts, person, structure Quality) {
	switch c.actorKind {
	case aboutPerson:
		q.person(c.actor, person, "")
	case aboutStructure:
		q.structure(c.actor, structure, "")
	}
}

// team meets those who are members of an authorised care team at this instant.
func (q *inquiry) team(f *Facts) {
	v, ref := q.asker, f.consent.actor.Value
	team := v.team(ref)
	if team == nil || !v.Sees(ref) {
		return
	}
	for _, m := range team.members {
		if !team.holds(m).and(f.period).holds(v.now) {
			continue
		}
		if m.kind == aboutPerson {
			q.person(m.id, TeamPerson, ref)
		} else {
			q.structure(m.id, TeamStructure, ref)
		}
	}
}

func (q *inquiry) person(id fhir.Ident, quality Quality, team string) {
	if !slices.ContainsFunc(q.persons, func(n named) bool { return n.id == id }) {
		q.persons = append(q.persons, named{id, quality, team})
	}
}

// structure meets a structure; one that is registered under several identifiers
// is met once.
func (q *inquiry) structure(id fhir.Ident, quality Quality, team string) {
	registered := q.asker.engine.registry
	if !slices.ContainsFunc(q.structures, func(n named) bool {
		return n.id == id || registered[id] != nil && registered[id] == registered[n.id]
	}) {
		q.structures = append(q.structures, named{id, quality, team})
	}
}

// patientSide are the lines of the patient and of those who represent them now.
func (q *inquiry) patientSide() {
	v := q.asker
	for _, ins := range v.rec.patientFacts().ins[:min(1, len(v.rec.patientFacts().ins))] {
		q.add(Reader{Quality: ThePatient}, caller{kind: auth.Patient, id: ins})
	}
	for _, i := range v.rec.related {
		f := &v.rec.subjects[i].Facts
		if f.status != Current || !f.period.holds(v.now) || !v.Read(i).Allowed() {
			continue
		}
		for _, id := range f.persons {
			q.add(Reader{Quality: TheRepresentative, Person: id}, caller{kind: auth.Representative, id: id})
		}
	}
}

// somewhere is how carers are supposed to call, whoever they are.
type somewhere struct {
	kind         auth.Kind
	mode         auth.Mode
	profession   auth.Coding
	occupational bool
	opens        bool   // a bris de glace, as far as the rules let them
	cells        []Cell // those that the matrix has for them; nil for each it may have
}

// carers adds the lines of carers who call in one way: of the persons and the
// structures that the dossier names, of such a person in such a structure where
// that differs from the wider of the two, and of all others.
//
// In a way that is not the usual one a person or a structure has a line only
// where it differs from that of all others.
func (q *inquiry) carers(way somewhere, others Quality) {
	anybody := named{id: somebody, quality: others}
	rest := q.line(way, anybody, named{})
	usual := others == OtherProfessional
	at := make([]outcome, len(q.structures))
	for i, s := range q.structures {
		at[i] = q.line(way, anybody, s)
	}
	for _, p := range q.persons {
		own := q.line(way, p, named{})
		if usual || own.extents() != rest.extents() {
			q.addLine(own, lineOf(others, p, named{}))
		}
		for i, s := range q.structures {
			if both := q.line(way, p, s); both.extents() != wider(own.extents(), at[i].extents()) {
				q.addLine(both, lineOf(others, p, s))
			}
		}
	}
	for i, s := range q.structures {
		told := s.quality != AuthorStructure && s.quality != DepositorStructure
		if usual && told || at[i].extents() != rest.extents() {
			q.addLine(at[i], lineOf(others, named{}, s))
		}
	}
	q.addLine(rest, Reader{Quality: others})
}

// lineOf starts the line of a person, or of whoever acts in a structure: by what
// they are to the dossier in the usual way of calling, else by the way.
func lineOf(others Quality, p, s named) Reader {
	r := Reader{Quality: others, Person: p.id, Structure: s.id, Team: p.team}
	if others != OtherProfessional {
		return r
	}
	r.Quality = p.quality
	if p.id.IsZero() {
		r.Quality, r.Team = s.quality, s.team
	}
	return r
}

// outcome is what the rules say of somebody for each cell that the matrix may
// have for their profession: Allow first, then Deny.
type outcome []struct {
	cell     Cell
	matrix   bool
	decision Decision
}

// extents returns the extents of an outcome, one for Allow and one for Deny.
func (o outcome) extents() (e [2]Extent) {
	for _, part := range o {
		if part.cell == Allow {
			e[0] = part.decision.Extent()
		} else {
			e[1] = part.decision.Extent()
		}
	}
	return e
}

func wider(a, b [2]Extent) [2]Extent { return [2]Extent{max(a[0], b[0]), max(a[1], b[1])} }

func (q *inquiry) line(way somewhere, p, s named) outcome {
	k := caller{kind: way.kind, mode: way.mode, id: p.id, profession: way.profession, occupational: way.occupational}
	if !s.id.IsZero() {
		k.structures = []fhir.Ident{s.id}
	}
	var o outcome
	cells := way.cells
	if cells == nil {
		cells = []Cell{Allow, Deny}
	}
	for _, cell := range cells {
		c, d := q.ask(k, func(c *Case) { c.Cell = cell })
		if way.opens {
			c, d = q.opened(c)
		}
		o = append(o, outcome{{cell, byMatrix(c, d), d}}...)
	}
	return o
}

// addLine adds the line of an outcome: two where the matrix makes a difference.
// Where it makes none, the reason is the one that holds without it.
func (q *inquiry) addLine(o outcome, r Reader) {
	if e := o.extents(); len(o) == 2 && e[0] == e[1] {
		r.Decision = o[0].decision
		q.readers = append(q.readers, r)
		return
	}
	for _, part := range o {
		r.Decision, r.matrix, r.Cell = part.decision, part.matrix, Unknown
		if len(o) > 1 {
			r.Cell = part.cell
		}
		q.readers = append(q.readers, r)
	}
}

// byProfession adds what the matrix says: whom an authorisation would let read.
func (q *inquiry) byProfession() {
	v := q.asker
	authorised := func(c *Case) { c.Authorisation = Valide }
	columns := []auth.Coding{{}} // whom the matrix does not know, at the end
	if t := v.engine.matrix.InForce(v.at); t != nil {
		columns = append(slices.Collect(t.Columns()), columns...)
	}
	var lines []Reader
	for _, column := range columns {
		c, d := q.ask(caller{kind: auth.Professional, id: somebody, profession: column}, authorised)
		same := func(r Reader) bool { return r.Decision == d && (r.Professions == nil) == column.IsZero() }
		i := slices.IndexFunc(lines, same)
		if i < 0 {
			i = len(lines)
			lines = append(lines, Reader{Quality: AuthorisedProfession, Decision: d, matrix: byMatrix(c, d)})
		}
		if !column.IsZero() {
			lines[i].Professions = append(lines[i].Professions, column)
		}
	}
	q.readers = append(q.readers, lines...)
	if !v.engine.settings.Students {
		student := func(c *Case) { c.Authorisation, c.Student, c.Cell = Valide, true, Allow }
		q.add(Reader{Quality: StudentProfessional}, caller{kind: auth.Professional, id: somebody}, student)
	}
}

// modes adds the lines of those who call otherwise than in the normal mode, or as
// occupational physicians.
func (q *inquiry) modes() {
	physician := auth.Coding{System: auth.SystemProfession, Code: "10"}
	q.carers(somewhere{kind: auth.Professional, occupational: true, profession: physician}, OccupationalPhysician)
	for _, p := range q.asker.engine.settings.GrantProfessions {
		q.emergency(p)
	}
	q.carers(somewhere{kind: auth.Regulator, mode: auth.Centre15, profession: physician, cells: q.cellOf(physician)}, RegulatorMode)
}

// emergency adds the lines of a profession that may break the glass.
func (q *inquiry) emergency(profession auth.Coding) {
	before := len(q.readers)
	q.carers(somewhere{
		kind: auth.Professional, mode: auth.BrisDeGlace, profession: profession, cells: q.cellOf(profession), opens: true,
	}, EmergencyMode)
	for i := range q.readers[before:] {
		q.readers[before+i].Professions = []auth.Coding{profession}
	}
}

// opened decides on reading with the emergency grant that the caller would be
// given; where none would be, on opening it.
func (q *inquiry) opened(c Case) (Case, Decision) {
	asked := c
	asked.Act, asked.Justified = ActEmergency, true
	if d := q.asker.decide(asked); !c.Grant && !d.Allowed() {
		return c, d
	}
	c.Grant = true
	return c, q.asker.decide(c)
}

// cellOf returns the cell that the matrix has for a profession and this document,
// as one that it allows or does not.
func (q *inquiry) cellOf(profession auth.Coding) []Cell {
	v := q.asker
	if v.engine.matrix.Cell(profession, nil, q.doc.docType, q.doc.class, v.at) == Allow {
		return []Cell{Allow}
	}
	return []Cell{Deny}
}

// systems adds the lines of establishments, administrative staff and the health
// insurance, of other patients, and of the operator.
func (q *inquiry) systems() {
	for _, id := range q.doc.structures {
		own := []fhir.Ident{id}
		whole := q.add(Reader{Quality: AuthorEstablishment, Structure: id}, caller{kind: auth.Establishment, id: id, structures: own})
		clerk := caller{kind: auth.Administrative, id: somebody, structures: own}
		if _, d := q.ask(clerk); d.Extent() != whole.Extent() {
			q.add(Reader{Quality: AuthorAdministration, Structure: id}, clerk)
		}
	}
	if q.doc.byFeeder {
		q.add(Reader{Quality: AuthorFeeder}, caller{kind: auth.InsuranceFeeder, id: somebody})
	}
	q.add(Reader{Quality: OtherSystem}, caller{kind: auth.Establishment, id: somebody})
	q.add(Reader{Quality: OtherPatient}, caller{kind: auth.Patient, id: somebody})
	q.add(Reader{Quality: TheOperator}, caller{kind: auth.Operator, id: somebody})
}
