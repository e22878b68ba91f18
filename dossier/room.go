package dossier

import "opendmp/fhir"

// What the entries of one batch or transaction bring together: as many resources as one
// page with what it includes, and as many bytes as one submission. A hundred documents
// of two hundred and forty kilobytes have place in it.
const (
	maxTogether      = fhir.MaxEntries
	maxTogetherBytes = 32 << 20
)

// room is what the entries of one bundle have brought. The zero room is empty.
type room struct{ resources, bytes int }

// take counts an answer: nothing is answered for nothing.
func (r *room) take(a Answer) {
	r.resources += max(a.resources, 1)
	r.bytes += len(a.body)
}

// admits tells whether an entry may still be carried out. One that begins within the
// limits is answered whole, so that a bundle goes beyond them by one entry at most. What
// writes is never refused for what others read.
func (r *room) admits(line fhir.Request) bool {
	return !isRead(line) || r.resources < maxTogether && r.bytes < maxTogetherBytes
}
