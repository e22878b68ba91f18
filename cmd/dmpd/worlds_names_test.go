package main

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"opendmp/fhir"
)

// aliases are what one world calls its things. Two worlds give the same thing
// different ids; by first appearance they get the same name, «1», «2»…, in
// which answers are compared and later requests written. A name of the cast,
// "{{alix-masque}}", stands for an id that was known before the script.
type aliases struct {
	known map[string]string // name → id, of the cast
	seen  map[string]string // id → name, by first appearance
	ids   map[string]string // name → id, back
}

func newAliases() aliases {
	return aliases{map[string]string{}, map[string]string{}, map[string]string{}}
}

// shorten replaces what the server made up by names.
func (n aliases) shorten(text string) string {
	text = queriesInClear(text)
	var out strings.Builder
	for len(text) > 0 {
		from, to := madeUp(text)
		out.WriteString(text[:from])
		if to > from {
			out.WriteString(n.name(text[from:to]))
		}
		text = text[to:]
	}
	return out.String()
}

// queriesInClear decodes the queries that AuditEvents show in base64, in JSON or
// XML: the names of things are in them too.
func queriesInClear(text string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "query")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString("query")
		text = after
		for _, opening := range [...]string{`":"`, `": "`, ` value="`} {
			value, ok := strings.CutPrefix(after, opening)
			if !ok {
				continue
			}
			shown, rest, _ := strings.Cut(value, `"`)
			if query, err := base64.StdEncoding.DecodeString(shown); err == nil {
				out.WriteString(" in base64: " + string(query))
				text = rest
			}
			break
		}
	}
}

// name returns the name of an id, a new one at its first appearance.
func (n aliases) name(id string) string {
	name, ok := n.seen[id]
	if !ok {
		name = fmt.Sprintf("«%d»", len(n.seen)+1)
		n.seen[id], n.ids[name] = name, id
	}
	return name
}

// madeUp returns the place of the first word that the server made up: the id of a
// resource (q and 25 letters), the id of an event (64 letters), or the seal of a
// link to a page. There is none where from is to.
func madeUp(text string) (from, to int) {
	letter := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '2' && c <= '7' }
	word := func(c byte) bool {
		return letter(c) || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '%' || c == '~' || c == '.'
	}
	const page = fhir.PageParam + "="
	for from < len(text) {
		if !word(text[from]) {
			from++
			continue
		}
		if strings.HasPrefix(text[from:], page) {
			from += len(page)
			for to = from; to < len(text) && word(text[to]); to++ {
			}
			return from, to
		}
		letters := true
		for to = from; to < len(text) && word(text[to]); to++ {
			letters = letters && letter(text[to])
		}
		if letters && (to-from == idLength && text[from] == 'q' || to-from == eventLength) {
			return from, to
		}
		from = to
	}
	return from, from
}

// eventLength is how long the ids of AuditEvents are, which the server works out.
const eventLength = 64

var (
	ofCast   = regexp.MustCompile(`\{\{[^}]*\}\}`)
	ofScript = regexp.MustCompile(`«[0-9]+»`)
)

// expand replaces names by the ids of this world. A name of the cast that this
// world does not know stays as it is: the caller of expand sees to that.
func (n aliases) expand(text string) string {
	text = ofCast.ReplaceAllStringFunc(text, func(name string) string {
		if id, ok := n.known[name[2:len(name)-2]]; ok {
			return id
		}
		return name
	})
	return ofScript.ReplaceAllStringFunc(text, func(name string) string {
		if id, ok := n.ids[name]; ok {
			return id
		}
		return name
	})
}

// got is an answer in names.
type got struct {
	status       int
	header, body string
}

// see puts an answer into names.
func (n aliases) see(r raw) got {
	var h strings.Builder
	_ = r.header.Write(&h)
	return got{r.status, n.shorten(h.String()), n.shorten(string(r.body))}
}

// apart shows what an answer has that another has not: the header lines, and the
// body from where they part.
func (g got) apart(other got) string {
	var lines []string
	for line := range strings.Lines(g.header) {
		if !strings.Contains(other.header, line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	at := 0
	for at < len(g.body) && at < len(other.body) && g.body[at] == other.body[at] {
		at++
	}
	return fmt.Sprintf("%d %q … %.500s", g.status, lines, g.body[max(0, at-150):])
}

// learn keeps the ids of what an act made: of a document under its key, of others
// under its key and their type.
func (n aliases) learn(key string, r raw) {
	if key == "" {
		return
	}
	locations := []string{r.header.Get("Location")}
	if bundle, err := fhir.Scan(r.body); err == nil {
		for l := range bundle.Root().All("entry", "response", "location") {
			locations = append(locations, l.Text())
		}
	}
	for _, l := range locations {
		parts := strings.Split(strings.TrimPrefix(l, worldsBase+"/"), "/")
		if len(parts) < 2 {
			continue
		}
		name := key
		if typ := parts[0]; typ != "DocumentReference" && typ != "Patient" {
			name += "/" + typ
		}
		if _, taken := n.known[name]; !taken {
			n.known[name] = parts[1]
		}
	}
}
