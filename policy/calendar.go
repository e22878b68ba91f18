package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"opendmp/fhir"
)

// Period is a length of calendar time, in the form P1Y2M3D of ISO 8601.
type Period struct{ Years, Months, Days int }

// ParsePeriod reads the form P1Y2M3D, in which parts may be missing. The error
// wraps ErrSettings.
func ParsePeriod(s string) (Period, error) {
	rest, ok := strings.CutPrefix(s, "P")
	var p Period
	for i, unit := range [...]struct {
		letter string
		n      *int
	}{{"Y", &p.Years}, {"M", &p.Months}, {"D", &p.Days}} {
		number, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > 9999 || number[0] == '+' {
			return Period{}, fmt.Errorf("%w: period %q, part %d", ErrSettings, s, i)
		}
		*unit.n, rest = n, after
	}
	if !ok || rest != "" || len(s) < 3 {
		return Period{}, fmt.Errorf("%w: period %q", ErrSettings, s)
	}
	return p, nil
}

// String returns the period as ParsePeriod reads it.
func (p Period) String() string {
	s := "P"
	for _, part := range [...]struct {
		n      int
		letter string
	}{{p.Years, "Y"}, {p.Months, "M"}, {p.Days, "D"}} {
		if part.n != 0 {
			s += strconv.Itoa(part.n) + part.letter
		}
	}
	if s == "P" {
		return "P0D"
	}
	return s
}

func (p Period) negative() bool { return p.Years < 0 || p.Months < 0 || p.Days < 0 }
func (p Period) positive() bool { return !p.negative() && p != Period{} }

// After returns the instant that lies the period after t. A month ends on the
// same day of the next, or on its last day if there is no such day.
func (p Period) After(t time.Time) time.Time {
	t = t.UTC()
	year, month, day := t.Date()
	first := time.Date(year+p.Years, month+time.Month(p.Months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	clock := t.Sub(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
	return first.AddDate(0, 0, min(day, last)-1+p.Days).Add(clock)
}

// frenchDay returns the day in which an instant lies, in the legal time of
// metropolitan France, where a date without a time is read as fhir reads it.
func frenchDay(micros int64) period {
	t := time.UnixMicro(micros).UTC()
	for _, offset := range [...]time.Duration{2 * time.Hour, time.Hour, 0} {
		i, ok := fhir.ParseInterval(t.Add(offset).Format(time.DateOnly))
		if day := (period{i.From, i.To}); ok && day.holds(micros) {
			return day
		}
	}
	return period{micros, micros + 1}
}

// birthday returns the first instant of the birthday of that age, of someone who
// was born on a date; false if the date cannot be read. Of an incomplete date it
// is that of the first day that it may be. Who was born on a 29 February has it
// on 1 March where there is none.
func birthday(born string, age int) (time.Time, bool) {
	const year, yearMonth = len("2006"), len("2006-01")
	if _, ok := fhir.ParseInterval(born); !ok {
		return time.Time{}, false
	}
	y, err := strconv.Atoi(born[:year])
	if err != nil {
		return time.Time{}, false
	}
	rest := "-01-01"
	switch {
	case len(born) >= len(time.DateOnly):
		rest = born[year:len(time.DateOnly)]
	case len(born) == yearMonth:
		rest = born[year:] + "-01"
	}
	day, ok := fhir.ParseInterval(fmt.Sprintf("%04d%s", y+age, rest))
	if !ok {
		day, ok = fhir.ParseInterval(fmt.Sprintf("%04d-03-01", y+age))
	}
	return day.StartTime(), ok
}
