package bundles

import (
	"bytes"
	"crypto/sha1" // DocumentReference.attachment.hash is SHA-1 in FHIR R4
	_ "embed"     // the bundles
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

//go:embed templates/opening.json
var openingTemplate string

//go:embed templates/push.json
var pushTemplate string

// Patient is an invented person.
type Patient struct {
	INS                          string // in the test domain
	Family, Given, Gender, Birth string // as in FHIR
	ID                           string // of the Patient, once there is one
}

// Document is what is said of a document.
type Document struct {
	Title string
	Date  time.Time
	// Unique is the unique identifier, a UUID; the same one is the same document.
	Unique string
}

// Content is a document, made ready to be sent.
type Content struct {
	size   int
	hash   string
	base64 []byte
}

// NewContent prepares a PDF.
func NewContent(pdf []byte) Content {
	sum := sha1.Sum(pdf)
	return Content{
		size:   len(pdf),
		hash:   base64.StdEncoding.EncodeToString(sum[:]),
		base64: base64.StdEncoding.AppendEncode(nil, pdf),
	}
}

// Opening is the bundle that opens the dossier of p, with the authorisation of
// Hôpital Nord for six months from now.
func Opening(p Patient, now time.Time) []byte {
	return []byte(p.replacer(now,
		"$START", now.Format(time.DateOnly), "$END", now.AddDate(0, 6, 0).Format(time.DateOnly),
	).Replace(openingTemplate))
}

// Push is the bundle of a submission set, a document of p and its content. p
// must have an ID.
func Push(p Patient, d Document, c Content, now time.Time) []byte {
	head, tail, _ := strings.Cut(pushTemplate, "$DATA")
	head = p.replacer(now,
		"$PATIENT", p.ID, "$DATE", d.Date.Format(time.RFC3339), "$TITLE", d.Title, "$UNIQUE", d.Unique,
		"$SIZE", strconv.Itoa(c.size), "$HASH", c.hash,
	).Replace(head)
	return bytes.Join([][]byte{[]byte(head), c.base64, []byte(tail)}, nil)
}

// replacer fills what both bundles have, and pairs.
func (p Patient) replacer(now time.Time, pairs ...string) *strings.Replacer {
	return strings.NewReplacer(append(pairs,
		"$U1", UUID(), "$U2", UUID(), "$U3", UUID(), "$U4", UUID(),
		"$INS", p.INS, "$FAMILY", p.Family, "$GIVEN", p.Given, "$GENDER", p.Gender, "$BIRTH", p.Birth,
		"$NOW", now.Format(time.RFC3339),
	)...)
}

// UUID draws one of version 4.
func UUID() string {
	a, b := rand.Uint64(), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

// Created returns the id of the first resource of a type in a
// transaction-response: what stands between "Type/" and "/_history".
func Created(answer []byte, typ string) (string, error) {
	_, rest, found := bytes.Cut(answer, []byte(typ+"/"))
	id, _, ended := bytes.Cut(rest, []byte("/_history"))
	if !found || !ended || len(id) > 64 {
		return "", fmt.Errorf("no %s in the answer %.300s", typ, answer)
	}
	return string(id), nil
}
