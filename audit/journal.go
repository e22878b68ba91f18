package audit

import (
	"context"
	"errors"
	"fmt"

	"opendmp/store"
	"opendmp/vault"
)

// journalDossier is the key of the system journal in every database.
const journalDossier = "opendmp-journal1"

// OpenJournal opens the system journal, which it makes at the first start. Several
// processes may try together. It must have succeeded before Journal is used.
func (l *Log) OpenJournal(ctx context.Context) error {
	if l == nil || l.store == nil {
		return ErrZero
	}
	d := store.Dossier([]byte(journalDossier))
	// A second round meets the journal that another process has just made.
	for range 2 {
		ring, err := l.openRing(ctx, d)
		if err == nil {
			l.journal.Store(&Target{Dossier: d, Ring: ring})
			return nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("audit: opening the journal: %w", err)
		}
		err = l.makeJournal(ctx, d)
		if err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrDuplicate) {
			return fmt.Errorf("audit: making the journal: %w", err)
		}
	}
	return fmt.Errorf("audit: the journal is there and its keys are not: restore them: %w", store.ErrNotFound)
}

// Journal returns the system journal; the zero Target, which takes no event,
// before OpenJournal.
func (l *Log) Journal() Target {
	if t := l.journal.Load(); t != nil {
		return *t
	}
	return Target{}
}

func (l *Log) openRing(ctx context.Context, d store.Dossier) (*vault.Ring, error) {
	kept, err := l.store.Keys(ctx, d)
	if err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		return nil, store.ErrNotFound
	}
	keys := make([]vault.Wrapped, len(kept))
	for i, k := range kept {
		keys[i] = vault.Wrapped{Kind: k.Kind, Number: k.Number, Epoch: k.Epoch, Bytes: k.Wrapped}
	}
	return l.vault.Ring(d, keys)
}

// makeJournal commits the journal's keys, header and first event.
func (l *Log) makeJournal(ctx context.Context, d store.Dossier) error {
	keys, ring, err := l.vault.NewDossier(d)
	if err != nil {
		return err
	}
	tx := store.Tx{Dossier: d, Header: store.Header{State: store.Active, Key: 1}}
	for _, k := range keys {
		tx.Keys = append(tx.Keys, store.KeyRecord{Dossier: d, Kind: k.Kind, Number: k.Number, Epoch: k.Epoch, Wrapped: k.Bytes})
	}
	_, err = l.Commit(ctx, tx, Target{d, ring}, Event{Interaction: JournalOpened, Action: Creates, Allowed: true})
	return err
}
