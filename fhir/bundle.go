package fhir

import (
	"fmt"
	"iter"
	"net/http"
	"strings"
)

// MaxEntries is how many entries a transaction or batch may have.
const MaxEntries = 1000

// Bundle is a transaction, read and checked.
type Bundle struct {
	Entries  []Entry
	Resource *Resource // the Bundle itself
}

// Entry is one request of a transaction or batch.
type Entry struct {
	// FullURL is the address that other entries use for the resource, "" if none.
	FullURL string
	// Resource is nil where the entry has none. That of a batch is as it was sent: only
	// who carries out its request knows what it must be.
	Resource *Resource
	// Method is of GET, HEAD, POST, PUT, DELETE, PATCH; URL is relative, clean and
	// otherwise as it was sent.
	Method, URL string
	// The conditions, as they were sent.
	IfMatch, IfNoneMatch, IfNoneExist, IfModifiedSince string
	// Index is the place in the Bundle, from 0.
	Index int
}

// At is where the entry stands in its Bundle, as a FHIRPath.
func (e *Entry) At() string { return fmt.Sprintf("Bundle.entry[%d]", e.Index) }

// IsBatch tells whether r is a Bundle of type batch.
func IsBatch(r *Resource) bool { return r.Type() == "Bundle" && r.Get("type").Is("batch") }

// ParseBundle is Parse for what is sent to the base. The entries of a batch have
// nothing to do with each other (R4 http.html#transaction): of one only what is around
// them is held to the rules, and ReadBatch reads them one by one.
func ParseBundle(data []byte) (*Resource, error) {
	t, err := scanJSON(data)
	if err != nil {
		return nil, err
	}
	c := checker{t: t}
	if r := (&Resource{t}); IsBatch(r) {
		c.apart = r.Get("entry").i
	}
	return c.parsed()
}

// ReadBatch yields the entries of a batch in their order, each with what makes it
// unreadable: an entry that is none by the definitions, without a request or with one
// that could not be sent alone, or with a fullUrl that an entry before it has. Of an
// entry that cannot be read Index alone is sure. Its resource is not looked at.
//
// r has passed ParseBundle. An error is an *Invalid with at most twenty issues.
func (base Base) ReadBatch(r *Resource) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		check := bundleCheck{seen: make(map[string]bool)}
		index := 0
		for n := range r.Get("entry").Items() {
			if !yield(check.batchEntry(base, n, index)) {
				return
			}
			index++
		}
	}
}

// batchEntry reads one entry.
func (b *bundleCheck) batchEntry(base Base, n Node, index int) (Entry, error) {
	c := checker{t: n.t, apart: n.Get("resource").i}
	c.object(n.i, bundleType.element("entry").typ)
	if c.entryOf(n, "batch"); len(c.issues) > 0 {
		return Entry{Index: index}, &Invalid{Issues: c.issues}
	}
	e := base.readEntry(n, index)
	if b.issues = nil; !sendable(e.URL) {
		b.strangeURL(&e)
	}
	if b.fullURL(&e); len(b.issues) > 0 {
		return e, &Invalid{Issues: b.issues}
	}
	return e, nil
}

// ReadBundle reads a transaction that was sent to the base. Each entry has a request
// with a known method and a relative URL (no scheme, no host, no dots, no fragment),
// the resource that its method needs, of the type that its URL names, and a fullUrl
// that is absolute and its own. More than MaxEntries are refused, as are all other
// types of Bundle: a batch is read by ReadBatch.
//
// r has passed Parse. The error is an *Invalid with at most twenty issues.
func ReadBundle(r *Resource) (Bundle, error) { return Base("").ReadBundle(r) }

// ReadBundle is the function of that name, for a server that knows its base: a URL
// under it is taken for the relative one that it means.
func (base Base) ReadBundle(r *Resource) (Bundle, error) {
	b := Bundle{Resource: r}
	if r.Type() != "Bundle" || !r.Get("type").Is("transaction") {
		return Bundle{}, invalid("value", "Bundle.type", "Seuls une transaction ou un lot (batch) peuvent être envoyés à cette adresse.", "Only a transaction or a batch can be sent to this address.")
	}
	list := r.Get("entry")
	if list.Len() > MaxEntries {
		return Bundle{}, invalid("too-costly", "Bundle.entry", "Le Bundle a plus de 1000 entrées.", "The Bundle has more than 1000 entries.")
	}
	check := bundleCheck{seen: make(map[string]bool)}
	b.Entries = make([]Entry, 0, list.Len())
	for n := range list.Items() {
		e := base.readEntry(n, len(b.Entries))
		check.entry(n, &e)
		b.Entries = append(b.Entries, e)
	}
	if len(check.issues) > 0 {
		return Bundle{}, &Invalid{Issues: check.issues}
	}
	return b, nil
}

