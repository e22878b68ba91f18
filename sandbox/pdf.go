package sandbox

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"opendmp/fhir"
)

// Layout of a page, in points from the lower left corner: A4.
const (
	pageWidth, pageHeight = 595.0, 842.0
	marginX               = 56.0
	top                   = 780.0
	bottom                = 72.0
	textWidth             = pageWidth - 2*marginX
	textSize              = 10.0
	leading               = 14.0
	cellPadding           = 4.0
)

// Colours, as operands of rg and RG.
const (
	black = "0.1 0.1 0.1"
	blue  = "0.05 0.25 0.5"
	grey  = "0.45 0.45 0.45"
	pale  = "0.92 0.95 0.99"
	line  = "0.7 0.75 0.8"
	white = "1 1 1"
)

// pdf lays text out on pages, top to bottom. The first error stays: err.
type pdf struct {
	pages []*bytes.Buffer
	y     float64
	err   error
}

// renderPDF makes the PDF of a report. It needs nothing embedded: the text is in
// Helvetica, one of the standard fonts of every reader.
func renderPDF(h heading, r report) ([]byte, error) {
	p := &pdf{}
	p.newPage()
	p.letterhead(h, r)
	for _, s := range r.sections {
		p.section(s)
	}
	p.signature(h, r)
	p.footers(h)
	if p.err != nil {
		return nil, p.err
	}
	return p.file(h, r), nil
}

func (p *pdf) newPage() {
	p.pages = append(p.pages, &bytes.Buffer{})
	p.y = top
}

func (p *pdf) page() *bytes.Buffer { return p.pages[len(p.pages)-1] }

// need begins a new page where less than height is left.
func (p *pdf) need(height float64) {
	if p.y-height < bottom {
		p.newPage()
	}
}

// show writes one line of text with its baseline at (x, y).
func (p *pdf) show(f font, size float64, colour string, x, y float64, text string) {
	encoded, err := winAnsi(text)
	if err != nil && p.err == nil {
		p.err = err
	}
	fmt.Fprintf(p.page(), "BT %s rg /%s %.1f Tf %.2f %.2f Td (%s) Tj ET\n", colour, f.name, size, x, y, escapePDF(encoded))
}

func (p *pdf) box(colour string, x, y, w, h float64) {
	fmt.Fprintf(p.page(), "%s rg %.2f %.2f %.2f %.2f re f\n", colour, x, y, w, h)
}

func (p *pdf) rule(colour string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(p.page(), "%s RG 0.6 w %.2f %.2f m %.2f %.2f l S\n", colour, x1, y1, x2, y2)
}

// letterhead is the structure, the title, and who it is about.
func (p *pdf) letterhead(h heading, r report) {
	name, city := h.structure.name, h.structure.city
	if name == "" {
		name = h.author.Name()
	}
	p.box(blue, 0, pageHeight-42, pageWidth, 42)
	p.show(bold(), 15, white, marginX, pageHeight-27, name)
	right := "OpenDMP · bac à sable"
	p.show(regular(), 9, white, pageWidth-marginX-regular().width(right, 9), pageHeight-26, right)
	p.y = pageHeight - 62
	if r.service != "" {
		p.show(regular(), 9, grey, marginX, p.y, r.service)
	}
	if city != "" {
		where := city + ", le " + longDate(h.written)
		p.show(regular(), 9, grey, pageWidth-marginX-regular().width(where, 9), p.y, where)
	}
	p.y -= 30
	for _, l := range wrap(bold(), 16, textWidth, r.title) {
		p.show(bold(), 16, blue, marginX, p.y, l)
		p.y -= 20
	}
	p.y -= 4
	p.identity(h)
}

