package fhir

import (
	"math"
	"time"
	_ "time/tzdata" // a search must mean the same on a machine without zone files
)

// Paris is the legal time of metropolitan France, in which days begin and values
// without a zone are read. It is never changed.
var Paris = location("Europe/Paris")

func location(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic("fhir: " + err.Error()) // the zones are part of the program
	}
	return l
}

// Interval is the time that a FHIR date, dateTime, instant or Period stands for,
// as microseconds since 1970 in UTC: From is in it, To is the first that is not.
// A Period without start or end is open: math.MinInt64 or math.MaxInt64.
//
// A value stands for all of its last unit: 2026-11 for the month, 10:00 for the
// minute, 10:00:00.5 for a tenth of a second. Digits beyond the microsecond are
// dropped. A value without zone is taken in Paris, in resources and in queries
// alike (FHIR leaves it to the server's local time, R4 §3.1.1.4.4):
// "date=2026-11-22" is the day as a French user sees it, wherever the server
// runs.
type Interval struct{ From, To int64 }

// StartTime returns the beginning; the zero time when it is open.
func (i Interval) StartTime() time.Time {
	if i.From == math.MinInt64 {
		return time.Time{}
	}
	return time.UnixMicro(i.From).UTC()
}

// contains tells whether all of j is in i.
func (i Interval) contains(j Interval) bool { return i.From <= j.From && j.To <= i.To }

// comparison is the prefix of a date in a query (R4 §3.1.1.4.4).
type comparison uint8

const (
	cmpEq comparison = iota
	cmpNe
	cmpGt
	cmpLt
	cmpGe
	cmpLe
	cmpSa
	cmpEb
	cmpAp
)

// comparisonNames are the prefixes, by their number.
var comparisonNames = [...]string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

// cutComparison splits the prefix off a date of a query; without one it is eq.
func cutComparison(s string) (comparison, string) {
	if len(s) > 2 {
		for c, name := range comparisonNames {
			if s[:2] == name {
				return comparison(c), s[2:]
			}
		}
	}
	return cmpEq, s
}

// holds tells whether a value of a resource stands in that relation to the value
// of the query, by the rules of R4 §3.1.1.4.4 on ranges. "ap" is that the two
// overlap; it is not widened by the distance to now, since an answer must not
// depend on when it is asked.
func (c comparison) holds(value, query Interval) bool {
	above, below := value.To > query.To, value.From < query.From
	switch c {
	case cmpEq:
		return query.contains(value)
	case cmpNe:
		return !query.contains(value)
	case cmpGt:
		return above
	case cmpLt:
		return below
	case cmpGe:
		return above || query.contains(value)
	case cmpLe:
		return below || query.contains(value)
	case cmpSa:
		return value.From >= query.To
	case cmpEb:
		return value.To <= query.From
	case cmpAp:
		return value.From < query.To && query.From < value.To
	}
	return false
}

// ParseInterval reads a FHIR date, dateTime or instant, and the one form that
// only queries have: a time without seconds. ok is false for anything else: the
// years are 0001 to 9999, the zones -14:00 to +14:00, and 60 seconds is a leap
// second, which stands for the second after 59.
func ParseInterval(s string) (i Interval, ok bool) {
	p := dateReader{s: s}
	year, month, day := p.number(4), 1, 1
	if p.bad || year == 0 {
		return Interval{}, false
	}
	if p.done() {
		return days(year, 1, 1, year+1, 1, 1), true
	}
	if month = p.after('-', 2); p.bad || month < 1 || month > 12 {
		return Interval{}, false
	}
	if p.done() {
		return days(year, month, 1, year, month+1, 1), true
	}
	if day = p.after('-', 2); p.bad || day < 1 || day > daysIn(year, month) {
		return Interval{}, false
	}
	if p.done() {
		return days(year, month, day, year, month, day+1), true
	}
	return p.time(year, month, day)
}

// time reads what follows the day: THH:MM, seconds, fraction, zone.
func (p *dateReader) time(year, month, day int) (Interval, bool) {
	hour := p.after('T', 2)
	minute := p.after(':', 2)
	second, length := 0, int64(time.Minute/time.Microsecond)
	if p.next(':') {
		second, length = p.number(2), int64(time.Second/time.Microsecond)
	}
	if p.bad || hour > 23 || minute > 59 || second > 60 {
		return Interval{}, false
	}
	var micros int64
	if length == 1e6 && p.next('.') {
		micros, length = p.fraction()
	}
	zone, offset, ok := p.zone()
	if !ok {
		return Interval{}, false
	}
	at := time.Date(year, time.Month(month), day, hour, minute, second, 0, zone)
	from := (at.Unix()-offset)*1e6 + micros
	return Interval{from, from + length}, true
}

// dateReader reads a date from left to right; bad stays set after an error.
type dateReader struct {
	s   string
	at  int
	bad bool
}

func (p *dateReader) done() bool { return !p.bad && p.at == len(p.s) }

// next reads c if it comes next.
func (p *dateReader) next(c byte) bool {
	if p.bad || p.at >= len(p.s) || p.s[p.at] != c {
		return false
	}
	p.at++
	return true
}

// number reads exactly n digits.
func (p *dateReader) number(n int) int {
	if p.bad || p.at+n > len(p.s) {
		p.bad = true
		return 0
	}
	v := 0
	for _, c := range []byte(p.s[p.at : p.at+n]) {
		if c < '0' || c > '9' {
			p.bad = true
			return 0
		}
		v = v*10 + int(c-'0')
	}
	p.at += n
	return v
}

func (p *dateReader) after(c byte, n int) int {
	if !p.next(c) {
		p.bad = true
	}
	return p.number(n)
}

// fraction reads the digits after the point of a second: their microseconds, and
// the length of their last unit.
func (p *dateReader) fraction() (micros, length int64) {
	length = 1e6
	from := p.at
	for p.at < len(p.s) && p.s[p.at] >= '0' && p.s[p.at] <= '9' {
		if length > 1 {
			length /= 10
			micros += int64(p.s[p.at]-'0') * length
		}
		p.at++
	}
	p.bad = p.bad || p.at == from
	return micros, length
}

// zone reads the zone, to the end: Paris if there is none, otherwise UTC and the
// seconds east of it.
func (p *dateReader) zone() (zone *time.Location, offset int64, ok bool) {
	if p.done() {
		return Paris, 0, true
	}
	if p.next('Z') {
		return time.UTC, 0, p.done()
	}
	sign := int64(1)
	if p.next('-') {
		sign = -1
	} else if !p.next('+') {
		return nil, 0, false
	}
	h := p.number(2)
	m := p.after(':', 2)
	if !p.done() || m > 59 || h > 14 || h == 14 && m > 0 {
		return nil, 0, false
	}
	return time.UTC, sign * int64(h*3600+m*60), true
}

// days is the interval from one midnight in Paris to another. A month 13 or a
// day 32 is the first of the next.
func days(y1, m1, d1, y2, m2, d2 int) Interval {
	return Interval{midnight(y1, m1, d1), midnight(y2, m2, d2)}
}

func midnight(year, month, day int) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, Paris).UnixMicro()
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
