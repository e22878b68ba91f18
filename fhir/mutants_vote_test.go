package fhir

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const votesFile = "testdata/golden/mutants-votes.txt"

// engineCount is how many other validators were asked.
const engineCount = 5

// vote is what the engines say of one mutant by one way to count them: whether it is
// invalid, and whether that way can tell.
type vote func(m *judged) (invalid, told bool)

// judged is a mutant, or a fixture as published, with all that is known of it.
type judged struct {
	mutant
	number int
	ours   []string // what this package finds
	// at is the element that is broken, as "AuditEvent.agent.type", of the innermost
	// resource.
	at string
	// voters are the engines that were seen to have a rule for such a change of that
	// element: they found something in another mutant of it.
	voters []string
}

// anyEngine is the reading by which docs/validation.md judges: an engine that finds
// nothing has perhaps no rule.
func anyEngine(m *judged) (invalid, told bool) { return m.invalid(), true }

// mostEngines is the literal majority, three of the five.
func mostEngines(m *judged) (invalid, told bool) { return 2*len(m.engines) > engineCount, true }

// mostVoters is the majority of the engines that have a rule for the element, as far
// as the other mutants of it show which do.
func mostVoters(m *judged) (invalid, told bool) {
	found := 0
	for _, e := range m.voters {
		if slices.Contains(m.engines, e) {
			found++
		}
	}
	return 2*found > len(m.voters), len(m.voters) > 0
}

// judgeAll judges the mutants and the fixtures.
func judgeAll(t *testing.T) []*judged {
	fixtures := mutable(t)
	var all []*judged
	for i, m := range readMutants(t) {
		data, err := m.apply(t, fixtures[m.fixture])
		if err != nil {
			t.Fatal(err)
		}
		j := &judged{mutant: m, number: i, ours: ourVerdict(data)}
		if m.op != asPublished {
			j.at = elementAt(fixtures[m.fixture].Root(), m.pointer)
		}
		all = append(all, j)
	}
	for _, m := range all {
		for _, other := range all {
			if m != other && m.at != "" && m.at == other.at && m.op == other.op {
				m.voters = append(m.voters, other.engines...)
			}
		}
		slices.Sort(m.voters)
		m.voters = slices.Compact(m.voters)
	}
	return all
}

// elementAt names the element of a JSON pointer, from the innermost resource.
func elementAt(n Node, pointer string) string {
	path := n.Get("resourceType").Text()
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if i, err := strconv.Atoi(name); err == nil && n.Kind() == Array {
			for item := range n.Items() {
				if n = item; i == 0 {
					break
				}
				i--
			}
			if typ := n.Get("resourceType").Text(); typ != "" {
				path = typ
			}
			continue
		}
		n = n.Get(name)
		path += "." + name
		if typ := n.Get("resourceType").Text(); typ != "" {
			path = typ
		}
	}
	return path
}

// tallyVotes counts how often we agree with a reading.
func tallyVotes(all []*judged, by vote) (agree, told, invalid int) {
	for _, m := range all {
		bad, can := by(m)
		if !can {
			continue
		}
		told++
		if bad {
			invalid++
		}
		if bad == (len(m.ours) > 0) {
			agree++
		}
	}
	return agree, told, invalid
}

// Three ways to count what other validators say, and how often we agree with each. The
// numbers are those of docs/validation.md.
func TestMutantVotes(t *testing.T) {
	all := judgeAll(t)
	first := slices.IndexFunc(all, func(m *judged) bool { return m.op == asPublished })
	doc, err := os.ReadFile("../docs/validation.md")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range []struct {
		name string
		by   vote
	}{{"an engine finds something", anyEngine}, {"three of the five engines", mostEngines}, {"most engines that have a rule for the element", mostVoters}} {
		for name, set := range map[string][]*judged{"mutants": all[:first], "fixtures": all[first:]} {
			agree, told, invalid := tallyVotes(set, r.by)
			if told == 0 {
				continue
			}
			cells := fmt.Sprintf("| %s | %s | %d of %d | %d |", r.name, name, agree, told, invalid)
			if !strings.Contains(string(doc), cells) {
				t.Errorf("docs/validation.md does not say %s", cells)
			}
		}
	}
	for _, r := range []struct {
		name string
		by   vote
	}{{"three of the five engines", mostEngines}, {"most engines that have a rule for the element", mostVoters}} {
		writeCauses(&b, r.name, all, r.by)
	}
	if *update {
		if err := os.WriteFile(votesFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(votesFile); err != nil || b.String() != string(want) {
		t.Errorf("the votes differ from %s (%v); see with -run Votes -update && git diff", votesFile, err)
	}
}

// writeCauses lists where we disagree with a reading, by the rule that we hold, with
// how many mutants of each no engine found broken, one did, and two.
func writeCauses(b *strings.Builder, name string, all []*judged, by vote) {
	causes := map[string][]string{}
	found := map[string]*[engineCount + 1]int{}
	for _, m := range all {
		bad, told := by(m)
		if !told || bad == (len(m.ours) > 0) {
			continue
		}
		cause := voteCause(m)
		causes[cause] = append(causes[cause], fmt.Sprintf("%03d %s | engines: %s | ours: %s\n", m.number, m.recipe(), strings.Join(m.engines, " "), strings.Join(m.ours, "; ")))
		if found[cause] == nil {
			found[cause] = new([engineCount + 1]int)
		}
		found[cause][len(m.engines)]++
	}
	fmt.Fprintf(b, "## %s\n\n", name)
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		f := found[cause]
		fmt.Fprintf(b, "# %s: %d (found by no engine %d, by one %d, by two %d, by more %d)\n%s\n", cause, len(causes[cause]), f[0], f[1], f[2], f[3]+f[4]+f[5], strings.Join(causes[cause], ""))
	}
}

// voteCause says what kind of rule we hold that the vote does not, or the reverse.
func voteCause(m *judged) string {
	if len(m.ours) == 0 {
		return "we find nothing"
	}
	fields := strings.Fields(m.ours[0]) // element, rule or code, profile
	if len(fields) > 2 {
		return "profiles, " + fields[1]
	}
	return "R4, " + fields[1]
}
