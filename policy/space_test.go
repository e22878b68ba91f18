package policy

import (
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"opendmp/auth"
)

// axis is the values that one part of a case takes: each sets its own, whatever was
// set before.
type axis []func(*Case)

// limits are how many values a field has that is no boolean, in the order of the
// constants. Of a kind there is one more than there are, for what is unknown.
var limits = map[string]int{
	"Kind": int(auth.Operator) + 2, "Mode": int(auth.Centre15) + 1,
	"State": int(Destroyed) + 1, "Authorisation": int(Expire) + 1, // never Interdit
	"Cell": int(Allow) + 1, "Group": int(Reimbursement) + 1, "Fit": int(OwnClass) + 1,
	"Status": int(Inactive) + 1, "Consent": int(AccesUrgence) + 2,
}

// field is an axis of all values of a field of a case, by its name; those of the
// settings are named "Options.AIR".
func field(name string) axis {
	index := fieldIndex(name)
	n := 2
	if reflect.TypeFor[Case]().FieldByIndex(index).Type.Kind() != reflect.Bool {
		n = limits[name]
	}
	if n == 0 {
		panic("nobody says how many values " + name + " has")
	}
	values := make(axis, n)
	for i := range values {
		values[i] = func(c *Case) { setField(c, index, i) }
	}
	return values
}

func fieldIndex(name string) []int {
	typ := reflect.TypeFor[Case]()
	var index []int
	for part := range strings.SplitSeq(name, ".") {
		f, ok := typ.FieldByName(part)
		if !ok {
			panic("a case has no " + name)
		}
		index, typ = append(index, f.Index...), f.Type
	}
	return index
}

func setField(c *Case, index []int, value int) {
	v := reflect.ValueOf(c).Elem().FieldByIndex(index)
	if v.Kind() == reflect.Bool {
		v.SetBool(value != 0)
		return
	}
	v.SetUint(uint64(value))
}

// allFields are the names of the fields of a case, but for the act.
func allFields() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Case]()) {
		switch f.Name {
		case "Act", "Options":
		default:
			names = append(names, f.Name)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Options]()) {
		names = append(names, "Options."+f.Name)
	}
	return names
}

// fields are the axes of several fields.
func fields(names ...string) []axis {
	axes := make([]axis, len(names))
	for i, name := range names {
		axes[i] = field(name)
	}
	return axes
}

// everyField are the axes of all fields.
var everyField = sync.OnceValue(func() []axis { return fields(allFields()...) })

// near yields the cases that differ from one in one field, and in two.
func near(c Case) iter.Seq[Case] {
	return func(yield func(Case) bool) {
		for i, first := range everyField() {
			for _, set := range first {
				one := c
				set(&one)
				if !yield(one) {
					return
				}
				for _, second := range everyField()[i+1:] {
					for _, set := range second {
						two := one
						set(&two)
						if !yield(two) {
							return
						}
					}
				}
			}
		}
	}
}

// some is an axis of a few values of a field.
func some[T ~uint8](name string, values ...T) axis {
	index := fieldIndex(name)
	a := make(axis, len(values))
	for i, v := range values {
		a[i] = func(c *Case) { setField(c, index, int(v)) }
	}
	return a
}

// space is every combination of the values of its axes, on a case that they start
// from.
type space struct {
	base Case
	axes []axis
}

func (s space) size() int {
	n := 1
	for _, a := range s.axes {
		n *= len(a)
	}
	return n
}

// each yields every case of the space, always in the same order.
func (s space) each(yield func(Case) bool) {
	c := s.base
	digits := make([]int, len(s.axes))
	for _, a := range s.axes {
		a[0](&c)
	}
	for {
		if !yield(c) {
			return
		}
		i := len(digits) - 1
		for ; i >= 0; i-- {
			if digits[i]++; digits[i] < len(s.axes[i]) {
				break
			}
			digits[i] = 0
		}
		if i < 0 {
			return
		}
		for ; i < len(digits); i++ {
			s.axes[i][digits[i]](&c)
		}
	}
}

// split cuts the space along its first axes into parts of at most so many cases,
// which together yield the same cases in the same order.
func (s space) split(most int) []space {
	if s.size() <= most || len(s.axes) == 0 {
		return []space{s}
	}
	var parts []space
	for _, set := range s.axes[0] {
		part := space{s.base, s.axes[1:]}
		set(&part.base)
		parts = append(parts, part.split(most)...)
	}
	return parts
}

// spread runs a job for each of n, several at once, and returns what they return in
// their order.
func spread[T any](n int, job func(i int) T) []T {
	results := make([]T, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				results[i] = job(i)
			}
		})
	}
	all.Wait()
	return results
}

// inWords tells in what a case differs from the usual one.
func inWords(c Case) string {
	base := usual()
	v, u := reflect.ValueOf(c), reflect.ValueOf(base)
	parts := []string{fmt.Sprintf("act %s, %s", wordOf(c.Act), c.Kind)}
	for _, name := range allFields() {
		i := fieldIndex(name)
		if a, b := v.FieldByIndex(i), u.FieldByIndex(i); !a.Equal(b) && name != "Kind" {
			parts = append(parts, fmt.Sprintf("%s=%v", name, a))
		}
	}
	return strings.Join(parts, ", ")
}

func wordOf(a Act) string {
	for word, act := range actWords {
		if act == a {
			return fmt.Sprintf("%q", word)
		}
	}
	return fmt.Sprint(uint8(a))
}

// plainest undoes what is said of a case, field by field, as long as it stays
// wrong: what is left is why.
func plainest(c Case, wrong func(Case) bool) Case {
	base := reflect.ValueOf(usual())
	for again := true; again; {
		again = false
		for _, name := range allFields() {
			i := fieldIndex(name)
			tried := c
			reflect.ValueOf(&tried).Elem().FieldByIndex(i).Set(base.FieldByIndex(i))
			if name != "Kind" && tried != c && wrong(tried) {
				c, again = tried, true
			}
		}
	}
	return c
}

// complaints gathers cases that are wrong, each in its plainest form.
type complaints struct {
	t     *testing.T
	wrong func(Case) bool
	say   func(Case) string
	seen  map[string]bool
}

func (k *complaints) about(cases []Case) {
	k.t.Helper()
	for _, c := range cases {
		c = plainest(c, k.wrong)
		if text := inWords(c); !k.seen[text] {
			k.seen[text] = true
			k.t.Errorf("%s: %s", text, k.say(c))
		}
	}
}

// A space yields each of its cases once, whole or in parts.
func TestSpace(t *testing.T) {
	s := space{usual(), fields("Kind", "State", "Masked", "Options.AIR")}
	whole := slices.Collect(s.each)
	var parts []Case
	for _, p := range s.split(7) {
		if p.size() > 7 {
			t.Errorf("a part of %d", p.size())
		}
		parts = slices.AppendSeq(parts, p.each)
	}
	distinct := map[Case]bool{}
	for _, c := range whole {
		distinct[c] = true
	}
	if len(distinct) != s.size() || len(whole) != s.size() || !slices.Equal(whole, parts) {
		t.Errorf("%d cases, %d distinct, %d in parts, of %d", len(whole), len(distinct), len(parts), s.size())
	}
}
