package policy

import (
	"slices"

	"opendmp/auth"
)

// Class is the class of an event of the history (POLICY G09).
type Class uint8

// Classes of events. An event is classed once, when it is written.
const (
	Open     Class = iota // for all who read the history
	Withheld              // from the patient and representatives, until the document is visible
	Secret                // from representatives
)

// History decides on reading the history of accesses, and returns the classes of
// events that the caller reads.
func (v *View) History() (Decision, []Class) {
	if v.empty() {
		return Decision{}, nil
	}
	c := v.base
	c.Act = ActHistory
	d := v.decide(c)
	if !d.Allowed() {
		return d, nil
	}
	switch c.Kind {
	case auth.Patient:
		return d, []Class{Open, Secret}
	case auth.Professional:
		return d, []Class{Open, Withheld, Secret}
	}
	return d, []Class{Open}
}

// ClassOf returns the class of an event of this caller: touched are the
// references of what it read or wrote, named those of what its query names,
// found or not, and written the facts of what it writes, which the record does
// not hold yet. An event of a secret session of a minor, or about a document hidden from
// representatives, is Secret; one about a document hidden from the patient at
// this instant is Withheld. Of both, Withheld: it is the narrower.
//
// The zero View classes as Withheld.
func (v *View) ClassOf(touched, named []string, written ...Facts) Class {
	if v.empty() {
		return Withheld
	}
	flags := Flags{InvisibleRepresentants: v.situation.Secret}
	for _, refs := range [...][]string{touched, named} {
		for _, ref := range refs {
			flags = flags.with(v.flagsOf(ref))
		}
	}
	for _, f := range written {
		flags = flags.with(v.Flags(f))
	}
	return flags.class()
}

// ClassNow returns the class in which an event appears at this instant that was
// classed when it was written: what was withheld because of documents that are
// visible now is so no more. secret tells whether the session was a secret one,
// refs are the references that the event holds.
func (v *View) ClassNow(class Class, secret bool, refs []string) Class {
	if class != Withheld || v.empty() {
		return class
	}
	flags := Flags{InvisibleRepresentants: secret}
	for _, ref := range refs {
		flags = flags.with(v.flagsOf(ref))
	}
	return flags.class()
}

// flagsOf returns what hides from the patient and from representatives that a
// reference exists: of a document its flags in force; of a content, a List or a
// Provenance, which are seen with any of the documents that they go with, those
// that all of these share.
func (v *View) flagsOf(ref string) Flags {
	ref = relative(ref)
	var documents []int
	if i, ok := v.rec.Index(ref); ok {
		f := &v.rec.subjects[i].Facts
		if f.typ == typeDocument {
			return v.Flags(*f)
		}
		for _, r := range f.refs {
			if r.role == refEntry || r.role == refTarget {
				documents = slices.AppendSeq(documents, v.resolve(r))
			}
		}
	}
	documents = slices.AppendSeq(documents, v.rec.content.of(ref))
	hidden := Flags{InvisiblePatient: len(documents) > 0, InvisibleRepresentants: len(documents) > 0}
	for _, i := range documents {
		flags := v.Flags(v.rec.subjects[i].Facts)
		hidden.InvisiblePatient = hidden.InvisiblePatient && flags.InvisiblePatient
		hidden.InvisibleRepresentants = hidden.InvisibleRepresentants && (flags.InvisiblePatient || flags.InvisibleRepresentants)
	}
	return hidden
}

func (f Flags) with(g Flags) Flags {
	return Flags{f.Masque || g.Masque, f.InvisiblePatient || g.InvisiblePatient, f.InvisibleRepresentants || g.InvisibleRepresentants}
}

func (f Flags) class() Class {
	switch {
	case f.InvisiblePatient:
		return Withheld
	case f.InvisibleRepresentants:
		return Secret
	}
	return Open
}

// ReleaseEvent releases an event of the history, if its class is one that the
// caller reads.
func ReleaseEvent[T any](v *View, class Class, content T) (Released[T], Decision) {
	d, classes := v.History()
	if !d.Allowed() || !slices.Contains(classes, class) {
		d.extent = None
		return Released[T]{}, d
	}
	return release(d, content), d
}
