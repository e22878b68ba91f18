package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/sandbox"
)

// load fills the folder of a sandbox, once. A load that was cut short is begun
// anew; a folder, or a database, that holds something else is left alone.
func load(ctx context.Context, p plan, signer *auth.Signer, progress io.Writer) error {
	if exists(idsFile(p.data)) {
		return nil
	}
	if err := refuseTaken(ctx, p.data, p.engine); err != nil {
		return err
	}
	mark := loadingFile(p.data)
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return err
	}
	for _, dir := range []string{vaultDir(p.data), storeDir(p.data)} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := prepare(ctx, p.data, p.engine); err != nil {
		return err
	}
	ids, err := play(ctx, p, signer, progress)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := writeIDs(p.data, ids); err != nil {
		return err
	}
	return os.Remove(mark)
}

// loadingFile marks a folder whose load has begun and not ended.
func loadingFile(data string) string { return filepath.Join(data, "sandbox-loading") }

// refuseTaken refuses to make a sandbox of a folder, or of a database, that holds
// something else. It writes nothing, and comes before whatever does: a mistaken command
// leaves the folder of a real service as it was.
func refuseTaken(ctx context.Context, data string, e engine) error {
	cut := exists(loadingFile(data))
	switch {
	case exists(idsFile(data)):
		return nil
	case (exists(vaultDir(data)) || exists(storeDir(data))) && !cut:
		return fmt.Errorf("%s holds the keys and the store of a server that is no sandbox, and is left as it is: give the sandbox another folder (--data)", data)
	}
	return e.refuseRemains(ctx, cut)
}

// refuseTaken is that of the folder and the store of the settings.
func (s settings) refuseTaken(ctx context.Context) error {
	e, err := engineOf(s.Store, s.Data, &clock{})
	if err != nil {
		return err
	}
	return refuseTaken(ctx, s.Data, e)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// play serves the folder to this process alone and plays the script, each step
// at its instant.
func play(ctx context.Context, p plan, signer *auth.Signer, progress io.Writer) (map[string]string, error) {
	steps, err := sandbox.Script(sandbox.Config{Now: time.Now(), AuthorisedDays: 365})
	if err != nil {
		return nil, err
	}
	names := &wishes{}
	p.newID, p.log = names.next, slog.New(slog.DiscardHandler)
	// The published examples are among the documents: one is an empty CDA, and their codes
	// are not all of the DMP. What the settings refuse, they refuse to who comes afterwards.
	p.cda, p.profiles, p.codes = dossier.Warns, dossier.Warns, dossier.Warns
	i, err := assemble(ctx, p)
	if err != nil {
		return nil, err
	}
	i.more = nil // the clock goes from step to step: nothing falls due meanwhile
	l := newInproc()
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- i.serve(serving, l) }()
	t := &teller{plan: p, signer: signer, client: l.client(), names: names, ids: map[string]string{}}
	err = t.tell(ctx, steps, progress)
	p.clock.release()
	t.client.CloseIdleConnections()
	stop()
	return t.ids, errors.Join(err, <-ended)
}

// teller plays steps.
type teller struct {
	plan   plan
	signer *auth.Signer
	client *http.Client
	names  *wishes
	ids    map[string]string // by the key of a persona or a document
}

// tell plays the steps, with a progress bar if that takes more than two seconds.
func (t *teller) tell(ctx context.Context, steps []sandbox.Step, progress io.Writer) error {
	bar := progressbar.NewOptions(len(steps),
		progressbar.OptionSetWriter(progress), progressbar.OptionSetDescription("bac à sable"),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetVisibility(false))
	began := time.Now()
	for n, step := range steps {
		if time.Since(began) > 2*time.Second {
			progressbar.OptionSetVisibility(true)(bar)
		}
		if err := t.step(ctx, step); err != nil {
			return fmt.Errorf("step %d, %s %s: %w", n+1, step.As, step.Note, err)
		}
		if err := bar.Add(1); err != nil {
			return err
		}
	}
	return bar.Finish()
}

