package policy

import (
	"errors"
	"testing"
	"time"
)

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestParsePeriod(t *testing.T) {
	for s, want := range map[string]Period{
		"P14D": {Days: 14}, "P1M": {Months: 1}, "P10Y": {Years: 10}, "P1Y2M3D": {1, 2, 3}, "P0D": {}, "P1Y3D": {Years: 1, Days: 3},
	} {
		p, err := ParsePeriod(s)
		if err != nil || p != want || p.String() != s {
			t.Errorf("%s: %+v %q %v", s, p, p.String(), err)
		}
	}
	for _, s := range []string{"", "P", "1D", "P-1D", "P+1D", "P1.5D", "P1D1M", "PT1H", "P1", "P1DX", "P99999D", "P1D1D", "PD"} {
		if p, err := ParsePeriod(s); !errors.Is(err, ErrSettings) {
			t.Errorf("%q: %+v %v", s, p, err)
		}
	}
}

func TestPeriodAfter(t *testing.T) {
	cases := []struct{ from, period, to string }{
		{"2026-11-22T12:00:00Z", "P14D", "2026-12-06T12:00:00Z"},
		{"2026-11-22T12:00:00Z", "P1M", "2026-12-22T12:00:00Z"},
		{"2026-01-31T12:00:00Z", "P1M", "2026-02-28T12:00:00Z"},
		{"2028-01-31T23:59:59Z", "P1M", "2028-02-29T23:59:59Z"},
		{"2026-12-31T00:00:00Z", "P1M", "2027-01-31T00:00:00Z"},
		{"2024-02-29T00:00:00Z", "P1Y", "2025-02-28T00:00:00Z"},
		{"2026-11-22T00:30:00+01:00", "P1M", "2026-12-21T23:30:00Z"},
		{"2026-11-22T12:00:00.5Z", "P10Y", "2036-11-22T12:00:00.5Z"},
		{"2026-01-30T00:00:00Z", "P1M1D", "2026-03-01T00:00:00Z"},
	}
	for _, c := range cases {
		p, err := ParsePeriod(c.period)
		if got := p.After(instant(t, c.from)); err != nil || !got.Equal(instant(t, c.to)) {
			t.Errorf("%s + %s: %v", c.from, c.period, got)
		}
	}
}

func TestBirthday(t *testing.T) {
	cases := []struct {
		born string
		age  int
		want string // "" if it cannot be read
	}{
		{"2013-03-17", 18, "2031-03-16T23:00:00Z"},
		{"2008-07-01", 18, "2026-06-30T22:00:00Z"},
		{"2008-02-29", 18, "2026-02-28T23:00:00Z"}, // 1 March in Paris
		{"2008-02-29", 20, "2028-02-28T23:00:00Z"},
		{"2008", 18, "2025-12-31T23:00:00Z"},
		{"2008-05", 18, "2026-04-30T22:00:00Z"},
		{"", 18, ""},
		{"hier", 18, ""},
		{"2008-13-01", 18, ""},
		{"9990-01-01", 18, ""},
	}
	for _, c := range cases {
		got, ok := birthday(c.born, c.age)
		if ok != (c.want != "") || ok && !got.Equal(instant(t, c.want)) {
			t.Errorf("%s at %d: %v %v", c.born, c.age, got, ok)
		}
	}
}

func TestFrenchDay(t *testing.T) {
	for at, want := range map[string]string{
		"2026-11-22T12:00:00Z": "2026-11-21T23:00:00Z",
		"2026-11-22T22:59:59Z": "2026-11-21T23:00:00Z",
		"2026-11-22T23:00:00Z": "2026-11-22T23:00:00Z",
		"2026-07-01T21:59:59Z": "2026-06-30T22:00:00Z",
		"2026-07-01T22:00:00Z": "2026-07-01T22:00:00Z",
		"2026-10-25T00:30:00Z": "2026-10-24T22:00:00Z",
	} {
		day := frenchDay(instant(t, at).UnixMicro())
		if got := time.UnixMicro(day.from); !got.Equal(instant(t, want)) || !day.holds(instant(t, at).UnixMicro()) {
			t.Errorf("%s: from %v", at, got.UTC())
		}
	}
}

func TestSettings(t *testing.T) {
	m := &Matrix{}
	if _, err := New(DefaultSettings(), m); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	bad := map[string]func(*Settings){
		"zero":                   func(s *Settings) { *s = Settings{} },
		"majority":               func(s *Settings) { s.Majority = 0 },
		"grant without end":      func(s *Settings) { s.GrantDuration = 0 },
		"grant of two days":      func(s *Settings) { s.GrantDuration = 48 * time.Hour },
		"second factor for ever": func(s *Settings) { s.SecondFactor = 0 },
		"negative":               func(s *Settings) { s.PersonalAuthorisation = Period{Days: -1} },
		"structure":              func(s *Settings) { s.StructureAuthorisation = Period{} },
		"hidden for ever":        func(s *Settings) { s.HiddenAtMost = Period{} },
		"no notice":              func(s *Settings) { s.NoticeAfter = Period{} },
		"no retention":           func(s *Settings) { s.Retention = Period{} },
		"unknown value":          func(s *Settings) { s.Occupational = 9 },
		"unknown type":           func(s *Settings) { s.InsuranceTypes = append(s.InsuranceTypes, unread) },
	}
	for name, change := range bad {
		s := DefaultSettings()
		change(&s)
		if e, err := New(s, m); !errors.Is(err, ErrSettings) || e != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(DefaultSettings(), nil); !errors.Is(err, ErrSettings) {
		t.Errorf("no matrix: %v", err)
	}
	// A personal authorisation for longer, given by the patient, is a setting.
	long := sandboxEngine(t, func(s *Settings) { s.PersonalAuthorisation = Period{Years: 1} })
	v := long.view(cast(t, "patient-alix"), castDossier(t, "alix").record(), noon)
	if d := v.ChangeConsent(nil, consentOf(t, Autorisation, "medecin-leroy", "2026-11-22", "2027-11-21")); !d.Allowed() {
		t.Errorf("a year: %v", d.Rules())
	}
	if d := v.ChangeConsent(nil, consentOf(t, Autorisation, "medecin-leroy", "2026-11-22", "2027-11-22")); d.Allowed() {
		t.Error("a year and a day")
	}
}
