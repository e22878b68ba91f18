package fhir

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Errors of a request line; a *RouteError wraps one of them.
var (
	// ErrUnknownRoute is that the path names nothing that is served: 404.
	ErrUnknownRoute = errors.New("fhir: unknown route")
	// ErrMethod is that the path exists, but not with this method: 405.
	ErrMethod = errors.New("fhir: method not allowed")
	// ErrBadRequest is that the query is refused: 400.
	ErrBadRequest = errors.New("fhir: bad request")
)

// RouteError is why a request line is refused. It is one of ErrUnknownRoute,
// ErrMethod and ErrBadRequest, and an *Invalid with the issues to answer.
type RouteError struct {
	kind    error
	invalid *Invalid
	// Allow are the methods of the path, for ErrMethod; none where nothing but an entry
	// of a transaction reaches it.
	Allow []string
	// misplaced: see Misplaced.
	misplaced bool
}

// Misplaced tells whether err is that a request of its own would create what only a
// transaction creates: a Patient, a List, a Binary. What is wrong with its body is
// then said before that: who learns to speak to the server gets the nearest error
// first.
func Misplaced(err error) bool {
	var route *RouteError
	return errors.As(err, &route) && route.misplaced
}

func (e *RouteError) Error() string { return e.kind.Error() + ": " + e.invalid.Error() }

// Unwrap returns the sentinel and the *Invalid.
func (e *RouteError) Unwrap() []error { return []error{e.kind, e.invalid} }

// Request is a request line, understood. What it asks for is in the interaction
// table.
type Request struct {
	Interaction Interaction
	// Type is empty for the interactions of the server as a whole, and ID for
	// those on a type.
	Type, ID string
	// Version is set for VRead.
	Version string
	// Operation is the name without the $, for Operation.
	Operation string
	// ByGet is that an operation is asked by GET, without a body.
	ByGet bool
	// Conditional is that Patch, Update or Delete names its resource by Query.
	Conditional bool
	// Form is that the rest of the query is in the body (POST to _search): Query is
	// nil until WithForm.
	Form bool
	// Query holds the conditions of a search or of a conditional interaction; of a
	// read what is to be shown, of a history that and its window, of Capabilities what
	// is to be shown where that is not all. It is nil for the others.
	Query *Query
	// Format and Pretty are _format and _pretty, of whatever interaction.
	Format string
	Pretty bool
	// Mode and Profile are those arguments of $validate, when the URL gives them. Of
	// Capabilities, Mode is which statement (ModeFull if "").
	Mode, Profile string
	// RawQuery is the query as received, percent-encoded.
	RawQuery string

	base     Base
	handling Handling
}

// ParsePath reads the line of a request: its method, its path relative to the
// FHIR base without a slash at the beginning ("Patient/123", "" for the base
// itself) and its query, percent-encoded. HEAD is read as GET. A POST to the base
// is a Transaction until the bundle says that it is a batch.
//
// A path is taken literally: empty or dotted segments, percent escapes,
// semicolons and anything that is not a type, id, operation or keyword in its
// place is ErrUnknownRoute. The error is a *RouteError.
func ParsePath(method, path, rawQuery string) (Request, error) {
	return Base("").ParsePath(method, path, rawQuery)
}

// ParsePath is the function of that name, for a server that knows its base.
func (b Base) ParsePath(method, path, rawQuery string) (Request, error) {
	return b.ParsePathAs(Strict, method, path, rawQuery)
}

// ParsePathAs is ParsePath with the handling that the client prefers. It is for
// searches alone: a write whose resource is named by a query is always strict.
func (b Base) ParsePathAs(h Handling, method, path, rawQuery string) (Request, error) {
	return b.parsePath(h, method, path, rawQuery, (*service).supports)
}

// ParseEntry reads Bundle.entry.request of a transaction: the method and the URL,
// relative, with or without a slash at its beginning, or under the base. Beyond ParsePath it allows what exists in transactions
// only (SupportsEntry); no bundles within bundles.
func (b Base) ParseEntry(method, url string) (Request, error) {
	return b.parseEntry(method, url, (*service).supportsEntry)
}

