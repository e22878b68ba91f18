package sqlite

import (
	"errors"
	"fmt"

	"opendmp/store"
)

// errTx is a transaction that store.Tx does not allow: a mistake of the program,
// none of the errors of package store.
var errTx = errors.New("sqlite: invalid transaction")

// check refuses what no state of the store could make right.
func check(tx *store.Tx) error {
	if err := checkScope(tx); err != nil {
		return err
	}
	if err := checkContents(tx); err != nil {
		return err
	}
	return checkTimes(tx)
}

func checkScope(tx *store.Tx) error {
	switch {
	case tx.Expect < store.Any:
		return fmt.Errorf("%w: expects version %d", errTx, tx.Expect)
	case tx.Expect == store.Any:
		if len(tx.Erase)+len(tx.Puts)+len(tx.Contents)+len(tx.Claims)+len(tx.Finds)+len(tx.Drops)+len(tx.Keys) > 0 {
			return fmt.Errorf("%w: without an expected version it may hold events and state only", errTx)
		}
		return nil
	case tx.Header.State < store.Active || tx.Header.State > store.Destroyed:
		return fmt.Errorf("%w: state %d", errTx, tx.Header.State)
	case tx.Header.Key < 1:
		return fmt.Errorf("%w: key number %d", errTx, tx.Header.Key)
	}
	for i := range tx.Keys {
		if tx.Keys[i].Dossier != tx.Dossier {
			return fmt.Errorf("%w: key of another dossier", errTx)
		}
	}
	return nil
}

func checkContents(tx *store.Tx) error {
	for i := range tx.Contents {
		if n := len(tx.Contents[i].Sealed); n > store.InlineMax {
			return fmt.Errorf("%w: content of %d bytes inline, at most %d", errTx, n, store.InlineMax)
		}
	}
	return nil
}

func checkTimes(tx *store.Tx) error {
	for i := range tx.Puts {
		if err := checkTime(tx.Puts[i].Updated); err != nil {
			return err
		}
	}
	for i := range tx.Events {
		if tx.Events[i].Recorded.IsZero() {
			return fmt.Errorf("%w: event without a time", errTx)
		}
		if err := checkTime(tx.Events[i].Recorded); err != nil {
			return err
		}
	}
	for i := range tx.State {
		if err := checkTime(tx.State[i].Expires); err != nil {
			return err
		}
	}
	return nil
}

// weight is about how many bytes the transaction writes.
func weight(tx *store.Tx) int {
	n := 0
	for i := range tx.Puts {
		n += 2*len(tx.Puts[i].Summary) + len(tx.Puts[i].Body)
	}
	for i := range tx.Contents {
		n += len(tx.Contents[i].Sealed)
	}
	for i := range tx.Events {
		n += len(tx.Events[i].Sealed)
	}
	for i := range tx.State {
		n += len(tx.State[i].Value)
	}
	return n
}
