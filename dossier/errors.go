package dossier

import (
	"errors"
	"time"

	"opendmp/fhir"
)

// Errors of the door. refusal.go alone turns them into HTTP.
var (
	// ErrUnauthenticated: no credential, or one that proves nothing.
	ErrUnauthenticated = errors.New("dossier: unauthenticated")
	// ErrBadToken: a credential was given, and refused.
	ErrBadToken = errors.New("dossier: token refused")
	// ErrMisplacedToken: a token, in a place from which none is taken.
	ErrMisplacedToken = errors.New("dossier: token in a URL")
	// ErrBadProof: the possession of the key of the token was not proved (RFC 9449).
	ErrBadProof = errors.New("dossier: proof of possession refused")
	// ErrPatientsOnly: a credential that is good, of a professional or a structure, at
	// the address of the patients.
	ErrPatientsOnly = errors.New("dossier: an address for patients")
	// ErrScope: the scopes of the token do not reach as far.
	ErrScope = errors.New("dossier: insufficient scope")
	// ErrNotFound: by id; hidden and absent alike.
	ErrNotFound = errors.New("dossier: not found")
	// ErrForbidden: by patient; one wording whatever the cause.
	ErrForbidden = errors.New("dossier: forbidden")
	// ErrNoDossier: a write to an unknown, closed or destroyed dossier, or with
	// wrong traits; one wording.
	ErrNoDossier = errors.New("dossier: no dossier to write to")
	// ErrPrecondition: If-Match or another condition does not hold.
	ErrPrecondition = errors.New("dossier: precondition failed")
	// ErrSeveral: a conditional interaction matches several resources.
	ErrSeveral = errors.New("dossier: several matches")
	// ErrNotModified: the client has the version in force.
	ErrNotModified = errors.New("dossier: not modified")
	// ErrConflict: the same identifier with another content, or one dossier too many.
	ErrConflict = errors.New("dossier: conflict")
	// ErrTooLarge: the body exceeds the limit.
	ErrTooLarge = errors.New("dossier: body too large")
	// ErrTogether: what the entries of one bundle bring together exceeds the limit.
	ErrTogether = errors.New("dossier: too much for one bundle")
	// ErrMediaType: the body is of a type that is not served.
	ErrMediaType = errors.New("dossier: unsupported media type")
	// ErrNotAcceptable: no format that the client accepts is served.
	ErrNotAcceptable = errors.New("dossier: not acceptable")
	// ErrTooCostly: more people match than a search by traits shows.
	ErrTooCostly = errors.New("dossier: too many people match")
	// ErrTooMany: too many requests, or answers.
	ErrTooMany = errors.New("dossier: too many")
	// ErrUnavailable: store, keys or audit do not answer.
	ErrUnavailable = errors.New("dossier: unavailable")
	// ErrInternal: a defect of ours, or a sealed byte that does not open.
	ErrInternal = errors.New("dossier: internal")
)

// refused is a refusal of the policy that may say more than its class.
type refused struct {
	class error
	text  fhir.Text
	expr  string
}

func (e *refused) Error() string { return e.class.Error() + ": " + e.text.EN }
func (e *refused) Unwrap() error { return e.class }

// Classes of refusals of writes on what the caller can see.
var (
	// ErrRule: a rule refuses the content of the write (422).
	ErrRule = errors.New("dossier: refused by a rule")
	// ErrElement: the element may not be changed (405).
	ErrElement = errors.New("dossier: element may not change")
)

// retryAfter is what a 503 asks a client to wait.
const retryAfter = 2 * time.Second
