package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"opendmp/store"
)

// noise gives n bytes that do not repeat, without holding them.
type noise struct {
	left int
	x    uint64
	each func() // called about every megabyte
	done int
}

func (r *noise) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), r.left)]
	for i := range p {
		r.x = r.x*6364136223846793005 + 1442695040888963407
		p[i] = byte(r.x >> 56)
	}
	r.left -= len(p)
	if r.done += len(p); r.each != nil && r.done >= 1<<20 {
		r.done = 0
		r.each()
	}
	return len(p), nil
}

func testContentSizes(t *testing.T, e Engine) {
	s := open(t, e)
	d := dossier("a")
	for i, size := range []int{0, 1, 4096, store.InlineMax} {
		data, err := io.ReadAll(&noise{left: size, x: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		data = append([]byte{}, data...) // never nil
		id := content("%d", size)
		commit(t, s, store.Tx{Dossier: d, Expect: int64(i), Header: active(), Contents: []store.Content{{ID: id, Owner: rowKey("r"), Sealed: data}}})
		if got, ok := read(t, s, d, id); !ok || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %v, %d bytes", size, ok, len(got))
		}
		if _, ok := read(t, s, dossier("b"), id); ok {
			t.Errorf("%d bytes: another dossier has it", size)
		}
	}
}

// testContentStreamed: 40 MB go in and out while the heap grows by less than a
// quarter of that.
func testContentStreamed(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	const size = 40 << 20
	d, id := dossier("a"), content("large")
	base := heap()
	var peak uint64
	sample := func() { peak = max(peak, heap()) }

	sent := sha256.New()
	if err := s.Upload(ctx, d, id, io.TeeReader(&noise{left: size, each: sample}, sent)); err != nil {
		t.Fatal(err)
	}
	commit(t, s, store.Tx{Dossier: d, Header: active(), Contents: []store.Content{{ID: id, Owner: rowKey("r")}}})

	r := one[io.ReadCloser](t)(s.Content(ctx, d, id))
	defer r.Close()
	received := sha256.New()
	n, err := io.Copy(io.MultiWriter(received, &sampler{each: sample}), r)
	if err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if !bytes.Equal(sent.Sum(nil), received.Sum(nil)) {
		t.Error("other bytes came back")
	}
	if grown := int64(peak) - int64(base); grown > size/4 {
		t.Errorf("the heap grew by %d bytes for %d", grown, size)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// sampler is a writer that calls each about every megabyte.
type sampler struct {
	each func()
	done int
}

func (w *sampler) Write(p []byte) (int, error) {
	if w.done += len(p); w.done >= 1<<20 {
		w.done = 0
		w.each()
	}
	return len(p), nil
}

func testAdopt(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d, id := dossier("a"), content("c")
	adopt := func(d store.Dossier, expect int64) store.Tx {
		return store.Tx{Dossier: d, Expect: expect, Header: active(), Contents: []store.Content{{ID: id, Owner: rowKey("r")}}}
	}
	refused(t, s, adopt(d, 0), store.ErrNotFound)
	if err := s.Upload(ctx, d, id, strings.NewReader("sealed")); err != nil {
		t.Fatal(err)
	}
	if _, ok := read(t, s, d, id); ok {
		t.Error("readable before a commit adopted it")
	}
	if err := s.Upload(ctx, d, id, strings.NewReader("other")); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("a second upload: %v", err)
	}
	refused(t, s, adopt(dossier("b"), 0), store.ErrNotFound)
	commit(t, s, adopt(d, 0))
	refused(t, s, adopt(d, 1), store.ErrDuplicate)
	if err := s.Upload(ctx, d, id, strings.NewReader("other")); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("an upload over an adopted content: %v", err)
	}
	if data, ok := read(t, s, d, id); !ok || string(data) != "sealed" {
		t.Errorf("content %v %q", ok, data)
	}
	// The same id under another dossier is another content.
	if err := s.Upload(ctx, dossier("b"), id, strings.NewReader("of b")); err != nil {
		t.Fatal(err)
	}
	commit(t, s, adopt(dossier("b"), 0))
	if data, _ := read(t, s, dossier("b"), id); string(data) != "of b" {
		t.Errorf("content of b %q", data)
	}
	if data, _ := read(t, s, d, id); string(data) != "sealed" {
		t.Errorf("content of a %q", data)
	}
}

// testUploadFails: a reader that breaks off, and a context that ends, leave
// nothing to adopt, and the id free.
func testUploadFails(t *testing.T, e Engine) {
	s := open(t, e)
	d, id := dossier("a"), content("c")
	adopt := store.Tx{Dossier: d, Header: active(), Contents: []store.Content{{ID: id}}}

	broken := errors.New("client went away")
	err := s.Upload(context.Background(), d, id, io.MultiReader(&noise{left: 1 << 20}, failing{broken}))
	if !errors.Is(err, broken) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v, want the reader's own error", err)
	}
	refused(t, s, adopt, store.ErrNotFound)

	ctx, cancel := context.WithCancel(context.Background())
	endless := &noise{left: 8 << 20, each: cancel}
	err = s.Upload(ctx, d, id, endless)
	if endless.left == 0 {
		t.Error("read to the end for a caller who is gone")
	}
	if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrUnavailable and the context's error", err)
	}
	refused(t, s, adopt, store.ErrNotFound)

	if err := s.Upload(context.Background(), d, id, strings.NewReader("good")); err != nil {
		t.Fatal(err)
	}
	commit(t, s, adopt)
	if data, _ := read(t, s, d, id); string(data) != "good" {
		t.Errorf("content %q", data)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func testCollectUploads(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d := dossier("a")
	for i := range 3 {
		if err := s.Upload(ctx, d, content("%d", i), strings.NewReader(fmt.Sprint("content ", i))); err != nil {
			t.Fatal(err)
		}
	}
	adopt := func(i int, expect int64) store.Tx {
		return store.Tx{Dossier: d, Expect: expect, Header: active(), Contents: []store.Content{{ID: content("%d", i)}}}
	}
	commit(t, s, adopt(0, 0))

	if n := one[int](t)(s.Collect(ctx, noon(), time.Now().Add(-time.Hour))); n != 0 {
		t.Fatalf("collected %d young uploads", n)
	}
	commit(t, s, adopt(1, 1))
	if n := one[int](t)(s.Collect(ctx, noon(), time.Now().Add(time.Hour))); n != 1 {
		t.Fatalf("collected %d, want the one that nobody adopted", n)
	}
	refused(t, s, adopt(2, 2), store.ErrNotFound)
	for i := range 2 {
		if data, _ := read(t, s, d, content("%d", i)); string(data) != fmt.Sprint("content ", i) {
			t.Errorf("content %d is %q", i, data)
		}
	}
	// What was collected can be uploaded again.
	if err := s.Upload(ctx, d, content("2"), strings.NewReader("second")); err != nil {
		t.Fatal(err)
	}
	commit(t, s, adopt(2, 2))
	if data, _ := read(t, s, d, content("2")); string(data) != "second" {
		t.Errorf("content %q", data)
	}
	if n := one[int](t)(s.Collect(ctx, noon(), time.Now().Add(time.Hour))); n != 0 {
		t.Fatalf("collected %d at the end", n)
	}
}