// step plays one step.
func (t *teller) step(ctx context.Context, s sandbox.Step) error {
	path, body, err := s.Fill(func(key string) (string, bool) {
		id, ok := t.ids[key]
		return id, ok
	})
	if err != nil {
		return err
	}
	if s.ID != "" {
		if err := t.names.wish(body, s.ID); err != nil {
			return err
		}
	}
	t.plan.clock.set(s.At)
	token, err := personaToken(t.signer, s.As, "", "")
	if err != nil {
		return err
	}
	answer, location, err := t.send(ctx, s, path, body, token)
	if err != nil {
		return err
	}
	saved, err := s.Capture(location, answer)
	for key, id := range saved {
		t.ids[key] = id
	}
	return err
}

// send sends a step and returns the body and the Location of its answer.
func (t *teller) send(ctx context.Context, s sandbox.Step, path string, body []byte, token string) ([]byte, string, error) {
	url := t.plan.base + strings.TrimSuffix(path, "/")
	r, err := http.NewRequestWithContext(ctx, s.Method, url, bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", s.ContentType)
	res, err := t.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, "", err
	}
	if res.StatusCode != s.Expect {
		return nil, "", fmt.Errorf("status %d, not %d: %.600s", res.StatusCode, s.Expect, answer)
	}
	return answer, res.Header.Get("Location"), nil
}

// wishes makes the ids of the resources: random ones, but for one document that
// has the id of the published examples.
type wishes struct {
	mu   sync.Mutex
	id   string
	skip int // ids to make before it
}

// next returns the next id.
func (w *wishes) next() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.id != "" {
		if w.skip == 0 {
			id := w.id
			w.id = ""
			return id
		}
		w.skip--
	}
	return strings.ToLower(rand.Text())
}

// wish asks for an id for the DocumentReference of a bundle. The door makes ids
// in the order of the entries.
func (w *wishes) wish(bundle []byte, id string) error {
	r, err := fhir.Scan(bundle)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.id, w.skip = id, 0
	for n := range r.Root().All("entry", "resource", "resourceType") {
		if n.Text() == "DocumentReference" {
			return nil
		}
		w.skip++
	}
	return errors.New("no DocumentReference to name")
}

// who is one line of the ids file. Identifiers and codings are system|value.
type who struct {
	Persona    string            `json:"persona"`
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Identifier string            `json:"identifier"`
	INS        string            `json:"ins,omitempty"` // that of a patient, again
	Patient    string            `json:"patient,omitempty"`
	Documents  map[string]string `json:"documents,omitempty"`
	Profession string            `json:"profession,omitempty"`
	Skill      string            `json:"skill,omitempty"`
	Structure  *workplace        `json:"structure,omitempty"`
	Note       string            `json:"note"` // in French
}

// workplace is the structure in which a persona acts.
type workplace struct {
	Name       string   `json:"name"`
	Identifier []string `json:"identifier"` // system|value; each names it
}

// describe says who a persona is, without the ids that a load made.
func describe(p sandbox.Persona) who {
	w := who{Persona: p.Key, Name: p.Name(), Kind: p.Kind.String(), Identifier: auth.FormatIdent(p.ID), Note: p.Note()}
	w.Profession, w.Skill = coding(p.Profession), coding(p.Skill)
	if ids, name := p.Workplace(); len(ids) > 0 {
		w.Structure = &workplace{Name: name}
		for _, id := range ids {
			w.Structure.Identifier = append(w.Structure.Identifier, auth.FormatIdent(id))
		}
	}
	return w
}

func coding(c auth.Coding) string {
	if c.IsZero() {
		return ""
	}
	return c.System + "|" + c.Code
}

// writeIDs writes who is who; the file is there whole or not at all.
func writeIDs(data string, ids map[string]string) error {
	var all []who
	for _, p := range sandbox.Personas() {
		w := describe(p)
		if p.Kind == auth.Patient {
			w.INS, w.Patient = w.Identifier, ids[p.Key]
		}
		for _, d := range sandbox.Documents() {
			if d.Patient == p.Key {
				if w.Documents == nil {
					w.Documents = map[string]string{}
				}
				w.Documents[d.Key] = ids[d.Key]
			}
		}
		all = append(all, w)
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	partial := idsFile(data) + ".partial"
	if err := os.WriteFile(partial, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(partial, idsFile(data))
}
