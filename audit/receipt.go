package audit

import (
	"time"

	"opendmp/store"
)

// Receipt is the proof that events are durable. Only Log makes a valid one; the
// zero Receipt is not valid.
type Receipt struct {
	ok       bool
	dossier  store.Dossier
	recorded []time.Time
	events   []store.EventID
}

// Valid tells whether events were written.
func (r Receipt) Valid() bool { return r.ok }

// Dossier returns the dossier in whose history the events are.
func (r Receipt) Dossier() store.Dossier { return r.dossier }

// Events returns the ids of the events, in the order in which they were given.
// The slice must not be changed.
func (r Receipt) Events() []store.EventID { return r.events }

// Recorded returns the instants of the events, in the same order. The slice must
// not be changed.
func (r Receipt) Recorded() []time.Time { return r.recorded }
