package policy

import (
	"errors"
	"testing"
	"time"
)

// hiddenSince is a document deposited at an instant and hidden from the patient.
func hiddenSince(t *testing.T, deposited time.Time) Facts {
	t.Helper()
	f := alixDocuments[6].subject(t, "alix").Facts
	if !f.flags.InvisiblePatient {
		t.Fatal("it is not hidden")
	}
	f.origin = Origin{Deposited: deposited}
	return f
}

// The notice is owed from the midnight in Paris that ends the day in which fourteen
// days are over, on days of 23 and 25 hours too, and never before the fourteen days.
func TestNoticeDue(t *testing.T) {
	e := sandboxEngine(t, nil)
	for _, c := range []struct{ name, deposited, due string }{
		{"winter", "2026-11-22T09:00:00+01:00", "2026-12-07T00:00:00+01:00"},
		{"just before midnight", "2026-11-22T23:59:59.999999+01:00", "2026-12-07T00:00:00+01:00"},
		{"midnight", "2026-11-23T00:00:00+01:00", "2026-12-08T00:00:00+01:00"},
		{"midnight in UTC", "2026-11-23T00:00:00Z", "2026-12-08T00:00:00+01:00"},
		{"over on the day of 25 hours", "2026-10-11T12:00:00+02:00", "2026-10-26T00:00:00+01:00"},
		{"over on the day of 23 hours", "2027-03-14T12:00:00+01:00", "2027-03-29T00:00:00+02:00"},
		{"an hour of the clock gained", "2027-03-14T23:30:00+01:00", "2027-03-30T00:00:00+02:00"},
		{"an hour of the clock lost", "2026-10-12T00:30:00+02:00", "2026-10-26T00:00:00+01:00"},
		{"over the new year", "2026-12-20T10:00:00+01:00", "2027-01-04T00:00:00+01:00"},
	} {
		f := hiddenSince(t, instant(t, c.deposited))
		due := instant(t, c.due)
		if e.NoticeDue(f, due.Add(-time.Microsecond)) {
			t.Errorf("%s: owed before %v", c.name, due)
		}
		if !e.NoticeDue(f, due) {
			t.Errorf("%s: not owed at %v", c.name, due)
		}
		if at, ok := e.NoticeAt(f, f.origin.Deposited); !ok || !at.Equal(due) {
			t.Errorf("%s: at %v, %v", c.name, at, ok)
		}
		if waited := due.Sub(f.origin.Deposited); waited < 14*24*time.Hour {
			t.Errorf("%s: after %v only", c.name, waited)
		}
	}
}

// What is visible by itself is owed no notice, nor what is not hidden, deleted, or
// hidden since nobody knows when.
func TestNoticeNotOwed(t *testing.T) {
	e := sandboxEngine(t, nil)
	deposited := instant(t, "2026-11-22T09:00:00Z")
	end := instant(t, "2026-12-22T09:00:00Z")
	hidden := hiddenSince(t, deposited)
	if !e.NoticeDue(hidden, end.Add(-time.Nanosecond)) || !e.HiddenAt(hidden, end.Add(-time.Nanosecond)) {
		t.Error("not owed at the last instant")
	}
	if e.NoticeDue(hidden, end) || e.HiddenAt(hidden, end) {
		t.Error("owed when it is visible by itself")
	}
	visible, deleted, gone, unknown := hidden, hidden, hidden, hidden
	visible.flags = Flags{Masque: true}
	deleted.status = Deleted
	gone.origin.Deleted = true
	unknown.origin = Origin{}
	later := deposited.AddDate(0, 0, 20)
	for name, f := range map[string]Facts{"visible": visible, "deleted": deleted, "deleted by the server": gone, "unknown": unknown, "zero": {}} {
		if _, ok := e.NoticeAt(f, deposited); ok || e.NoticeDue(f, later) {
			t.Errorf("%s: owed", name)
		}
	}
	if !e.HiddenAt(unknown, later.AddDate(10, 0, 0)) || e.HiddenAt(visible, deposited) {
		t.Error("hidden is not what the flags say")
	}
	if _, ok := (*Engine)(nil).NoticeAt(hidden, deposited); ok || (*Engine)(nil).NoticeDue(hidden, later) {
		t.Error("no engine, and a notice")
	}
}

// What is hidden when fourteen days are over already is told at the end of that day,
// unless it is visible by then.
func TestNoticeOfWhatIsHiddenLate(t *testing.T) {
	e := sandboxEngine(t, nil)
	f := hiddenSince(t, instant(t, "2026-11-22T09:00:00Z"))
	for _, c := range []struct{ since, due string }{
		{"2026-12-01T09:00:00Z", "2026-12-07T00:00:00+01:00"},
		{"2026-12-06T23:59:59.999999+01:00", "2026-12-07T00:00:00+01:00"},
		{"2026-12-07T00:00:00+01:00", "2026-12-08T00:00:00+01:00"},
		{"2026-12-21T20:00:00+01:00", "2026-12-22T00:00:00+01:00"},
	} {
		if at, ok := e.NoticeAt(f, instant(t, c.since)); !ok || !at.Equal(instant(t, c.due)) {
			t.Errorf("%s: %v, %v", c.since, at, ok)
		}
	}
	if at, ok := e.NoticeAt(f, instant(t, "2026-12-22T08:00:00Z")); ok {
		t.Errorf("on its last day: %v", at)
	}
}

// Both lengths are settings.
func TestNoticeSettings(t *testing.T) {
	e := sandboxEngine(t, func(s *Settings) { s.NoticeAfter, s.HiddenAtMost = Period{Days: 3}, Period{Days: 5} })
	f := hiddenSince(t, instant(t, "2026-11-22T09:00:00Z"))
	if at, ok := e.NoticeAt(f, f.origin.Deposited); !ok || !at.Equal(instant(t, "2026-11-26T00:00:00+01:00")) {
		t.Errorf("%v, %v", at, ok)
	}
	if e.HiddenAt(f, instant(t, "2026-11-27T09:00:00Z")) {
		t.Error("hidden after five days")
	}
	for _, c := range []struct {
		notice, end Period
		ok          bool
	}{
		{Period{Days: 26}, Period{Months: 1}, true}, // February has 28 days, and the notice comes at the end of one
		{Period{Days: 27}, Period{Months: 1}, false},
		{Period{Months: 1}, Period{Months: 1}, false},
		{Period{Days: 14}, Period{Days: 3}, false},
	} {
		s := DefaultSettings()
		s.NoticeAfter, s.HiddenAtMost = c.notice, c.end
		if _, err := New(s, e.matrix); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrSettings) {
			t.Errorf("%v and %v: %v", c.notice, c.end, err)
		}
	}
}
