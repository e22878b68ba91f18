package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"opendmp/auth"
)

// golden is a table of decisions in a form that may be kept and read: a hash of all
// of it, and for each kind, mode and status how many cases end in what.
//
// The hash is over the outcomes and the names of the rules that decided: a rule that
// is added and has no part in these decisions does not change it.
type golden struct {
	n      int
	hash   hash.Hash
	bytes  []byte
	names  map[ruleSet]uint64
	counts map[goldenKey]*[3]int
}

type goldenKey struct {
	kind          auth.Kind
	mode          auth.Mode
	authorisation Authorisation
}

func (k goldenKey) String() string {
	c := Case{Kind: k.kind}
	switch {
	case k.kind > auth.Operator:
		return "unknown kind"
	case !c.carer():
		return k.kind.String()
	}
	return k.kind.String() + " " + k.mode.String() + " " + k.authorisation.String()
}

func newGolden() *golden {
	return &golden{hash: sha256.New(), names: map[ruleSet]uint64{}, counts: map[goldenKey]*[3]int{}}
}

func (g *golden) add(c *Case, d Decision) {
	g.n++
	g.bytes = append(g.bytes, byte(d.extent), byte(d.refusal))
	g.bytes = binary.LittleEndian.AppendUint64(g.bytes, g.named(d))
	if len(g.bytes) >= 1<<12 {
		g.flush()
	}
	k := goldenKey{kind: c.Kind}
	if c.carer() {
		k.mode, k.authorisation = c.Mode, c.Authorisation
	}
	g.count(k)[d.extent]++
}

func (g *golden) count(k goldenKey) *[3]int {
	if g.counts[k] == nil {
		g.counts[k] = new([3]int)
	}
	return g.counts[k]
}

func (g *golden) flush() {
	g.hash.Write(g.bytes)
	g.bytes = g.bytes[:0]
}

// named is a hash of the names of the rules that decided.
func (g *golden) named(d Decision) uint64 {
	sum, ok := g.names[d.rules]
	if !ok {
		h := fnv.New64a()
		io.WriteString(h, strings.Join(d.Rules(), ","))
		sum = h.Sum64()
		g.names[d.rules] = sum
	}
	return sum
}

// join adds another table after this one.
func (g *golden) join(next *golden) {
	g.n += next.n
	next.flush()
	g.bytes = next.hash.Sum(g.bytes)
	for k, counts := range next.counts {
		for i, n := range counts {
			g.count(k)[i] += n
		}
	}
}

// sum is the hash of all that was added or joined.
func (g *golden) sum() string {
	g.flush()
	return hex.EncodeToString(g.hash.Sum(nil))
}

// summary is a line for each kind, mode and status; words name the outcomes, in the
// order of the extents.
func (g *golden) summary(words [3]string, keep func([3]int) bool) string {
	var b strings.Builder
	for _, k := range slices.SortedFunc(maps.Keys(g.counts), func(a, b goldenKey) int { return strings.Compare(a.String(), b.String()) }) {
		c := *g.counts[k]
		if !keep(c) {
			continue
		}
		fmt.Fprintf(&b, "%-40s", k)
		for _, e := range []Extent{Full, Metadata, None} {
			if words[e] != "" {
				fmt.Fprintf(&b, " %s %8d", words[e], c[e])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// sameAsGolden compares a text with a golden file, or writes it anew.
func sameAsGolden(t *testing.T, name, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s differs:\n%s", name, text)
	}
}
