package mongo

import (
	"errors"
	"fmt"
	"math"
	"time"

	"opendmp/store"
)

// errTx is a transaction that store.Tx, or the size of a document, does not
// allow: a mistake of the program, none of the errors of package store.
var errTx = errors.New("mongo: invalid transaction")

// documentMax is what the sealed parts of one document may have together: the
// server's limit of 16 MB, less room for ids and names.
const documentMax = 16<<20 - 16<<10

// check refuses what no state of the store could make right.
func check(tx *store.Tx) error {
	for _, rule := range []func(*store.Tx) error{checkScope, checkKeys, checkContents, checkPuts, checkEvents, checkState} {
		if err := rule(tx); err != nil {
			return err
		}
	}
	return nil
}

func checkScope(tx *store.Tx) error {
	switch {
	case tx.Expect < store.Any:
		return fmt.Errorf("%w: expects version %d", errTx, tx.Expect)
	case tx.Expect == store.Any:
		if len(tx.Erase)+len(tx.Puts)+len(tx.Contents)+len(tx.Claims)+len(tx.Finds)+len(tx.Drops)+len(tx.Keys) > 0 {
			return fmt.Errorf("%w: without an expected version it may hold events and state only", errTx)
		}
	case tx.Header.State < store.Active || tx.Header.State > store.Destroyed:
		return fmt.Errorf("%w: state %d", errTx, tx.Header.State)
	case tx.Header.Key < 1:
		return fmt.Errorf("%w: key number %d", errTx, tx.Header.Key)
	}
	return nil
}

func checkKeys(tx *store.Tx) error {
	for i := range tx.Keys {
		if tx.Keys[i].Dossier != tx.Dossier {
			return fmt.Errorf("%w: key of another dossier", errTx)
		}
		if err := checkSize(len(tx.Keys[i].Wrapped)); err != nil {
			return err
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

func checkPuts(tx *store.Tx) error {
	for i := range tx.Puts {
		p := &tx.Puts[i]
		if err := errors.Join(checkTime(p.Updated), checkSize(len(p.Type)+len(p.Summary)+len(p.Body))); err != nil {
			return err
		}
	}
	return nil
}

func checkEvents(tx *store.Tx) error {
	for i := range tx.Events {
		e := &tx.Events[i]
		if e.Recorded.IsZero() {
			return fmt.Errorf("%w: event without a time", errTx)
		}
		if err := errors.Join(checkTime(e.Recorded), checkSize(len(e.Sealed))); err != nil {
			return err
		}
	}
	return nil
}

func checkState(tx *store.Tx) error {
	for i := range tx.State {
		e := &tx.State[i]
		// The id has the names in hex.
		if err := errors.Join(checkTime(e.Expires), checkSize(2*(len(e.Kind)+len(e.Key))+len(e.Value))); err != nil {
			return err
		}
	}
	return nil
}

func checkSize(n int) error {
	if n > documentMax {
		return fmt.Errorf("%w: document of %d bytes, at most %d", errTx, n, documentMax)
	}
	return nil
}

func checkTime(t time.Time) error {
	if !t.IsZero() && !time.Unix(0, t.UnixNano()).Equal(t) {
		return fmt.Errorf("%w: time outside the years 1678 to 2262", errTx)
	}
	return nil
}

// noTime stands for the zero time.Time, which has no nanoseconds since 1970.
const noTime = math.MinInt64

// nanos gives a time as it is stored. The caller has checked it with checkTime.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixNano()
}

// instant is the inverse of nanos.
func instant(n int64) time.Time {
	if n == noTime {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
