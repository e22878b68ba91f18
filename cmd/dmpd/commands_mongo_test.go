package main

import (
	"crypto/rand"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"opendmp/store/mongo"
	"opendmp/vault"
)

// sentCommands writes down the commands that the driver sends, with their collection.
type sentCommands struct {
	mu   sync.Mutex
	list []string
}

func (c *sentCommands) observe(command, collection string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, strings.TrimSpace(command+" "+collection))
}

// take gives what was sent since it was called before, in order of name: some are
// sent at the same time.
func (c *sentCommands) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.list
	c.list = nil
	slices.Sort(sent)
	return sent
}

// countedServer serves a filled sandbox, as one of several on its database, and
// counts the commands that it sends.
func countedServer(t *testing.T, data string) (*world, *sentCommands) {
	t.Helper()
	p, _, err := sandboxPlan(settings{Data: data, Store: testStore(data)}, "http://127.0.0.1:1/fhir", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.OpenDir(vaultDir(data), false, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sent := &sentCommands{}
	st, err := mongo.Open(t.Context(), p.engine.uri, mongo.Options{Database: databaseOf(p.engine.uri), Observe: sent.observe})
	if err != nil {
		t.Fatal(err)
	}
	door, err := newDoor(t.Context(), p, keys, st)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(p, door, st)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		front.Close()
		st.Close()
	})
	w := &world{t: t, base: front.URL + "/fhir"}
	if err := w.meet(data); err != nil {
		t.Fatal(err)
	}
	return w, sent
}

// What a search of one patient costs on MongoDB, through the whole server: one point
// read, of the header, and one insert of the audit event, when the dossier is in
// memory; two range reads more, of its rows and of the bodies that are shown, when
// it is not, or no longer what the header says.
//
// Before that, once: the tokens that lead from the patient to the dossier, for each
// caller who is let in, and the wrapped keys. Who is not let in, and who asks for a
// patient who is not there, pays for all of it each time, alike.
func TestCommandsOfASearch(t *testing.T) {
	data := t.TempDir()
	if testStore(data) == "" {
		t.Skip("no commands to count: the server under test is on SQLite (OPENDMP_TEST_STORE)")
	}
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	if out, err := command(t, "sandbox", "load", "--data", data, "--store", testStore(data)); err != nil {
		t.Fatal(out, err)
	}
	one, sent := countedServer(t, data)
	other, _ := countedServer(t, data)
	var (
		// The two kinds of tokens, asked for at the same time.
		tokens = []string{"find claim", "find find"}
		header = []string{"find header"}
		keys   = []string{"find wrapped"}
		// The rows are one snapshot. It ends with a commit, which reads nothing: it
		// makes sure that a majority has what was read.
		rows   = []string{"find row", "commitTransaction"}
		bodies = []string{"find version"}
		event  = []string{"insert event"}
		// Events of several classes, of documents that the patient may see the traces of
		// and of others, are there together or not at all.
		events = []string{"insert event", "commitTransaction"}
	)
	const biology = "&type=http://loinc.org|11502-2"
	byID := "DocumentReference?patient=" + one.patient("patient-alix")
	byINS := "DocumentReference?patient.identifier=" + one.people["patient-alix"].INS
	absent := "DocumentReference?patient=absent"
	closed := "DocumentReference?patient=" + one.patient("patient-claire")
	change := func() {
		other.as("hopital-nord").post("", []byte(hospitalPush(one.people["patient-alix"].INS, "another"))).is(200)
	}
	for _, test := range []struct {
		name   string
		before func()
		who    string
		path   string
		status int
		want   [][]string
	}{
		{"never seen", nil, "medecin-martin", byID + biology, 200, [][]string{tokens, header, keys, rows, bodies, event}},
		{"cached", nil, "medecin-martin", byID + biology, 200, [][]string{header, event}},
		{"cached, only counted", nil, "medecin-martin", byID + biology + "&_summary=count", 200, [][]string{header, event}},
		{"cached, nothing found", nil, "medecin-martin", byID + "&type=http://loinc.org|absent", 200, [][]string{header, event}},
		{"cached, other documents", nil, "medecin-martin", byID, 200, [][]string{header, bodies, events}},
		{"cached, two kinds of events", nil, "medecin-martin", byID, 200, [][]string{header, events}},
		{"cached, by INS", nil, "medecin-martin", byINS, 200, [][]string{tokens, header, events}},
		{"cached, by INS again", nil, "medecin-martin", byINS, 200, [][]string{header, events}},
		{"cached, somebody else", nil, "patient-alix", byID, 200, [][]string{tokens, header, event}},
		{"changed by another server", change, "medecin-martin", byID, 200, [][]string{header, rows, bodies, events}},
		{"and cached again", nil, "medecin-martin", byID, 200, [][]string{header, events}},
		{"no such patient", nil, "medecin-martin", absent, 200, [][]string{tokens, header, keys, rows, event}},
		{"no such patient, again", nil, "medecin-martin", absent, 200, [][]string{tokens, header, keys, rows, event}},
		{"refused", nil, "medecin-martin", closed, 403, [][]string{tokens, header, keys, rows, event}},
		{"refused again", nil, "medecin-martin", closed, 403, [][]string{tokens, header, keys, rows, event}},
	} {
		if test.before != nil {
			test.before()
		}
		sent.take()
		found := one.as(test.who).get(test.path).is(test.status)
		if got, want := sent.take(), slices.Sorted(slices.Values(slices.Concat(test.want...))); !slices.Equal(got, want) {
			t.Errorf("%s: %s documents by %s, want %s", test.name, found.at("total"), got, want)
		}
	}
}
