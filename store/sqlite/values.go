package sqlite

import (
	"database/sql/driver"
	"errors"
	"math"
	"time"
)

var errTime = errors.New("sqlite: time outside the years 1678 to 2262")

// noTime stands for the zero time.Time, which has no nanoseconds since 1970.
const noTime = math.MinInt64

// nanos gives a time as it is stored. The caller has checked it with checkTime.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixNano()
}

func checkTime(t time.Time) error {
	if !t.IsZero() && !time.Unix(0, t.UnixNano()).Equal(t) {
		return errTime
	}
	return nil
}

// instant is the inverse of nanos.
func instant(n int64) time.Time {
	if n == noTime {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// expiry gives a time of expiry as it is stored: NULL is never.
func expiry(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return nanos(t)
}

// blob keeps an empty value apart from NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// asInt and asBytes read a column. The driver gives a nil slice for an empty
// blob and a nil interface for NULL.
func asInt(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

func asBytes(v driver.Value) []byte {
	b, ok := v.([]byte)
	if ok {
		return blob(b)
	}
	return nil
}

func asTime(v driver.Value) time.Time {
	n, ok := v.(int64)
	if !ok {
		return time.Time{}
	}
	return instant(n)
}
