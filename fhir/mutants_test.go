package fhir

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Mutants are published resources with one thing broken in each. What other
// validators said of each is kept beside its recipe, so that the comparison needs
// none of them; docs/validation.md says how it was made.
//
//	go test ./fhir -run Mutants -mutants DIR     draws new mutants, and writes them to DIR as JSON
//	go test ./fhir -run Mutants -verdicts FILE   keeps what the validators said of them
var (
	mutantsDir   = flag.String("mutants", "", "folder to write new mutants to")
	verdictsFile = flag.String("verdicts", "", "report of other validators on that folder: [{file, errors: {engine: [{path, msg}]}}]")
)

const (
	mutantsFile  = "testdata/mutants/mutants.tsv"
	disagreeFile = "testdata/golden/mutants-disagreement.txt"
	mutantCount  = 500
	// asPublished is the mutation of nothing: after the mutants come the fixtures.
	asPublished = "none"
)

// mutant is how to break a fixture, and which engines found it broken.
type mutant struct {
	fixture, op, pointer string
	engines              []string
}

// mutations are what is done to the node of a pointer.
var mutations = map[string]func(n Node) []Edit{
	"drop":    func(n Node) []Edit { return []Edit{RemoveMember(n)} },
	"twice":   twice,
	"type":    otherKind,
	"code":    func(n Node) []Edit { return []Edit{Replace(n, []byte(`"zzz"`))} },
	"unknown": func(n Node) []Edit { return []Edit{InsertMember(n, "zzz", []byte(`"x"`))} },
	"system":  func(n Node) []Edit { return []Edit{Replace(n, []byte(`"urn:zzz"`))} },
	"target":  func(n Node) []Edit { return []Edit{Replace(n, []byte(`"Medication/1"`))} },
	"date":    func(n Node) []Edit { return []Edit{Replace(n, []byte(`"2024-13-45"`))} },
}

func twice(n Node) []Edit {
	if n.Kind() == Array {
		for item := range n.Items() {
			return []Edit{AppendItem(n, item.Raw())}
		}
	}
	return []Edit{Replace(n, slices.Concat([]byte("["), n.Raw(), []byte(","), n.Raw(), []byte("]")))}
}

func otherKind(n Node) []Edit {
	with := `"text"`
	switch n.Kind() {
	case String:
		with = "42"
	case Array:
		for item := range n.Items() {
			with = string(item.Raw())
			break
		}
	}
	return []Edit{Replace(n, []byte(with))}
}

// eligible tells whether a mutation makes sense of a member.
func eligible(op, name string, n Node) bool {
	in := func(names ...string) bool { return slices.Contains(names, name) }
	switch op {
	case "unknown":
		return n.Kind() == Object
	case "code":
		return n.Kind() == String && in("status", "mode", "use", "method", "code", "gender", "action", "outcome", "type")
	case "system":
		return n.Kind() == String && in("system", "url")
	case "target":
		return n.Kind() == String && in("reference")
	case "date":
		return n.Kind() == String && in("date", "dateTime", "recorded", "birthDate", "creation", "start", "end", "timestamp", "lastUpdated")
	}
	return !in("resourceType", "div", "data")
}

// apply breaks the resource; a fixture as published stays whole.
func (m mutant) apply(t testing.TB, r *Resource) ([]byte, error) {
	if m.op == asPublished {
		return readFixture(t, m.fixture), nil
	}
	n := r.Root()
	for name := range strings.SplitSeq(strings.TrimPrefix(m.pointer, "/"), "/") {
		if m.pointer == "" {
			break
		}
		i, err := strconv.Atoi(name)
		if n.Kind() != Array || err != nil {
			n = n.Get(name)
			continue
		}
		for item := range n.Items() {
			if i == 0 {
				n = item
				break
			}
			i--
		}
	}
	if !n.Exists() {
		return nil, fmt.Errorf("%s has no %s", m.fixture, m.pointer)
	}
	changed, err := r.Splice(mutations[m.op](n))
	if err != nil {
		return nil, err
	}
	return changed.Bytes(), nil
}

