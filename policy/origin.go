package policy

import (
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// Origin is what the server knows of a row beside the bytes of its resource. The
// zero Origin is of something that nobody deposited: hidden from the patient, it
// stays so.
type Origin struct {
	// Deposited is when the first version was written. The end of hiding from the
	// patient counts from it (E09).
	Deposited time.Time
	// HiddenSince is the deposit of the document that this one replaced, if that
	// was hidden from the patient then: replacing does not start the time anew.
	// It is zero otherwise.
	HiddenSince time.Time
	// By and ByKind are who deposited it, Structures the identifiers of the
	// structure in which they acted. The slice must not be changed.
	By         fhir.Ident
	ByKind     auth.Kind
	Structures []fhir.Ident
	// MaskedByPatient says that the mask on it was set by the patient (E08).
	MaskedByPatient bool
	// Deleted says that the server deleted it, whatever its status says (E07).
	Deleted bool
}

// hidingCounts returns the instant from which the time of hiding counts, zero if
// it is not known.
func (o Origin) hidingCounts() time.Time {
	if !o.HiddenSince.IsZero() {
		return o.HiddenSince
	}
	return o.Deposited
}

// Hiding returns when the patient gets the neutral notice about a document that
// is hidden from them, and when it is visible by itself (E09). ok is false if it
// is not hidden, or nobody knows since when.
func (e *Engine) Hiding(f Facts) (notice, end time.Time, ok bool) {
	since := f.origin.hidingCounts()
	if e == nil || !f.flags.InvisiblePatient || since.IsZero() {
		return time.Time{}, time.Time{}, false
	}
	return e.settings.NoticeAfter.After(since), e.settings.HiddenAtMost.After(since), true
}
