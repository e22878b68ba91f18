package dossier_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"opendmp/store"
)

// What the entries of a bundle bring together is bounded: those past the bound are
// refused each by itself in a batch, and cost nothing; a transaction is refused whole.
func TestEntriesTogether(t *testing.T) {
	c := &counted{}
	c.reset()
	s := newSceneIn(t, newHouseOver(t, func(s store.Store) store.Store { c.Store = s; return c }))
	for i := range 19 {
		s.another(fmt.Sprint(100 + i))
	}
	const each = 40 // documents and their submission sets
	reader := s.reader()
	search := entry("GET", "DocumentReference?patient.identifier="+published.System+"|"+published.Value+"&_revinclude=List:item&_count=200", "")
	c.reset()
	a := reader.post("", bundle("batch", slices.Repeat([]string{search}, 100)...)).is(200).has("entry", "100")
	whole := 1000 / each
	if got := statuses(t, a); got != fmt.Sprintf("%d × 200, %d × 413", whole, 100-whole) {
		t.Errorf("the entries are answered %s", got)
	}
	if got := strings.Count(string(a.body), `"too-costly"`); got != 100-whole {
		t.Errorf("%d entries are too costly", got)
	}
	if c.calls["Header"] != whole {
		t.Errorf("%d headers read, want %d", c.calls["Header"], whole)
	}
	for n, status := range map[int]int{100: 413, whole: 200} {
		if got := reader.post("", bundle("transaction", slices.Repeat([]string{search}, n)...)).Status(); got != status {
			t.Errorf("a transaction of %d: %d, want %d", n, got, status)
		}
	}
	// A write is not refused for what others read.
	mask := entry("PATCH", "DocumentReference/"+s.doc, jsonPatch(label("MASQUE_PS")))
	a = s.me().post("", bundle("batch", append(slices.Repeat([]string{search}, 99), mask)...)).is(200)
	if got := statuses(t, a); got != fmt.Sprintf("%d × 200, %d × 413, 1 × 200", whole, 99-whole) {
		t.Errorf("with a write at the end the entries are answered %s", got)
	}
}

// statuses are those of the entries, as "3 × 200, 1 × 413".
func statuses(t *testing.T, a answer) string {
	t.Helper()
	var b struct {
		Entry []struct{ Response struct{ Status string } }
	}
	if err := json.Unmarshal(a.body, &b); err != nil {
		t.Fatal(err)
	}
	var runs []string
	for n := 0; n < len(b.Entry); {
		from, status := n, b.Entry[n].Response.Status
		for n < len(b.Entry) && b.Entry[n].Response.Status == status {
			n++
		}
		runs = append(runs, fmt.Sprintf("%d × %.3s", n-from, status))
	}
	return strings.Join(runs, ", ")
}

// A hundred documents of two hundred and forty kilobytes are fetched at once; of larger ones
// as many as there is room for.
func TestDocumentsTogether(t *testing.T) {
	s := newScene(t)
	deposit := func(number string, size int) string {
		push := strings.NewReplacer("99999.2", "99999."+number,
			"PD94bWwgdmVyc2lvbj0iMS4wIiBlbmNvZGluZz0iVVRGLTgiPz48Q2xpbmljYWxEb2N1bWVudCB4bWxucz0idXJuOmhsNy1vcmc6djMiLz4=", base64.StdEncoding.EncodeToString(append([]byte(`<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>`), bytes.Repeat([]byte(" "), size)...)),
			`"size": 80,`, "", `"hash": "A/hMRrv6Y15BjSM8kMLidrz+mHc=",`, "").Replace(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"))
		return "Binary/" + strings.Split(s.author.post("", push).is(200).at("entry.2.response.location"), "/")[1]
	}
	answered := func(binary string) string {
		return statuses(t, s.reader().post("", bundle("batch", slices.Repeat([]string{entry("GET", binary, "")}, 100)...)).is(200))
	}
	if got := answered(deposit("200", 240<<10)); got != "100 × 200" {
		t.Errorf("of 240 KiB: %s", got)
	}
	if got := answered(deposit("201", 3<<20)); got != "8 × 200, 92 × 413" { // 4 MiB each in base64
		t.Errorf("of 3 MiB: %s", got)
	}
}
