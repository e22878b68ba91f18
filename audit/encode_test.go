package audit_test

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
)

func drawEvent(t *rapid.T) audit.Event {
	text, list := rapid.String(), rapid.SliceOfN(rapid.String(), 0, 3)
	e := audit.Event{
		Recorded:      time.Unix(0, rapid.Int64().Draw(t, "recorded")).UTC(),
		Class:         policy.Class(rapid.Byte().Draw(t, "class")),
		Kind:          auth.Kind(rapid.Byte().Draw(t, "kind")),
		Mode:          auth.Mode(rapid.Byte().Draw(t, "mode")),
		Action:        audit.Action(rapid.Byte().Draw(t, "action")),
		Allowed:       rapid.Bool().Draw(t, "allowed"),
		Secret:        rapid.Bool().Draw(t, "secret"),
		Status:        rapid.IntRange(0, 599).Draw(t, "status"),
		Actor:         fhir.Ident{System: text.Draw(t, "actor system"), Value: text.Draw(t, "actor")},
		ActorName:     text.Draw(t, "actor name"),
		Profession:    auth.Coding{System: text.Draw(t, "profession system"), Code: text.Draw(t, "profession")},
		Structure:     fhir.Ident{System: text.Draw(t, "structure system"), Value: text.Draw(t, "structure")},
		StructureName: text.Draw(t, "structure name"),
		Client:        text.Draw(t, "client"),
		TokenID:       text.Draw(t, "token"),
		Interaction:   text.Draw(t, "interaction"),
		Patient:       text.Draw(t, "patient"),
		Objects:       list.Draw(t, "objects"),
		Query:         text.Draw(t, "query"),
		Purpose:       text.Draw(t, "purpose"),
		Reason:        text.Draw(t, "reason"),
		Rules:         list.Draw(t, "rules"),
		RequestID:     text.Draw(t, "request"),
		Authority:     text.Draw(t, "authority"),
	}
	if len(e.Objects) == 0 {
		e.Objects = nil
	}
	if len(e.Rules) == 0 {
		e.Rules = nil
	}
	return e
}

func TestEncodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawEvent(t)
		got, err := audit.Decode(want.AppendBinary(nil))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, want)
		}
	})
}

// TestAnyEventIsFHIR: whatever texts an event carries, its AuditEvent is valid.
func TestAnyEventIsFHIR(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		e.Interaction = rapid.SampledFrom([]string{audit.Read, audit.Search, audit.Delete, audit.ProvideDocumentBundle, audit.BrisDeGlace, audit.Login, e.Interaction}).Draw(t, "known interaction")
		raw, err := e.Resource([16]byte{}, server)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fhir.Parse(raw); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
	})
}

// TestEncodeHoldsEveryField: a field that is added to Event and forgotten in the
// encoding would be lost without a word.
func TestEncodeHoldsEveryField(t *testing.T) {
	fields := reflect.VisibleFields(reflect.TypeFor[audit.Event]())
	for _, f := range fields {
		var e audit.Event
		e.Recorded = start
		plain := string(e.AppendBinary(nil))
		v := reflect.ValueOf(&e).Elem().FieldByIndex(f.Index)
		switch v.Interface().(type) {
		case time.Time:
			v.Set(reflect.ValueOf(start.Add(1)))
		case fhir.Ident:
			v.Set(reflect.ValueOf(fhir.Ident{Value: "x"}))
		case auth.Coding:
			v.Set(reflect.ValueOf(auth.Coding{Code: "x"}))
		default:
			fill(t, f.Name, v)
		}
		if same := string(e.AppendBinary(nil)) == plain; same != (f.Name == "ID") {
			t.Errorf("%s: encoded alike %v", f.Name, same)
		}
	}
}

func fill(t *testing.T, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Int:
		v.SetInt(1)
	case reflect.Slice:
		v.Set(reflect.ValueOf([]string{"x"}))
	case reflect.Array:
		v.Index(0).SetUint(1)
	default:
		t.Fatalf("%s has a kind that this test does not know: %s", name, v.Kind())
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole := resourceCases[0].event.AppendBinary(nil)
	for n := range whole {
		if _, err := audit.Decode(whole[:n]); !errors.Is(err, audit.ErrDecode) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	tomorrow := append([]byte{2}, whole[1:]...)
	odd := append([]byte(nil), whole...)
	odd[13] = 2 // the flag of Allowed
	long := append(append([]byte(nil), whole[:14]...), strings.Repeat("\xff", 9)+"\x01"...)
	for name, b := range map[string][]byte{"a byte more": append(whole, 0), "format 2": tomorrow, "flag 2": odd, "a length without end": long} {
		if e, err := audit.Decode(b); !errors.Is(err, audit.ErrDecode) || !reflect.DeepEqual(e, audit.Event{}) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

// TestAuthorityIsShown: the decision of its CME, under which an establishment
// feeds by itself, stands in the history in words.
func TestAuthorityIsShown(t *testing.T) {
	e := resourceCases[0].event
	e.Allowed, e.Status, e.Authority = true, 200, "Délibération du 15 janvier 2025"
	raw, err := e.Resource([16]byte{}, server)
	if err != nil {
		t.Fatal(err)
	}
	r, err := fhir.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Get("outcomeDesc").Text(); !strings.HasSuffix(got, ", décision de la CME : Délibération du 15 janvier 2025") {
		t.Errorf("%q", got)
	}
}

// TestEncodeGolden notices a change of format 1, and of the numbers of auth.Kind,
// auth.Mode and policy.Class, which it stores. What is kept for ten years must stay
// readable: a difference is a new format, not -update.
func TestEncodeGolden(t *testing.T) {
	e := by(physician, audit.Event{
		Class: policy.Secret, Secret: true, Interaction: audit.RetrieveDocument, Action: audit.Reads, Patient: "p1",
		Objects: []string{"Binary/b1", "DocumentReference/d1"}, Query: "q", Mode: auth.Centre15, Reason: "r",
		Allowed: true, Rules: []string{"L12"}, Status: 200,
	})
	e.ID = [16]byte{}
	path := filepath.Join("testdata", "event-1.golden")
	if *update {
		if err := os.WriteFile(path, []byte(hex.EncodeToString(e.AppendBinary(nil))+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if got := e.AppendBinary(nil); string(got) != string(want) {
		t.Errorf("encoded as %x", got)
	}
	if got, err := audit.Decode(want); err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("decoded as %+v, %v", got, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range resourceCases {
		f.Add(c.event.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := audit.Decode(b)
		if err != nil {
			return
		}
		again, err := audit.Decode(e.AppendBinary(nil))
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("%+v becomes %+v, %v", e, again, err)
		}
		raw, err := e.Resource([16]byte{}, server)
		if err != nil {
			t.Fatalf("%+v has no resource: %v", e, err)
		}
		if _, err := fhir.Parse(raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	})
}
