package directory

import (
	"errors"
	"math"
	"slices"
)

// errFull is that an index holds more than its references reach.
var errFull = errors.New("directory: more than an index can hold")

// text is a reference to a string of texts; 0 is the empty one.
type text uint32

// texts keeps strings in one piece of memory, for a few bytes each beside their own.
// They are added first, and read after seal.
type texts struct {
	blob []byte
	all  string
	ends []uint32
}

func newTexts() texts { return texts{ends: []uint32{0}} }

// add keeps a string, without looking whether it is there already.
func (t *texts) add(s string) (text, error) {
	if s == "" {
		return 0, nil
	}
	if len(t.blob)+len(s) > math.MaxUint32 || len(t.ends) >= math.MaxUint32 {
		return 0, errFull
	}
	t.blob = append(t.blob, s...)
	t.ends = append(t.ends, uint32(len(t.blob)))
	return text(len(t.ends) - 1), nil
}

// seal ends the adding.
func (t *texts) seal() {
	t.all, t.blob = string(t.blob), nil
	t.ends = slices.Clip(t.ends)
}

func (t *texts) get(i text) string {
	if i == 0 {
		return ""
	}
	return t.all[t.ends[i-1]:t.ends[i]]
}