func (base Base) readEntry(n Node, index int) Entry {
	request := n.Get("request")
	e := Entry{
		FullURL:         n.Get("fullUrl").Text(),
		Resource:        n.Get("resource").Resource(),
		Method:          request.Get("method").Text(),
		URL:             request.Get("url").Text(),
		IfMatch:         request.Get("ifMatch").Text(),
		IfNoneMatch:     request.Get("ifNoneMatch").Text(),
		IfNoneExist:     request.Get("ifNoneExist").Text(),
		IfModifiedSince: request.Get("ifModifiedSince").Text(),
		Index:           index,
	}
	e.URL = base.ofEntry(e.URL)
	return e
}

// ofEntry returns the address of an entry relative to the base. A slash at its
// beginning is taken off: by RFC 3986 it would mean the host, but R4 has addresses of
// entries relative to the base alone, and its own example (bundle-request-medsallergies)
// writes them so.
func (base Base) ofEntry(url string) string {
	own, absolute := base.Relative(url)
	if !absolute {
		own, _ = strings.CutPrefix(url, "/")
	}
	if strings.HasPrefix(own, "/") {
		return url // two: another host, or an empty segment
	}
	return own
}

// bundleCheck collects what is wrong with the entries.
type bundleCheck struct {
	seen   map[string]bool // the fullUrls so far
	issues []Issue
}

func (b *bundleCheck) report(e *Entry, code, path, fr, en string) {
	if len(b.issues) < maxIssues {
		b.issues = append(b.issues, invalid(code, e.At()+path, fr, en).Issues...)
	}
}

func (b *bundleCheck) entry(n Node, e *Entry) {
	switch {
	case !n.Get("request").Exists():
		b.report(e, "required", ".request", "Chaque entrée d’une transaction a une requête.", "Each entry of a transaction has a request.")
		return
	case !knownMethod(e.Method):
		b.report(e, "value", ".request.method", "La méthode est inconnue.", "The method is unknown.")
	case !cleanURL(e.URL):
		b.strangeURL(e)
	default:
		b.body(e)
	}
	b.fullURL(e)
}

func (b *bundleCheck) strangeURL(e *Entry) {
	b.report(e, "value", ".request.url", "L’adresse doit être relative à la base FHIR, sans hôte ni segments vides ou « .. ».", "The URL must be relative to the FHIR base, without host, empty segments or “..”.")
}

func knownMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch:
		return true
	}
	return false
}

// sendable tells whether a URL is relative and made of characters that a request line
// may have. What it names is for the routes.
func sendable(url string) bool {
	if strings.ContainsFunc(url, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' || r == '#' }) {
		return false
	}
	path, _, _ := strings.Cut(url, "?")
	return !strings.HasPrefix(path, "//") && !strings.Contains(path, "://")
}

// cleanURL tells whether a request URL is relative to the base and has nothing
// that a router, a proxy or a log could read in another way.
func cleanURL(url string) bool {
	path, query, _ := strings.Cut(url, "?")
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c == 0x7f || c == '\\' || c == '#' {
			return false
		}
	}
	if path == "" || strings.ContainsAny(path, ":%;@") || strings.HasPrefix(query, "?") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// body checks the resource of an entry against its request.
func (b *bundleCheck) body(e *Entry) {
	path, _, _ := strings.Cut(e.URL, "?")
	typ, rest, _ := strings.Cut(path, "/")
	operation := strings.HasPrefix(typ, "$") || strings.Contains(rest, "$") || strings.HasPrefix(rest, "_")
	switch e.Method {
	case http.MethodPost, http.MethodPut:
		switch {
		case operation:
		case e.Resource == nil:
			b.report(e, "required", ".resource", "Cette méthode demande une ressource.", "This method needs a resource.")
		case e.Resource.Type() != typ:
			b.report(e, "value", ".request.url", "L’adresse ne nomme pas le type de la ressource.", "The URL does not name the type of the resource.")
		}
	case http.MethodPatch:
		if e.Resource == nil {
			b.report(e, "required", ".resource", "Cette méthode demande une ressource.", "This method needs a resource.")
		}
	}
}

// fullURL checks that the address of an entry is absolute and its own.
func (b *bundleCheck) fullURL(e *Entry) {
	switch {
	case e.FullURL == "":
	case !strings.Contains(e.FullURL, ":"):
		b.report(e, "value", ".fullUrl", "fullUrl doit être une adresse absolue (urn:uuid:… ou https://…).", "fullUrl must be an absolute address (urn:uuid:… or https://…).")
	case b.seen[e.FullURL]:
		b.report(e, "invariant", ".fullUrl", "Une autre entrée a déjà ce fullUrl.", "Another entry has this fullUrl already.")
	}
	b.seen[e.FullURL] = true
}