// identity is the frame with patient, author and dates.
func (p *pdf) identity(h heading) {
	left := append(h.patient.civil(), "INS : "+spacedINS(h.patient.ID.Value)+insNature(h.patient.ID))
	right := []string{
		"Auteur : " + h.author.Name(),
		"Date de l’acte : " + longDate(h.act),
		"Document du " + longDate(h.written),
		fmt.Sprintf("Version %d", h.version),
	}
	for len(left) < len(right) {
		left = append(left, "")
	}
	height := float64(len(left))*leading + 12
	p.box(pale, marginX, p.y-height+8, textWidth, height)
	y := p.y - 6
	for i := range left {
		p.show(regular(), 9, black, marginX+8, y, left[i])
		p.show(regular(), 9, black, marginX+textWidth*0.56, y, right[i])
		y -= leading
	}
	p.y -= height + 12
}

// civil are the lines that say who a patient is; none of one who is known by their
// INS alone.
func (p Persona) civil() []string {
	t := p.Patient
	if t == nil {
		return nil
	}
	born := "Née le "
	if t.Gender == "male" {
		born = "Né le "
	}
	return []string{
		"Patient : " + t.UsualName + " " + t.Given,
		"Nom de naissance : " + t.BirthName,
		born + frenchDay(t.BirthDate) + " à " + t.BirthPlace,
	}
}

func (p *pdf) section(s section) {
	p.need(4 * leading)
	p.show(bold(), 11.5, blue, marginX, p.y, s.heading)
	p.rule(line, marginX, p.y-4, marginX+textWidth, p.y-4)
	p.y -= leading + 8
	for _, text := range s.paragraphs {
		p.paragraph(text)
	}
	for _, t := range s.allTables() {
		p.table(t)
	}
	p.y -= 6
}

func (p *pdf) paragraph(text string) {
	indent := 0.0
	if strings.HasPrefix(text, "• ") {
		indent = 12
	}
	for _, l := range wrap(regular(), textSize, textWidth-indent, text) {
		p.need(leading)
		p.show(regular(), textSize, black, marginX+indent, p.y, l)
		p.y -= leading
	}
	p.y -= 4
}

func (p *pdf) table(t table) {
	p.need(3 * leading)
	p.box(blue, marginX, p.y-4, textWidth, leading+2)
	p.row(bold(), white, t, t.header)
	for _, r := range t.rows {
		p.need(2 * leading)
		p.row(regular(), black, t, r)
		p.rule(line, marginX, p.y+leading-4, marginX+textWidth, p.y+leading-4)
	}
	p.y -= 6
}

// row writes the cells of one row side by side and moves below the highest.
func (p *pdf) row(f font, colour string, t table, cells []string) {
	const size = 9
	x, height := marginX, 1
	for i, c := range cells {
		w := t.widths[i] * textWidth
		lines := wrap(f, size, w-2*cellPadding, c)
		height = max(height, len(lines))
		for n, l := range lines {
			p.show(f, size, colour, x+cellPadding, p.y-float64(n)*leading, l)
		}
		x += w
	}
	p.y -= float64(height)*leading + 2
}

func (p *pdf) signature(h heading, r report) {
	p.need(5 * leading)
	p.y -= 8
	if r.closing != "" {
		p.paragraph(r.closing)
	}
	text := "Signé électroniquement par " + h.signer()
	p.show(regular(), 9, grey, pageWidth-marginX-regular().width(text, 9), p.y-leading, text)
	p.y -= 2 * leading
}

// footers are written last, when the number of pages is known.
func (p *pdf) footers(h heading) {
	all := p.pages
	for i := range all {
		p.pages = all[:i+1]
		p.rule(line, marginX, 54, marginX+textWidth, 54)
		p.show(regular(), 8, grey, marginX, 42, disclaimer)
		p.show(regular(), 8, grey, marginX, 31, "Identifiant du document : "+h.oid)
		number := fmt.Sprintf("Page %d / %d", i+1, len(all))
		p.show(regular(), 8, grey, pageWidth-marginX-regular().width(number, 8), 42, number)
	}
	p.pages = all
}

