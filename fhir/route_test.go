package fhir

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	for _, c := range []struct {
		method, path, query string
		want                Request
	}{
		{"GET", "metadata", "_format=json", Request{Interaction: Capabilities, Format: "json"}},
		{"HEAD", "metadata", "", Request{Interaction: Capabilities}},
		{"GET", "metadata", "_summary=false&_pretty=true", Request{Interaction: Capabilities, Pretty: true}},
		{"POST", "", "", Request{Interaction: Transaction}},
		{"GET", "Patient/123", "", Request{Interaction: Read, Type: "Patient", ID: "123"}},
		{"HEAD", "Patient/123", "_pretty=true", Request{Interaction: Read, Type: "Patient", ID: "123", Pretty: true}},
		{"GET", "Patient/a.b-C9", "", Request{Interaction: Read, Type: "Patient", ID: "a.b-C9"}},
		{"GET", "Patient/metadata", "", Request{Interaction: Read, Type: "Patient", ID: "metadata"}},
		{"GET", "Patient/123/_history", "", Request{Interaction: History, Type: "Patient", ID: "123"}},
		{"GET", "Patient/123/_history/2", "", Request{Interaction: VRead, Type: "Patient", ID: "123", Version: "2"}},
		{"PATCH", "Patient/123", "", Request{Interaction: Patch, Type: "Patient", ID: "123"}},
		{"GET", "Patient", "identifier=urn:x|1", Request{Interaction: Search, Type: "Patient"}},
		{"POST", "DocumentReference/_search", "status=current", Request{Interaction: Search, Type: "DocumentReference", Form: true}},
		{"POST", "DocumentReference", "", Request{Interaction: Create, Type: "DocumentReference"}},
		{"PATCH", "DocumentReference", "identifier=urn:x|1", Request{Interaction: Patch, Type: "DocumentReference", Conditional: true}},
		{"DELETE", "DocumentReference/d1", "", Request{Interaction: Delete, Type: "DocumentReference", ID: "d1"}},
		{"PUT", "Consent/c", "", Request{Interaction: Update, Type: "Consent", ID: "c"}},
		{"POST", "Patient/$bris-de-glace", "", Request{Interaction: Operation, Type: "Patient", Operation: "bris-de-glace"}},
		{"POST", "Patient/123/$bris-de-glace", "", Request{Interaction: Operation, Type: "Patient", ID: "123", Operation: "bris-de-glace"}},
		{"GET", "Bundle/b", "", Request{Interaction: Read, Type: "Bundle", ID: "b"}},
	} {
		got, err := ParsePath(c.method, c.path, c.query)
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
			continue
		}
		if wants := asksByQuery(c.want); (got.Query != nil) != wants {
			t.Errorf("%s %s: query %v", c.method, c.path, got.Query)
		}
		c.want.RawQuery, c.want.Query = c.query, got.Query
		if got != c.want {
			t.Errorf("%s %s: %+v", c.method, c.path, got)
		}
	}
}

// asksByQuery tells whether a request is to have a query: a search, a write of what
// a query names, a history, and a read of what is not only whole.
func asksByQuery(r Request) bool {
	switch r.Interaction {
	case Search:
		return !r.Form
	case History:
		return true
	case Read, VRead:
		return Supports(r.Type, Search)
	}
	return r.Conditional
}

