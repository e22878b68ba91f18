package dossier

import (
	"encoding/hex"

	"opendmp/fhir"
	"opendmp/store"
)

// retained is the kind of the state entries that find closed dossiers when their
// time is over (G03): one for each, by the day of its closing, put with the closing
// and taken away with reactivation and destruction. How long they are kept is a
// setting, and no part of the entry.
const retained = "retention"

// retainedKey orders the entries by the day of closing, YYYY-MM-DD.
func retainedKey(day string, d store.Dossier) string { return day + "/" + hex.EncodeToString(d[:]) }

// retain enters a dossier among the closed ones, or takes it away.
func (ch *change) retain(before, after *fhir.Resource) {
	ch.unretain(before)
	if after.Get("active").True() {
		return
	}
	entry := store.StateEntry{Kind: retained, Key: retainedKey(ch.c.today(), ch.d.id)}
	ch.tx.Unset, ch.tx.State = append(ch.tx.Unset, entry), append(ch.tx.State, entry)
}

// unretain takes away the entry of a dossier that was closed on the days that its
// Patient says.
func (ch *change) unretain(patient *fhir.Resource) {
	for x := range patient.Get("extension").Items() {
		if day := closingDay(x); x.Get("url").Is(extClosing) && day.Exists() {
			ch.tx.Unset = append(ch.tx.Unset, store.StateEntry{Kind: retained, Key: retainedKey(day.Text(), ch.d.id)})
		}
	}
}
