package fhir

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// patientXML is a Patient with the elements given.
func patientXML(elements string) string {
	return `<Patient xmlns="http://hl7.org/fhir">` + elements + `</Patient>`
}

const divXML = `<div xmlns="http://www.w3.org/1999/xhtml">`

func narrativeXML(div string) string {
	return patientXML(`<text><status value="generated"/>` + div + `</text>`)
}

// readXML is what the server does with a body.
func readXML(data string) error {
	body, err := FromXML([]byte(data))
	if err == nil {
		_, err = Parse(body)
	}
	return err
}

func TestFromXMLRefuses(t *testing.T) {
	const entity = `<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>`
	for _, c := range []struct{ name, data, code, expression string }{
		// What is no XML, or more XML than we read.
		{"nothing", ``, "structure", ""},
		{"white space", " \n", "structure", ""},
		{"JSON", `{"resourceType":"Patient"}`, "structure", ""},
		{"external entity", entity + patientXML(`<id value="&x;"/>`), "structure", ""},
		{"external DTD", `<!DOCTYPE Patient SYSTEM "http://example.org/x.dtd">` + patientXML(``), "structure", ""},
		{"billion laughs", `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>` + patientXML(`<id value="&c;"/>`), "structure", ""},
		{"undeclared entity", patientXML(`<id value="&nbsp;"/>`), "structure", ""},
		{"entity without end", patientXML(`<id value="&amp"/>`), "structure", ""},
		{"bare ampersand", patientXML(`<id value="a & b"/>`), "structure", ""},
		{"reference to no character", patientXML(`<id value="&#0;"/>`), "structure", ""},
		{"reference to a surrogate", patientXML(`<id value="&#xD800;"/>`), "structure", ""},
		{"reference beyond Unicode", patientXML(`<id value="&#x110000;"/>`), "structure", ""},
		{"reference to U+FFFF", patientXML(`<id value="&#xFFFF;"/>`), "structure", ""},
		{"reference without digits", patientXML(`<id value="&#x;"/>`), "structure", ""},
		{"stylesheet", `<?xml-stylesheet href="x.xsl"?>` + patientXML(``), "structure", ""},
		{"processing instruction inside", patientXML(`<?php x ?>`), "structure", ""},
		{"declaration twice", `<?xml version="1.0"?><?xml version="1.0"?>` + patientXML(``), "structure", ""},
		{"declaration after white space", "\n" + `<?xml version="1.0"?>` + patientXML(``), "structure", ""},
		{"XML 1.1", `<?xml version="1.1"?>` + patientXML(``), "structure", ""},
		{"declaration without version", `<?xml encoding="UTF-8"?>` + patientXML(``), "structure", ""},
		{"UTF-16 declared", `<?xml version="1.0" encoding="UTF-16"?>` + patientXML(``), "structure", ""},
		{"Latin-1 declared", `<?xml version="1.0" encoding="ISO-8859-1"?>` + patientXML(``), "structure", ""},
		{"UTF-16 with its mark", "\xff\xfe<\x00P\x00", "structure", ""},
		{"UTF-16 without its mark", "<\x00P\x00a\x00", "structure", ""},
		{"invalid UTF-8", patientXML("<id value=\"\xe9\"/>"), "structure", ""},
		{"CDATA", patientXML(`<![CDATA[a]]>`), "structure", ""},
		{"CDATA in a narrative", narrativeXML(divXML + `<![CDATA[><img src="x" onerror="a()"/>]]></div>`), "structure", ""},
		{"comment that ends at once in HTML", narrativeXML(divXML + `a<!--><img src="x" onerror="a()"/>--></div>`), "structure", ""},
		{"comment with two dashes", patientXML(`<!-- a -- b -->`), "structure", ""},
		{"comment without end", patientXML(``) + `<!-- a`, "structure", ""},
		{"control character", patientXML("<id value=\"a\x01\"/>"), "structure", ""},
		{"control character in a comment", patientXML("<!-- \x01 -->"), "structure", ""},
		{"many comments", patientXML(strings.Repeat(`<!-- -->`, maxComments+1)), "structure", ""},
		{"control character in text", narrativeXML(divXML + "a\x01</div>"), "structure", ""},
		{"U+FFFE", patientXML("<id value=\"a\ufffe\"/>"), "structure", ""},
		{"less-than in an attribute", patientXML(`<id value="<"/>`), "structure", ""},
		{"attribute without quotes", patientXML(`<id value=a/>`), "structure", ""},
		{"attribute without value", patientXML(`<id value/>`), "structure", ""},
		{"attributes without space", patientXML(`<name id="a"use="b"/>`), "structure", ""},
		{"duplicate attribute", patientXML(`<id value="a" value="b"/>`), "structure", ""},
		{"duplicate namespace", `<Patient xmlns="http://hl7.org/fhir" xmlns="http://hl7.org/fhir"/>`, "structure", ""},
		{"duplicate attribute by two prefixes", `<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:a="urn:x" xmlns:b="urn:x" a:x="" b:x=""/>`, "structure", ""},
		{"prefix not declared", `<f:Patient/>`, "structure", ""},
		{"prefix out of scope", patientXML(`<name xmlns:f="http://hl7.org/fhir"><family value="a"/></name><f:gender value="male"/>`), "structure", ""},
		{"xml as a prefix of another", `<Patient xmlns="http://hl7.org/fhir" xmlns:xml="urn:x"/>`, "structure", ""},
		{"prefix undone", `<f:Patient xmlns:f=""/>`, "structure", ""},
		{"many namespaces", `<Patient xmlns="http://hl7.org/fhir"` + numbered(` xmlns:a%="urn:x"`, 70) + `/>`, "structure", ""},
		{"many attributes", patientXML(`<id` + numbered(` a%="x"`, 65) + `/>`), "structure", ""},
		{"tags that cross", patientXML(`<name><family value="a"></name></family>`), "structure", ""},
		{"tag without end", `<Patient xmlns="http://hl7.org/fhir">`, "structure", ""},
		{"end without tag", patientXML(``) + `</Patient>`, "structure", ""},
		{"two roots", patientXML(``) + patientXML(``), "structure", ""},
		{"text after the root", patientXML(``) + `a`, "structure", ""},
		{"text before the root", `a` + patientXML(``), "structure", ""},
		{"]]> in text", narrativeXML(divXML + `a]]></div>`), "structure", ""},
		{"name of other letters", patientXML(`<é/>`), "structure", ""},
		{"name with two colons", patientXML(`<a:b:c/>`), "structure", ""},
		{"deep", patientXML(strings.Repeat(`<extension url="http://x">`, 40) + strings.Repeat(`</extension>`, 40)), "structure", ""},
		{"deep in what is unknown", patientXML(strings.Repeat(`<a>`, 300)), "structure", ""},
		{"deep narrative", narrativeXML(divXML + strings.Repeat(`<b>`, 300)), "structure", ""},

		// What is no FHIR.
		{"no namespace", `<Patient/>`, "structure", "Resource"},
		{"another namespace", `<ClinicalDocument xmlns="urn:hl7-org:v3"/>`, "structure", "Resource"},
		{"unknown type", `<Dossier xmlns="http://hl7.org/fhir"/>`, "structure", "Resource"},
		{"data type", `<HumanName xmlns="http://hl7.org/fhir"/>`, "structure", "Resource"},
		{"element of a resource", `<AllergyIntolerance.reaction xmlns="http://hl7.org/fhir"/>`, "structure", "Resource"},
		{"type that is not handled", `<Medication xmlns="http://hl7.org/fhir"/>`, "not-supported", "Medication.resourceType"},
		{"unknown element", patientXML(`<surname value="a"/>`), "structure", "Patient.surname"},
		{"unknown element with much in it", patientXML(`<surname><a><b/></a>x</surname>`), "structure", "Patient.surname"},
		{"other case", patientXML(`<Gender value="male"/>`), "structure", "Patient.Gender"},
		{"a choice without its type", patientXML(`<deceased value="true"/>`), "structure", "Patient.deceased"},
		{"element of another namespace", patientXML(`<gender xmlns="urn:x" value="male"/>`), "structure", "Patient.gender"},
		{"resourceType as an element", patientXML(`<resourceType value="Patient"/>`), "structure", "Patient.resourceType"},
		{"order", patientXML(`<birthDate value="2024"/><gender value="male"/>`), "structure", "Patient.gender"},
		{"a repetition apart", patientXML(`<name><family value="a"/></name><gender value="male"/><name><family value="b"/></name>`), "structure", "Patient.name"},
		{"repetition of what does not repeat", patientXML(`<gender value="male"/><gender value="male"/>`), "structure", "Patient.gender"},
		{"two types of a choice", patientXML(`<deceasedBoolean value="true"/><deceasedDateTime value="2024"/>`), "structure", "Patient.deceased"},
		{"text", patientXML(`<gender>male</gender>`), "structure", "Patient.gender"},
		{"text in a resource", patientXML(`male`), "structure", "Patient"},
		{"value on a complex element", patientXML(`<name value="a"/>`), "structure", "Patient.name[0]"},
		{"unknown attribute", patientXML(`<gender value="male" x="y"/>`), "structure", "Patient.gender"},
		{"id of a resource as an attribute", `<Patient xmlns="http://hl7.org/fhir" id="a"/>`, "structure", "Patient"},
		{"id of an element as an element", patientXML(`<name><id value="a"/><family value="b"/></name>`), "structure", "Patient.name[0].id"},
		{"url of an extension as an element", patientXML(`<extension><url value="http://x"/><valueCode value="b"/></extension>`), "structure", "Patient.extension[0].url"},
		{"type by XML schema", `<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x"/>`, "structure", "Patient"},
		{"value of another namespace", patientXML(`<gender xmlns:f="http://hl7.org/fhir" f:value="male"/>`), "structure", "Patient.gender"},
		{"empty primitive", patientXML(`<gender/>`), "structure", "Patient.gender"},
		{"empty primitive with an end tag", patientXML(`<gender></gender>`), "structure", "Patient.gender"},
		{"id alone", patientXML(`<gender id="a"/>`), "structure", "Patient.gender"},
		{"empty element", patientXML(`<name/>`), "structure", "Patient.name[0]"},
		{"empty value", patientXML(`<gender value=""/>`), "value", "Patient.gender"},
		{"boolean by a digit", patientXML(`<active value="1"/>`), "value", "Patient.active"},
		{"boolean with a space", patientXML(`<active value=" true"/>`), "value", "Patient.active"},
		{"integer in hexadecimal", patientXML(`<multipleBirthInteger value="0x1"/>`), "value", "Patient.multipleBirth"},
		{"integer with a fraction", patientXML(`<multipleBirthInteger value="1.0"/>`), "value", "Patient.multipleBirth"},
		{"integer with a zero", patientXML(`<multipleBirthInteger value="01"/>`), "value", "Patient.multipleBirth"},
		{"decimal that is none", patientXML(`<extension url="http://x"><valueDecimal value="NaN"/></extension>`), "value", "Patient.extension[0].value"},
		{"decimal with a plus", patientXML(`<extension url="http://x"><valueDecimal value="+1"/></extension>`), "value", "Patient.extension[0].value"},
		{"decimal that breaks out of JSON", patientXML(`<extension url="http://x"><valueDecimal value='1,"a":2'/></extension>`), "value", "Patient.extension[0].value"},
		{"unsigned that is negative", patientXML(`<photo><size value="-1"/></photo>`), "value", "Patient.photo[0].size"},
		{"code outside of its value set", patientXML(`<gender value="x"/>`), "code-invalid", "Patient.gender"},
		{"missing element", `<DocumentReference xmlns="http://hl7.org/fhir"><status value="current"/></DocumentReference>`, "required", "DocumentReference.content"},
		{"contained without resource", patientXML(`<contained/>`), "structure", "Patient.contained[0]"},
		{"contained with two resources", patientXML(`<contained><Medication/><Medication/></contained>`), "structure", "Patient.contained[0]"},
		{"contained with text", patientXML(`<contained>a<Medication/></contained>`), "structure", "Patient.contained[0]"},
		{"contained with an attribute", patientXML(`<contained id="a"><Medication/></contained>`), "structure", "Patient.contained[0]"},
		{"contained of an unknown type", patientXML(`<contained><Pill/></contained>`), "structure", "Patient.contained[0]"},
		{"unknown element of a foreign resource", patientXML(`<contained><Medication><id value="a"/><x value="b"/></Medication></contained>`), "structure", "Patient.contained[0].x"},
		{"entry", `<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><resource><Patient><x/></Patient></resource></entry></Bundle>`, "structure", "Bundle.entry[0].resource.x"},

		// Narratives.
		{"script", narrativeXML(divXML + `<script>a</script></div>`), "value", "Patient.text.div"},
		{"event", narrativeXML(divXML + `<p onclick="a()">a</p></div>`), "value", "Patient.text.div"},
		{"blank", narrativeXML(divXML + ` &#160; </div>`), "invariant", "Patient.text.div"},
		{"div of FHIR", narrativeXML(`<div>a</div>`), "structure", "Patient.text.div"},
		{"foreign element in a div", narrativeXML(divXML + `<x xmlns="urn:x"/>a</div>`), "value", "Patient.text.div"},
		{"prefix from outside within a div", `<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><text><status value="generated"/>` + divXML + `<h:p>a</h:p></div></text></Patient>`, "value", "Patient.text.div"},
	} {
		err := readXML(c.data)
		var bad *Invalid
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		first := bad.Issues[0]
		if first.Code != c.code || first.Expression != c.expression {
			t.Errorf("%s: %s at %q, want %s at %q (%s)", c.name, first.Code, first.Expression, c.code, c.expression, first.Diagnostics)
		}
		if first.Severity != Error || first.Text.FR == "" || first.Text.EN == "" || strings.Contains(err.Error(), "%!") || strings.Contains(err.Error(), "JSON") {
			t.Errorf("%s: %+v", c.name, first)
		}
	}
}

