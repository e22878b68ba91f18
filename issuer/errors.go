package issuer

import (
	"errors"
	"net/http"
)

// ErrUnavailable: the store or the identity provider does not answer. Nothing was
// issued.
var ErrUnavailable = errors.New("issuer: unavailable")

// Error is a refusal as RFC 6749 §5.2 answers it. What led to it is in Unwrap, for the
// log of the operator and never for the client.
type Error struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	// Client is the client that was refused, for the log; "" of one that did not prove
	// itself.
	Client string `json:"-"`

	cause error
}

// Error returns the code and the description.
func (e *Error) Error() string { return "issuer: " + e.Code + ": " + e.Description }

// Unwrap returns what led to the refusal.
func (e *Error) Unwrap() error { return e.cause }

func refuse(code, description string, cause error) *Error {
	status := http.StatusBadRequest
	switch code {
	case "invalid_client":
		status = http.StatusUnauthorized
	case "insufficient_user_authentication", "access_denied":
		status = http.StatusForbidden
	}
	return &Error{Status: status, Code: code, Description: description, cause: cause}
}
