package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"opendmp/auth"
)

// ErrClient: a registration that must not be used. It is wrapped with the reason.
var ErrClient = errors.New("issuer: client")

// Kinds of clients.
const (
	// Establishment feeds by itself, as its structure (client_credentials).
	Establishment = "establishment"
	// Software acts for professionals, with their Pro Santé Connect token.
	Software = "software"
	// SAMU is Software of a regulation of emergencies.
	SAMU = "samu"
)

// States of a registration.
const (
	Active  = "active"
	Revoked = "revoked"
)

// maxDecision is the length of the reference of a decision, in bytes: it stands in the
// history of the patients.
const maxDecision = 200

// Client is a registered client. The file of clients is a JSON array of them.
type Client struct {
	ID   string `json:"client_id"`
	Name string `json:"client_name"`
	Kind string `json:"kind"`
	// Subjects (RFC 4514, whole) and Thumbprints (x5t#S256) are those of its certificates
	// (tls_client_auth): one of either must match.
	Subjects    []string `json:"tls_client_auth_subject_dn,omitempty"`
	Thumbprints []string `json:"tls_client_certificate_thumbprints,omitempty"`
	// KeySet is its JWK set, or KeySetURL where it publishes it (private_key_jwt).
	KeySet    json.RawMessage `json:"jwks,omitempty"`
	KeySetURL string          `json:"jwks_uri,omitempty"`
	// Scope caps what is issued to it.
	Scope string `json:"scope"`
	// Structures are the identifiers that it acts for, system|value with a
	// Struct_IdNat; the first one is its own.
	Structures []string `json:"structures,omitempty"`
	// IdentityClients are its client identifiers at Pro Santé Connect: a token that was
	// issued to another one is not exchanged.
	IdentityClients []string `json:"psc_client_ids,omitempty"`
	// Decision and DecisionDate (AAAA-MM-JJ) are the reference and the day of the
	// decision of the CME of an establishment on automatic feeding, both or neither:
	// without them it is given no scope to write.
	Decision     string `json:"cme_decision,omitempty"`
	DecisionDate string `json:"cme_decision_date,omitempty"`
	Status       string `json:"status"`
}

// Check refuses a registration that lacks what it needs or contradicts itself; the
// error wraps ErrClient.
func (c Client) Check() error {
	for _, step := range [...]func() error{c.checkIdentity, c.checkProofs, c.checkScope, c.checkStructures, c.checkDecision} {
		if err := step(); err != nil {
			return fmt.Errorf("%w %q: %w", ErrClient, c.ID, err)
		}
	}
	return nil
}

func (c Client) checkIdentity() error {
	switch {
	case !visible(c.ID) || strings.ContainsAny(c.ID, " :"):
		return errors.New("client_id is empty, longer than 255 bytes, or with a blank or a colon")
	case strings.TrimSpace(c.Name) == "" || len(c.Name) > 255:
		return errors.New("client_name missing or longer than 255 bytes")
	case c.Kind != Establishment && c.Kind != Software && c.Kind != SAMU:
		return fmt.Errorf("kind is %s, %s or %s", Establishment, Software, SAMU)
	case c.Status != Active && c.Status != Revoked:
		return fmt.Errorf("status is %s or %s", Active, Revoked)
	case c.Kind == Establishment && len(c.IdentityClients) > 0:
		return errors.New("an establishment exchanges no token of Pro Santé Connect")
	case c.Kind != Establishment && len(c.IdentityClients) == 0:
		return errors.New("psc_client_ids missing")
	case slices.Contains(c.IdentityClients, ""):
		return errors.New("psc_client_ids holds an empty one")
	}
	return nil
}

