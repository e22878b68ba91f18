package sandbox

import "fmt"

// winAnsi encodes text as PDF's WinAnsiEncoding (ISO 32000-1 annex D): Latin-1,
// and Windows-1252 where that leaves a gap. A character outside is an error: the
// documents are ours and must not lose one.
func winAnsi(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := winAnsiByte(r)
		if !ok {
			return nil, fmt.Errorf("sandbox: %q is not in WinAnsiEncoding", r)
		}
		out = append(out, b)
	}
	return out, nil
}

func winAnsiByte(r rune) (byte, bool) {
	if r >= 0x20 && r <= 0x7e || r >= 0xa0 && r <= 0xff {
		return byte(r), true
	}
	switch r {
	case '€':
		return 0x80, true
	case '…':
		return 0x85, true
	case 'Œ':
		return 0x8c, true
	case '‘':
		return 0x91, true
	case '’':
		return 0x92, true
	case '“':
		return 0x93, true
	case '”':
		return 0x94, true
	case '•':
		return 0x95, true
	case '–':
		return 0x96, true
	case '—':
		return 0x97, true
	case 'œ':
		return 0x9c, true
	}
	return 0, false
}

// Widths of the characters 32 to 126 of Helvetica and Helvetica-Bold, in
// thousandths of the size (Adobe Font Metrics of the standard 14 fonts).
const (
	firstWidth = 32
	otherWidth = 556 // accented letters and signs that have no entry of their own
)

type font struct {
	name   string // in the resources of a page
	widths [95]uint16
}

func regular() font {
	return font{"F1", [95]uint16{
		278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
		556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
		1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
		667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
		333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
		556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584}}
}

func bold() font {
	return font{"F2", [95]uint16{
		278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
		556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
		975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
		667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
		333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
		611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584}}
}

// width returns the width of text at a size, in points.
func (f font) width(s string, size float64) float64 {
	total := 0
	for _, r := range s {
		total += f.charWidth(r)
	}
	return float64(total) * size / 1000
}

func (f font) charWidth(r rune) int {
	if i := int(baseLetter(r)) - firstWidth; i >= 0 && i < len(f.widths) {
		return int(f.widths[i])
	}
	switch r {
	case '—', '…', 'Œ', 'œ':
		return 1000
	case '’', '‘':
		return 278
	}
	return otherWidth
}

// baseLetter returns the letter that an accented one is as wide as, a space for a
// no-break space, and any other character itself.
func baseLetter(r rune) rune {
	switch r {
	case 0xa0:
		return ' '
	case 'à', 'â', 'ä':
		return 'a'
	case 'ç':
		return 'c'
	case 'é', 'è', 'ê', 'ë':
		return 'e'
	case 'î', 'ï':
		return 'i'
	case 'ô', 'ö':
		return 'o'
	case 'ù', 'û', 'ü':
		return 'u'
	case 'À', 'Â':
		return 'A'
	case 'Ç':
		return 'C'
	case 'É', 'È', 'Ê', 'Ë':
		return 'E'
	case 'Î', 'Ï':
		return 'I'
	case 'Ô':
		return 'O'
	}
	return r
}
