package fhir

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIncludeReferences(t *testing.T) {
	r, err := Scan([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string][]string{
		"DocumentReference:patient":                     {"Patient/alix"},
		"DocumentReference:subject:Patient":             {"Patient/alix"},
		"DocumentReference:author":                      {"Device/v"}, // the contained ones have no address
		"DocumentReference:relatesto":                   {"DocumentReference/d0"},
		"DocumentReference:related":                     {"https://other.example/fhir/ServiceRequest/9"},
		"DocumentReference:relatesto:DocumentReference": {"DocumentReference/d0"},
	} {
		q := query(t, "DocumentReference", "_include="+value)
		if len(q.Includes) != 1 {
			t.Fatalf("%s: %v", value, q.Includes)
		}
		if got := q.Includes[0].References(r); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
		if got := query(t, "List", "_include:iterate="+value).Includes[0].References(r); !slices.Equal(got, want) {
			t.Errorf("iterating %s: %v, want %v", value, got, want)
		}
		if s := q.String(); !strings.HasSuffix(s, "_include="+value) {
			t.Errorf("%s is written %s", value, s)
		}
	}
}

func TestIncludeLeads(t *testing.T) {
	forward := query(t, "List", "_include=List:item:DocumentReference").Includes[0]
	backward := query(t, "DocumentReference", "_revinclude=List:item&_revinclude=List:item").Includes[0]
	for _, c := range []struct {
		include Include
		typ     string
		want    bool
	}{
		{forward, "DocumentReference", true}, {forward, "List", false}, {forward, "Patient", false},
		{backward, "List", true}, {backward, "DocumentReference", false},
	} {
		if got := c.include.LeadsTo(c.typ); got != c.want {
			t.Errorf("%s leads to %s: %v", c.include.value(), c.typ, got)
		}
	}
	v := searchValues(t, `{"resourceType":"List","id":"l","entry":[{"item":{"reference":"DocumentReference/d1"}},{"item":{"reference":"DocumentReference/d2/_history/2"}}]}`)
	if got := slices.Collect(backward.Named(v)); !slices.Equal(got, []string{"DocumentReference/d1", "DocumentReference/d2"}) {
		t.Errorf("named: %v", got)
	}
}

// What Includes lists is taken, and a type that is alone lists none.
func TestIncludesAreTaken(t *testing.T) {
	for _, typ := range Types() {
		for reverse, name := range map[bool]string{false: "_include=", true: "_revinclude="} {
			for _, value := range Includes(typ, reverse) {
				if q := query(t, typ, name+value); len(q.Includes) != 1 || q.Includes[0].Reverse != reverse {
					t.Errorf("%s?%s%s: %+v", typ, name, value, q.Includes)
				}
			}
		}
	}
	for typ, want := range map[string]int{"DocumentReference": 5, "List": 4, "Patient": 0, "AuditEvent": 0} {
		if got := len(Includes(typ, false)); got != want {
			t.Errorf("%s: %v", typ, Includes(typ, false))
		}
	}
	if got := Includes("DocumentReference", true); !slices.Equal(got, []string{"DocumentReference:related", "DocumentReference:relatesto", "List:item", "Consent:source-reference", "Provenance:target"}) {
		t.Errorf("back to documents: %v", got)
	}
}

func TestLenientHandling(t *testing.T) {
	const path, raw = "DocumentReference", "status=current&foo=secret&_include=X:y&_sort=date,foo&_has:a:b:c=1&_count=3"
	if _, err := ParsePath("GET", path, raw); err == nil {
		t.Fatal("taken without lenient handling")
	}
	r, err := Base("").ParsePathAs(Lenient, "GET", path, raw)
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Query.String(); s != "status=current&_count=3&_sort=date" {
		t.Errorf("understood %s", s)
	}
	var where []string
	for _, i := range r.Query.Ignored {
		where = append(where, i.Expression)
		if i.Severity != Warning || strings.Contains(i.Text.FR, "secret") {
			t.Errorf("%+v", i)
		}
	}
	if want := []string{"http.foo", "http._include", "http._sort", "http._has:a:b:c"}; !slices.Equal(where, want) {
		t.Errorf("ignored %v", where)
	}
	for _, c := range []struct{ method, path, raw string }{
		{"GET", "DocumentReference", "type:text=x"}, // R4: an unknown modifier is refused
		{"GET", "DocumentReference", "date=never"},
		{"GET", "DocumentReference", "_count=many"},
		{"PATCH", "DocumentReference", "identifier=a&foo=b"}, // would change another document
		{"GET", "DocumentReference/1", "foo=b"},
	} {
		if _, err := Base("").ParsePathAs(Lenient, c.method, c.path, c.raw); err == nil {
			t.Errorf("%s %s?%s is taken", c.method, c.path, c.raw)
		}
	}
	form, err := Base("").ParsePathAs(Lenient, "POST", "DocumentReference/_search", "")
	if err != nil {
		t.Fatal(err)
	}
	if form, err = form.WithForm("foo=1"); err != nil || len(form.Query.Ignored) != 1 {
		t.Errorf("by form: %v", err)
	}
}

func TestMentions(t *testing.T) {
	q := query(t, "DocumentReference", "_id=a,b&relatesto=c,DocumentReference/d&related=e&identifier=urn:x|1&identifier:not=2&relatesto:identifier=urn:y|3&patient=p&type=urn:t|4&identifier=urn:z|")
	ids, references, idents := q.Mentions()
	if !slices.Equal(ids, []string{"a", "b", "e"}) || !slices.Equal(references, []string{"DocumentReference/c", "DocumentReference/d"}) ||
		!slices.Equal(idents, []Ident{{"urn:x", "1"}, {"", "2"}, {"urn:y", "3"}}) {
		t.Errorf("%v %v %v", ids, references, idents)
	}
}

func TestSince(t *testing.T) {
	r, err := ParsePath("GET", "Patient/1/_history", "_since=2026-11-20T10:00:00+01:00&_count=2")
	if err != nil {
		t.Fatal(err)
	}
	if at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC); !r.Query.Since.Equal(at) || r.Query.Count != 2 {
		t.Errorf("%+v", r.Query)
	}
	if s := r.Query.String(); !strings.Contains(s, "_count=2&_since=2026-11-20") {
		t.Error(s)
	}
}
