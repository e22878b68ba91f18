package policy

import (
	"testing"
	"time"
)

func TestRetentionOver(t *testing.T) {
	e := sandboxEngine(t, nil)
	for _, c := range []struct {
		day string
		at  time.Time
		is  bool
	}{
		{"2016-11-22", time.Date(2026, 11, 21, 22, 59, 59, 0, time.UTC), false},
		{"2016-11-22", time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC), true}, // midnight in Paris
		{"2016-11-23", noon, false},
		{"", noon.AddDate(100, 0, 0), false},
		{"un jour", noon.AddDate(100, 0, 0), false},
	} {
		if got := e.RetentionOver(c.day, c.at); got != c.is {
			t.Errorf("closed on %q, at %v: %v", c.day, c.at, got)
		}
	}
	if (*Engine)(nil).RetentionOver("2000-01-01", noon) || (&Engine{}).RetentionOver("2000-01-01", noon) {
		t.Error("an engine without rules destroys")
	}
	f := facts(t, patientJSON("alix", false, `"extension":[{"url":"`+extFermeture+`","extension":[{"url":"dateFermeture","valueDate":"2016-11-22"}]}],`), Origin{})
	if f.ClosedOn() != "2016-11-22" || (Facts{}).ClosedOn() != "" {
		t.Errorf("closed on %q", f.ClosedOn())
	}
}
