package directory

import (
	"errors"
	"math"
	"strings"
)

// errFull is that an index holds more than its references reach.
var errFull = errors.New("directory: more than an index can hold")

// text is a reference to a string of texts; 0 is the empty one.
type text uint32

// texts keeps strings in one piece of memory, for a few bytes each beside their own.
type texts struct {
	all  strings.Builder
	ends []uint32
}

// add keeps a string, without looking whether it is there already.
func (t *texts) add(s string) (text, error) {
	if s == "" {
		return 0, nil
	}
	if t.all.Len()+len(s) > math.MaxUint32 || len(t.ends) >= math.MaxUint32-1 {
		return 0, errFull
	}
	if t.ends == nil {
		t.ends = []uint32{0}
	}
	t.all.WriteString(s)
	t.ends = append(t.ends, uint32(t.all.Len()))
	return text(len(t.ends) - 1), nil
}

func (t *texts) get(i text) string {
	if i == 0 {
		return ""
	}
	return t.all.String()[t.ends[i-1]:t.ends[i]]
}
