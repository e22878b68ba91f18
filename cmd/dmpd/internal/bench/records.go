package bench

import (
	"bytes"
	"crypto/sha1" // DocumentReference.attachment.hash is SHA-1 in FHIR R4
	_ "embed"     // the bundles
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

//go:embed templates/opening.json
var openingTemplate string

//go:embed templates/push.json
var pushTemplate string

// contentSize is the size of a document in bytes.
const contentSize = 50 << 10

// record is one patient and what was pushed for them.
type record struct {
	ins, family, birth string
	patient            string // id
	documents          []pushed
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
		all[i] = record{
			ins:    fmt.Sprintf("%s%02d", number, 97-value%97),
			family: "BANC" + letters(i),
			birth:  fmt.Sprintf("19%02d-%02d-15", year, month),
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

// opening is the bundle that opens the dossier.
func (r record) opening(now time.Time) []byte {
	return []byte(strings.NewReplacer(
		"$U1", uuid(), "$U2", uuid(), "$U3", uuid(),
		"$INS", r.ins, "$FAMILY", r.family, "$BIRTH", r.birth,
		"$NOW", now.Format(time.RFC3339),
		"$START", now.Format(time.DateOnly), "$END", now.AddDate(0, 6, 0).Format(time.DateOnly),
	).Replace(openingTemplate))
}

// push is the bundle of the n-th document of the record.
func (r record) push(n int, now time.Time, c content) []byte {
	head, tail, _ := strings.Cut(pushTemplate, "$DATA")
	date := now.AddDate(0, 0, -n).Format(time.RFC3339)
	head = strings.NewReplacer(
		"$U1", uuid(), "$U2", uuid(), "$U3", c.uuid, "$U4", uuid(), "$U5", uuid(),
		"$PATIENT", r.patient, "$INS", r.ins, "$FAMILY", r.family, "$BIRTH", r.birth,
		"$NOW", now.Format(time.RFC3339), "$DATE", date,
		"$SIZE", strconv.Itoa(contentSize), "$HASH", c.hash,
	).Replace(head)
	return bytes.Join([][]byte{[]byte(head), c.base64, []byte(tail)}, nil)
}

// content is a document, made before the clock runs.
type content struct {
	hash   string
	base64 []byte
	uuid   string
}

// newContents makes documents that look like PDF to who reads their first bytes
// and do not compress, as real ones do not.
func newContents(n int) []content {
	all := make([]content, n)
	source := rand.NewChaCha8([32]byte{1})
	for i := range all {
		b := make([]byte, contentSize)
		_, _ = source.Read(b)
		copy(b, "%PDF-1.4\n")
		copy(b[len(b)-6:], "%%EOF\n")
		sum := sha1.Sum(b)
		all[i] = content{
			hash:   base64.StdEncoding.EncodeToString(sum[:]),
			base64: base64.StdEncoding.AppendEncode(nil, b),
			uuid:   uuid(),
		}
	}
	return all
}

func uuid() string {
	a, b := rand.Uint64(), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

// created returns the id of the first resource of a type in an answer: what
// stands between "Type/" and "/_history".
func created(body []byte, typ string) (string, error) {
	_, rest, found := bytes.Cut(body, []byte(typ+"/"))
	id, _, ended := bytes.Cut(rest, []byte("/_history"))
	if !found || !ended || len(id) > 64 {
		return "", fmt.Errorf("no %s in the answer %.300s", typ, body)
	}
	return string(id), nil
}
