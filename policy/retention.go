package policy

import (
	"time"

	"opendmp/fhir"
)

// RuleRetention is the rule by which a closed dossier is destroyed when its time is
// over.
const RuleRetention = "G03"

// RetentionOver tells whether the time in which a dossier closed on that day
// (YYYY-MM-DD, in French time) is kept is over at an instant. Where the day cannot
// be read it is not: nothing is destroyed for want of a date.
func (e *Engine) RetentionOver(day string, at time.Time) bool {
	closed, ok := fhir.ParseInterval(day)
	if e == nil || e.book == nil || !ok {
		return false
	}
	return !at.Before(e.settings.Retention.After(closed.StartTime()))
}

// ClosedOn returns the day of dmp-fermeture of a Patient as it is written, "" if
// there is none.
func (f Facts) ClosedOn() string { return f.person.closedOn }
