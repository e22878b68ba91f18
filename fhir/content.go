package fhir

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

// ContentKind is what the content of a document is by its own bytes. The zero
// kind is none that is accepted.
type ContentKind uint8

// Kinds of content.
const (
	ContentUnknown ContentKind = iota
	ContentPDF
	ContentJPEG
	ContentPNG
	ContentTIFF
	ContentDICOM
	ContentText     // plain text
	ContentCDA      // CDA R2
	ContentFHIRJSON // a Bundle of type document
	ContentFHIRXML
)

// contentTypes are the media types that announce each kind. It is never changed.
var contentTypes = [...][]string{
	ContentPDF:      {"application/pdf"},
	ContentJPEG:     {"image/jpeg"},
	ContentPNG:      {"image/png"},
	ContentTIFF:     {"image/tiff"},
	ContentDICOM:    {"application/dicom"},
	ContentText:     {"text/plain"},
	ContentCDA:      {"application/xml", "text/xml", "application/hl7-v3+xml"},
	ContentFHIRJSON: {"application/fhir+json", "application/json"},
	ContentFHIRXML:  {"application/fhir+xml", "application/xml", "text/xml"},
}

// Fits tells whether a media type, with or without parameters, announces contents
// of the kind.
func (k ContentKind) Fits(mediaType string) bool {
	if int(k) >= len(contentTypes) {
		return false
	}
	base, _, _ := strings.Cut(mediaType, ";")
	base = strings.ToLower(strings.TrimSpace(base))
	for _, t := range contentTypes[k] {
		if t == base {
			return true
		}
	}
	return false
}

// ErrHostile is the error of a content that a virus scanner would take away: here,
// the EICAR test file, by which an operator tests that contents are looked at.
var ErrHostile = errors.New("fhir: hostile content")

// eicar is the sign of the EICAR test file, in two parts so that no scanner takes
// this program for it.
const eicar = "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$"

// RecogniseContent tells what a content is by its bytes, whatever its metadata
// say. A kind is recognised only by what begins the content at its first byte:
// what hides a second format behind is ContentUnknown, as are HTML, SVG, scripts,
// archives and programs. Of a CDA its header comes with it; it is nil otherwise.
//
// Errors: ErrHostile, and the *Invalid of ReadCDA for a CDA that cannot be read.
func RecogniseContent(data []byte) (ContentKind, *DocumentHeader, error) {
	if bytes.Contains(data, []byte(eicar)) {
		return ContentUnknown, nil, ErrHostile
	}
	for kind, magic := range contentMagic {
		for _, m := range magic {
			if bytes.HasPrefix(data, []byte(m)) {
				return ContentKind(kind), nil, nil
			}
		}
	}
	switch {
	case isDICOM(data):
		return ContentDICOM, nil, nil
	case beginsLikeXML(data):
		return recogniseXML(data)
	case isFHIRDocument(data):
		return ContentFHIRJSON, nil, nil
	case isPlainText(data):
		return ContentText, nil, nil
	}
	return ContentUnknown, nil, nil
}

var contentMagic = [...][]string{
	ContentPDF:  {"%PDF-1.", "%PDF-2."},
	ContentJPEG: {"\xff\xd8\xff"},
	ContentPNG:  {"\x89PNG\r\n\x1a\n"},
	ContentTIFF: {"II*\x00", "MM\x00*"},
}

// isDICOM tells whether a content is a DICOM file (PS3.10 §7.1). The preamble of
// 128 bytes, in which a program could hide, must be empty.
func isDICOM(data []byte) bool {
	const preamble = 128
	return len(data) > preamble+4 && string(data[preamble:preamble+4]) == "DICM" &&
		len(bytes.Trim(data[:preamble], "\x00")) == 0
}

var byteOrderMark = []byte("\ufeff")

func beginsLikeXML(data []byte) bool {
	data = bytes.TrimLeft(bytes.TrimPrefix(data, byteOrderMark), " \t\r\n")
	return len(data) > 0 && data[0] == '<'
}

// recogniseXML tells what an XML content is by its root element.
func recogniseXML(data []byte) (ContentKind, *DocumentHeader, error) {
	s, err := newXMLScanner(data)
	if err != nil {
		return ContentUnknown, nil, nil
	}
	s.document = true
	token := xmlText
	for token == xmlText {
		if token, err = s.next(); err != nil {
			return ContentUnknown, nil, nil
		}
	}
	switch {
	case string(s.tag.local) == "ClinicalDocument" && string(s.tag.space) == cdaNamespace:
		cda, err := ReadCDA(data)
		return ContentCDA, cda, err
	case string(s.tag.local) == "Bundle" && string(s.tag.space) == fhirNamespace:
		if json, err := FromXML(data); err == nil && isFHIRDocument(json) {
			return ContentFHIRXML, nil, nil
		}
	}
	return ContentUnknown, nil, nil
}

// isFHIRDocument tells whether a content is a Bundle of type document that is
// valid FHIR R4.
func isFHIRDocument(data []byte) bool {
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return false
	}
	r, err := Parse(data)
	return err == nil && r.Type() == "Bundle" && r.Get("type").Is("document")
}

// notPlain is how text begins that a viewer could carry out or lay out.
var notPlain = []string{"<", "#!", "%!PS", `{\rtf`, "{\\*"}

// isPlainText tells whether a content is text in UTF-8 or ISO-8859-1, without
// control characters but those of lines and tabulators, and not empty.
func isPlainText(data []byte) bool {
	data = bytes.TrimPrefix(data, byteOrderMark)
	begin := bytes.TrimLeft(data, " \t\r\n\f")
	for _, sign := range notPlain {
		if bytes.HasPrefix(begin, []byte(sign)) {
			return false
		}
	}
	if len(begin) == 0 {
		return false
	}
	latin := !utf8.Valid(data)
	for i, c := range data {
		switch {
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f', c == 0x7f:
			return false
		case latin && c >= 0x80 && c < 0xa0:
			return false
		case !latin && c == 0xc2 && data[i+1] < 0xa0: // U+0080 to U+009F
			return false
		}
	}
	return true
}
