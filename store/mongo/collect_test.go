package mongo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"opendmp/store"
)

// collected collects everything there is to collect and looks that each chunk then
// belongs to a content, and each chunk of a content is there.
func collected(t testing.TB, s *Store) {
	t.Helper()
	ctx := context.Background()
	if _, err := s.Collect(ctx, noon(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.loose.CountDocuments(ctx, bson.D{}); err != nil || n != 0 {
		t.Errorf("%d prefixes are left, %v", n, err)
	}
	contents, err := all[contentDoc](s.contents.Find(ctx, bson.D{}))(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, c := range contents {
		for n := range c.Chunks {
			wanted[string(chunkID(c.Loose, n))] = true
		}
	}
	chunks, err := all[chunkDoc](s.chunks.Find(ctx, bson.D{}))(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks {
		if !wanted[string(c.ID)] {
			t.Errorf("chunk %x belongs to nothing", c.ID)
		}
		delete(wanted, string(c.ID))
	}
	for id := range wanted {
		t.Errorf("chunk %x is missing", id)
	}
}

// pausing gives a chunk, then waits until it may go on.
type pausing struct {
	io.Reader
	here, on chan struct{}
	once     bool
}

func (p *pausing) Read(b []byte) (int, error) {
	if !p.once {
		p.once = true
		return copy(b, strings.Repeat("x", len(b))), nil
	}
	if p.here != nil {
		close(p.here)
		<-p.on
		p.here = nil
	}
	return p.Reader.Read(b)
}

// TestCollectBeforeKeep: an Upload that was taken for one given up fails, and
// leaves nothing, also of what it wrote afterwards.
func TestCollectBeforeKeep(t *testing.T) {
	t.Parallel()
	s := fresh(t).open(t, Options{})
	defer s.Close()
	ctx := context.Background()
	tx := everything("x")
	p := &pausing{Reader: strings.NewReader(strings.Repeat("y", 2*chunkSize)), here: make(chan struct{}), on: make(chan struct{})}
	done := make(chan error)
	go func() { done <- s.Upload(ctx, tx.Dossier, tx.Contents[1].ID, p) }()
	<-p.here
	collected(t, s)
	close(p.on)
	if err := <-done; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if err := s.Commit(ctx, tx); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("adopted: %v", err)
	}
	collected(t, s)
	if err := push(ctx, s, "x"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestDeadPrefix: a prefix that Collect has begun to remove cannot be kept, also
// while it is still there.
func TestDeadPrefix(t *testing.T) {
	t.Parallel()
	s := fresh(t).open(t, Options{})
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	u := &uploadDoc{ID: contentID(dossierOf("x"), store.ContentID{1})}
	if err := s.loosen(ctx, u); err != nil {
		t.Fatal(err)
	}
	if _, err := s.loose.ReplaceOne(ctx, byID(u.Loose), looseDoc{ID: u.Loose, Dead: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.keep(ctx, u); !errors.Is(err, errCollected) {
		t.Errorf("got %v", err)
	}
	collected(t, s)
}

// TestCollectSameID: an upload that was collected and done again, while a second
// Collect still had the first in its hands, stays.
func TestCollectSameID(t *testing.T) {
	t.Parallel()
	s := fresh(t).open(t, Options{})
	defer s.Close()
	ctx := context.Background()
	tx := everything("x")
	up := func() {
		t.Helper()
		if err := s.Upload(ctx, tx.Dossier, tx.Contents[1].ID, strings.NewReader("uploaded")); err != nil {
			t.Fatal(err)
		}
	}
	up()
	var first uploadDoc
	if err := s.uploads.FindOne(ctx, bson.D{}).Decode(&first); err != nil {
		t.Fatal(err)
	}
	collected(t, s)
	up()
	if gone, err := s.collectUpload(ctx, &first); err != nil || gone {
		t.Errorf("%v, %v", gone, err)
	}
	if err := s.Commit(ctx, tx); err != nil {
		t.Errorf("got %v", err)
	}
	collected(t, s)
	allOrNothing(t, s, "x", nil)
}

// TestCollectOrAdopt: of a Commit that adopts an upload and a Collect that removes
// it, at the same moment, one wins whole.
func TestCollectOrAdopt(t *testing.T) {
	t.Parallel()
	s := fresh(t).open(t, Options{})
	defer s.Close()
	ctx := context.Background()
	for round := range 30 {
		label := fmt.Sprint(round)
		tx := everything(label)
		if err := s.Upload(ctx, tx.Dossier, tx.Contents[1].ID, strings.NewReader("uploaded")); err != nil {
			t.Fatal(err)
		}
		var committed, swept error
		n := 0
		atOnce(2, func(i int) {
			if i == 0 {
				committed = s.Commit(ctx, tx)
				return
			}
			n, swept = s.Collect(ctx, noon(), time.Now().Add(time.Hour))
		})
		if swept != nil {
			t.Fatal(swept)
		}
		switch {
		case committed == nil && n == 0:
			allOrNothing(t, s, label, nil)
		case errors.Is(committed, store.ErrNotFound) && n == 1:
		default:
			t.Errorf("Commit: %v; collected %d", committed, n)
		}
	}
	collected(t, s)
}