// places lists the places of a resource where the mutation makes sense.
func places(op string, n Node, pointer, name string) []string {
	var found []string
	if pointer != "" && eligible(op, name, n) || op == "unknown" && pointer == "" {
		found = append(found, pointer)
	}
	switch n.Kind() {
	case Object:
		for name, m := range n.Members() {
			if name != "text" {
				found = append(found, places(op, m, pointer+"/"+name, name)...)
			}
		}
	case Array:
		i := 0
		for item := range n.Items() {
			if item.Kind() == Object {
				found = append(found, places(op, item, pointer+"/"+strconv.Itoa(i), "")...)
			}
			i++
		}
	}
	return found
}

// mutable are the fixtures that mutants are made of: valid ones of the types that
// we handle.
func mutable(t testing.TB) map[string]*Resource {
	found := acceptedFixtures(t)
	maps.DeleteFunc(found, func(name string, r *Resource) bool {
		return serviceOf(r.Type()) == nil && r.Type() != "Parameters" && r.Type() != "Organization" || Failed(Validate(r)) ||
			strings.HasPrefix(name, "iti65/minimal-Missing") || strings.HasPrefix(name, "iti65/minimal-Bad") || len(r.Bytes()) > 40_000
	})
	return found
}

// drawMutants makes the recipes, always the same.
func drawMutants(t testing.TB) []mutant {
	r := rand.New(rand.NewPCG(5, 500))
	fixtures := mutable(t)
	names := slices.Sorted(maps.Keys(fixtures))
	// The examples of R4 are many and claim no profile: one draw in four.
	profiled := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.HasPrefix(n, "base/") })
	ops := slices.Concat(slices.Repeat([]string{"drop"}, 8), slices.Repeat([]string{"twice", "system", "code"}, 3), []string{"type", "type", "unknown", "target", "target", "date"})
	var drawn []mutant
	seen := map[string]bool{}
	for len(drawn) < mutantCount {
		name := profiled[r.IntN(len(profiled))]
		if r.IntN(4) == 0 {
			name = names[r.IntN(len(names))]
		}
		op := ops[r.IntN(len(ops))]
		where := places(op, fixtures[name].Root(), "", "")
		if len(where) == 0 {
			continue
		}
		m := mutant{fixture: name, op: op, pointer: where[r.IntN(len(where))]}
		if key := m.recipe(); !seen[key] {
			seen[key] = true
			drawn = append(drawn, m)
		}
	}
	for _, name := range fixtureNames(t) {
		drawn = append(drawn, mutant{fixture: name, op: asPublished})
	}
	return drawn
}

func (m mutant) recipe() string { return m.fixture + "\t" + m.op + "\t" + m.pointer }

func readMutants(t testing.TB) []mutant {
	f, err := os.Open(mutantsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []mutant
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Split(s.Text(), "\t")
		if len(fields) != 4 {
			t.Fatalf("%q", s.Text())
		}
		all = append(all, mutant{fields[0], fields[1], fields[2], strings.Fields(fields[3])})
	}
	return all
}

