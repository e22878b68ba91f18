package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utf16 "golang.org/x/text/encoding/unicode"
)

// ErrNotText is the error of a file that is no text: a spreadsheet itself.
var ErrNotText = errors.New("not a CSV file: open it in a spreadsheet and export the sheet as CSV (UTF-8)")

// maxSize is far above what a matrix needs: 103 rows of a hundred columns.
const maxSize = 16 << 20

// decode returns the text of a file and the name of its encoding. Without a name
// that is UTF-8, UTF-16 with its mark, or else Windows-1252, of which Latin-1 is a
// part.
func decode(data []byte, name string) (text, used string, err error) {
	switch {
	case len(data) > maxSize:
		return "", "", fmt.Errorf("larger than %d MiB: not a matrix", maxSize>>20)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("\xD0\xCF\x11\xE0")):
		return "", "", ErrNotText
	}
	if name == "" {
		name = guess(data)
	}
	var e encoding.Encoding
	switch name {
	case "utf-8":
		data = bytes.TrimPrefix(data, []byte("\uFEFF"))
		if !utf8.Valid(data) {
			return "", "", errors.New("not UTF-8: leave --encoding out, or say windows-1252")
		}
		return plain(string(data), name)
	case "utf-16":
		e = utf16.UTF16(utf16.LittleEndian, utf16.ExpectBOM)
	case "windows-1252":
		e = charmap.Windows1252
	case "latin-1":
		e = charmap.ISO8859_1
	default:
		return "", "", fmt.Errorf("encoding %q is not utf-8, utf-16, windows-1252 or latin-1", name)
	}
	decoded, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return "", "", fmt.Errorf("not %s: %w", name, err)
	}
	return plain(string(decoded), name)
}

func guess(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xFF\xFE")), bytes.HasPrefix(data, []byte("\xFE\xFF")):
		return "utf-16"
	case utf8.Valid(data):
		return "utf-8"
	}
	return "windows-1252"
}

// plain refuses what no table holds: a character that could not be read, or a NUL.
func plain(text, used string) (string, string, error) {
	if strings.ContainsAny(text, "\x00\uFFFD") {
		return "", "", fmt.Errorf("%w (read as %s)", ErrNotText, used)
	}
	return text, used, nil
}

// record is one line of the sheet.
type record struct {
	line   int
	fields []string
}

// field returns the field at a place on one line, "" beyond the end: spreadsheets
// break lines in headings.
func (r record) field(place int) string {
	if place < 0 || place >= len(r.fields) {
		return ""
	}
	return OneLine(r.fields[place])
}

// OneLine returns a text with one space for all blanks in a row, and without
// characters that a terminal would obey.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

func (r record) blank() bool { return strings.TrimSpace(strings.Join(r.fields, "")) == "" }

// split reads the records of a text under one separator.
func split(text string, separator rune) ([]record, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = separator, -1
	var records []record
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		line, _ := r.FieldPos(0)
		records = append(records, record{line, fields})
	}
}

// columnLetters names a column as spreadsheets do: A, B, …, Z, AA.
func columnLetters(place int) string {
	name := ""
	for n := place + 1; n > 0; n = (n - 1) / 26 {
		name = string(rune('A'+(n-1)%26)) + name
	}
	return name
}
