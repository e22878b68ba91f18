package policy

import (
	"bytes"
	"iter"
	"slices"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// View is the situation of one caller on one dossier at one instant, and the
// decisions that follow from it. It is made for one request and not safe for
// concurrent use. The zero View, and nil, refuse everything.
type View struct {
	engine    *Engine
	rec       *Record
	at        time.Time
	now       int64 // at, in microseconds since 1970
	caller    caller
	base      Case // what all cases of this view share
	situation Situation

	decided []Decision // of the subjects, once Read was asked
	done    []bool
	types   []typeFacts // of the record's types
}

// typeFacts is what a type and class of document are to the caller.
type typeFacts struct {
	known     bool
	cell      Cell
	group     Group
	fit       Fit
	insurance bool
}

// View works out the situation of a caller on a dossier at an instant. The zero
// Principal and a nil Record make a View that refuses.
func (e *Engine) View(p auth.Principal, rec *Record, at time.Time) *View {
	return e.view(callerOf(p), rec, at)
}

func (e *Engine) view(k caller, rec *Record, at time.Time) *View {
	if e == nil || e.book == nil {
		return &View{}
	}
	if rec == nil {
		rec = NewRecord(NoDossier, nil)
	}
	v := &View{
		engine: e, rec: rec, at: at, now: at.UnixMicro(), caller: e.registry.placed(k),
		decided: make([]Decision, len(rec.subjects)),
		done:    make([]bool, len(rec.subjects)),
		types:   make([]typeFacts, len(rec.types)),
	}
	v.situate()
	return v
}

// empty tells whether the view is the zero one.
func (v *View) empty() bool { return v == nil || v.engine == nil }

// Situation returns the situation.
func (v *View) Situation() Situation {
	if v == nil {
		return Situation{}
	}
	return v.situation
}

// Read decides on reading the i-th subject of the record, and remembers it. What
// may not be read is Hidden.
func (v *View) Read(i int) Decision {
	if v.empty() || i < 0 || i >= len(v.done) {
		return Decision{}
	}
	if !v.done[i] {
		v.decided[i] = v.read(&v.rec.subjects[i].Facts, i)
		v.done[i] = true
	}
	return v.decided[i]
}

// Sees tells whether the resource that a reference names may be read, be it the
// metadata only; of a Binary or document Bundle, whether a document that names it
// may. References are cut from what is released where it says no.
func (v *View) Sees(ref string) bool {
	if v.empty() {
		return false
	}
	ref = relative(ref)
	if i, ok := v.rec.Index(ref); ok {
		return v.Read(i).Allowed()
	}
	for i := range v.rec.content.of(ref) {
		if v.Read(i).Allowed() {
			return true
		}
	}
	return false
}

// read decides on reading a resource by its facts. place is its place in the
// record, -1 if it has none.
func (v *View) read(f *Facts, place int) Decision {
	c := v.base
	switch f.typ {
	case typeDocument:
		return v.decide(v.document(ActRead, f, place))
	case typeList:
		return v.readWith(ActReadList, f, v.entries(f, 0))
	case typeProvenance:
		return v.readWith(ActReadProvenance, f, v.targets(f))
	case typePatient:
		c.Act = ActReadPatient
	case typeConsent:
		c.Act = ActReadConsent
		c.AboutMe = v.aboutMe(f)
	case typeRelatedPerson:
		c.Act = ActReadRelated
	case typeCareTeam:
		c.Act = ActReadTeam
		c.AboutMe = v.aboutMe(f)
	default:
		return Decision{}
	}
	return v.decide(c)
}

func (v *View) decide(c Case) Decision { return v.engine.book.decide(c) }

// readWith decides on what is read with other resources, to their extent.
func (v *View) readWith(a Act, f *Facts, others Extent) Decision {
	c := v.base
	c.Act, c.Status, c.Sees = a, f.status, others != None
	d := v.decide(c)
	d.extent = min(d.extent, others)
	return d
}

// entries returns the greatest extent to which a document may be read that a List
// names, itself or by a List in it.
func (v *View) entries(f *Facts, depth int) Extent {
	extent := None
	for _, r := range f.refs {
		if r.role != refEntry {
			continue
		}
		for i := range v.resolve(r) {
			switch g := &v.rec.subjects[i].Facts; {
			case g.typ == typeDocument:
				extent = max(extent, v.Read(i).Extent())
			case g.typ == typeList && depth == 0 && g.status != Deleted:
				extent = max(extent, v.entries(g, depth+1))
			}
		}
	}
	return extent
}

// targets returns the greatest extent to which a target of a Provenance may be
// read.
func (v *View) targets(f *Facts) Extent {
	extent := None
	for _, r := range f.refs {
		if r.role != refTarget {
			continue
		}
		for i := range v.resolve(r) {
			if v.rec.subjects[i].Facts.typ != typeProvenance {
				extent = max(extent, v.Read(i).Extent())
			}
		}
	}
	return extent
}

// resolve yields the subjects that a reference names: one by its address, or
// those of an identifier.
func (v *View) resolve(r reference) iter.Seq[int] {
	if r.ref == "" {
		return v.rec.named.of(r.id)
	}
	return func(yield func(int) bool) {
		if i, ok := v.rec.Index(r.ref); ok {
			yield(i)
		}
	}
}

// document makes the case of an act on a document.
func (v *View) document(a Act, f *Facts, place int) Case {
	c := v.base
	c.Act = a
	t := v.typeFacts(f, place)
	c.Cell, c.Group, c.Fit, c.Insurance = t.cell, t.group, t.fit, t.insurance
	c.Status = f.status
	c.Masked, c.MaskedPatient = f.flags.Masque, f.origin.MaskedByPatient
	c.Late = f.flags.InvisiblePatient && v.late(f.origin)
	c.Hidden = f.flags.InvisiblePatient && !c.Late
	c.HiddenReps = f.flags.InvisibleRepresentants
	c.Mine = v.mine(f)
	c.Deposited = c.carer() && v.caller.actsIn(f.origin.Structures)
	return c
}

// mine tells whether the caller is an author (POLICY §1, Mine), or for
// administrative staff, whether their establishment is.
func (v *View) mine(f *Facts) bool {
	k := v.caller
	switch k.kind {
	case auth.Patient, auth.Representative:
		return v.base.Holder && (f.byPatient || k.is(f.persons))
	case auth.Professional, auth.Regulator:
		return k.is(f.persons)
	case auth.Establishment, auth.Administrative:
		return k.actsIn(f.structures) // staff for their establishment: 1.administratif
	case auth.InsuranceFeeder:
		return k.actsIn(f.structures) || f.byFeeder
	}
	return false
}

// late tells whether the time of hiding from the patient is over. Where nobody
// knows when it began, it is not.
func (v *View) late(o Origin) bool {
	since := o.hidingCounts()
	return !since.IsZero() && !v.at.Before(v.engine.settings.HiddenAtMost.After(since))
}

// Flags returns the visibility flags of a document that are in force at the
// instant: hidden from the patient ends by itself (E09).
func (v *View) Flags(f Facts) Flags {
	flags := f.flags
	if v.empty() {
		return flags
	}
	flags.InvisiblePatient = flags.InvisiblePatient && !v.late(f.origin)
	return flags
}

// typeFacts looks a document's type and class up, once for each pair of the
// record.
func (v *View) typeFacts(f *Facts, place int) typeFacts {
	if place < 0 {
		return v.lookUp(f.docType, f.class)
	}
	t := v.rec.typeOf[place]
	if !v.types[t].known {
		v.types[t] = v.lookUp(f.docType, f.class)
	}
	return v.types[t]
}

func (v *View) lookUp(typ, class auth.Coding) typeFacts {
	t := typeFacts{known: true, group: groupOf(typ, class), fit: fitOf(typ, class)}
	t.insurance = slices.Contains(v.engine.settings.InsuranceTypes, typ)
	if v.base.carer() {
		t.cell = v.engine.matrix.Cell(v.caller.profession, v.caller.roles, typ, class, v.at)
	}
	return t
}

// groupOf sorts a document. Where there is no type, its class does.
func groupOf(typ, class auth.Coding) Group {
	t, ok := TypeOf(typ)
	known := ok || typ.IsZero() && isDocumentClass(class)
	is := func(code string) bool { return class == auth.Coding{System: fhir.SystemDocumentClass, Code: code} }
	switch {
	case !known:
		return UnknownType
	case t.Family == FamilyReimbursement || is("60"):
		return Reimbursement
	case t.Family == FamilyPatient || is("90"):
		return FromPatient
	}
	return Ordinary
}

func fitOf(typ, class auth.Coding) Fit {
	own, ok := ClassOf(typ)
	switch {
	case class.IsZero():
		return OwnClass
	case !isDocumentClass(class):
		return UnknownClass
	case ok && own != class:
		return OtherClass
	}
	return OwnClass
}

// Search decides whether the caller may search resources of a type in this
// dossier, by patient; byIdentifier tells whether the search names a document by
// its identifier (TD3.1b). An extent of Metadata means own documents only. What
// the search then finds is decided subject by subject.
//
// A refusal is Hidden where the answer is that of no dossier, else Forbidden: who
// may not ask at all is Forbidden whether there is a dossier or not.
func (v *View) Search(typ string, byIdentifier bool) Decision {
	if v.empty() {
		return Decision{}
	}
	c := v.base
	c.ByIdentifier = byIdentifier
	switch typ {
	case "DocumentReference", "List", "Provenance":
		c.Act = ActSearch
	case "Patient":
		c.Act = ActReadStatus
	case "Consent":
		c.Act = ActSearchConsent
		for _, i := range v.rec.consents {
			c.AboutMe = c.AboutMe || v.aboutMe(&v.rec.subjects[i].Facts)
		}
	case "RelatedPerson":
		c.Act = ActSearchRelated
	case "CareTeam":
		c.Act = ActSearchTeam
		for _, i := range v.rec.teams {
			c.AboutMe = c.AboutMe || v.aboutMe(&v.rec.subjects[i].Facts)
		}
	case "AuditEvent":
		c.Act = ActHistory
	}
	return v.decide(c)
}

// Warnings returns what is doubtful in a document but not refused (E05): a class
// that does not go with its type.
func (e *Engine) Warnings(f Facts) []fhir.Issue {
	if f.typ != typeDocument || fitOf(f.docType, f.class) != OtherClass {
		return nil
	}
	return []fhir.Issue{{
		Severity: fhir.Warning, Code: "business-rule", Expression: "DocumentReference.category",
		Text: fhir.Text{FR: "La classe du document ne va pas avec son type.", EN: "The class of the document does not go with its type."},
	}}
}

// same tells whether two resources differ in nothing that the policy reads, apart
// from what a PATCH may change.
func same(a, b Facts) bool {
	return bytes.Equal(fixed(a).AppendBinary(nil), fixed(b).AppendBinary(nil))
}

// fixed returns the facts without what a PATCH may change.
func fixed(f Facts) Facts {
	f.status, f.flags, f.archived, f.origin = NoStatus, Flags{}, false, Origin{}
	return f
}
