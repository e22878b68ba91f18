package audit_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"opendmp/audit"
	"opendmp/store"
)

func TestFHIRIDRoundTrip(t *testing.T) {
	valid := regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`) // FHIR R4, datatype id
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 16, 16)
		d := store.Dossier(key.Draw(t, "dossier"))
		e := audit.Event{ID: store.EventID(key.Draw(t, "id")), Recorded: time.Unix(0, rapid.Int64().Draw(t, "recorded"))}
		id := e.FHIRID(d)
		if len(id) != 64 || !valid.MatchString(id) {
			t.Fatalf("%q is no id", id)
		}
		gotD, at, ok := audit.ParseFHIRID(id)
		if !ok || gotD != d || at.ID != e.ID || !at.Recorded.Equal(e.Recorded) {
			t.Fatalf("ParseFHIRID = %x, %v, %v", gotD, at, ok)
		}
	})
}

func TestParseFHIRIDRefuses(t *testing.T) {
	id := audit.Event{Recorded: start}.FHIRID(store.Dossier{1})
	for _, s := range []string{"", id[:63], id + "a", id[:62] + "\r\n", strings.ToUpper(id), id[:63] + "1", id[:63] + "=", "é" + id[2:]} {
		if _, _, ok := audit.ParseFHIRID(s); ok {
			t.Errorf("%q is taken", s)
		}
	}
}