// ParseBatchEntry does the same for a batch, whose entries are answered as if each
// had come alone: it allows what ParsePath does.
func (b Base) ParseBatchEntry(method, url string) (Request, error) {
	return b.parseEntry(method, url, (*service).supports)
}

func (b Base) parseEntry(method, url string, supports func(*service, Interaction) bool) (Request, error) {
	path, rawQuery, _ := strings.Cut(b.ofEntry(url), "?")
	if path == "" || strings.Contains(rawQuery, "#") {
		return Request{}, unknownRoute()
	}
	return b.parsePath(Strict, method, path, rawQuery, supports)
}

// WithForm returns the request of a POST to _search, with the query of the body
// beside that of the URL. The error is a *RouteError.
func (r Request) WithForm(body string) (Request, error) {
	r.RawQuery, r.Form = strings.Trim(r.RawQuery+"&"+body, "&"), false
	return r.withQuery(r.base.parseQuery(r.Type, r.RawQuery, r.handling))
}

func (b Base) parsePath(h Handling, method, path, rawQuery string, supports func(*service, Interaction) bool) (Request, error) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	routes := routesOf(path, supports)
	for _, route := range routes {
		if route.method == method {
			route.handling = h
			return b.finish(route.Request, rawQuery)
		}
	}
	inside := routesOf(path, (*service).supportsEntry)
	if len(routes) == 0 && len(inside) == 0 {
		return Request{}, unknownRoute()
	}
	refused := wrongMethod(routes)
	refused.misplaced = slices.ContainsFunc(inside, func(r route) bool { return r.method == method && r.Interaction == Create })
	return Request{}, refused
}

// route is one method of a path.
type route struct {
	method string
	Request
}

// routesOf returns what a path offers; none if it names nothing.
func routesOf(path string, supports func(*service, Interaction) bool) []route {
	switch path {
	case "":
		return []route{{http.MethodPost, Request{Interaction: Transaction}}}
	case "metadata":
		return []route{{http.MethodGet, Request{Interaction: Capabilities}}}
	}
	segments := strings.Split(path, "/")
	t := serviceOf(segments[0])
	if t == nil {
		return nil
	}
	found := t.routes(segments[1:])
	return slices.DeleteFunc(found, func(r route) bool { return !supports(t, r.Interaction) })
}

// routes returns what the segments after the type may mean, served or not.
func (t *service) routes(segments []string) []route {
	r := Request{Type: t.name}
	switch {
	case len(segments) == 0:
		return t.typeRoutes()
	case segments[0] == "_search" && len(segments) == 1:
		r.Interaction, r.Form = Search, true
		return []route{{http.MethodPost, r}}
	case strings.HasPrefix(segments[0], "$"):
		return t.operationRoute(r, segments)
	case !validID(segments[0]):
		return nil
	}
	r.ID, segments = segments[0], segments[1:]
	switch {
	case len(segments) == 0:
		return instanceRoutes(r)
	case strings.HasPrefix(segments[0], "$"):
		return t.operationRoute(r, segments)
	case segments[0] != "_history":
		return nil
	case len(segments) == 1:
		r.Interaction = History
		return []route{{http.MethodGet, r}}
	case len(segments) == 2 && validID(segments[1]):
		r.Interaction, r.Version = VRead, segments[1]
		return []route{{http.MethodGet, r}}
	}
	return nil
}

// typeRoutes are the methods on the type itself. Those that write to one resource
// name it by a query.
func (t *service) typeRoutes() []route {
	found := []route{
		{http.MethodGet, Request{Type: t.name, Interaction: Search}},
		{http.MethodPost, Request{Type: t.name, Interaction: Create}},
	}
	for _, c := range [...]route{
		{http.MethodPut, Request{Interaction: Update}},
		{http.MethodPatch, Request{Interaction: Patch}},
		{http.MethodDelete, Request{Interaction: Delete}},
	} {
		if slices.Contains(t.conditional, c.Interaction) {
			c.Type, c.Conditional = t.name, true
			found = append(found, c)
		}
	}
	return found
}

