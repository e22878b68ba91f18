package dossier

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"

	"opendmp/fhir"
)

// identity is what makes two pushes under one identifier the same: the contents, and
// every element as it was sent. What differs in one of them would be told as stored
// and be nowhere, so nothing is left out but what the server writes itself: the id,
// the version and its time, and where a content is. The order of members is none, the
// order of lists is.
//
// named says what the addresses are that are of one sending only, such as the fullUrl
// of its entries. contents are the hashes of the contents; made are elements of top
// level that are made anew at each sending.
func identity(r *fhir.Resource, named map[string]string, contents [][32]byte, made ...string) [32]byte {
	p := imprint{sum: sha256.New(), named: named, typ: r.Type(), made: made}
	for _, content := range contents {
		p.sum.Write(content[:])
	}
	p.node(r.Root(), "")
	return [32]byte(p.sum.Sum(nil))
}

// imprint writes a resource into a hash.
type imprint struct {
	sum   hash.Hash
	named map[string]string
	typ   string
	made  []string
}

func (p *imprint) node(n fhir.Node, path string) {
	switch n.Kind() {
	case fhir.Object:
		p.text('{', "")
		members := maps.Collect(n.Members())
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if at := path + "." + name; !p.leaves(at, name) {
				p.text('m', name)
				p.node(members[name], at)
			}
		}
		p.text('}', "")
	case fhir.Array:
		p.text('[', "")
		for item := range n.Items() {
			p.node(item, path)
		}
		p.text(']', "")
	default:
		p.value(n, path)
	}
}

func (p *imprint) value(n fhir.Node, path string) {
	text := n.Text()
	if name, ok := p.named[text]; ok && n.Name() == "reference" {
		p.text('r', name)
		return
	}
	if n.Kind() != fhir.String {
		text = string(n.Raw())
	}
	p.text(byte(n.Kind()), text)
}

// text writes a text with its length, so that no two lists of texts are one.
func (p *imprint) text(kind byte, s string) {
	p.sum.Write(binary.AppendUvarint([]byte{kind}, uint64(len(s))))
	p.sum.Write([]byte(s))
}

// leaves tells whether an element is left out.
func (p *imprint) leaves(path, name string) bool {
	switch path {
	case ".id", ".meta.versionId", ".meta.lastUpdated":
		return true
	case ".content.attachment.url", ".content.attachment.data":
		return p.typ == "DocumentReference"
	}
	return path == "."+name && slices.Contains(p.made, name)
}
