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

// What a search of one patient's documents costs on MongoDB, through the whole
// server. The dossier itself: one point read of its header when it is in memory, two
// range reads more when it is not, or no longer what the header says; and one insert
// of the audit event. Beside it: the tokens that lead from the patient to the
// dossier, asked for at the same time, and the bodies of the page, by id.
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
		tokens = []string{"find claim", "find find"}
		header = []string{"find header"}
		// A snapshot ends with a commit, which reads nothing.
		ranges = []string{"find wrapped", "find row", "commitTransaction"}
		bodies = []string{"find version"}
		event  = []string{"insert event"}
		// Several events, of documents that the patient may see the traces of and of
		// others, are there together or not at all.
		events = []string{"insert event", "insert mark", "commitTransaction"}
	)
	const biology = "&type=http://loinc.org|11502-2"
	byID := "DocumentReference?patient=" + one.patient("patient-alix")
	byINS := "DocumentReference?patient.identifier=" + one.people["patient-alix"].INS
	absent := "DocumentReference?patient=absent"
	change := func() {
		other.as("hopital-nord").post("", []byte(hospitalPush(one.people["patient-alix"].INS, "another"))).is(200)
	}
	for _, test := range []struct {
		name   string
		before func()
		path   string
		want   [][]string
	}{
		{"never seen", nil, byID + biology, [][]string{tokens, header, ranges, bodies, event}},
		{"cached", nil, byID + biology, [][]string{tokens, header, bodies, event}},
		{"cached, by INS", nil, byINS + biology, [][]string{tokens, header, bodies, event}},
		{"cached, only counted", nil, byID + biology + "&_summary=count", [][]string{tokens, header, event}},
		{"cached, nothing found", nil, byID + "&type=http://loinc.org|absent", [][]string{tokens, header, event}},
		{"cached, two kinds of events", nil, byID, [][]string{tokens, header, bodies, events}},
		{"changed by another server", change, byID + biology, [][]string{tokens, header, ranges, bodies, event}},
		{"and cached again", nil, byID + biology, [][]string{tokens, header, bodies, event}},
		{"no such patient", nil, absent, [][]string{tokens, header, ranges, event}},
		{"no such patient, again", nil, absent, [][]string{tokens, header, event}},
	} {
		if test.before != nil {
			test.before()
		}
		sent.take()
		found := one.as("medecin-martin").get(test.path).is(200)
		if got, want := sent.take(), slices.Sorted(slices.Values(slices.Concat(test.want...))); !slices.Equal(got, want) {
			t.Errorf("%s: %s documents by %s, want %s", test.name, found.at("total"), got, want)
		}
	}
}
