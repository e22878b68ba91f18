package audit

import "opendmp/store"

// Resource returns the event as a FHIR AuditEvent in JSON.
func (e Event) Resource(d store.Dossier, server Server) ([]byte, error) {
	return nil, nil
}

// Server is the server that records: who observed the event. It may be zero.
type Server struct{ URL, Name string }
