package audit

import (
	"encoding/base32"
	"encoding/binary"
	"time"

	"opendmp/store"
)

// idEncoding writes 40 bytes as 64 characters of a-z and 2-7, which is the
// longest id that FHIR allows.
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// FHIRID returns the id of the event as an AuditEvent: dossier (16 bytes), instant
// (nanoseconds since 1970, 8 bytes big-endian) and event id (16 bytes) in base32.
func (e Event) FHIRID(d store.Dossier) string {
	b := append(make([]byte, 0, 40), d[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Recorded.UnixNano()))
	b = append(b, e.ID[:]...)
	return idEncoding.EncodeToString(b)
}

// ParseFHIRID undoes FHIRID: the dossier, and the place that Log.Event takes. It
// tells nothing about whether there is such an event.
func ParseFHIRID(id string) (store.Dossier, store.Cursor, bool) {
	b, err := idEncoding.DecodeString(id)
	if err != nil || len(b) != 40 || len(id) != 64 {
		return store.Dossier{}, store.Cursor{}, false
	}
	at := store.Cursor{
		Recorded: time.Unix(0, int64(binary.BigEndian.Uint64(b[16:24]))).UTC(),
		ID:       store.EventID(b[24:]),
	}
	return store.Dossier(b[:16]), at, true
}
