package fhir

import (
	"fmt"
	"net/http"
	"strings"
)

// MaxEntries is how many entries a transaction or batch may have.
const MaxEntries = 1000

// Bundle is a transaction or a batch, read and checked.
type Bundle struct {
	Type     string // "transaction" or "batch"
	Entries  []Entry
	Resource *Resource // the Bundle itself
}

// Entry is one request of a transaction or batch.
type Entry struct {
	// FullURL is the address that other entries use for the resource, "" if none.
	FullURL string
	// Resource is nil where the entry has none.
	Resource *Resource
	// Method is of GET, HEAD, POST, PUT, DELETE, PATCH; URL is relative, clean and
	// otherwise as it was sent.
	Method, URL string
	// The conditions, as they were sent.
	IfMatch, IfNoneMatch, IfNoneExist, IfModifiedSince string
	// Index is the place in the Bundle, from 0.
	Index int
}

// ReadBundle reads a Bundle that was sent to the base: a transaction or a batch.
// Each entry has a request with a known method and a relative URL (no scheme, no
// host, no dots, no fragment), the resource that its method needs, of the type
// that its URL names, and a fullUrl that is absolute and its own. More than
// MaxEntries are refused, as are all other types of Bundle.
//
// r has passed Parse. The error is an *Invalid with at most twenty issues.
func ReadBundle(r *Resource) (Bundle, error) { return Base("").ReadBundle(r) }

// ReadBundle is the function of that name, for a server that knows its base: a URL
// under it is taken for the relative one that it means.
func (base Base) ReadBundle(r *Resource) (Bundle, error) {
	b := Bundle{Type: r.Get("type").Text(), Resource: r}
	if r.Type() != "Bundle" || b.Type != "transaction" && b.Type != "batch" {
		return Bundle{}, invalid("value", "Bundle.type", "Seuls une transaction ou un lot (batch) peuvent être envoyés à cette adresse.", "Only a transaction or a batch can be sent to this address.")
	}
	list := r.Get("entry")
	if list.Len() > MaxEntries {
		return Bundle{}, invalid("too-costly", "Bundle.entry", "Le Bundle a plus de 1000 entrées.", "The Bundle has more than 1000 entries.")
	}
	check := bundleCheck{seen: make(map[string]bool)}
	b.Entries = make([]Entry, 0, list.Len())
	for n := range list.Items() {
		e := readEntry(n, len(b.Entries))
		if own, ok := base.relative(e.URL); ok {
			e.URL = own
		}
		check.entry(n, &e)
		b.Entries = append(b.Entries, e)
	}
	if len(check.issues) > 0 {
		return Bundle{}, &Invalid{Issues: check.issues}
	}
	return b, nil
}

func readEntry(n Node, index int) Entry {
	request := n.Get("request")
	return Entry{
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
}

// bundleCheck collects what is wrong with the entries.
type bundleCheck struct {
	seen   map[string]bool // the fullUrls so far
	issues []Issue
}

func (b *bundleCheck) report(e *Entry, code, path, fr, en string) {
	if len(b.issues) < maxIssues {
		expression := fmt.Sprintf("Bundle.entry[%d]%s", e.Index, path)
		b.issues = append(b.issues, invalid(code, expression, fr, en).Issues...)
	}
}

func (b *bundleCheck) entry(n Node, e *Entry) {
	switch {
	case !n.Get("request").Exists():
		b.report(e, "required", ".request", "Chaque entrée d’une transaction ou d’un lot a une requête.", "Each entry of a transaction or batch has a request.")
		return
	case !knownMethod(e.Method):
		b.report(e, "value", ".request.method", "La méthode est inconnue.", "The method is unknown.")
	case !cleanURL(e.URL):
		b.report(e, "value", ".request.url", "L’adresse doit être relative à la base FHIR, sans hôte ni segments vides ou « .. ».", "The URL must be relative to the FHIR base, without host, empty segments or “..”.")
	default:
		b.body(e)
	}
	b.fullURL(e)
}

func knownMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch:
		return true
	}
	return false
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