func TestParsePathRefuses(t *testing.T) {
	for _, c := range []struct {
		method, path, query string
		err                 error
		allow               string
	}{
		{"GET", "/Patient/1", "", ErrUnknownRoute, ""},
		{"GET", "/", "", ErrUnknownRoute, ""},
		{"GET", "Patient/", "", ErrUnknownRoute, ""},
		{"GET", "Patient//1", "", ErrUnknownRoute, ""},
		{"GET", "Patient/1/", "", ErrUnknownRoute, ""},
		{"GET", "Patient/..", "", ErrUnknownRoute, ""},
		{"GET", "Patient/.", "", ErrUnknownRoute, ""},
		{"GET", "../metadata", "", ErrUnknownRoute, ""},
		{"GET", "Patient/../Patient/1", "", ErrUnknownRoute, ""},
		{"GET", "Patient%2f1", "", ErrUnknownRoute, ""},
		{"GET", "Patient/a%2fb", "", ErrUnknownRoute, ""},
		{"POST", "Patient/%24bris-de-glace", "", ErrUnknownRoute, ""},
		{"GET", "Patient/1;jsessionid=2", "", ErrUnknownRoute, ""},
		{"GET", "Patient/1\x00", "", ErrUnknownRoute, ""},
		{"GET", "Patient/é", "", ErrUnknownRoute, ""},
		{"GET", "Patient/" + strings.Repeat("a", 65), "", ErrUnknownRoute, ""},
		{"GET", "patient/1", "", ErrUnknownRoute, ""},
		{"GET", "Observation/1", "", ErrUnknownRoute, ""},
		{"GET", "Observation", "", ErrUnknownRoute, ""},
		{"GET", "metadata/", "", ErrUnknownRoute, ""},
		{"GET", "Patient/1/_history/", "", ErrUnknownRoute, ""},
		{"GET", "Patient/1/_history/1/2", "", ErrUnknownRoute, ""},
		{"GET", "Patient/1/_History", "", ErrUnknownRoute, ""},
		{"GET", "Patient/1/Observation", "", ErrUnknownRoute, ""},
		{"GET", "Patient/_history", "", ErrUnknownRoute, ""},
		{"GET", "_history", "", ErrUnknownRoute, ""},
		{"GET", "AuditEvent/1/_history", "", ErrUnknownRoute, ""},
		{"GET", "Binary/1/_history/1", "", ErrUnknownRoute, ""},
		{"GET", "Binary", "", ErrMethod, ""},
		{"POST", "Binary/_search", "", ErrUnknownRoute, ""},
		{"POST", "DocumentReference/_search/x", "", ErrUnknownRoute, ""},
		{"POST", "DocumentReference/_search/", "", ErrUnknownRoute, ""},
		{"POST", "Patient/$everything", "", ErrUnknownRoute, ""},
		{"POST", "Patient/$bris-de-glace/x", "", ErrUnknownRoute, ""},
		{"POST", "Patient/1/$bris-de-glace/x", "", ErrUnknownRoute, ""},
		{"POST", "Patient/$", "", ErrUnknownRoute, ""},
		{"POST", "List/$bris-de-glace", "", ErrUnknownRoute, ""},
		{"GET", "", "", ErrMethod, "POST"},
		{"POST", "metadata", "", ErrMethod, "GET HEAD"},
		{"GET", "Patient/$bris-de-glace", "", ErrMethod, "POST"},
		{"GET", "DocumentReference/_search", "", ErrMethod, "POST"},
		{"POST", "Patient", "", ErrMethod, "GET HEAD"}, // opening is a transaction
		{"POST", "List", "", ErrMethod, "GET HEAD"},
		{"PUT", "Patient/1", "", ErrMethod, "GET HEAD PATCH"},
		{"DELETE", "Patient/1", "", ErrMethod, "GET HEAD PATCH"},
		{"PATCH", "Patient", "identifier=urn:x|1", ErrMethod, "GET HEAD"},
		{"DELETE", "DocumentReference", "identifier=urn:x|1", ErrMethod, "GET HEAD POST PATCH"},
		{"POST", "AuditEvent", "", ErrMethod, "GET HEAD"},
		{"TRACE", "Patient/1", "", ErrMethod, "GET HEAD PATCH"},
		{"get", "Patient/1", "", ErrMethod, "GET HEAD PATCH"},
		{"GET", "Patient/1", "foo=1", ErrBadRequest, ""},
		{"GET", "Patient/1", "_count=1", ErrBadRequest, ""},
		{"GET", "Patient/1", "_summary=count", ErrBadRequest, ""},
		{"GET", "Patient/1", "status=x", ErrBadRequest, ""},
		{"GET", "Patient/1", "_since=2026", ErrBadRequest, ""},
		{"GET", "Binary/1", "_summary=true", ErrBadRequest, ""},
		{"GET", "Patient/1/_history", "_count=201", ErrBadRequest, ""},
		{"GET", "Patient/1/_history", "_at=2026", ErrBadRequest, ""},
		{"GET", "Patient/1/_history", "_since=secret", ErrBadRequest, ""},
		{"GET", "Patient", "address-city=x", ErrBadRequest, ""},
		{"PATCH", "DocumentReference", "", ErrBadRequest, ""},
		{"PATCH", "DocumentReference", "_count=1", ErrBadRequest, ""},
		{"POST", "DocumentReference", "status=current", ErrBadRequest, ""},
		{"GET", "metadata", "mode=x", ErrBadRequest, ""},
		{"GET", "metadata", "_summary=count", ErrBadRequest, ""},
		{"GET", "metadata", "_summary=text&_elements=rest", ErrBadRequest, ""},
		{"GET", "metadata", "_elements=author", ErrBadRequest, ""},
		{"GET", "metadata", "_count=1", ErrBadRequest, ""},
	} {
		_, err := ParsePath(c.method, c.path, c.query)
		var route *RouteError
		var invalid *Invalid
		if !errors.Is(err, c.err) || !errors.As(err, &route) || !errors.As(err, &invalid) {
			t.Errorf("%s %s?%s: %v, want %v", c.method, c.path, c.query, err, c.err)
			continue
		}
		if !strings.Contains(err.Error(), c.err.Error()) {
			t.Errorf("%s %s: %q", c.method, c.path, err)
		}
		if got := strings.Join(route.Allow, " "); got != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, got, c.allow)
		}
	}
}