// wrap breaks text into lines that are no wider than width. A word that is wider
// has a line of its own. Lines break at spaces, never at no-break spaces.
func wrap(f font, size, width float64, text string) []string {
	var lines []string
	current := ""
	text = frenchSpaces().Replace(text)
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		switch {
		case current == "":
			current = word
		case f.width(current+" "+word, size) <= width:
			current += " " + word
		default:
			lines = append(lines, current)
			current = word
		}
	}
	if current != "" {
		lines = append(lines, current)
	}
	return lines
}

// frenchSpaces keeps the signs that French sets off by a space on the line of the
// word before.
func frenchSpaces() *strings.Replacer {
	const hard = "\u00a0"
	return strings.NewReplacer(" :", hard+":", " ;", hard+";", " ?", hard+"?", " !", hard+"!", " %", hard+"%", "« ", "«"+hard, " »", hard+"»")
}

// Numbers of the objects of a file; those of pages and their contents follow.
const (
	objCatalog = iota + 1
	objPages
	objRegular
	objBold
	objInfo
	objFirstPage
)

// file writes the objects, the cross-reference table and the trailer
// (ISO 32000-1 §7.5).
func (p *pdf) file(h heading, r report) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	object(fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /Lang (fr-FR) /ViewerPreferences << /DisplayDocTitle true >> >>", objPages))
	var kids strings.Builder
	for i := range p.pages {
		fmt.Fprintf(&kids, "%d 0 R ", objFirstPage+2*i)
	}
	object(fmt.Sprintf("<< /Type /Pages /Kids [ %s] /Count %d >>", kids.String(), len(p.pages)))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
	object(pdfInfo(h, r))
	for i, page := range p.pages {
		object(fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [ 0 0 %.0f %.0f ] /Resources << /Font << /F1 %d 0 R /F2 %d 0 R >> >> /Contents %d 0 R >>",
			objPages, pageWidth, pageHeight, objRegular, objBold, objFirstPage+2*i+1))
		object(fmt.Sprintf("<< /Length %d >>\nstream\n%sendstream", page.Len(), page))
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	id := sha256.Sum256(b.Bytes())
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [ <%x> <%x> ] >>\nstartxref\n%d\n%%%%EOF\n",
		len(offsets)+1, objCatalog, objInfo, id[:16], id[:16], xref)
	return b.Bytes()
}

func pdfInfo(h heading, r report) string {
	created := h.written.UTC().Format("D:20060102150405Z")
	return fmt.Sprintf("<< /Title %s /Author %s /Creator (OpenDMP sandbox) /CreationDate (%s) /ModDate (%s) >>",
		pdfTextString(r.title), pdfTextString(h.signer()), created, created)
}

// pdfTextString writes a text of the document information: UTF-16 with a byte
// order mark (ISO 32000-1 §7.9.2.2), since those are not in WinAnsiEncoding.
func pdfTextString(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	b.WriteByte('>')
	return b.String()
}

func escapePDF(s []byte) []byte {
	var b bytes.Buffer
	for _, c := range s {
		switch c {
		case '(', ')', '\\':
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.Bytes()
}

// longDate writes a day as French letters do: 3 mars 2026.
func longDate(t time.Time) string {
	t = t.In(fhir.Paris)
	number := fmt.Sprint(t.Day())
	if t.Day() == 1 {
		number = "1er"
	}
	return number + " " + frenchMonth(t)
}

// frenchMonth is "mai 2026".
func frenchMonth(t time.Time) string {
	months := [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
	return months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// frenchDay writes AAAA-MM-JJ as JJ/MM/AAAA.
func frenchDay(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format("02/01/2006")
}

// spacedINS writes an INS in the groups in which people read it.
func spacedINS(v string) string {
	if len(v) != 15 {
		return v
	}
	return strings.Join([]string{v[:1], v[1:3], v[3:5], v[5:7], v[7:10], v[10:13], v[13:]}, " ")
}

func insNature(i fhir.Ident) string {
	if i.System == fhir.SystemINSTest {
		return " (test)"
	}
	return ""
}
