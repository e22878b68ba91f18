package policy

import (
	"slices"

	"opendmp/auth"
	"opendmp/fhir"
)

// Add decides on adding a resource to the dossier: a document by E01 to E05 and
// E09 to E11, a List or a Provenance by E01 and E02, a RelatedPerson by POLICY §6.
// A Consent goes through ChangeConsent, a CareTeam through ChangeTeam, a Patient
// through Engine.Open.
//
// A resource about another patient is refused like one for no dossier.
func (v *View) Add(f Facts) Decision { return v.add(f, false) }

// add decides on adding; takesOver tells whether it is in the place of another.
func (v *View) add(f Facts, takesOver bool) Decision {
	if v.empty() {
		return Decision{}
	}
	c := v.base
	switch f.typ {
	case typeDocument:
		c = v.document(ActAdd, &f, -1)
		c.WillMask, c.WillHide, c.WillHideReps = f.flags.Masque, f.flags.InvisiblePatient, f.flags.InvisibleRepresentants
		c.Foreign, c.TakesOver = v.foreign(f), takesOver
	case typeList:
		c.Act = ActAddList
		c.Foreign = v.foreign(f)
	case typeProvenance:
		c.Act = ActAddList
	case typeRelatedPerson:
		c.Act = ActAddRelated
	}
	if f.typ != typeProvenance && !v.owns(f) {
		c.State = NoDossier
		if c.Act == ActAddRelated {
			c.Act = NoAct // no dossier is being opened here
		}
	}
	return v.decide(c)
}

// foreign tells whether a professional or an establishment names another author
// beside themself, or another custodian (E03): a structure that is not theirs, or
// for a professional another person. The persons of an establishment are taken as
// its own. Only national identifiers count: by no other is anybody an author.
func (v *View) foreign(f Facts) bool {
	k := v.caller
	switch k.kind {
	case auth.Professional:
		if slices.ContainsFunc(f.persons, func(id fhir.Ident) bool { return isPerson(id) && id != k.id }) {
			return true
		}
	case auth.Establishment, auth.Administrative:
	default:
		return false
	}
	return slices.ContainsFunc(f.structures, func(id fhir.Ident) bool {
		national, ok := auth.NationalStructure(id)
		return ok && !slices.Contains(k.structures, national)
	})
}

// owns tells whether a resource is about the patient of this dossier: by its
// reference, and by every INS that it gives.
func (v *View) owns(f Facts) bool {
	ref := v.rec.patientRef()
	ins := v.rec.patientFacts().ins
	literal := f.patient != ""
	if ref == "" || literal && f.patient != ref {
		return false
	}
	named := false
	for _, id := range f.about {
		switch {
		case slices.Contains(ins, id):
			named = true
		case isINS(id):
			return false
		}
	}
	return literal || named
}

// Replace decides on replacing a document by another: both must be the patient's,
// the new one such as might be added, the old one the caller's own, and each flag
// in force on the old one must be on the new one (E06): see TakeOver.
func (v *View) Replace(old, new Facts) Decision {
	if v.empty() || old.typ != typeDocument || new.typ != typeDocument {
		return Decision{}
	}
	seen := v.read(&old, -1)
	if !seen.Allowed() {
		return seen
	}
	c := v.document(ActReplace, &old, -1)
	c.Sees = true
	c.WillMask, c.WillHide, c.WillHideReps = new.flags.Masque, new.flags.InvisiblePatient, new.flags.InvisibleRepresentants
	return And(v.add(new, true), v.decide(c))
}

// TakeOver returns the flags that the replacement of a document must be given
// before it is stored: those in force on the old one that the new one lacks,
// whoever sends it. To send no label is no act of lifting one; that is a change of
// its own, afterwards.
func (v *View) TakeOver(old, new Facts) Flags {
	was := v.Flags(old)
	return Flags{
		Masque:                 was.Masque && !new.flags.Masque,
		InvisiblePatient:       was.InvisiblePatient && !new.flags.InvisiblePatient,
		InvisibleRepresentants: was.InvisibleRepresentants && !new.flags.InvisibleRepresentants,
	}
}

// lifted returns the acts that lift the flags in force that are no more.
func (v *View) lifted(f *Facts, will Flags) []Act {
	was := v.Flags(*f)
	var as []Act
	if was.Masque && !will.Masque {
		as = append(as, ActUnmask)
	}
	if was.InvisiblePatient && !will.InvisiblePatient {
		as = append(as, ActShow)
	}
	if was.InvisibleRepresentants && !will.InvisibleRepresentants {
		as = append(as, ActShowReps)
	}
	return as
}

// raised returns the acts that set the flags that were not.
func raised(was, will Flags) []Act {
	var as []Act
	if will.Masque && !was.Masque {
		as = append(as, ActMask)
	}
	if will.InvisiblePatient && !was.InvisiblePatient {
		as = append(as, ActHide)
	}
	if will.InvisibleRepresentants && !was.InvisibleRepresentants {
		as = append(as, ActHideReps)
	}
	return as
}

// label decides on one change of the labels of a document that the caller sees.
func (v *View) label(a Act, f *Facts, will Flags) Decision {
	c := v.document(a, f, -1)
	c.Sees = true
	c.Late = v.late(f.origin)
	c.WillMask, c.WillHideReps = will.Masque, will.InvisibleRepresentants
	c.WillHide = will.InvisiblePatient && !c.Late
	return v.decide(c)
}

