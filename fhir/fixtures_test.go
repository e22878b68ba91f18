package fhir

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const fixturesDir = "../testdata/fixtures"

// refusedFixtures are published examples that break base R4, with the elements
// that the refusal must name.
func refusedFixtures(name string) []string {
	switch name {
	case "pdsm/DocumentReference-exemple-pdsm-documentreference.json":
		return []string{"DocumentReference.contained[0].meta.lastUpdated", "DocumentReference.contained[0]"}
	case "pdsm/List-ExampleSubmissionSet.json":
		return []string{
			"List.contained[0].meta.versionId", "List.contained[0].meta.lastUpdated",
			"List.contained[1].meta.versionId", "List.contained[1].meta.lastUpdated",
		}
	}
	return nil
}

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixturesDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parseFixture(t testing.TB, name string) *Resource {
	t.Helper()
	return mustParse(t, string(readFixture(t, name)))
}

func mustParse(t testing.TB, data string) *Resource {
	t.Helper()
	r, err := Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fixtureNames lists all fixtures as "group/file.json".
func fixtureNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(fixturesDir, "*", "*.json"))
	if err != nil || len(files) < 200 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for i, f := range files {
		files[i] = filepath.ToSlash(strings.TrimPrefix(f, filepath.Clean(fixturesDir)+string(filepath.Separator)))
	}
	return files
}

// acceptedFixtures yields the fixtures that Parse accepts.
func acceptedFixtures(t testing.TB) map[string]*Resource {
	t.Helper()
	accepted := map[string]*Resource{}
	for _, name := range fixtureNames(t) {
		if refusedFixtures(name) == nil {
			accepted[name] = parseFixture(t, name)
		}
	}
	return accepted
}

func TestFixturesComeBackAsTheyCame(t *testing.T) {
	for _, name := range fixtureNames(t) {
		data := readFixture(t, name)
		r, err := Parse(data)
		if want := refusedFixtures(name); want != nil {
			if got := expressions(err); !equal(got, want) {
				t.Errorf("%s: refused for %q, want %q", name, got, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(r.Bytes(), bytes.TrimSpace(data)) {
			t.Errorf("%s: bytes differ", name)
		}
	}
}

func TestResourcesInsideStandAlone(t *testing.T) {
	for name, r := range acceptedFixtures(t) {
		for entry := range r.Get("entry").Items() {
			n := entry.Get("resource")
			inner := n.Resource()
			if inner == nil {
				continue
			}
			if !bytes.Equal(inner.Bytes(), n.Raw()) || inner.Type() != n.Get("resourceType").Text() {
				t.Errorf("%s: entry differs", name)
			}
			fresh, err := Scan(n.Raw())
			if err != nil {
				t.Fatal(err)
			}
			if len(fresh.t.nodes) != len(inner.t.nodes) {
				t.Fatalf("%s: %d nodes, want %d", name, len(inner.t.nodes), len(fresh.t.nodes))
			}
			for i := range fresh.t.nodes {
				if fresh.t.nodes[i] != inner.t.nodes[i] {
					t.Fatalf("%s: node %d is %+v, want %+v", name, i, inner.t.nodes[i], fresh.t.nodes[i])
				}
			}
		}
	}
	if (Node{}).Resource() != nil {
		t.Error("an absent node is a resource")
	}
}

// expressions lists what the issues of an *Invalid name.
func expressions(err error) []string {
	var invalid *Invalid
	if !errors.As(err, &invalid) {
		return nil
	}
	var out []string
	for _, i := range invalid.Issues {
		out = append(out, i.Expression)
	}
	return out
}

func equal(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }
