package fhir

import "bytes"

// attributes returns what is between the quotes of the attributes of the tag; nil
// is none. It reports those that do not belong there.
func (r *xmlReader) attributes(hasID, hasURL bool) (id, url, value []byte) {
	return r.pick(hasID, hasURL, false)
}

func (r *xmlReader) pick(hasID, hasURL, hasValue bool) (id, url, value []byte) {
	for _, a := range r.s.tag.attrs {
		switch {
		case a.prefix != nil && string(a.space) == xsiNamespace && string(a.local) == "schemaLocation":
		case a.prefix == nil && hasID && string(a.local) == "id":
			id = a.raw
		case a.prefix == nil && hasURL && string(a.local) == "url":
			url = a.raw
		case a.prefix == nil && hasValue && string(a.local) == "value":
			value = a.raw
		default:
			_ = r.report(strayAttribute) // if that fills the list, the next report ends the reading
		}
	}
	return id, url, value
}

// primitive reads the value, the id and the extensions of a primitive.
func (r *xmlReader) primitive(run *xmlRun) error {
	id, _, value := r.pick(true, false, true)
	if value != nil {
		run.values = true
		if err := r.value(run.row.typ, value); err != nil {
			return err
		}
	} else {
		r.out = append(r.out, "null"...)
	}
	if id == nil && r.s.tag.empty {
		return r.plainPrimitive(run, value != nil)
	}
	// What goes into "_name" is written where that is kept.
	out := r.out
	r.out = run.beside
	if run.count > 0 && r.out != nil {
		r.out = append(r.out, ',')
	}
	from := len(r.out)
	err := r.object(elementType, id, nil)
	extends := string(r.out[from:]) != "{}"
	switch {
	case err != nil:
	case !extends && value == nil:
		err = r.report(empty)
	case !extends && run.beside == nil:
		r.out = nil
	case !extends:
		r.out = append(r.out[:from], "null"...)
	case run.beside == nil && run.count > 0:
		r.out = append(bytes.Repeat([]byte("null,"), run.count), r.out...)
	}
	r.out, run.beside = out, r.out
	return err
}

// plainPrimitive ends a primitive that is one empty tag, without id.
func (r *xmlReader) plainPrimitive(run *xmlRun, hasValue bool) error {
	if run.beside != nil {
		run.beside = append(run.beside, ",null"...)
	}
	if !hasValue {
		return r.refuse(empty)
	}
	return r.skip()
}

// value writes the value of a primitive as the JSON of its type.
func (r *xmlReader) value(t typeID, raw []byte) error {
	switch t {
	case booleanType:
		if text := r.plain(raw); string(text) == "true" || string(text) == "false" {
			r.out = append(r.out, text...)
			return nil
		}
		return r.report(badBoolean)
	case integerType, unsignedIntType, positiveIntType, decimalType:
		if text := r.plain(raw); isNumber(text) {
			r.out = append(r.out, text...)
			return nil
		}
		return r.report(map[typeID]*rule{integerType: badInteger, unsignedIntType: badUnsigned, positiveIntType: badPositive, decimalType: badDecimal}[t])
	}
	r.string(raw)
	return nil
}

// isNumber tells whether s is a number of JSON, which is a decimal of FHIR.
func isNumber(s []byte) bool {
	n := scanner{tree: tree{raw: s}}
	return n.number() == nil && n.at == len(s)
}

// plain returns the value of an attribute; it is good until the next call.
func (r *xmlReader) plain(raw []byte) []byte {
	if !bytes.ContainsAny(raw, "&\t\r\n") {
		return raw
	}
	r.text = appendXMLValue(r.text[:0], raw)
	return r.text
}

// string writes the value of an attribute as a JSON string.
func (r *xmlReader) string(raw []byte) { r.out = appendQuotedText(r.out, r.plain(raw)) }

// appendQuotedText appends valid UTF-8 as a JSON string.
func appendQuotedText(b, text []byte) []byte {
	b = append(b, '"')
	from := 0
	for i, c := range text {
		var escaped string
		switch {
		case c == '"':
			escaped = `\"`
		case c == '\\':
			escaped = `\\`
		case c >= 0x20:
			continue
		case c == '\n':
			escaped = `\n`
		case c == '\r':
			escaped = `\r`
		default:
			escaped = `\t` // XML has no other
		}
		b = append(append(b, text[from:i]...), escaped...)
		from = i + 1
	}
	return append(append(b, text[from:]...), '"')
}

// narrative writes the <div> whose start tag was just read as a string: the bytes
// as they came, line ends made one (XML 1.0 §2.11), with the namespace that an
// element around it declares.
func (r *xmlReader) narrative() error {
	tag := &r.s.tag
	start, head := r.s.start, r.s.start+len("<")+len(tag.local)
	declaration := ""
	if prefix := tag.prefix; prefix != nil {
		head += len(prefix) + len(":")
		declaration = ` xmlns:` + string(prefix) + `="` + xhtmlNamespace + `"`
	} else {
		declaration = ` xmlns="` + xhtmlNamespace + `"`
	}
	if r.s.declares(tag.prefix) {
		declaration = ""
	}
	if err := r.skip(); err != nil {
		return err
	}
	r.text = append(r.text[:0], r.s.raw[start:head]...)
	r.text = append(r.text, declaration...)
	for i, c := range r.s.raw[head:r.s.at] {
		switch {
		case c != '\r':
			r.text = append(r.text, c)
		case r.s.raw[head+i+1] != '\n': // there is always the end of the tag
			r.text = append(r.text, '\n')
		}
	}
	r.out = appendQuotedText(r.out, r.text)
	return nil
}
