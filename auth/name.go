package auth

import (
	"cmp"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// attribute is an attribute of a name (RFC 4514 §2): its type, dotted, and its text.
type attribute struct{ oid, value string }

// distinguishedName is a name as RFC 4514 orders it, the last RDN of the certificate
// first. The attributes of an RDN, which is a set, are in the order of their types.
type distinguishedName [][]attribute

// attributeNames are the short names of the types that stand in subjects, the one that is
// written first; the others are read (RFC 4514 §3, and what OpenSSL writes).
var attributeNames = [...]struct {
	oid   string
	names []string
}{
	{attrCommonName, []string{"CN"}},
	{attrSurname, []string{"SN", "SURNAME"}},
	{"2.5.4.5", []string{"SERIALNUMBER"}},
	{attrCountry, []string{"C"}},
	{"2.5.4.7", []string{"L"}},
	{"2.5.4.8", []string{"ST", "S"}},
	{"2.5.4.9", []string{"STREET"}},
	{attrOrganisation, []string{"O"}},
	{attrUnit, []string{"OU"}},
	{"2.5.4.12", []string{"TITLE", "T"}},
	{"2.5.4.13", []string{"DESCRIPTION"}},
	{"2.5.4.15", []string{"BUSINESSCATEGORY"}},
	{"2.5.4.17", []string{"POSTALCODE"}},
	{attrGivenName, []string{"GN", "GIVENNAME"}},
	{"2.5.4.43", []string{"INITIALS"}},
	{"2.5.4.46", []string{"DNQUALIFIER"}},
	{"2.5.4.65", []string{"PSEUDONYM"}},
	{"2.5.4.97", []string{"ORGANIZATIONIDENTIFIER"}},
	{"0.9.2342.19200300.100.1.1", []string{"UID"}},
	{"0.9.2342.19200300.100.1.25", []string{"DC"}},
	{"1.2.840.113549.1.9.1", []string{"EMAILADDRESS"}},
}

// CanonicalSubject returns the one form in which the subject of an organisation's
// certificate is compared: that of Peer.Subject. The text is RFC 4514 in any of its
// spellings, with characters as they are or as hexadecimal pairs, as `openssl x509
// -nameopt RFC2253` writes it. A subject that is not whole is refused, since it could
// cover more than was meant: CN, O or OU, and C=FR, each attribute once. The error wraps
// ErrSubject.
func CanonicalSubject(text string) (string, error) {
	name, err := parseName(text)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSubject, err)
	}
	values := map[string]string{}
	for _, rdn := range name {
		for _, a := range rdn {
			if _, twice := values[a.oid]; twice {
				return "", fmt.Errorf("%w: %s twice", ErrSubject, attributeName(a.oid))
			}
			values[a.oid] = a.value
		}
	}
	switch {
	case values[attrCommonName] == "" || values[attrOrganisation] == "" && values[attrUnit] == "":
		return "", fmt.Errorf("%w: not whole, without CN, or without O and OU", ErrSubject)
	case values[attrCountry] != country:
		return "", fmt.Errorf("%w: not whole, without C=%s", ErrSubject, country)
	}
	return name.String(), nil
}

// isThumbprint tells whether a text is an x5t#S256.
func isThumbprint(s string) bool {
	sum, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(sum) == 32
}

// nameOf returns the name of a certificate; its values must be texts.
func nameOf(rdns pkix.RDNSequence) distinguishedName {
	var name distinguishedName
	for _, rdn := range slices.Backward(rdns) {
		var set []attribute
		for _, a := range rdn {
			value, _ := a.Value.(string)
			set = append(set, attribute{a.Type.String(), value})
		}
		name = append(name, ordered(set))
	}
	return name
}

func ordered(set []attribute) []attribute {
	slices.SortFunc(set, func(a, b attribute) int { return cmp.Or(cmp.Compare(a.oid, b.oid), cmp.Compare(a.value, b.value)) })
	return set
}

