package sqlite

import (
	"context"
	"errors"
	"testing"
	"time"

	"opendmp/store"
)

// TestEventTwice: an event is refused the second time also when the sequencer
// has taken it from the queue.
func TestEventTwice(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer s.Close()
	ctx := context.Background()
	tx := store.Tx{Expect: store.Any, Events: []store.Event{{ID: store.EventID{1}, Recorded: time.Unix(0, 1)}}}
	if err := s.Commit(ctx, tx); err != nil {
		t.Fatal(err)
	}
	err := s.writer.do(ctx, 0, func(c *conn) error {
		_, err := c.exec("DELETE FROM pending")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, tx); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("got %v, want ErrDuplicate", err)
	}
}
