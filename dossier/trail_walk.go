package dossier

import (
	"context"
	"math"
	"slices"
	"time"

	"opendmp/audit"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// eventBatch is how many events one read of the history takes at most. The first read
// takes what a page lacks, eventBatchMin at least, and each after it the double, so
// that where the search soon ends little is read past its end.
const (
	eventBatch    = 256
	eventBatchMin = 32
)

// maxEvents bounds the events that one search looks at. A search that would
// need more is refused and told to narrow its dates.
const maxEvents = 100_000

// eventDates are the parameters that compare the instant of an event, by which the
// history is ordered.
var eventDates = []string{"date", "_lastUpdated"}

// instantLength is the most that the instant of an event stands for in a search: one
// that falls on a second is written without a fraction.
const instantLength = time.Second

// shown is one event of the history, released.
type shown struct {
	event    audit.Event
	released policy.Released[*fhir.Resource]
}

// walk is the reading of the history that one search makes, newest first. It reads
// where the dates of the query reach, and nothing beyond; an event becomes a resource
// when it is shown, or when the query asks for more of it than its date.
type walk struct {
	*call
	d       *loaded
	v       *policy.View
	classes []policy.Class
	q       *fhir.Query
	// dates and others are the conditions of q.
	dates, others *fhir.Query
	before        store.Cursor
	since         time.Time
	nowhere       bool // no event can be what the query asks for

	found []shown // one more than a page holds, if there is one
	total int     // of all, where it is asked for
}

// newWalk is a walk from the end of what the query asks for, or from its cursor.
func (c *call) newWalk(d *loaded, v *policy.View, classes []policy.Class, q *fhir.Query) (*walk, error) {
	w := &walk{call: c, d: d, v: v, classes: classes, q: q}
	w.dates, w.others = q.Split(eventDates...)
	span := q.Span(instantLength, eventDates...)
	if len(q.IDs) > 0 {
		// What is named is looked at even outside of the dates: it says how narrowly
		// this search is told.
		span = placesOf(q.IDs, d.id)
	}
	w.nowhere, w.since, w.before = span.Empty(), span.StartTime(), beforeTime(span.To)
	if q.Page == "" {
		return w, nil
	}
	at, err := c.eventCursor(q)
	if err == nil && (w.before.Recorded.IsZero() || at.Recorded.Before(w.before.Recorded)) {
		w.before = at
	}
	return w, err
}

// placesOf is the time in which the events of these ids are, if they are in the
// history of d.
func placesOf(ids []string, d store.Dossier) fhir.Interval {
	span := fhir.Interval{From: math.MaxInt64, To: math.MinInt64}
	for _, id := range ids {
		if in, at, ok := audit.ParseFHIRID(id); ok && in == d {
			from := at.Recorded.UnixMicro()
			span.From, span.To = min(span.From, from), max(span.To, from+1)
		}
	}
	return span
}

// beforeTime is the place in a history that is before all that was recorded at a time,
// in microseconds since 1970, or later. No event is older than 1970, nor of a time that
// nanoseconds do not hold.
func beforeTime(micros int64) store.Cursor {
	if micros > math.MaxInt64/1000 {
		return store.Cursor{}
	}
	return store.Cursor{Recorded: time.UnixMicro(max(micros, 0)).UTC()}
}

// counting tells whether the walk goes on to its end to count.
func (w *walk) counting() bool { return w.q.SummaryCount || w.q.Total == "accurate" }

// lacks is how many events the page lacks, with the one that tells that there is a
// next page.
func (w *walk) lacks() int {
	if w.q.SummaryCount {
		return 0
	}
	return w.q.Count + 1 - len(w.found)
}

// over tells whether nothing more is to be found. What the query names by id is looked
// for to the end.
func (w *walk) over() bool {
	return w.nowhere || w.lacks() == 0 && !w.counting() && len(w.q.IDs) == 0
}

// walk reads until the page is full; to the end when the total is asked for.
func (w *walk) walk(ctx context.Context) error {
	limit := min(max(w.lacks(), eventBatchMin), eventBatch)
	for looked := 0; !w.over(); limit = min(2*limit, eventBatch) {
		events, err := w.audit.Read(ctx, audit.Target{Dossier: w.d.id, Ring: w.d.ring}, w.before, limit)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Recorded.Before(w.since) || w.over() {
				return nil
			}
			if err := w.consider(e); err != nil {
				return err
			}
			w.before = e.Cursor()
		}
		if looked += len(events); looked > maxEvents {
			return ErrTooMany
		}
		if len(events) < limit {
			return nil
		}
	}
	return nil
}

// consider counts one event if its class is readable and the query wants it, and releases
// it if the page has place for it.
func (w *walk) consider(e audit.Event) error {
	class := w.v.ClassNow(e.Class, e.Secret, e.Objects)
	if !slices.Contains(w.classes, class) {
		return nil
	}
	if slices.Contains(w.q.IDs, e.FHIRID(w.d.id)) {
		w.floor = stricter(w.floor, class)
	}
	if ok, err := w.inTime(e); err != nil || !ok {
		return err
	}
	if w.lacks() == 0 && w.others.Unconditional() {
		w.total++
		return nil
	}
	r, err := w.auditEvent(w.d, e)
	if err != nil {
		return err
	}
	if !w.others.Unconditional() && !w.others.Match(fhir.ValuesOf(r)) {
		return nil
	}
	w.total++
	if w.lacks() == 0 {
		return nil
	}
	released, dec := policy.ReleaseEvent(w.v, class, r)
	if dec.Allowed() {
		w.found = append(w.found, shown{e, released})
	}
	return nil
}

// inTime tells whether an event is of the dates that the query asks for.
func (w *walk) inTime(e audit.Event) (bool, error) {
	if w.dates.Unconditional() {
		return true, nil
	}
	r, err := fhir.Scan(e.Dates())
	if err != nil {
		return false, internal(err, "event")
	}
	return w.dates.Match(fhir.ValuesOf(r)), nil
}
