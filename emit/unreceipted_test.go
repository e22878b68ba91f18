package emit_test

import (
	"errors"
	"net/http"
	"reflect"
	"testing"
	"unsafe"

	"opendmp/dossier"
	"opendmp/emit"
)

// An answer that is neither public nor clinical with a receipt is not written,
// whatever else it holds. No package can make one, so that the test has to go
// round the types.
func TestAnswersWithoutReceiptAreRefused(t *testing.T) {
	kind, found := reflect.TypeFor[dossier.Answer]().FieldByName("kind")
	if !found || kind.Type.Size() != 1 {
		t.Fatal("dossier.Answer has no field kind of one byte any more: this test must follow it")
	}
	for value := range 256 {
		const public = 1
		if value == public {
			continue
		}
		a := dossier.Public(200, "application/fhir+json", []byte(`{"resourceType":"Patient"}`))
		*(*uint8)(unsafe.Add(unsafe.Pointer(&a), kind.Offset)) = uint8(value)
		res, body, err := write(t, http.MethodGet, a)
		if !errors.Is(err, emit.ErrUnwritable) || res.StatusCode != 500 || body == `{"resourceType":"Patient"}` {
			t.Errorf("kind %d: %d %s, %v", value, res.StatusCode, body, err)
		}
	}
}
