package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"opendmp/fhir"
)

// MaxTokenLength is the longest token that is looked at, in bytes.
const MaxTokenLength = 8 << 10

// checkForm refuses what two readers of one token could read in two ways, before
// golang-jwt sees it: other than three parts, lax base64, JSON with a name twice
// or in another case than ours, data after the object. It interprets nothing.
func checkForm(token string) error {
	if len(token) > MaxTokenLength {
		return errors.New("token too long")
	}
	if strings.ContainsAny(token, "\r\n") {
		return errors.New("line break") // which encoding/base64 skips, even if strict
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("%d parts instead of 3", len(parts))
	}
	if parts[2] == "" {
		return errors.New("no signature")
	}
	for i, name := range [...]string{"header", "payload"} {
		if err := checkObject(parts[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func checkObject(part string) error {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return errors.New("not base64url")
	}
	r, err := fhir.Scan(data)
	if err != nil {
		return errors.New("not strict JSON")
	}
	if r.Root().Kind() != fhir.Object {
		return errors.New("not an object")
	}
	return checkNames(r.Root())
}

// checkNames refuses a name that encoding/json would take for one of ours
// although it is another: it matches without regard to case, and folds some
// letters outside ASCII ("iſs") into it.
func checkNames(n fhir.Node) error {
	for name, member := range n.Members() {
		if strings.IndexFunc(name, func(r rune) bool { return r < 0x20 || r > 0x7e }) >= 0 {
			return errors.New("name with a character outside ASCII")
		}
		if lower := strings.ToLower(name); lower != name && claimName(lower) {
			return fmt.Errorf("name %q in the wrong case", lower)
		}
		if err := checkNames(member); err != nil {
			return err
		}
	}
	if n.Kind() == fhir.Array {
		for item := range n.Items() {
			if err := checkNames(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// claimName tells whether name is one that this package reads, in the header or
// in the payload.
func claimName(name string) bool {
	switch name {
	case "alg", "typ", "kid", "crit",
		"iss", "aud", "sub", "exp", "iat", "nbf", "jti", "client_id", "cnf", "jkt", "scope",
		"htm", "htu", "ath", "jwk", "jku",
		"extensions", "ihe_iua", "subject_name", "subject_organization", "subject_organization_id",
		"subject_role", "purpose_of_use", "person_id", "national_provider_identifier", "system", "code",
		"opendmp", "kind", "profession", "roles", "student", "occupational", "vouched",
		"confidentiality_code", "structures", "reason", "confirmed":
		return true
	}
	return false
}

// Unmarshal decodes a JSON document of an identity provider into v, once it is strict
// JSON: no name twice, and none that another reader takes for another one.
func Unmarshal(data []byte, v any) error {
	if _, err := fhir.Scan(data); err != nil {
		return errors.New("auth: not strict JSON")
	}
	return json.Unmarshal(data, v)
}