// Change decides on changing a resource that is there: a document by its status,
// its flags and its archiving (E07 to E12, E15, E16), each difference for itself;
// a List by ChangeList; a RelatedPerson as if it were added. Nothing else of a
// document may change. A Consent goes through ChangeConsent, a Patient through
// ChangePatient.
//
// What the caller cannot see is Hidden.
func (v *View) Change(before, after Facts) Decision {
	switch {
	case v.empty() || before.typ != after.typ:
		return Decision{}
	case before.typ == typeList:
		return v.ChangeList(before, after)
	case before.typ == typeRelatedPerson:
		return v.changeRelated(before, after)
	case before.typ != typeDocument:
		return Decision{}
	}
	if seen := v.read(&before, -1); !seen.Allowed() {
		return seen
	}
	var parts []Decision
	if !same(before, after) {
		parts = append(parts, v.decide(Case{Act: ActPatch, Kind: v.base.Kind, Outside: true}))
	}
	if before.status != after.status {
		parts = append(parts, v.restate(statusAct(before.status, after.status), before))
	}
	for _, a := range slices.Concat(v.lifted(&before, after.flags), raised(before.flags, after.flags)) {
		parts = append(parts, v.label(a, &before, after.flags))
	}
	if before.archived != after.archived {
		parts = append(parts, v.restate(ActArchive, before))
	}
	if len(parts) == 0 {
		return v.restate(ActTouch, before)
	}
	return And(parts...)
}

// restate decides on an act on a resource that the caller sees.
func (v *View) restate(a Act, f Facts) Decision {
	c := v.document(a, &f, -1)
	c.Sees = true
	return v.decide(c)
}

// statusAct returns the act that a change of status is.
func statusAct(before, after Status) Act {
	switch {
	case after == Deleted:
		return ActDelete
	case before == Current && after == Superseded:
		return ActSupersede
	}
	return ActStatus
}

// ChangeList decides on archiving a List, the one thing of it that may change
// (E12).
func (v *View) ChangeList(before, after Facts) Decision {
	if v.empty() || before.typ != typeList || after.typ != typeList {
		return Decision{}
	}
	if seen := v.read(&before, -1); !seen.Allowed() {
		return seen
	}
	switch {
	case !same(before, after) || before.status != after.status:
		return v.decide(Case{Act: ActPatch, Kind: v.base.Kind, Outside: true})
	case before.archived == after.archived:
		return v.restate(ActTouch, before)
	}
	return v.restate(ActArchiveList, before)
}

func (v *View) changeRelated(before, after Facts) Decision {
	if seen := v.read(&before, -1); !seen.Allowed() {
		return seen
	}
	return v.Add(after)
}

// Delete decides on deleting a document or a List (logically), or on ending a
// representation. What the caller cannot see is Hidden.
func (v *View) Delete(f Facts) Decision {
	if v.empty() {
		return Decision{}
	}
	if seen := v.read(&f, -1); !seen.Allowed() {
		return seen
	}
	switch f.typ {
	case typeDocument, typeList:
		return v.restate(ActDelete, f)
	case typeRelatedPerson:
		return v.Add(f)
	}
	c := v.base
	c.Act = NoAct
	return v.decide(c)
}

// NextOrigin returns the origin of a document after a change by the caller, or
// when it is added (before is then the zero Facts): a mask remembers whether the
// patient set it. The patient who writes a document that is masked makes the mask
// theirs, whoever set it first (E08): nothing tells one who confirms it from one
// who changes something else.
func (v *View) NextOrigin(prev Origin, before, after Facts) Origin {
	switch {
	case !after.flags.Masque:
		prev.MaskedByPatient = false
	case !v.empty() && v.base.holder():
		prev.MaskedByPatient = true
	case !before.flags.Masque:
		prev.MaskedByPatient = false
	}
	return prev
}

// ReplacementOrigin returns the origin of a document that replaces another: the
// mask keeps who set it, and the time of hiding from the patient goes on.
func (v *View) ReplacementOrigin(fresh Origin, old, new Facts) Origin {
	o := v.NextOrigin(fresh, old, new)
	if old.flags.Masque && new.flags.Masque {
		o.MaskedByPatient = old.origin.MaskedByPatient
	}
	if new.flags.InvisiblePatient && v.Flags(old).InvisiblePatient {
		o.HiddenSince = old.origin.hidingCounts()
	}
	return o
}

// PatchElements decides whether a PATCH may touch these elements at all: names of
// top-level elements, or urls of extensions. Of a DocumentReference they are
// status, securityLabel and pdsm-ext-is-archived, of a List the last (E13), of a
// Patient those that G07, G10, G11 and G12 name. Who may then change what, Change
// and ChangePatient say; a Consent is judged by ChangeConsent alone. The refusal
// is NotMethod.
func PatchElements(typ string, elements []string) Decision {
	var allowed func(string) bool
	switch typ {
	case "DocumentReference":
		allowed = func(e string) bool { return e == "status" || e == "securityLabel" || e == extArchived }
	case "List":
		allowed = func(e string) bool { return e == extArchived }
	case "Patient":
		allowed = changeable
	case "Consent":
		allowed = func(string) bool { return true }
	default:
		return rulebook.decide(Case{Act: ActPatch, Kind: anyKind, Outside: true})
	}
	outside := slices.ContainsFunc(elements, func(e string) bool { return !allowed(e) })
	if outside && typ == "Patient" {
		return rulebook.decide(Case{Act: ActElement, Kind: anyKind})
	}
	return rulebook.decide(Case{Act: ActPatch, Kind: anyKind, Outside: outside})
}

// Describe returns the issue that a refused write answers, for the classes
// NotMethod and Unprocessable.
func (d Decision) Describe() fhir.Issue {
	code := "business-rule"
	switch d.refusal {
	case Hidden:
		code = "not-found"
	case Forbidden:
		code = "forbidden"
	case NotMethod:
		code = "not-supported"
	}
	return fhir.Issue{Severity: fhir.Error, Code: code, Text: d.Text()}
}
