package dossier

import (
	"context"
	"errors"
	"time"

	"opendmp/store"
)

// claimed is the kind of the state entries that say who delivers a notice: they
// have its key, and end by themselves.
const claimed = "outbox-claim"

// Notice is a message that waits to be told to the patient, and by its occasion to
// the médecins traitants. It holds nothing clinical: the text goes with the
// occasion, and where to send it stands in the dossier.
type Notice struct {
	Key      string // of this notice, stable
	Dossier  store.Dossier
	Occasion string    // "dossier-mis-a-jour", "autorisation"…
	Expires  time.Time // it is not delivered after that
}

// Notices returns at most limit notices that wait, with a key after the one given,
// in order of key; those that somebody claimed are among them. One that does not
// open is left out: its fault is the error, beside the others.
func (s *Service) Notices(ctx context.Context, after string, limit int) ([]Notice, error) {
	entries, err := s.store.StateList(ctx, outbox, after, limit)
	if err != nil {
		return nil, err
	}
	var waiting []Notice
	for _, e := range entries {
		if !e.Expires.After(s.now()) {
			continue // Collect removes it
		}
		n, fault := s.openNotice(e)
		if fault != nil {
			err = errors.Join(err, fault)
			continue
		}
		waiting = append(waiting, n)
	}
	return waiting, err
}

func (s *Service) openNotice(e store.StateEntry) (Notice, error) {
	plain, err := s.openState(e)
	if err != nil {
		return Notice{}, err
	}
	if len(plain) <= len(store.Dossier{}) {
		return Notice{}, internal(errFormat, "notice")
	}
	return Notice{
		Key: e.Key, Dossier: store.Dossier(plain), Occasion: string(plain[len(store.Dossier{}):]), Expires: e.Expires,
	}, nil
}

// ClaimNotice takes a notice for delivery, for a term: ok is false while another
// one has it, and when it was delivered already. A notice whose deliverer dies can
// be claimed again after the term: it is delivered at least once.
func (s *Service) ClaimNotice(ctx context.Context, n Notice, term time.Duration) (ok bool, err error) {
	now := s.now()
	claim, err := s.store.State(ctx, claimed, n.Key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		claim = store.StateEntry{Kind: claimed, Key: n.Key}
	case err != nil:
		return false, err
	case claim.Expires.After(now):
		return false, nil
	}
	e, err := s.store.State(ctx, outbox, n.Key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case !e.Expires.After(now):
		return false, nil
	}
	claim.Expires = now.Add(term)
	// The notice is written as it stands: it must still be there.
	err = s.store.Commit(ctx, store.Tx{Expect: store.Any, State: []store.StateEntry{e, claim}})
	if errors.Is(err, store.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// NoticeDone takes a delivered notice out of the outbox. It may be repeated.
func (s *Service) NoticeDone(ctx context.Context, n Notice) error {
	return s.store.Commit(ctx, store.Tx{Expect: store.Any, Unset: []store.StateEntry{
		{Kind: outbox, Key: n.Key}, {Kind: claimed, Key: n.Key},
	}})
}