// The refusal says which of the rules of XML is broken.
func TestFromXMLNamesTheRule(t *testing.T) {
	for data, want := range map[string]*rule{
		`<birthDate value="2024"/><gender value="male"/>`:                     outOfOrder,
		`<gender value="male"/><gender value="male"/>`:                        repeated,
		`<deceasedBoolean value="true"/><deceasedDateTime value="2024"/>`:     twoChoices,
		`<gender>male</gender>`:                                               strayText,
		`<gender value="male" x="y"/>`:                                        strayAttribute,
		`<gender xmlns="urn:x" value="male"/>`:                                wrongNamespace,
		`<contained/>`:                                                        notOneResource,
		`<active value="1"/>`:                                                 badBoolean,
		`<extension url="http://x"><valueDecimal value="1,5"/></extension>`:   badDecimal,
		`<extension url="http://x"><valueUnsignedInt value="a"/></extension>`: badUnsigned,
		`<extension url="http://x"><valuePositiveInt value=""/></extension>`:  badPositive,
		`<multipleBirthInteger value="1 "/>`:                                  badInteger,
		`<gender/>`:                                                           empty,
	} {
		_, err := FromXML([]byte(patientXML(data)))
		var bad *Invalid
		if !errors.As(err, &bad) || bad.Issues[0] != want.at(bad.Issues[0].Expression) {
			t.Errorf("%s: %v, want %s", data, err, want.en)
		}
	}
}

