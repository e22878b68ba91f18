package fhir

import "bytes"

// maxString is the length in bytes that R4 allows for a string.
const maxString = 1 << 20

// primitiveText returns the text of a JSON value for a primitive type, without
// escapes, or the rule that its JSON type breaks.
func primitiveText(t *tree, n *node, typ typeID) ([]byte, *rule) {
	raw := t.raw[n.start:n.end]
	switch typ {
	case booleanType:
		if n.kind != Bool {
			return nil, notBoolean
		}
		return raw, nil
	case integerType, unsignedIntType, positiveIntType, decimalType:
		if n.kind != Number {
			return nil, notNumber
		}
		return raw, nil
	}
	if n.kind != String {
		return nil, notString
	}
	raw = raw[1 : len(raw)-1]
	if n.escaped {
		return []byte(unescape(raw)), nil
	}
	return raw, nil
}

// checkPrimitive returns the rule that a value breaks, nil if none. The formats
// are those of the R4 data types page; dates must exist in the calendar.
func checkPrimitive(typ typeID, s []byte) *rule {
	switch typ {
	case booleanType, decimalType:
		return nil // JSON says it all, and decimals keep their digits
	case integerType:
		return when(!isInteger(s, "2147483648"), badInteger)
	case unsignedIntType:
		return when(s[0] == '-' || !isInteger(s, ""), badUnsigned)
	case positiveIntType:
		return when(s[0] == '-' || s[0] == '0' || !isInteger(s, ""), badPositive)
	case base64BinaryType:
		return when(!isBase64(s), badBase64)
	case xhtmlType:
		return checkXHTML(s)
	}
	if broken := checkString(s); broken != nil {
		return broken
	}
	switch typ {
	case codeType:
		return when(!isCode(s), badCode)
	case idType:
		return when(!isID(s), badID)
	case uriType, urlType, canonicalType:
		return when(hasSpace(s), badURI)
	case oidType:
		return when(!isOID(s), badOID)
	case uuidType:
		return when(!isUUID(s), badUUID)
	case dateType:
		return when(!isDate(s), badDate)
	case dateTimeType:
		return when(!isDateTime(s), badDateTime)
	case instantType:
		return when(len(s) < 11 || !isDateTime(s), badInstant)
	case timeType:
		rest, ok := readClock(s)
		return when(!ok || len(rest) != 0, badTime)
	}
	return nil
}

func when(broken bool, r *rule) *rule {
	if broken {
		return r
	}
	return nil
}

// checkString: not empty nor blank, at most 1 MiB, no control characters but
// tab, line feed and carriage return, and no character that XML does not have.
func checkString(s []byte) *rule {
	if len(s) > maxString {
		return longString
	}
	blank := true
	for i, c := range s {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c == 0x7f || c == 0xef && isNonCharacter(s[i:]) {
			return controlChar
		}
		blank = blank && c <= ' '
	}
	return when(blank, emptyString)
}

// isInteger tells whether s, a JSON number, is an integer of 32 bits; lowest is
// the absolute value of the smallest one.
func isInteger(s []byte, lowest string) bool {
	highest := "2147483647"
	if s[0] == '-' {
		s, highest = s[1:], lowest
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) < len(highest) || len(s) == len(highest) && string(s) <= highest
}

// isBase64 tells whether s is base64 with padding. White space may stand
// anywhere, as in the lines of a MIME body.
func isBase64(s []byte) bool {
	count, padding := 0, 0
	for _, c := range s {
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			continue
		case c == '=':
			padding++
		case padding > 0 || !isBase64Digit(c):
			return false
		}
		count++
	}
	return count > 0 && count%4 == 0 && padding <= 2
}

func isBase64Digit(c byte) bool {
	return isAlphanumeric(c) || c == '+' || c == '/'
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func hasSpace(s []byte) bool { return bytes.ContainsAny(s, " \t\r\n") }

// isCode: no space at either end, no two in a row.
func isCode(s []byte) bool {
	space := true
	for _, c := range s {
		if isSpace(c) && space {
			return false
		}
		space = isSpace(c)
	}
	return !space
}

func isID[T string | []byte](s T) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// isOID: urn:oid:[0-2](\.(0|[1-9][0-9]*))+
func isOID(s []byte) bool {
	s, ok := bytes.CutPrefix(s, []byte("urn:oid:"))
	if !ok || len(s) < 3 || s[0] < '0' || s[0] > '2' || s[1] != '.' {
		return false
	}
	for arc := range bytes.SplitSeq(s[2:], []byte(".")) {
		if len(arc) == 0 || arc[0] == '0' && len(arc) > 1 {
			return false
		}
		for _, c := range arc {
			if c < '0' || c > '9' {
				return false
			}
		}
	}
	return true
}

// isUUID: urn:uuid: and 8-4-4-4-12 hexadecimal digits in lower case.
func isUUID(s []byte) bool {
	s, ok := bytes.CutPrefix(s, []byte("urn:uuid:"))
	if !ok || len(s) != 36 {
		return false
	}
	for i, c := range s {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// isDate: YYYY, YYYY-MM or YYYY-MM-DD, of the calendar and after the year 0.
func isDate(s []byte) bool {
	year, s, ok := readDigits(s, 4)
	if !ok || year == 0 {
		return false
	}
	if len(s) == 0 {
		return true
	}
	month, s, ok := readAfter(s, '-')
	if !ok || month < 1 || month > 12 {
		return false
	}
	if len(s) == 0 {
		return true
	}
	day, s, ok := readAfter(s, '-')
	return ok && len(s) == 0 && day >= 1 && day <= lastDay(year, month)
}

func lastDay(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// isDateTime: a date, or a full date with time and zone. The leap second :60 is
// allowed, as in R4.
func isDateTime(s []byte) bool {
	if len(s) <= 10 {
		return isDate(s)
	}
	if s[10] != 'T' || !isDate(s[:10]) {
		return false
	}
	zone, ok := readClock(s[11:])
	switch {
	case !ok || len(zone) == 0:
		return false
	case zone[0] == 'Z':
		return len(zone) == 1
	case zone[0] != '+' && zone[0] != '-':
		return false
	}
	hour, rest, ok := readDigits(zone[1:], 2)
	if !ok {
		return false
	}
	minute, rest, ok := readAfter(rest, ':')
	return ok && len(rest) == 0 && minute < 60 && (hour < 14 || hour == 14 && minute == 0)
}

// readClock reads hh:mm:ss with an optional fraction and returns what follows.
func readClock(s []byte) (rest []byte, ok bool) {
	hour, rest, ok := readDigits(s, 2)
	if !ok || hour > 23 {
		return nil, false
	}
	minute, rest, ok := readAfter(rest, ':')
	if !ok || minute > 59 {
		return nil, false
	}
	second, rest, ok := readAfter(rest, ':')
	if !ok || second > 60 {
		return nil, false
	}
	if len(rest) == 0 || rest[0] != '.' {
		return rest, true
	}
	i := 1
	for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
		i++
	}
	return rest[i:], i > 1
}

// readDigits reads n decimal digits.
func readDigits(s []byte, n int) (value int, rest []byte, ok bool) {
	if len(s) < n {
		return 0, nil, false
	}
	for _, c := range s[:n] {
		if c < '0' || c > '9' {
			return 0, nil, false
		}
		value = value*10 + int(c-'0')
	}
	return value, s[n:], true
}

// readAfter reads a separator and two digits.
func readAfter(s []byte, separator byte) (value int, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != separator {
		return 0, nil, false
	}
	return readDigits(s[1:], 2)
}
