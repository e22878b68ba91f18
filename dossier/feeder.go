package dossier

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/store"
)

// feederOutbox is the kind of state entries that wait to be told to the health
// insurance: one for each dossier that was opened, which it then feeds with the
// reimbursements of the last 24 months. They name the dossier and nothing else.
const feederOutbox = "outbox-assurance-maladie"

// feederLife is how long an opening waits to be told.
const feederLife = 90 * 24 * time.Hour

// feederPage bounds how many waiting openings are looked at together.
const feederPage = 100

// eventOpeningTold names, in the history, that the health insurance was told.
const eventOpeningTold = "ouverture-annoncee"

// Opened is a dossier that was opened, as the health insurance is told of it.
type Opened struct {
	INS fhir.Ident // the active one
	At  time.Time
}

// tellFeeder makes an opening known to the health insurance, in its own commit.
func (ch *change) tellFeeder() {
	id := ch.c.random16()
	ch.tx.State = append(ch.tx.State, store.StateEntry{
		Kind: feederOutbox, Key: hex.EncodeToString(id[:]), Value: ch.d.id[:], Expires: ch.c.at.Add(feederLife),
	})
}

// TellOpenings hands each opening that the health insurance was not told of to
// tell, and writes into the history of the dossier that it was told. An opening for
// which tell fails is handed over again the next time: tell must bear that. It
// returns how many were told; the error is the first, and what came after it in
// the page was not tried. A dossier that is not open any more is left alone.
func (s *Service) TellOpenings(ctx context.Context, tell func(context.Context, Opened) error) (int, error) {
	told, after := 0, ""
	for {
		waiting, err := s.store.StateList(ctx, feederOutbox, after, feederPage)
		if err != nil {
			return told, err
		}
		for _, e := range waiting {
			after = e.Key
			ok, err := s.tellOpening(ctx, e, tell)
			if err != nil {
				return told, err
			}
			if ok {
				told++
			}
		}
		if len(waiting) < feederPage {
			return told, nil
		}
	}
}

func (s *Service) tellOpening(ctx context.Context, e store.StateEntry, tell func(context.Context, Opened) error) (bool, error) {
	if len(e.Value) != len(store.Dossier{}) || !e.Expires.After(s.now()) {
		return false, nil // Collect removes it
	}
	d, err := s.load(ctx, store.Dossier(e.Value))
	if err != nil {
		return false, err
	}
	patient := d.patient()
	if patient == nil || d.header.State != store.Active {
		return false, nil
	}
	ins := patient.facts.INS()
	if len(ins) == 0 {
		return false, nil
	}
	if err := tell(ctx, Opened{INS: ins[0], At: patient.origin.Deposited}); err != nil {
		return false, err
	}
	_, err = s.audit.Commit(ctx, store.Tx{Dossier: d.id, Expect: store.Any, Unset: []store.StateEntry{e}},
		audit.Target{Dossier: d.id, Ring: d.ring}, s.systemEvent(patient.id, eventOpeningTold, audit.Executes))
	if errors.Is(err, store.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// systemEvent is an act of the server itself, whoever runs it.
func (s *Service) systemEvent(patient, what string, action audit.Action) audit.Event {
	return audit.Event{
		Kind: auth.Operator, Interaction: what, Action: action, Patient: patient, Objects: []string{"Patient/" + patient}, Allowed: true,
	}
}