// String writes the name as RFC 4514 §2 does, escaping what must be and nothing else.
func (n distinguishedName) String() string {
	var rdns []string
	for _, rdn := range n {
		var pairs []string
		for _, a := range rdn {
			pairs = append(pairs, attributeName(a.oid)+"="+escaped(a.value))
		}
		rdns = append(rdns, strings.Join(pairs, "+"))
	}
	return strings.Join(rdns, ",")
}

// attributeName returns the short name of a type, the type itself if it has none.
func attributeName(oid string) string {
	for _, known := range attributeNames {
		if known.oid == oid {
			return known.names[0]
		}
	}
	return oid
}

func attributeType(name string) (string, bool) {
	for _, known := range attributeNames {
		if slices.Contains(known.names, strings.ToUpper(name)) {
			return known.oid, true
		}
	}
	return name, strings.Contains(name, ".") && strings.Trim(name, "0123456789.") == ""
}

func escaped(value string) string {
	var b strings.Builder
	for i, r := range value {
		if strings.ContainsRune(`"+,;<>\`, r) || i == 0 && (r == '#' || r == ' ') || i == len(value)-1 && r == ' ' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// parseName reads a name as RFC 4514 §3 writes it.
func parseName(text string) (distinguishedName, error) {
	var name distinguishedName
	var set []attribute
	for rest := text; ; {
		label, after, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, fmt.Errorf("%q is no attribute, as CN=…", rest)
		}
		oid, ok := attributeType(label)
		if !ok {
			return nil, fmt.Errorf("attribute %q is not known", label)
		}
		value, end, err := parseValue(after)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", label, err)
		}
		set = append(set, attribute{oid, value})
		separator := byte(0)
		if end < len(after) {
			separator = after[end]
		}
		if separator == '+' {
			rest = after[end+1:]
			continue
		}
		name, set = append(name, ordered(set)), nil
		if separator == 0 {
			return name, nil
		}
		rest = after[end+1:]
	}
}

// parseValue reads the value that a text begins with, and returns where it ends: at a
// comma, a plus or the end.
func parseValue(text string) (string, int, error) {
	value, end, err := unescaped(text)
	if err == nil && strings.HasPrefix(text, "#") {
		value, err = hexString(text[1:end])
	}
	switch {
	case err != nil:
		return "", 0, err
	case !utf8.ValidString(value) || !shown(value):
		return "", 0, errors.New("empty, too long, not UTF-8, with spaces at an end, or with characters that do not show")
	}
	return value, end, nil
}

// unescaped reads characters, escaped ones and hexadecimal pairs.
func unescaped(text string) (string, int, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ',', '+':
			return b.String(), i, nil
		case '"', ';', '<', '>', 0:
			return "", 0, fmt.Errorf("%q must be escaped", c)
		case '\\':
			char, length, err := escape(text[i+1:])
			if err != nil {
				return "", 0, err
			}
			b.WriteByte(char)
			i += length
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), len(text), nil
}

// escape reads what follows a backslash: one of the special characters, or a pair of
// hexadecimal digits, which is one byte.
func escape(text string) (char byte, length int, err error) {
	if text != "" && strings.IndexByte(` "#+,;<=>\`, text[0]) >= 0 {
		return text[0], 1, nil
	}
	if len(text) >= 2 {
		if pair, err := hex.DecodeString(text[:2]); err == nil {
			return pair[0], 2, nil
		}
	}
	return 0, 0, errors.New("a backslash before neither a special character nor two hexadecimal digits")
}

// hexString reads the hexadecimal form of a value, which is its DER.
func hexString(digits string) (string, error) {
	der, err := hex.DecodeString(digits)
	if err != nil {
		return "", errors.New("# is not followed by hexadecimal pairs")
	}
	var value any
	rest, err := asn1.Unmarshal(der, &value)
	text, ok := value.(string)
	if err != nil || len(rest) > 0 || !ok {
		return "", errors.New("the hexadecimal value is no text")
	}
	return text, nil
}
