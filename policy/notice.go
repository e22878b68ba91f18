package policy

import "time"

// RuleNotice is the rule by which the patient is told that something is hidden from
// them, and sees it in the end.
const RuleNotice = "E09"

// HiddenAt tells whether a document is hidden from the patient at an instant: by
// itself it is no more once annonce-fin is over (E09).
func (e *Engine) HiddenAt(f Facts, at time.Time) bool {
	_, end, known := e.Hiding(f)
	return f.flags.InvisiblePatient && (!known || at.Before(end))
}

// NoticeAt returns when the patient is to be told about a document that is hidden
// from them since an instant, or was before: at the end of the French day in which
// annonce-rappel is over (E09), or of that of the instant if it is later. All that
// falls due on a day is told at one instant, which says nothing of the hour of a
// deposit. ok is false if nothing will be owed: it is not hidden, it is deleted, it
// is visible by itself before, or nobody knows since when.
func (e *Engine) NoticeAt(f Facts, since time.Time) (at time.Time, ok bool) {
	notice, end, known := e.Hiding(f)
	if !known || f.status == Deleted || f.origin.Deleted {
		return time.Time{}, false
	}
	at = EndOfDay(notice)
	if !since.Before(at) {
		at = EndOfDay(since)
	}
	return at, at.Before(end)
}

// NoticeDue tells whether the patient is owed the neutral notice about a document
// at an instant: it is hidden from them still, and the day in which annonce-rappel
// was over has ended (E09).
func (e *Engine) NoticeDue(f Facts, at time.Time) bool {
	notice, _, known := e.Hiding(f)
	return known && e.HiddenAt(f, at) && f.status != Deleted && !f.origin.Deleted && !at.Before(EndOfDay(notice))
}

// EndOfDay returns the first instant after the French day in which an instant lies.
func EndOfDay(t time.Time) time.Time { return time.UnixMicro(frenchDay(t.UnixMicro()).to).UTC() }