func (c Client) checkProofs() error {
	if !c.hasCertificates() && !c.hasKeys() {
		return errors.New("neither certificate nor keys to prove itself by")
	}
	if c.Kind != Establishment && !c.hasCertificates() {
		return errors.New("a client that acts for professionals needs a certificate")
	}
	for _, s := range slices.Concat(c.Subjects, c.Thumbprints) {
		if strings.TrimSpace(s) != s || s == "" {
			return errors.New("a subject or thumbprint is empty or has blanks around it")
		}
	}
	for _, s := range c.Subjects {
		if _, err := auth.CanonicalSubject(s); err != nil {
			return fmt.Errorf("tls_client_auth_subject_dn %q: %w", s, err)
		}
	}
	switch {
	case len(c.KeySet) > 0 && c.KeySetURL != "":
		return errors.New("jwks and jwks_uri: one of the two")
	case len(c.KeySet) > 0:
		_, err := auth.ParseKeySet(c.KeySet)
		return err
	case c.KeySetURL != "":
		return auth.CheckURL(c.KeySetURL)
	}
	return nil
}

func (c Client) checkScope() error {
	scopes, err := auth.ParseScopes(c.Scope)
	if err != nil {
		return err
	}
	context := "user"
	if c.Kind == Establishment {
		context = "system"
	}
	for _, s := range scopes {
		if s.Context != context {
			return fmt.Errorf("scope %q: the context of a client of this kind is %s", s, context)
		}
	}
	if len(scopes) == 0 {
		return errors.New("scope missing")
	}
	return nil
}

func (c Client) checkStructures() error {
	if c.Kind != Software && len(c.Structures) == 0 {
		return errors.New("structures missing")
	}
	for i, s := range c.Structures {
		switch {
		case !auth.IsStructure(s):
			return fmt.Errorf("structures: %q is no Struct_IdNat, system|value", s)
		case slices.Contains(c.Structures[:i], s):
			return fmt.Errorf("structures: %q is there twice", s)
		}
	}
	return nil
}

func (c Client) checkDecision() error {
	switch {
	case (c.Decision == "") != (c.DecisionDate == ""):
		return errors.New("cme_decision and cme_decision_date: both or neither")
	case c.Decision == "":
		return nil
	case c.Kind != Establishment:
		return errors.New("a decision of the CME is that of an establishment")
	case strings.TrimSpace(c.Decision) != c.Decision || len(c.Decision) > maxDecision || strings.ContainsFunc(c.Decision, unicode.IsControl):
		return fmt.Errorf("cme_decision is one line of at most %d bytes, without blanks around it", maxDecision)
	}
	if _, err := time.Parse(time.DateOnly, c.DecisionDate); err != nil {
		return fmt.Errorf("cme_decision_date: %q is not a day, AAAA-MM-JJ", c.DecisionDate)
	}
	return nil
}

func (c Client) hasCertificates() bool { return len(c.Subjects)+len(c.Thumbprints) > 0 }
func (c Client) hasKeys() bool         { return len(c.KeySet) > 0 || c.KeySetURL != "" }

// covers tells whether a certificate is one of the client. Subjects may be registered in
// any spelling of RFC 4514; that of the certificate has the one form.
func (c Client) covers(p Peer) bool {
	if p.Thumbprint == "" {
		return false
	}
	return slices.Contains(c.Thumbprints, p.Thumbprint) || slices.ContainsFunc(c.Subjects, func(registered string) bool {
		whole, err := auth.CanonicalSubject(registered)
		return err == nil && whole == p.Subject
	})
}

// scopes returns what may be issued to the client: without a decision of its CME an
// establishment does not feed by itself (POLICY E01).
func (c Client) scopes() (auth.Scopes, error) {
	s, err := auth.ParseScopes(c.Scope)
	if err != nil || c.Kind != Establishment || c.Decision != "" {
		return s, err
	}
	return s.Without("cud"), nil
}

// visible accepts 1 to 255 visible ASCII characters.
func visible(s string) bool {
	return s != "" && len(s) <= 255 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// ParseClients reads a file of clients: a JSON array of Client, each of which must
// pass Check, no two of one identifier. Unknown members are refused.
func ParseClients(data []byte) ([]Client, error) {
	var clients []Client
	if err := strict(data, &clients); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClient, err)
	}
	seen := map[string]bool{}
	for _, c := range clients {
		if err := c.Check(); err != nil {
			return nil, err
		}
		if seen[c.ID] {
			return nil, fmt.Errorf("%w %q: there twice", ErrClient, c.ID)
		}
		seen[c.ID] = true
	}
	return clients, nil
}
