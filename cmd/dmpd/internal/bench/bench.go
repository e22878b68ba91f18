package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	"opendmp/cmd/dmpd/internal/bundles"
)

// Options of a run.
type Options struct {
	// Program is the dmpd to measure.
	Program string
	// Store and CeilingStore are the stores of the two servers, as the setting store
	// of dmpd: "" is the embedded one.
	Store, CeilingStore string
	// Patients and Documents are how many records are loaded, and how many
	// documents each has.
	Patients, Documents int
	// Time is how long each kind of question is asked.
	Time time.Duration
	// Conns is the larger number of connections; the smaller one is 1.
	Conns int
	// Sign returns a token of a persona for the server whose folder is data.
	Sign func(data, persona string) (string, error)
	// Out gets the figures, Progress the bars.
	Out, Progress io.Writer
}

// run is a run in progress.
type run struct {
	Options
	dir      string
	records  []record
	contents []bundles.Content
	feeder   string // token of the establishment that pushes
	reader   string // token of the physician who reads
	answers  sizes
	ours     []figures
	ceiling  []figures
}

// sizes are those of the bodies of the answers, in bytes.
type sizes struct{ push, search, read, raw atomic.Int64 }

// Run measures and prints. It leaves nothing behind.
func Run(ctx context.Context, o Options) error {
	dir, err := os.MkdirTemp("", "dmpd-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &run{Options: o, dir: dir, records: newRecords(o.Patients), contents: newContents(16)}
	memory, startup, err := r.measureOurs(ctx)
	if err != nil {
		return err
	}
	if err := r.measureCeiling(ctx); err != nil {
		return err
	}
	return r.print(memory, startup)
}

type memory struct{ now, peak int64 }

// measureOurs loads our server, asks it, and starts it again on what it holds.
func (r *run) measureOurs(ctx context.Context) (m memory, startup time.Duration, err error) {
	data := filepath.Join(r.dir, "data")
	c, err := r.serve(ctx, data)
	if err != nil {
		return m, 0, err
	}
	for _, step := range []func(context.Context, string) error{r.open, r.push, r.ask} {
		if err := step(ctx, c.addr); err != nil {
			_ = c.stop()
			return m, 0, err
		}
	}
	m.now, m.peak = c.memory()
	if err := c.stop(); err != nil {
		return m, 0, fmt.Errorf("stop: %w", err)
	}
	again, err := r.serve(ctx, data)
	if err != nil {
		return m, 0, err
	}
	return m, again.startup, again.stop()
}

// serve starts our server on a folder. The health insurance of the sandbox stays
// quiet: what it feeds of the records that are opened would be measured as well.
func (r *run) serve(ctx context.Context, data string) (*child, error) {
	c, err := start(ctx, filepath.Join(r.dir, "log"), r.Store, r.Program,
		"serve", "--sandbox", "--sandbox-feeder=false", "--addr", "127.0.0.1:0", "--data", data)
	if err != nil {
		return nil, err
	}
	if r.feeder, err = r.Sign(data, "hopital-nord"); err == nil {
		r.reader, err = r.Sign(data, "medecin-durand")
	}
	if err != nil {
		_ = c.stop()
		return nil, err
	}
	return c, nil
}

// open opens the records.
func (r *run) open(ctx context.Context, addr string) error {
	bar := r.bar(len(r.records), "records")
	_, err := measure(ctx, addr, work{
		name: "open",
		next: func(n int) []byte {
			return request("POST", "/fhir", r.feeder, bundles.Opening(r.records[n].patient, time.Now()))
		},
		check: func(n, status int, body []byte) (err error) {
			if err := want(200, status, body); err != nil {
				return err
			}
			r.records[n].patient.ID, err = bundles.Created(body, "Patient")
			r.records[n].documents = make([]pushed, r.Documents)
			return err
		},
	}, r.Conns, limit{calls: len(r.records)}, bar)
	return err
}

// push loads the documents: some of them from one connection, the others from
// many.
func (r *run) push(ctx context.Context, addr string) error {
	total := r.Patients * r.Documents
	bar := r.bar(total, "documents")
	alone := min(total/4, 500)
	for _, part := range []struct{ first, calls, conns int }{{0, alone, 1}, {alone, total - alone, r.Conns}} {
		f, err := measure(ctx, addr, r.pushes(part.first), part.conns, limit{calls: part.calls}, bar)
		if err != nil {
			return err
		}
		r.ours = append(r.ours, f)
	}
	return nil
}

// pushes are the documents from the first one on, each record's turn after the
// other's.
func (r *run) pushes(first int) work {
	place := func(n int) (rec *record, document int) {
		n += first
		return &r.records[n%r.Patients], n / r.Patients
	}
	return work{
		name: "push",
		next: func(n int) []byte {
			rec, document := place(n)
			return request("POST", "/fhir", r.feeder, rec.push(document, time.Now(), r.contents[n%len(r.contents)]))
		},
		check: func(n, status int, body []byte) (err error) {
			if err := want(200, status, body); err != nil {
				return err
			}
			r.answers.push.Store(int64(len(body)))
			rec, document := place(n)
			p := &rec.documents[document]
			if p.document, err = bundles.Created(body, "DocumentReference"); err != nil {
				return err
			}
			p.binary, err = bundles.Created(body, "Binary")
			return err
		},
	}
}

// ask asks each kind of question, from one connection and from many.
func (r *run) ask(ctx context.Context, addr string) error {
	for _, w := range []work{r.searches(), r.reads(), r.raws()} {
		for _, conns := range []int{1, r.Conns} {
			f, err := measure(ctx, addr, w, conns, limit{time: r.Time}, nil)
			if err != nil {
				return err
			}
			r.ours = append(r.ours, f)
		}
	}
	return nil
}

func (r *run) anyRecord() *record { return &r.records[rand.IntN(len(r.records))] }

func (r *run) anyDocument() pushed { return r.anyRecord().documents[rand.IntN(r.Documents)] }

func (r *run) searches() work {
	page := min(r.Documents, 10)
	return work{
		name: "search",
		next: func(int) []byte {
			return request("GET", "/fhir/DocumentReference?patient=Patient/"+r.anyRecord().patient.ID+
				"&status=current&date=ge2020-01-01&_sort=-date&_count=10", r.reader, nil)
		},
		check: func(_, status int, body []byte) error {
			if found := bytes.Count(body, []byte(`"masterIdentifier"`)); status == 200 && found != page {
				return fmt.Errorf("%d documents, want %d: %.300s", found, page, body)
			}
			return r.note(&r.answers.search, status, body)
		},
	}
}

func (r *run) reads() work {
	return work{
		name: "read metadata",
		next: func(int) []byte {
			return request("GET", "/fhir/DocumentReference/"+r.anyDocument().document, r.reader, nil)
		},
		check: func(_, status int, body []byte) error { return r.note(&r.answers.read, status, body) },
	}
}

func (r *run) raws() work {
	return work{
		name: "read 50 KB",
		next: func(int) []byte {
			return request("GET", "/fhir/Binary/"+r.anyDocument().binary, r.reader, nil)
		},
		check: func(_, status int, body []byte) error {
			if status == 200 && len(body) != contentSize {
				return fmt.Errorf("%d bytes, want %d", len(body), contentSize)
			}
			return r.note(&r.answers.raw, status, body)
		},
	}
}

// note checks the status and keeps the size for the ceiling.
func (r *run) note(size *atomic.Int64, status int, body []byte) error {
	size.Store(int64(len(body)))
	return want(200, status, body)
}

func want(status, got int, body []byte) error {
	if got != status {
		return fmt.Errorf("status %d, want %d: %.600s", got, status, body)
	}
	return nil
}

// measureCeiling does the same to the bare handler.
func (r *run) measureCeiling(ctx context.Context) error {
	c, err := start(ctx, filepath.Join(r.dir, "ceiling-log"), r.CeilingStore, r.Program, "bench", "ceiling",
		"--data", filepath.Join(r.dir, "ceiling"), "--records", strconv.Itoa(r.Patients),
		"--push", strconv.FormatInt(r.answers.push.Load(), 10), "--search", strconv.FormatInt(r.answers.search.Load(), 10),
		"--read", strconv.FormatInt(r.answers.read.Load(), 10), "--raw", strconv.FormatInt(r.answers.raw.Load(), 10))
	if err != nil {
		return err
	}
	for _, own := range r.ours {
		f, err := measure(ctx, c.addr, r.bare(own.name), own.conns, limit{time: min(r.Time, own.took)}, nil)
		if err != nil {
			_ = c.stop()
			return fmt.Errorf("ceiling: %w", err)
		}
		r.ceiling = append(r.ceiling, f)
	}
	return c.stop()
}

// bare is the work of the same name for the bare handler.
func (r *run) bare(name string) work {
	w := work{name: name, check: func(_, status int, body []byte) error { return want(200, status, body) }}
	var path string
	switch name {
	case "push":
		bundle := r.records[0].push(0, time.Now(), r.contents[0])
		w.next = func(int) []byte { return request("POST", "/push", r.feeder, bundle) }
		return w
	case "search":
		path = "/search"
	case "read metadata":
		path = "/read"
	default:
		path = "/raw"
	}
	ask := request("GET", path, r.reader, nil)
	w.next = func(int) []byte { return ask }
	return w
}

func (r *run) bar(n int, what string) func() {
	bar := progressbar.NewOptions(n, progressbar.OptionSetWriter(r.Progress), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return func() { _ = bar.Add(1) }
}