// numbered repeats a text with a number in the place of its percent sign.
func numbered(text string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "%", strings.Repeat("a", i+1)))
	}
	return b.String()
}

// Nothing of what a client wrote comes back in a refusal.
func TestFromXMLDoesNotQuote(t *testing.T) {
	for _, data := range []string{
		`<SECRET xmlns="http://hl7.org/fhir"/>`,
		`<Patient xmlns="urn:SECRET"/>`,
		patientXML(`<gender value="SECRET"/>`),
		patientXML(`<gender value="male" SECRET="SECRET"/>`),
		patientXML(`<gender>SECRET</gender>`),
		patientXML(`<id value="&SECRET;"/>`),
		patientXML(`<S-E.CRET value="SECRET"/>`),
		`<!DOCTYPE SECRET>`,
	} {
		if err := readXML(data); err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "S-E.CRET") {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// Several faults are told at once, twenty at most.
func TestFromXMLTellsSeveralFaults(t *testing.T) {
	err := readXML(patientXML(`<x/><active value="1"/><gender>a</gender>` + strings.Repeat(`<z/>`, 100)))
	var bad *Invalid
	if !errors.As(err, &bad) || len(bad.Issues) != maxIssues {
		t.Fatal(err)
	}
	for i, want := range []string{"Patient.x", "Patient.active", "Patient.gender", "Patient.gender", "Patient.z"} {
		if got := bad.Issues[i].Expression; got != want {
			t.Errorf("issue %d is of %s, want %s", i, got, want)
		}
	}
}

// Bombs are refused within 50 ms and with little memory, whatever their size.
func TestXMLBombs(t *testing.T) {
	const size = 8 << 20
	fill := func(head, part string) []byte {
		return append([]byte(head), bytes.Repeat([]byte(part), size/len(part))...)
	}
	patient := strings.TrimSuffix(patientXML(``), `</Patient>`)
	for name, data := range map[string][]byte{
		"depth":            fill(patient, `<extension>`),
		"unknown depth":    fill(patient, `<a>`),
		"elements":         fill(patient, `<a/>`),
		"root":             fill(``, `<a>`),
		"attributes":       fill(patient+`<id`, ` a=""`),
		"namespaces":       fill(patient+`<id`, ` xmlns:a=""`),
		"entities":         fill(`<!DOCTYPE x [`, `<!ENTITY a "a">`),
		"empty primitives": fill(patient, `<gender/>`),
		"references":       fill(patient+`<id value="`, `&#65;`),
		"text":             fill(patient, `a `),
		"comments":         fill(patient, `<!-- -->`),
		"dashes":           fill(patient+`<!-`, `-`),
		"name":             fill(`<`, `a`),
		"brackets":         fill(``, `<`),
		"narrative":        fill(patient+`<text><status value="empty"/>`+divXML, `<b>`),
		"attribute":        fill(patient+`<gender value="`, `a`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := FromXML(data)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
			t.Errorf("%s: %d KiB", name, taken>>10)
		}
		// Ten times what is promised, for machines that do other things too.
		if took > 500*time.Millisecond {
			t.Errorf("%s: refused after %v", name, took)
		}
	}
}