func instanceRoutes(r Request) []route {
	var found []route
	for _, m := range [...]struct {
		method string
		does   Interaction
	}{
		{http.MethodGet, Read},
		{http.MethodPut, Update},
		{http.MethodPatch, Patch},
		{http.MethodDelete, Delete},
	} {
		r.Interaction = m.does
		found = append(found, route{m.method, r})
	}
	return found
}

func (t *service) operationRoute(r Request, segments []string) []route {
	op := t.operation(segments[0][1:])
	if op == nil || len(segments) > 1 || r.ID == "" && !op.Type || r.ID != "" && !op.Instance {
		return nil
	}
	r.Interaction, r.Operation = Operation, op.Name
	found := []route{{http.MethodPost, r}}
	if op.Reads {
		r.ByGet = true
		found = append(found, route{http.MethodGet, r})
	}
	return found
}

// finish reads the query of a request whose route is known.
func (b Base) finish(r Request, rawQuery string) (Request, error) {
	r.RawQuery, r.base = rawQuery, b
	if r.Form {
		return r, nil
	}
	switch {
	case r.Interaction == Search:
		return r.withQuery(b.parseQuery(r.Type, rawQuery, r.handling))
	case r.Conditional:
		return r.withQuery(b.ParseQuery(r.Type, rawQuery))
	}
	p := queryParser{t: serviceOf(r.Type), controls: otherControls[:]}
	shown := false
	switch op, ok := OperationOn(r.Type, r.Operation); {
	case r.Interaction == Capabilities:
		// What a client asks at its start, before it knows what is served.
		p.t, p.controls = &service{name: "CapabilityStatement"}, append([]string{"mode"}, readControls[:]...)
	case r.Interaction == Operation && ok:
		p.controls = append(op.argumentsInURL(), p.controls...)
	case r.Interaction == History:
		p.controls, shown = historyControls[:], true
	case (r.Interaction == Read || r.Interaction == VRead) && p.t.supports(Search):
		p.controls, shown = readControls[:], true
	}
	q, err := b.parse(p, rawQuery)
	shown = shown || err == nil && (q.Summary != "" || len(q.Elements) > 0)
	if err == nil && r.Interaction == Capabilities && !capabilityMode(q.mode) {
		err = invalid("value", "mode", "full, normative ou terminology attendu.", "full, normative or terminology is expected.")
	}
	if r, err = r.withQuery(q, err); err == nil {
		r.Mode, r.Profile = q.mode, q.profile
		if !shown {
			r.Query = nil
		}
	}
	return r, err
}

// withQuery completes a request by its query.
func (r Request) withQuery(q *Query, err error) (Request, error) {
	if err == nil && r.Conditional && len(q.conditions) == 0 {
		err = invalid("required", "", "Un critère est nécessaire.", "A criterion is needed.")
	}
	if err != nil {
		return Request{}, badRequest(err)
	}
	r.Query, r.Format, r.Pretty = q, q.Format, q.Pretty
	return r, nil
}

func unknownRoute() *RouteError {
	return &RouteError{
		kind:    ErrUnknownRoute,
		invalid: invalid("not-supported", "", "Cette adresse n’est pas servie.", "Nothing is served at this address."),
	}
}

func wrongMethod(routes []route) *RouteError {
	e := &RouteError{
		kind:    ErrMethod,
		invalid: invalid("not-supported", "", "Cette méthode n’est pas proposée à cette adresse.", "This method is not supported at this address."),
	}
	e.Allow = methodsOf(routes)
	return e
}

// methodsOf returns the methods of a path, for a header Allow.
func methodsOf(routes []route) []string {
	var methods []string
	for _, r := range routes {
		methods = append(methods, r.method)
		if r.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return methods
}

// Allowed returns the methods that a request of its own may use on the resource that r
// names, or on the type where it names one by a query.
func (r Request) Allowed() []string {
	path := r.Type
	if r.ID != "" {
		path += "/" + r.ID
	}
	return methodsOf(routesOf(path, (*service).supports))
}

func badRequest(err error) *RouteError {
	e := &RouteError{kind: ErrBadRequest}
	if !errors.As(err, &e.invalid) {
		e.invalid = invalid("invalid", "", "Requête illisible.", "Unreadable request.")
	}
	return e
}