func TestParseEntry(t *testing.T) {
	const base = Base("https://dmp.test/fhir")
	for _, c := range []struct {
		method, url string
		does        Interaction
		typ, id     string
	}{
		{"POST", "Patient", Create, "Patient", ""},
		{"POST", "List", Create, "List", ""},
		{"POST", "Binary", Create, "Binary", ""},
		{"POST", "DocumentReference", Create, "DocumentReference", ""},
		{"GET", "Binary/b", Read, "Binary", "b"},
		{"GET", "https://dmp.test/fhir/Binary/b", Read, "Binary", "b"},
		{"GET", "/Binary/b", Read, "Binary", "b"},
		{"GET", "/DocumentReference?patient=a", Search, "DocumentReference", ""},
		{"POST", "/List", Create, "List", ""},
		{"PATCH", "DocumentReference/d", Patch, "DocumentReference", "d"},
		{"PATCH", "DocumentReference?identifier=urn:x|1", Patch, "DocumentReference", ""},
		{"GET", "DocumentReference?patient=a&status=current", Search, "DocumentReference", ""},
	} {
		r, err := base.ParseEntry(c.method, c.url)
		if err != nil || r.Interaction != c.does || r.Type != c.typ || r.ID != c.id {
			t.Errorf("%s %s: %+v, %v", c.method, c.url, r, err)
		}
	}
	for _, c := range []struct {
		method, url string
		err         error
	}{
		{"POST", "", ErrUnknownRoute},
		{"POST", "?x=1", ErrUnknownRoute},
		{"GET", "https://other.test/fhir/Binary/b", ErrUnknownRoute},
		{"GET", "//Binary/b", ErrUnknownRoute},
		{"GET", "https://dmp.test/fhir//Binary/b", ErrUnknownRoute},
		{"POST", "/", ErrUnknownRoute},
		{"GET", "Binary/b#x", ErrUnknownRoute},
		{"GET", "DocumentReference?status=current#x", ErrUnknownRoute},
		{"POST", "AuditEvent", ErrMethod},
		{"POST", "RelatedPerson", ErrMethod},
	} {
		if _, err := base.ParseEntry(c.method, c.url); !errors.Is(err, c.err) {
			t.Errorf("%s %s: %v", c.method, c.url, err)
		}
	}
}

// An entry of a batch asks for what a request of its own may ask for. Where only a
// transaction creates a type, the body is read before the method is refused.
func TestParseBatchEntry(t *testing.T) {
	const base = Base("https://dmp.test/fhir")
	for _, c := range []struct {
		method, url string
		err         error
		misplaced   bool
		allow       string
	}{
		{"GET", "https://dmp.test/fhir/Binary/b", nil, false, ""},
		{"POST", "DocumentReference", nil, false, ""},
		{"POST", "Patient", ErrMethod, true, "GET HEAD"},
		{"POST", "Binary", ErrMethod, true, ""},
		{"GET", "Binary", ErrMethod, false, ""},
		{"PUT", "Binary/b", ErrMethod, false, "GET HEAD"},
		{"DELETE", "Consent/1", ErrMethod, false, "GET HEAD PUT"},
		{"PUT", "DocumentReference", ErrMethod, false, "GET HEAD POST PATCH"},
		{"POST", "RelatedPerson", ErrMethod, false, "GET HEAD"},
		{"POST", "OperationDefinition", ErrUnknownRoute, false, ""},
		{"POST", "", ErrUnknownRoute, false, ""},
	} {
		_, err := base.ParseBatchEntry(c.method, c.url)
		var route *RouteError
		if !errors.Is(err, c.err) || Misplaced(err) != c.misplaced {
			t.Errorf("%s %s: %v", c.method, c.url, err)
		} else if errors.As(err, &route) && strings.Join(route.Allow, " ") != c.allow {
			t.Errorf("%s %s: allows %v", c.method, c.url, route.Allow)
		}
	}
}