func writeMutants(t testing.TB, all []mutant) {
	var b strings.Builder
	for _, m := range all {
		fmt.Fprintf(&b, "%s\t%s\n", m.recipe(), strings.Join(m.engines, " "))
	}
	if err := os.WriteFile(mutantsFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ourVerdict is what this package finds wrong, as lines; nothing if it is valid.
func ourVerdict(data []byte) []string {
	r, err := Parse(data)
	if err != nil {
		var lines []string
		for _, i := range err.(*Invalid).Issues {
			lines = append(lines, i.Expression+" "+i.Code)
		}
		return lines
	}
	var lines []string
	for _, line := range findings(Validate(r)) {
		if rest, ok := strings.CutPrefix(line, "error "); ok {
			lines = append(lines, rest)
		}
	}
	return lines
}

func TestMutants(t *testing.T) {
	fixtures := mutable(t)
	if *mutantsDir != "" {
		all := drawMutants(t)
		writeMutants(t, all)
		dumpMutants(t, all, fixtures)
		return
	}
	all := readMutants(t)
	if *verdictsFile != "" {
		keepVerdicts(t, all)
	}
	byCause := map[string][]string{}
	for i, m := range all {
		data, err := m.apply(t, fixtures[m.fixture])
		if err != nil {
			t.Fatal(err)
		}
		ours := ourVerdict(data)
		if (len(ours) > 0) == m.invalid() {
			continue
		}
		cause := causeOf(m, ours)
		if cause == "" {
			t.Errorf("%03d %s: no known cause: engines %q, ours %q", i, m.recipe(), m.engines, ours)
		}
		byCause[cause] = append(byCause[cause], fmt.Sprintf("%03d %s | engines: %s | ours: %s\n", i, m.recipe(), strings.Join(m.engines, " "), strings.Join(ours, "; ")))
	}
	var b strings.Builder
	for _, cause := range slices.Sorted(maps.Keys(byCause)) {
		fmt.Fprintf(&b, "# %s: %d\n%s\n", cause, len(byCause[cause]), strings.Join(byCause[cause], ""))
	}
	if *update {
		if err := os.WriteFile(disagreeFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(disagreeFile)
	if err != nil || b.String() != string(want) {
		t.Errorf("other mutants are judged otherwise than by the engines (%v); see with -run Mutants -update && git diff", err)
	}
}

// invalid is the verdict of the engines. Each knows some classes of rules and is
// silent about the others, so that one that finds something outweighs those that
// do not look.
func (m mutant) invalid() bool { return len(m.engines) > 0 }

// causeOf says why the verdicts differ; "" if it is not known. docs/validation.md
// explains each.
func causeOf(m mutant, ours []string) string {
	found := strings.Join(ours, "\n")
	switch {
	case len(ours) == 0 && slices.Equal(m.engines, []string{"medplum"}) && strings.HasPrefix(m.fixture, "pdsm4dmp/"):
		return "a rule that we soften"
	case len(ours) == 0 && slices.Equal(m.engines, []string{"medplum"}) && strings.HasPrefix(m.fixture, "opendmp/"):
		return "an extension of a data type that the engine does not see"
	case m.recipe() == "base/Bundle-bundle-references.json\t"+asPublished+"\t":
		return "an engine that does not read references with a version"
	case len(ours) == 0:
		return "a type that we do not handle"
	case strings.Contains(found, " target"):
		return "targets of references"
	case strings.Contains(found, "Identifier"):
		return "profiles of data types"
	case strings.Contains(found, "AuditEvent.entity"), strings.Contains(found, "AuditEvent.agent"), strings.Contains(found, "AuditEvent.subtype"):
		return "rules inside slices"
	}
	return ""
}

func dumpMutants(t testing.TB, all []mutant, fixtures map[string]*Resource) {
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(*mutantsDir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range all {
		data, err := m.apply(t, fixtures[m.fixture])
		if err != nil {
			t.Fatal(err)
		}
		write(fmt.Sprintf("mutant-%03d.json", i), data)
	}
}

// keepVerdicts reads a report. What an engine says of the fixture itself does not
// count against a mutant of it.
func keepVerdicts(t testing.TB, all []mutant) {
	data, err := os.ReadFile(*verdictsFile)
	if err != nil {
		t.Fatal(err)
	}
	type finding struct{ Path, Msg string }
	var report []struct {
		File   string
		Errors map[string][]finding
	}
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	said := map[string]map[string][]finding{}
	for _, r := range report {
		said[filepath.Base(r.File)] = r.Errors
	}
	published := map[string]string{}
	for i, m := range all {
		if m.op == asPublished {
			published[m.fixture] = fmt.Sprintf("mutant-%03d.json", i)
		}
	}
	for i := range all {
		m := &all[i]
		m.engines = nil
		var before map[string][]finding
		if m.op != asPublished {
			before = said[published[m.fixture]]
		}
		for _, engine := range slices.Sorted(maps.Keys(said[fmt.Sprintf("mutant-%03d.json", i)])) {
			for _, f := range said[fmt.Sprintf("mutant-%03d.json", i)][engine] {
				if !slices.Contains(before[engine], f) {
					m.engines = append(m.engines, engine)
					break
				}
			}
		}
	}
	writeMutants(t, all)
}
