package fhir

import (
	"math"
	"strings"
	"unicode/utf8"
)

// ValuesOf returns the search values of a resource that Parse accepted; after
// Stamp they hold its id and meta.lastUpdated. A type that the table does not
// serve has none.
//
// References that no query can name are left out: to contained resources, logical
// and conditional ones. So are codes and identifiers longer than MaxValue; a longer
// string is cut. Where nothing else of an element is kept, it is known to be there:
// :missing asks for the element, not for what a query could compare (R4
// §3.1.1.4.2.1).
func ValuesOf(r *Resource) Values {
	t := serviceOf(r.Type())
	if t == nil {
		return Values{}
	}
	w := valueWalker{resource: r}
	for i := range t.params {
		p := &t.params[i]
		if p.slot == slotNone {
			continue
		}
		before := len(w.out.entries)
		w.reached = false
		for _, steps := range p.paths {
			w.walk(p, r.Root(), steps)
		}
		switch {
		case len(w.out.entries) > before:
		case p.absent != "":
			w.out.token(p.slot, "", p.absent)
		case w.reached && p.Type != DateParam:
			w.out.unnamed(p.slot)
		}
	}
	return w.out.values()
}

type valueWalker struct {
	resource *Resource
	out      valueWriter
	reached  bool // an element of the parameter at hand is there
}

// walk follows steps from every element of n and keeps what it arrives at.
func (w *valueWalker) walk(p *Param, n Node, steps []string) {
	for item := range n.Items() {
		if len(steps) == 0 {
			w.reached = true
			w.keep(p, item)
		} else {
			w.walk(p, w.step(item, steps[0]), steps[1:])
		}
	}
}

func (w *valueWalker) step(n Node, step string) Node {
	switch {
	case step == follow:
		return w.contained(n)
	case strings.HasPrefix(step, "http"):
		return extensionValue(n, step)
	}
	return n.Get(step)
}

// contained returns the contained resource that a reference names.
func (w *valueWalker) contained(n Node) Node {
	id, local := strings.CutPrefix(n.Get("reference").Text(), "#")
	if !local || id == "" {
		return Node{}
	}
	for c := range w.resource.Get("contained").Items() {
		if c.Get("id").Is(id) {
			return c
		}
	}
	return Node{}
}

// extensionValue returns the value of n if it is the extension of that URL.
func extensionValue(n Node, url string) Node {
	if !n.Get("url").Is(url) {
		return Node{}
	}
	for name, v := range n.Members() {
		if strings.HasPrefix(name, "value") {
			return v
		}
	}
	return Node{}
}

func (w *valueWalker) keep(p *Param, n Node) {
	switch p.Type {
	case TokenParam:
		w.keepToken(p.slot, n)
	case DateParam:
		if i, ok := intervalOf(n); ok {
			w.out.date(p.slot, i)
		}
	case StringParam:
		if s := n.Text(); s != "" {
			w.out.text(p.slot, cut(s))
		}
	case ReferenceParam:
		if s := referenceValue(n.Get("reference").Text()); s != "" && len(s) <= MaxValue {
			w.out.reference(p.slot, s)
		}
	}
}

// keepToken tells the data types apart by their elements: CodeableConcept has
// coding, Coding has code, Identifier has value; anything else is a code.
func (w *valueWalker) keepToken(s slot, n Node) {
	if n.Kind() != Object {
		w.keepCode(s, "", n.Text())
		return
	}
	if c := n.Get("coding"); c.Exists() {
		for coding := range c.Items() {
			w.keepToken(s, coding)
		}
		return
	}
	value := n.Get("code")
	if !value.Exists() {
		value = n.Get("value")
	}
	w.keepCode(s, n.Get("system").Text(), value.Text())
}

func (w *valueWalker) keepCode(s slot, system, code string) {
	if code == "" || len(code) > MaxValue || len(system) > MaxValue {
		return
	}
	system, code = canonicalToken(system, code)
	w.out.token(s, system, code)
}

// canonicalToken is the form of a coding or an identifier that values and
// queries share. The systems of the two do not overlap.
func canonicalToken(system, code string) (string, string) {
	system, code = CanonicalCoding(system, code)
	i := CanonicalIdent(Ident{system, code})
	return i.System, i.Value
}

// intervalOf reads a date, dateTime, instant or Period.
func intervalOf(n Node) (Interval, bool) {
	if n.Kind() != Object {
		return ParseInterval(n.Text())
	}
	i := Interval{math.MinInt64, math.MaxInt64}
	start, end := n.Get("start"), n.Get("end")
	if from, ok := ParseInterval(start.Text()); ok {
		i.From = from.From
	} else if start.Exists() {
		return Interval{}, false
	}
	if to, ok := ParseInterval(end.Text()); ok {
		i.To = to.To
	} else if end.Exists() {
		return Interval{}, false
	}
	return i, i.From <= i.To && (start.Exists() || end.Exists())
}

// referenceValue returns a reference without its version, "" for one that no
// query can name.
func referenceValue(s string) string {
	if strings.HasPrefix(s, "#") || strings.Contains(s, "?") {
		return ""
	}
	s, _, _ = strings.Cut(s, "/_history/")
	return s
}

// cut shortens a string to a little over MaxValue bytes, between two characters:
// longer than any query, so that :exact does not find it by its beginning.
func cut(s string) string {
	if len(s) <= MaxValue+utf8.UTFMax {
		return s
	}
	end := MaxValue + utf8.UTFMax
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
