package dossier_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"opendmp/store"
)

// reading counts what a search of the history takes from the store.
type reading struct {
	store.Store
	reads, events int
}

func (r *reading) Events(ctx context.Context, d store.Dossier, before store.Cursor, limit int) ([]store.Event, error) {
	events, err := r.Store.Events(ctx, d, before, limit)
	r.reads++
	r.events += len(events)
	return events, err
}

// newTrail is a scene whose history has 600 events, a minute apart from ten on the
// day after the opening, and what was read of it.
func newTrail(t testing.TB, n int) (*scene, *reading) {
	r := &reading{}
	s := newSceneIn(t, newHouseOver(t, func(s store.Store) store.Store { r.Store = s; return r }))
	s.now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	reader := s.reader()
	for range n {
		reader.get("DocumentReference/" + s.doc).is(200)
		s.now = s.now.Add(time.Minute)
	}
	s.now = s.now.AddDate(0, 0, 1)
	return s, r
}

// A search of the history reads the time that it asks for, from its end to its
// beginning, and nothing of it where nothing is.
func TestHistoryReadsWhatItAsksFor(t *testing.T) {
	s, r := newTrail(t, 600)
	const (
		first = "2026-11-23T10:00:00Z"
		tenth = "2026-11-23T10:10:00Z"
	)
	for _, c := range []struct {
		query         string
		total         string // "" for any, or none
		reads, events int    // at most
	}{
		{"date=lt2020", "", 1, 0},
		{"_lastUpdated=lt2020", "", 1, 0},
		{"date=lt0001", "", 1, 0},
		{"date=lt2020&date=ge2026", "", 0, 0},
		{"date:missing=true", "", 0, 0},
		{"date=lt2020&_summary=count", "0", 1, 0},
		{"date=lt2020&_total=accurate", "0", 1, 0},
		{"date=lt2020&entity=DocumentReference/x", "", 1, 0},
		{"date=lt2020&agent.identifier=x", "", 1, 0},
		{"date=ge2030", "", 1, 51},
		{"date=ge" + first + "&date=lt" + tenth, "", 1, 51},
		{"date=ge" + first + "&date=lt" + tenth + "&_summary=count", "10", 1, 32},
		{"date=eq" + first + "&_summary=count", "1", 1, 32},
		{"date=sa2026-11-23T19:49Z&date=lt2026-11-24&_summary=count", "10", 1, 32},
		{"", "", 1, 51},
		{"_count=3", "", 1, 32},
		{"_id=nothing", "", 0, 0},
	} {
		r.reads, r.events = 0, 0
		a := s.me().get("AuditEvent?patient=" + s.patient + "&" + c.query).is(200)
		if r.reads > c.reads || r.events > c.events {
			t.Errorf("%s: %d reads, %d events, want at most %d and %d", c.query, r.reads, r.events, c.reads, c.events)
		}
		if c.total != "" {
			a.has("total", c.total)
		}
	}
}

// The pages of a time are those of the whole history that are in it.
func TestHistoryPagesOfATime(t *testing.T) {
	s, r := newTrail(t, 70)
	in := "&date=ge2026-11-23T10:10:00Z&date=lt2026-11-23T10:50:00Z"
	var got []string
	r.events = 0
	for path := "AuditEvent?patient=" + s.patient + in + "&_count=7"; path != ""; {
		a := s.me().get(path).is(200)
		for i := 0; a.at(fmt.Sprintf("entry.%d.resource.id", i)) != ""; i++ {
			got = append(got, a.at(fmt.Sprintf("entry.%d.resource.recorded", i)))
		}
		path = ""
		if a.at("link.1.relation") == "next" {
			path = strings.TrimPrefix(a.at("link.1.url"), base+"/")
		}
	}
	if len(got) != 40 || got[0] != "2026-11-23T10:49:00Z" || got[39] != "2026-11-23T10:10:00Z" {
		t.Errorf("%d events: %v", len(got), got)
	}
	if r.events > 6*32 {
		t.Errorf("%d events read for 40 in six pages", r.events)
	}
	event := s.me().get("AuditEvent?patient=" + s.patient + in + "&_count=1").at("entry.0.resource.id")
	r.events = 0
	s.me().get("AuditEvent?patient="+s.patient+"&_id="+event).is(200).has("entry.0.resource.id", event)
	if r.events > 51 {
		t.Errorf("%d events read for one id", r.events)
	}
}

// BenchmarkHistory counts a history of a thousand events: its dates decide without
// their resources.
func BenchmarkHistory(b *testing.B) {
	s, _ := newTrail(b, 1000)
	for name, query := range map[string]string{"none": "date=lt2020", "count": "_summary=count", "dates": "date=ge2020&_summary=count", "entity": "entity=DocumentReference/x"} {
		b.Run(name, func(b *testing.B) {
			s.me().repeat(b, s.me().ask(b, "GET", "AuditEvent?patient="+s.patient+"&"+query, ""), 200)
		})
	}
}
