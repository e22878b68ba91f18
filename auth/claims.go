package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"opendmp/fhir"
)

// Claims is the payload of an access token. Times are seconds since 1970, whole
// numbers (RFC 7519 allows fractions, we do not).
type Claims struct {
	Issuer    string   `json:"iss"`
	Audience  Audience `json:"aud"`
	Subject   string   `json:"sub"`
	Expires   int64    `json:"exp"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf,omitempty"`
	ID        string   `json:"jti"`
	// Client is the client software that the token was issued to.
	Client string `json:"client_id,omitempty"`
	// Confirmation is the key that the caller must hold (RFC 7800); nil for a bearer
	// token.
	Confirmation *Confirmation `json:"cnf,omitempty"`
	// Scope caps what the token may be used for (SMART v2); absent, it caps nothing.
	Scope *string `json:"scope,omitempty"`

	Extensions Extensions `json:"extensions"`
	DMP        DMP        `json:"opendmp"`
}

// Confirmation names what the sender of a token must prove to hold: one of the two.
type Confirmation struct {
	// Certificate is the thumbprint of the client certificate (RFC 8705 §3.1).
	Certificate string `json:"x5t#S256,omitempty"`
	// Key is the thumbprint of a DPoP key (RFC 9449 §6.1).
	Key string `json:"jkt,omitempty"`
}

// UnmarshalJSON refuses another member, and another method of confirmation: what is
// not understood cannot be checked.
func (c *Confirmation) UnmarshalJSON(data []byte) error {
	var members map[string]string
	if err := json.Unmarshal(data, &members); err != nil {
		return errors.New("cnf is not an object of strings")
	}
	c.Certificate, c.Key = members["x5t#S256"], members["jkt"]
	if len(members) != 1 || c.Certificate == "" && c.Key == "" {
		return errors.New("cnf is not one of x5t#S256 and jkt, and nothing else")
	}
	return nil
}

// Extensions is the place that IUA gives its claims.
type Extensions struct {
	IUA IUA `json:"ihe_iua"`
}

// IUA holds the claims of IHE IUA (ITI-71, JSON Web Token option).
type IUA struct {
	// SubjectName is the name of the person or system, for the history.
	SubjectName string `json:"subject_name,omitempty"`
	// Organization and OrganizationID are the name and the identifier
	// (system|value, Struct_IdNat) of the structure in which the caller acts; at
	// most one of each.
	Organization   []string `json:"subject_organization,omitempty"`
	OrganizationID []string `json:"subject_organization_id,omitempty"`
	// Role repeats the profession and the roles of DMP for other readers of the
	// token; if it is there it must hold the profession.
	Role []Coding `json:"subject_role,omitempty"`
	// Purpose is the purpose of use: a mode of TRE_R248, or a v3-ActReason. All
	// that are given must stand for the same mode.
	Purpose []Coding `json:"purpose_of_use"`
	// PersonID is the INS of a patient, or the account of a representative or an
	// operator (system|value).
	PersonID string `json:"person_id,omitempty"`
	// Provider is the national identifier of a professional (system|value).
	Provider string `json:"national_provider_identifier,omitempty"`
}

// DMP holds what IUA has no place for. An unknown name in it is an error: it
// could be a restriction.
type DMP struct {
	// Kind is the kind of caller, by its name in POLICY.md §1.
	Kind string `json:"kind"`
	// Profession is the exercised profession of a professional (TRE_G15, TRE_G16
	// in training), or their role or title (TRE_R85, R94, R95, R291).
	Profession *Coding `json:"profession,omitempty"`
	// Roles are further roles and skills (TRE_R01, TRE_R85).
	Roles []Coding `json:"roles,omitempty"`
	// Student says that the person is in training.
	Student bool `json:"student,omitempty"`
	// Occupational says that the person acts as an occupational physician.
	Occupational bool `json:"occupational,omitempty"`
	// Vouched says that an establishment vouches for the person (AIR).
	Vouched bool `json:"vouched,omitempty"`
	// Confidentiality is INVISIBLE_REPRESENTANTS_LEGAUX in a secret session, and
	// empty otherwise.
	Confidentiality string `json:"confidentiality_code,omitempty"`
	// Structures are all registered identifiers of the structure (system|value),
	// that of IUA.OrganizationID among them.
	Structures []string `json:"structures,omitempty"`
	// Reason is the written reason of a bris de glace.
	Reason string `json:"reason,omitempty"`
	// Confirmed is when the person last gave a second factor.
	Confirmed int64 `json:"confirmed,omitempty"`
}

// UnmarshalJSON refuses unknown names.
func (d *DMP) UnmarshalJSON(data []byte) error {
	type plain DMP
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode((*plain)(d))
}

// Audience is the one receiver that a token is for. In JSON it is a string, or
// an array of one string; a token for several receivers is refused, because each
// of them could replay it at the others.
type Audience string

// UnmarshalJSON reads a string or an array of one string.
func (a *Audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = Audience(one)
		return nil
	}
	var several []string
	if err := json.Unmarshal(data, &several); err != nil || len(several) != 1 {
		return errors.New("aud is not one string")
	}
	*a = Audience(several[0])
	return nil
}

// FormatIdent writes an identifier as the claims hold it: system|value.
func FormatIdent(i fhir.Ident) string { return i.System + "|" + i.Value }

// parseIdent reads system|value. Neither part may be empty, and the value holds
// no second separator.
func parseIdent(s string) (fhir.Ident, bool) {
	system, value, ok := strings.Cut(s, "|")
	ok = ok && system != "" && value != "" && !strings.Contains(value, "|")
	if !ok {
		return fhir.Ident{}, false
	}
	return fhir.Ident{System: system, Value: value}, true
}
