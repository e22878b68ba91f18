package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"opendmp/cmd/dmpd/internal/bundles"
)

// contentSize is the size of a document in bytes.
const contentSize = 50 << 10

// record is one patient and what was pushed for them.
type record struct {
	patient   bundles.Patient
	documents []pushed
}

// pushed are the ids of a document and of its content.
type pushed struct{ document, binary string }

// newRecords invents patients with INS of the test domain, valid keys included.
func newRecords(n int) []record {
	all := make([]record, n)
	for i := range all {
		year, month, order := 40+i/12%60, 1+i%12, i%1000
		number := fmt.Sprintf("1%02d%02d75%03d%03d", year, month, 101+i/1000, order)
		value, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			panic("bench: " + err.Error())
		}
		all[i].patient = bundles.Patient{
			INS:    fmt.Sprintf("%s%02d", number, 97-value%97),
			Family: "BANC" + letters(i), Given: "Camille", Gender: "male",
			Birth: fmt.Sprintf("19%02d-%02d-15", year, month),
		}
	}
	return all
}

// letters writes a number in letters, since a family name has no digits.
func letters(n int) string {
	var b []byte
	for {
		b = append(b, byte('A'+n%26))
		if n /= 26; n == 0 {
			return string(b)
		}
	}
}

// push is the bundle of the n-th document of the record.
func (r record) push(n int, now time.Time, c bundles.Content) []byte {
	return bundles.Push(r.patient, bundles.Document{
		Title: "Compte rendu d'examens biologiques", Date: now.AddDate(0, 0, -n), Unique: bundles.UUID(),
	}, c, now)
}

// newContents makes documents that look like PDF to who reads their first bytes
// and do not compress, as real ones do not.
func newContents(n int) []bundles.Content {
	all := make([]bundles.Content, n)
	source := rand.NewChaCha8([32]byte{1})
	for i := range all {
		b := make([]byte, contentSize)
		_, _ = source.Read(b)
		copy(b, "%PDF-1.4\n")
		copy(b[len(b)-6:], "%%EOF\n")
		all[i] = bundles.NewContent(b)
	}
	return all
}
