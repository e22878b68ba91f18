package fhir

import (
	"errors"
	"strings"
	"testing"
)

const eicarFile = `X5O!P%@AP[4\PZX54(P^)7CC)7}` + eicar + `H+H*`

func TestRecogniseContent(t *testing.T) {
	const document = `{"resourceType":"Bundle","type":"document","identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2"},"timestamp":"2024-01-01T00:00:00Z","entry":[{"resource":{"resourceType":"Composition","status":"final","type":{"text":"x"},"date":"2024","author":[{"display":"x"}],"title":"x"}}]}`
	for name, c := range map[string]struct {
		data string
		want ContentKind
	}{
		"PDF":                    {"%PDF-1.7\n%\xe2\xe3", ContentPDF},
		"JPEG":                   {"\xff\xd8\xff\xe0\x00\x10JFIF", ContentJPEG},
		"PNG":                    {"\x89PNG\r\n\x1a\n\x00", ContentPNG},
		"TIFF, Intel":            {"II*\x00\x08", ContentTIFF},
		"TIFF, Motorola":         {"MM\x00*\x00", ContentTIFF},
		"DICOM":                  {strings.Repeat("\x00", 128) + "DICM\x02", ContentDICOM},
		"text":                   {"Fièvre à 39 °C,\r\n\tdepuis 2 jours.", ContentText},
		"text with a mark":       {"\ufeffFièvre", ContentText},
		"text in Latin-1":        {"Fi\xe8vre \xe0 39", ContentText},
		"text that begins { ":    {"{ à compléter }", ContentText},
		"CDA":                    {readHeader(t), ContentCDA},
		"empty CDA":              {`<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>`, ContentCDA},
		"FHIR document":          {document, ContentFHIRJSON},
		"no document":            {strings.Replace(document, "document", "collection", 1), ContentText},
		"nothing":                {"", ContentUnknown},
		"white space":            {" \n", ContentUnknown},
		"PDF after text":         {"\n%PDF-1.7\n\x00", ContentUnknown},
		"HTML":                   {"<!DOCTYPE html><html></html>", ContentUnknown},
		"HTML after white space": {" \n<HtMl>", ContentUnknown},
		"SVG":                    {`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, ContentUnknown},
		"XHTML":                  {`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>`, ContentUnknown},
		"script":                 {"#!/bin/sh\nrm -rf /", ContentUnknown},
		"PostScript":             {"%!PS-Adobe", ContentUnknown},
		"RTF":                    {`{\rtf1 x}`, ContentUnknown},
		"program, Windows":       {"MZ\x90\x00\x03", ContentUnknown},
		"program, Linux":         {"\x7fELF\x02", ContentUnknown},
		"archive":                {"PK\x03\x04", ContentUnknown},
		"GIF":                    {"GIF89a\x01\x00", ContentUnknown},
		"DICOM with a program":   {"MZ" + strings.Repeat("\x00", 126) + "DICM\x02", ContentUnknown},
		"text with a bell":       {"a\x07", ContentUnknown},
		"text with C1":           {"a\u0085b", ContentUnknown},
		"text in cp1252":         {"l\x92arr\xeat", ContentUnknown},
		"ends in half a letter":  {"a\xc2", ContentText}, // Â in Latin-1
	} {
		t.Run(name, func(t *testing.T) {
			got, cda, err := RecogniseContent([]byte(c.data))
			if err != nil || got != c.want || (cda != nil) != (got == ContentCDA) {
				t.Errorf("%d, %v; want %d", got, err, c.want)
			}
		})
	}
	for _, hostile := range []string{eicarFile, "%PDF-1.7 " + eicarFile} {
		if _, _, err := RecogniseContent([]byte(hostile)); !errors.Is(err, ErrHostile) {
			t.Errorf("%v", err)
		}
	}
}

func TestContentKindFits(t *testing.T) {
	for mime, kind := range map[string]ContentKind{
		"application/pdf": ContentPDF, "Application/PDF": ContentPDF, "text/plain; charset=utf-8": ContentText,
		"text/xml": ContentCDA, "application/xml": ContentCDA, "application/fhir+json": ContentFHIRJSON,
	} {
		if !kind.Fits(mime) {
			t.Errorf("%s refused", mime)
		}
	}
	for mime, kind := range map[string]ContentKind{
		"application/pdf": ContentText, "text/html": ContentText, "": ContentUnknown, "image/svg+xml": ContentCDA, "application/xml": ContentPDF,
	} {
		if kind.Fits(mime) {
			t.Errorf("%s accepted", mime)
		}
	}
}
