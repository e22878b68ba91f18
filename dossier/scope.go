package dossier

import (
	"net/http"
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
)

// within tells whether the scopes of the caller's token reach as far as the request. It
// looks at what is asked, never at what is there, so that its refusal tells nothing. The
// entries of a bundle are asked about one by one: those of a batch when each is carried
// out, those of a transaction by entriesWithin.
func within(p auth.Principal, r fhir.Request) bool {
	if _, capped := p.Scopes(); !capped || r.Interaction == fhir.Transaction || r.Interaction == fhir.Batch {
		return true
	}
	return p.Within(r.Type, needs(r)) && (!adds(r.Query) || p.Within("*", auth.MayRead))
}

// adds tells whether a search brings resources of other types, which a scope of its own
// type does not reach.
func adds(q *fhir.Query) bool { return q != nil && len(q.Includes) > 0 }

// needs returns the permission that an interaction needs on its type; "", which no
// scope gives, for one that is not known here.
func needs(r fhir.Request) auth.Permission {
	switch r.Interaction {
	case fhir.Read, fhir.VRead, fhir.History:
		return auth.MayRead
	case fhir.Search:
		return auth.MaySearch
	case fhir.Create:
		return auth.MayCreate
	case fhir.Update, fhir.Patch:
		return auth.MayUpdate
	case fhir.Delete:
		return auth.MayDelete
	case fhir.Operation:
		if r.ByGet {
			return auth.MayRead
		}
		return auth.MayCreate
	}
	return ""
}

// entriesWithin tells it of every entry of a transaction.
func entriesWithin(p auth.Principal, entries []fhir.Entry) bool {
	if _, capped := p.Scopes(); !capped {
		return true
	}
	for _, e := range entries {
		typ, rest, _ := strings.Cut(e.URL, "/")
		typ, query, _ := strings.Cut(typ, "?")
		if !p.Within(typ, entryNeeds(e.Method, rest == "", query+rest)) {
			return false
		}
	}
	return true
}

// entryNeeds returns what an entry needs on the type that its URL begins with. One that
// includes other types, or asks for an operation, needs all.
func entryNeeds(method string, whole bool, rest string) auth.Permission {
	if strings.ContainsAny(rest, "$%") || strings.Contains(rest, "include") {
		return "cruds"
	}
	switch method {
	case http.MethodGet, http.MethodHead:
		if whole {
			return auth.MaySearch
		}
		return auth.MayRead
	case http.MethodPost:
		return auth.MayCreate
	case http.MethodPut, http.MethodPatch:
		return auth.MayUpdate
	case http.MethodDelete:
		return auth.MayDelete
	}
	return "cruds"
}
