// Package audit writes the history of accesses and makes the proof that an
// access was written: the Receipt without which no clinical answer leaves.
//
// It promises that
//   - a write and its events are one commit, and a commit without an event does
//     not exist: Log.Commit is the only way the rest of the program commits;
//   - a valid Receipt was made after the store said that its events are durable.
//     No other package can make one, and the zero Receipt is not valid;
//   - an event is kept sealed under the trace key of its dossier, bound to its
//     id and its dossier; nothing of it is in clear in the store but its id, its
//     instant, its class and a blind token of who acted;
//   - the history is read whole or not at all: an event that does not open, or
//     whose clear part was changed, is an error and not a gap.
//
// It refuses to decide who may read an event (package policy does), to hold the
// content of a document, to record how many resources a search found, and to
// store what the vault did not seal.
//
// Events without a dossier (a login, an unknown identity, a destroyed dossier)
// go to the system journal, a dossier of its own with its own trace key.
//
// An event is shown as a FHIR AuditEvent in the form of IHE BALP and IHE MHD
// (Event.Resource, resource.go).
package audit
