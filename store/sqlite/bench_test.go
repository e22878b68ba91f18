package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/store"
)

// number makes distinct keys that are spread like random ones.
func number(kind byte, n int64) [16]byte {
	var k [16]byte
	x := uint64(n)*0x9E3779B97F4A7C15 + uint64(kind)
	x ^= x >> 29
	x *= 0xBF58476D1CE4E5B9
	x ^= x >> 32
	binary.BigEndian.PutUint64(k[:], x)
	binary.BigEndian.PutUint64(k[8:], uint64(n))
	return k
}

func widen(k [16]byte) store.Token { return store.Token(append(k[:], k[:]...)) }

// clients runs f until b.N calls are made, by as many goroutines.
func clients(b *testing.B, count int, f func(n int64) error) {
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	failed := make(chan error, count)
	for range count {
		go func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					failed <- nil
					return
				}
				if err := f(n); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for range count {
		if err := <-failed; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "per_s")
}

// BenchmarkCommit50KB is one push: a new dossier with three rows, a content of
// 50 KB, tokens and an event.
func BenchmarkCommit50KB(b *testing.B) {
	for _, count := range []int{1, 16} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			s := open(b, b.TempDir(), Options{})
			defer s.Close()
			sealed := make([]byte, 50<<10)
			clients(b, count, func(n int64) error { return s.Commit(context.Background(), push(n, sealed)) })
		})
	}
}

func push(n int64, sealed []byte) store.Tx {
	d := store.Dossier(number('d', n))
	at := time.Unix(0, n)
	tx := store.Tx{
		Dossier:  d,
		Header:   store.Header{State: store.Active, Key: 1},
		Contents: []store.Content{{ID: store.ContentID(number('c', n)), Sealed: sealed}},
		Events:   []store.Event{trace(n)},
	}
	for i := range int64(3) {
		row := store.RowKey(number('r', 3*n+i))
		tx.Puts = append(tx.Puts, store.Put{Row: row, Type: "DocumentReference", Version: 1, Updated: at, Summary: sealed[:400], Body: sealed[:1200]})
		tx.Claims = append(tx.Claims, store.TokenPut{Token: widen(number('t', 3*n+i)), Row: row})
		tx.Finds = append(tx.Finds, store.TokenPut{Token: widen(number('f', 3*n+i)), Row: row})
	}
	return tx
}

func trace(n int64) store.Event {
	return store.Event{
		ID:       store.EventID(number('e', n)),
		Dossier:  store.Dossier(number('d', n%1000)),
		Recorded: time.Unix(0, n),
		Actor:    widen(number('a', n%100)),
		Sealed:   make([]byte, 500),
	}
}

// BenchmarkEvent is what each read request costs: one event, durable.
func BenchmarkEvent(b *testing.B) {
	for _, count := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			s := open(b, b.TempDir(), Options{})
			defer s.Close()
			clients(b, count, func(n int64) error {
				return s.Commit(context.Background(), store.Tx{Expect: store.Any, Events: []store.Event{trace(n)}})
			})
		})
	}
}

// BenchmarkEventBatch is events of one transaction: what an insert costs without
// its share of the fsync.
func BenchmarkEventBatch(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	defer s.Close()
	const size = 500
	tx := store.Tx{Expect: store.Any, Events: make([]store.Event, 0, size)}
	b.ReportAllocs()
	b.ResetTimer()
	for n := range int64(b.N) {
		tx.Events = append(tx.Events, trace(n))
		if len(tx.Events) == size || n == int64(b.N)-1 {
			if err := s.Commit(context.Background(), tx); err != nil {
				b.Fatal(err)
			}
			tx.Events = tx.Events[:0]
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "per_s")
}

// BenchmarkRows reads the rows of one dossier of a hundred among a thousand.
func BenchmarkRows(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	defer s.Close()
	fill(b, s)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range int64(b.N) {
		rows := 0
		for _, err := range s.Rows(context.Background(), store.Dossier(number('d', n%50))) {
			if err != nil {
				b.Fatal(err)
			}
			rows++
		}
		if rows != 100 {
			b.Fatal(rows)
		}
	}
}

// BenchmarkHeader is the linearizable read of every request.
func BenchmarkHeader(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	defer s.Close()
	fill(b, s)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range int64(b.N) {
		if _, err := s.Header(context.Background(), store.Dossier(number('d', n%50))); err != nil {
			b.Fatal(err)
		}
	}
}

// fill writes 50 dossiers of 100 rows.
func fill(b *testing.B, s *Store) {
	b.Helper()
	for n := range int64(50) {
		tx := store.Tx{Dossier: store.Dossier(number('d', n)), Header: store.Header{State: store.Active, Key: 1}}
		for i := range int64(100) {
			tx.Puts = append(tx.Puts, store.Put{Row: store.RowKey(number('r', 100*n+i)), Type: "DocumentReference", Version: 1, Summary: make([]byte, 400), Body: make([]byte, 1200)})
		}
		if err := s.Commit(context.Background(), tx); err != nil {
			b.Fatal(err)
		}
	}
}
