package fhir

import (
	"bytes"
	"fmt"
	"html"
	"strconv"
	"time"
)

// Stamped is what the server writes into a resource when it stores it.
type Stamped struct {
	// ID is the logical id, Version the number of the version from 1, and Updated
	// the instant of the commit. All three are required.
	ID      string
	Version int64
	Updated time.Time
	// References says what the addresses become that a transaction resolved: the
	// exact text of a Reference.reference or of an element of type uri, url,
	// canonical, oid or uuid, or the target of a link or image in a narrative
	// (FHIR R4 §3.1.0.11.2).
	References map[string]string
	// Moved lists the attachments whose data became a Binary.
	Moved []Moved
	// Status replaces the top-level status; "" keeps it.
	Status string
}

// Moved says that the data of DocumentReference.content[Content].attachment
// lives at URL now: data goes, url is set, and size and hash are added where the
// sender left them out.
type Moved struct {
	Content int
	URL     string
	Size    int64  // bytes of the content
	Hash    string // SHA-1 of the content in base64, as R4 wants it
}

// Stamp returns the resource as it is stored: with id, meta.versionId and
// meta.lastUpdated, and the changes that s lists. Nothing else changes. Without
// Moved, a resource stamped twice with the same values is the same.
//
// The error is ErrSplice when a required value is missing or malformed, or when
// s speaks of an element that the resource does not have.
func Stamp(r *Resource, s Stamped) (*Resource, error) {
	if !isID(s.ID) || s.Version < 1 || s.Updated.IsZero() {
		return nil, fmt.Errorf("%w: stamp without id, version or time", ErrSplice)
	}
	edits := stampIdentity(r, s)
	if s.Status != "" {
		status := r.Get("status")
		if !status.Exists() {
			return nil, fmt.Errorf("%w: no status to replace", ErrSplice)
		}
		edits = append(edits, Replace(status, Quote(s.Status)))
	}
	moved := make(map[uint32]bool) // the url nodes that Moved replaces
	for _, m := range s.Moved {
		e, err := move(r, m, moved)
		if err != nil {
			return nil, err
		}
		edits = append(edits, e...)
	}
	if len(s.References) > 0 {
		edits = resolveAddresses(edits, r, s.References, moved)
	}
	return r.Splice(edits)
}

// FormatInstant returns t as Stamp writes it: RFC 3339 in UTC, to the millisecond.
func FormatInstant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// stampIdentity sets id and meta. What is missing comes after resourceType.
func stampIdentity(r *Resource, s Stamped) []Edit {
	var edits []Edit
	root := r.Root()
	id := Quote(s.ID)
	version := Quote(strconv.FormatInt(s.Version, 10))
	updated := Quote(FormatInstant(s.Updated))
	if n := root.Get("id"); n.Exists() {
		edits = append(edits, Replace(n, id))
	} else {
		edits = append(edits, InsertAfter(root.Get("resourceType"), "id", id))
	}
	meta := root.Get("meta")
	if !meta.Exists() {
		after := root.Get("id")
		if !after.Exists() {
			after = root.Get("resourceType")
		}
		value := fmt.Appendf(nil, `{"versionId":%s,"lastUpdated":%s}`, version, updated)
		return append(edits, InsertAfter(after, "meta", value))
	}
	return append(edits, setMembers(meta, []member{{"versionId", version}, {"lastUpdated", updated}})...)
}

type member struct {
	name  string
	value []byte
}

// setMembers replaces members of an object and adds those it lacks.
func setMembers(object Node, members []member) []Edit {
	var edits []Edit
	for _, m := range members {
		if n := object.Get(m.name); n.Exists() {
			edits = append(edits, Replace(n, m.value))
		} else {
			edits = append(edits, InsertMember(object, m.name, m.value))
		}
	}
	return edits
}

// move takes the data of an attachment out and says where it is.
func move(r *Resource, m Moved, moved map[uint32]bool) ([]Edit, error) {
	index := 0
	for content := range r.Get("content").Items() {
		if index++; index <= m.Content {
			continue
		}
		attachment := content.Get("attachment")
		data := attachment.Get("data")
		if !data.Exists() {
			break
		}
		set := []member{{"url", Quote(m.URL)}}
		if !attachment.Get("size").Exists() {
			set = append(set, member{"size", strconv.AppendInt(nil, m.Size, 10)})
		}
		if !attachment.Get("hash").Exists() {
			set = append(set, member{"hash", Quote(m.Hash)})
		}
		if url := attachment.Get("url"); url.Exists() {
			moved[url.i] = true
			return append(setMembers(attachment, set), RemoveMember(data)), nil
		}
		return insteadOf(data, set), nil
	}
	return nil, fmt.Errorf("%w: content[%d] has no data", ErrSplice, m.Content)
}

// insteadOf replaces a member by others, in its place.
func insteadOf(n Node, members []member) []Edit {
	before, colon := n.style()
	var with []byte
	for i, m := range members {
		if i > 0 {
			with = append(append(with, ','), before...)
		}
		with = appendMember(with, m.name, colon, m.value)
	}
	_, end := n.Span()
	return []Edit{{Start: n.t.begin(n.i), End: end, With: with}}
}

func resolveAddresses(edits []Edit, r *Resource, references map[string]string, except map[uint32]bool) []Edit {
	r.Root().addresses(func(n Node) {
		if except[n.i] {
			return
		}
		if to, ok := references[n.Text()]; ok {
			edits = append(edits, Replace(n, Quote(to)))
		}
	}, func(n Node) {
		edits = resolveLinks(edits, n, references)
	})
	return edits
}

// resolveLinks replaces the targets of <a href> and <img src> in a narrative. It
// works on the JSON text, so that all the rest keeps its escapes; a target that
// is written with escapes itself is left alone.
func resolveLinks(edits []Edit, div Node, references map[string]string) []Edit {
	start, _ := div.Span()
	raw := div.Raw()
	for _, attribute := range [...]string{"href=", "src="} {
		for at := 0; ; {
			i := bytes.Index(raw[at:], []byte(attribute))
			if i < 0 {
				break
			}
			at += i + len(attribute)
			quote := byte('\'')
			if at+1 < len(raw) && raw[at] == '\\' && raw[at+1] == '"' {
				quote = '\\'
				at++
			} else if raw[at] != '\'' {
				continue
			}
			at++
			length := bytes.IndexByte(raw[at:], quote)
			if length < 0 {
				break
			}
			if to, ok := references[string(raw[at:at+length])]; ok {
				with := Quote(html.EscapeString(to))
				edits = append(edits, Edit{Start: start + at, End: start + at + length, With: with[1 : len(with)-1]})
			}
			at += length
		}
	}
	return edits
}