func TestWithForm(t *testing.T) {
	r, err := Base("https://dmp.test/fhir").ParsePath("POST", "DocumentReference/_search", "_pretty=true")
	if err != nil {
		t.Fatal(err)
	}
	r, err = r.WithForm("patient=https://dmp.test/fhir/Patient/a&status=current")
	if err != nil || r.Form || r.Query.PatientID != "a" || !r.Query.Pretty || len(r.Query.Names("status")) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	r, _ = ParsePath("POST", "DocumentReference/_search", "_count=1")
	if _, err := r.WithForm("_count=2"); !errors.Is(err, ErrBadRequest) {
		t.Errorf("a control parameter in both parts: %v", err)
	}
	if r, err := r.WithForm(""); err != nil || r.Query.Count != 1 {
		t.Errorf("empty body: %+v, %v", r, err)
	}
}

// Every route of the table parses, and nothing parses that the table does not
// have.
func TestRoutesAreTheTable(t *testing.T) {
	var served []string
	for _, typ := range append(Types(), "Observation") {
		for _, tail := range []string{"", "/_search", "/1", "/1/_history", "/1/_history/1", "/$bris-de-glace", "/1/$bris-de-glace", "/$detruire", "/1/$detruire", "/$validate", "/1/$validate"} {
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
				query := ""
				if tail == "" && method != "GET" && method != "POST" {
					query = "_id=1"
				}
				r, err := ParsePath(method, typ+tail, query)
				if err != nil {
					continue
				}
				if !Supports(typ, r.Interaction) || !SupportsEntry(typ, r.Interaction) {
					t.Errorf("%s %s parses as %s", method, typ+tail, r.Interaction)
				}
				served = append(served, typ+" "+string(r.Interaction))
			}
		}
	}
	for i := range services {
		for _, does := range services[i].does {
			if !slices.Contains(served, services[i].name+" "+string(does)) {
				t.Errorf("no route for %s of %s", does, services[i].name)
			}
		}
	}
}

func TestSupports(t *testing.T) {
	for _, c := range []struct {
		typ                       string
		does                      Interaction
		alone, entry, conditional bool
	}{
		{"Patient", Read, true, true, false},
		{"Patient", Create, false, true, true},
		{"Patient", Delete, false, false, false},
		{"DocumentReference", Create, true, true, true},
		{"DocumentReference", Patch, true, true, true},
		{"DocumentReference", Delete, true, true, false},
		{"DocumentReference", Update, false, false, false},
		{"Consent", Update, true, true, false},
		{"AuditEvent", Create, false, false, false},
		{"Observation", Read, false, false, false},
		{"", Transaction, true, false, false},
		{"", Batch, true, false, false},
		{"", Capabilities, true, false, false},
		{"", Search, false, false, false},
		{"Patient", "", false, false, false},
	} {
		if Supports(c.typ, c.does) != c.alone || SupportsEntry(c.typ, c.does) != c.entry || SupportsConditional(c.typ, c.does) != c.conditional {
			t.Errorf("%s of %q", c.does, c.typ)
		}
	}
	if Params("Observation") != nil || Operations("Observation") != nil {
		t.Error("Observation has parameters or operations")
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range [][3]string{
		{"GET", "Patient/123/_history/2", ""}, {"POST", "DocumentReference/_search", "status=current"}, {"PATCH", "DocumentReference", "identifier=a%7Cb"},
		{"POST", "Patient/1/$bris-de-glace", ""}, {"POST", "", ""}, {"GET", "../x%2f;\x00", "&="},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, method, path, rawQuery string) {
		r, err := ParsePath(method, path, rawQuery)
		var invalid *Invalid
		switch {
		case err != nil && !errors.As(err, &invalid):
			t.Fatalf("%v", err)
		case err != nil:
		case !Supports(r.Type, r.Interaction):
			t.Fatalf("%+v is not in the table", r)
		case strings.ContainsAny(path, "%;\\\x00"), path != "" && slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return strings.Trim(s, ".") == "" }):
			t.Fatalf("%q was accepted", path)
		}
	})
}
