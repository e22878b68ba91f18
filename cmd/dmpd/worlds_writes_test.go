package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/sandbox"
)

// writer makes the writes of a caller, each with identifiers of its own.
type writer struct {
	*pool
	who sandbox.Persona
	// safe are personas whom consents may be about: none that would let the caller
	// see more of one world than of the other.
	safe []string
	n    int
}

func coded(system, code string) object {
	return object{"coding": []any{object{"system": system, "code": code}}}
}

// document makes a document by the caller about the patient in question.
func (w *writer) document(change func(doc object)) object {
	w.n++
	typ, class := coded(fhir.SystemLOINC, "11488-4"), coded(fhir.SystemDocumentClass, "10")
	author := object{"type": "Practitioner", "identifier": object{"system": w.who.ID.System, "value": w.who.ID.Value}}
	switch w.who.Kind {
	case auth.Patient, auth.Representative:
		typ, class = coded(fhir.SystemDocumentType, "EXPPAT_3"), coded(fhir.SystemDocumentClass, "90")
		author["type"] = "Patient"
	case auth.InsuranceFeeder:
		typ, class = coded(fhir.SystemDocumentType, "REMB"), coded(fhir.SystemDocumentClass, "60")
		author["type"] = "Organization"
	case auth.Establishment, auth.Administrative:
		id, _ := w.who.Workplace()
		author = object{"type": "Organization", "identifier": object{"system": id[0].System, "value": id[0].Value}}
	}
	doc := object{
		"resourceType":     "DocumentReference",
		"masterIdentifier": object{"system": "urn:ietf:rfc:3986", "value": fmt.Sprintf("urn:oid:2.25.20260310%06d", w.n)},
		"status":           "current", "type": typ, "category": []any{class},
		"subject": object{"reference": "Patient/{{" + w.focus + "}}"},
		"date":    worldsNow.Format(time.RFC3339), "author": []any{author},
		"securityLabel": []any{coded(fhir.SystemConfidentiality, "N")},
		"content": []any{object{
			"attachment": object{"contentType": "text/plain", "language": "fr-FR", "data": base64.StdEncoding.EncodeToString([]byte("Deux mondes.")), "creation": worldsNow.Format(time.RFC3339)},
			"format":     object{"system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode", "code": "urn:ihe:iti:xds-sd:text:2008"},
		}},
		"context": object{"facilityType": coded("https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite", "SA08")},
	}
	if change != nil {
		change(doc)
	}
	return doc
}

func postJSON(path string, body any) ask {
	return ask{method: http.MethodPost, path: path, mime: mediaJSON, body: encodeJSON(body)}
}

// submission sends a document as ITI-65; more are further entries, listed further
// references of its submission set.
func (w *writer) submission(doc object, listed []string, more ...any) ask {
	attachment := doc["content"].([]any)[0].(object)["attachment"].(object)
	data := attachment["data"]
	delete(attachment, "data")
	attachment["url"] = "urn:uuid:00000000-0000-4000-8000-000000000002"
	entries := []any{object{"item": object{"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"}}}
	for _, ref := range listed {
		entries = append(entries, object{"item": object{"reference": ref}})
	}
	const mhd = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/"
	list := object{
		"resourceType": "List", "status": "current", "mode": "working", "date": worldsNow.Format(time.RFC3339),
		"extension":  []any{object{"url": mhd + "ihe-sourceId", "valueIdentifier": object{"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.25.1"}}},
		"code":       coded("https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes", "submissionset"),
		"identifier": []any{object{"use": "usual", "system": "urn:ietf:rfc:3986", "value": fmt.Sprintf("urn:oid:2.25.20260311%06d", w.n)}},
		"subject":    doc["subject"], "entry": entries,
	}
	creates := func(n int, r object) any {
		return object{"fullUrl": fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", n), "resource": r, "request": object{"method": "POST", "url": r["resourceType"]}}
	}
	all := []any{creates(3, list), creates(1, doc), creates(2, object{"resourceType": "Binary", "contentType": attachment["contentType"], "data": data})}
	return postJSON("", object{
		"resourceType": "Bundle", "type": "transaction", "entry": append(all, more...),
		"meta": object{"profile": []any{mhd + "IHE.MHD.Minimal.ProvideBundle"}},
	})
}

// writes asks for every interaction that writes: about what is shown, what is
// hidden and what never was.
func (w *writer) writes() []ask {
	var asks []ask
	asks = append(asks, w.creates()...)
	asks = append(asks, w.transactions()...)
	asks = append(asks, w.changes()...)
	asks = append(asks, w.creates()...) // with what changed
	asks = append(asks, w.transactions()...)
	return asks
}

func (w *writer) creates() []ask {
	relate := func(code, key string) func(object) {
		return func(doc object) {
			doc["relatesTo"] = []any{object{"code": code, "target": object{"reference": "DocumentReference/" + key}}}
		}
	}
	plain := postJSON("DocumentReference", w.document(nil))
	ident := w.pick(w.idents...)
	asks := []ask{
		plain, plain, // the same again
		plain.with("Prefer", w.pick("return=minimal", "return=OperationOutcome")),
		postJSON("DocumentReference", w.document(nil)).with("If-None-Exist", "patient=Patient/{{"+w.focus+"}}&identifier="+escaped(ident)),
		postJSON("DocumentReference", w.document(nil)).with("If-None-Exist", "identifier="+escaped(ident)),
		postJSON("DocumentReference", w.document(relate("replaces", w.doc()))),
		postJSON("DocumentReference", w.document(relate("replaces", w.doc()))).with("Accept-Language", "en"),
		postJSON("DocumentReference", w.document(relate("appends", w.doc()))),
		postJSON("DocumentReference", w.document(func(doc object) {
			doc["context"].(object)["related"] = []any{object{"reference": "DocumentReference/" + w.doc()}}
		})),
		postJSON("DocumentReference", w.document(func(doc object) {
			system, value, _ := strings.Cut(ident, "|")
			doc["masterIdentifier"] = object{"system": system, "value": value}
		})),
		postJSON("DocumentReference", w.document(func(doc object) {
			doc["securityLabel"] = []any{coded(visibility, w.pick("MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"))}
		})),
		postJSON("DocumentReference", w.document(func(doc object) {
			doc["subject"] = object{"reference": w.pick("Patient/{{patient-basile}}", "Patient/{{patient-david}}", "Patient/inconnu")}
		})),
		postJSON("DocumentReference", w.document(func(doc object) { delete(doc, "type") })),
		{method: http.MethodPost, path: "DocumentReference", mime: mediaJSON, body: "{"},
		{method: http.MethodPost, path: "DocumentReference", mime: "text/plain", body: "rien"},
	}
	asks = append(asks, postJSON("CareTeam", object{
		"resourceType": "CareTeam", "status": "active", "subject": object{"reference": "Patient/{{" + w.focus + "}}"},
		"participant": []any{object{"member": object{"type": "Practitioner", "identifier": object{"system": w.who.ID.System, "value": w.who.ID.Value}}}},
	}))
	for _, kind := range []string{"autorisation", "blocage", "opposition-alimentation", "opposition-centre-15", "rien"} {
		actor, purpose := w.pick(w.safe...), ""
		if kind == "autorisation" {
			purpose = "TREAT"
		}
		who := identOf(actor)
		if strings.HasPrefix(kind, "opposition-c") {
			who, purpose = "", "ETREAT"
		}
		patient := w.pick(w.focus, w.focus, "patient-basile")
		asks = append(asks, ask{method: http.MethodPost, path: "Consent", mime: mediaJSON, body: consentBody(patient, kind, typeOfActor(actor), who, purpose, "active")})
	}
	return asks
}

func (w *writer) transactions() []ask {
	related := func(doc object) {
		doc["context"].(object)["related"] = []any{object{"reference": "DocumentReference/" + w.doc()}}
	}
	replaces := func(doc object) {
		doc["relatesTo"] = []any{object{"code": "replaces", "target": object{"reference": worldsBase + "/DocumentReference/" + w.doc()}}}
	}
	patch := func(ref string) any {
		part := func(name, kind, value string) any { return object{"name": name, kind: value} }
		return object{"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000009", "request": object{"method": "PATCH", "url": ref}, "resource": object{
			"resourceType": "Parameters", "parameter": []any{object{"name": "operation", "part": []any{
				part("type", "valueCode", "replace"), part("path", "valueString", "DocumentReference.status"), part("value", "valueCode", "superseded"),
			}}},
		}}
	}
	plain := w.submission(w.document(nil), nil)
	return []ask{
		plain, plain,
		w.submission(w.document(related), nil),
		w.submission(w.document(replaces), nil),
		w.submission(w.document(nil), []string{"DocumentReference/" + w.doc()}),
		w.submission(w.document(nil), []string{"List/" + w.part("List")}),
		w.submission(w.document(nil), nil, patch("DocumentReference/"+w.doc())),
		w.fhirDocument(),
		w.opening(),
		postJSON("", object{"resourceType": "Bundle", "type": "transaction"}),
	}
}

// fhirDocument sends a document Bundle as the content.
func (w *writer) fhirDocument() ask {
	doc := w.document(nil)
	doc["content"].([]any)[0].(object)["attachment"].(object)["contentType"] = "application/fhir+json"
	a := w.submission(doc, nil)
	bundle := encodeJSON(object{"resourceType": "Bundle", "type": "document", "timestamp": worldsNow.Format(time.RFC3339)})
	a.body = strings.Replace(a.body, `"url":"Binary"`, `"url":"Bundle"`, 1)
	from := strings.Index(a.body, `{"contentType":"application/fhir+json","data"`)
	to := from + strings.Index(a.body[from:], "}") + 1
	a.body = a.body[:from] + bundle + a.body[to:]
	return a
}

// opening opens a record that is there already, or is for nobody to open.
func (w *writer) opening() ask {
	p, _ := sandbox.Lookup(w.pick(w.focus, "patient-basile"))
	patient := "urn:uuid:00000000-0000-4000-8000-000000000005"
	consent := strings.ReplaceAll(consentBody("x", "ouverture", "", "", "", "active"), "Patient/{{x}}", patient)
	consent = strings.Replace(consent, `"type":"deny"`, `"type":"permit"`, 1)
	entry := func(url, typ string, r any) any {
		return object{"fullUrl": url, "resource": r, "request": object{"method": "POST", "url": typ}}
	}
	body := encodeJSON(object{"resourceType": "Bundle", "type": "transaction", "entry": []any{
		entry(patient, "Patient", object{
			"resourceType": "Patient", "active": true, "gender": p.Patient.Gender, "birthDate": p.Patient.BirthDate,
			"identifier": []any{object{"use": "official", "system": p.ID.System, "value": p.ID.Value}},
			"name":       []any{object{"use": "official", "family": p.Patient.BirthName, "given": []any{p.Patient.Given}}},
		}),
		entry("urn:uuid:00000000-0000-4000-8000-000000000006", "Consent", "consent"),
	}})
	return ask{method: http.MethodPost, mime: mediaJSON, body: strings.Replace(body, `"consent"`, consent, 1)}
}

// changes are patches, replacements and deletions, by id and by query.
func (w *writer) changes() []ask {
	var asks []ask
	for _, typ := range fhir.Types() {
		for range 2 {
			ref := typ + "/" + w.id(typ)
			if fhir.Supports(typ, fhir.Patch) {
				for _, body := range []string{archiving(true), labelled("MASQUE_PS"), labelled("INVISIBLE_PATIENT"), unlabelled, `[{"op":"replace","path":"/status","value":"superseded"}]`, `[{"op":"remove","path":"/type"}]`, `[{"op":"rien"}]`} {
					if w.r.IntN(2) == 0 {
						asks = append(asks, ask{method: http.MethodPatch, path: ref, mime: mediaPatch, body: body})
					}
				}
				asks = append(asks, ask{method: http.MethodPatch, path: ref, mime: mediaPatch, body: archiving(false)}.with("If-Match", `W/"1"`))
			}
			if fhir.SupportsConditional(typ, fhir.Patch) {
				for _, query := range []string{"identifier=" + escaped(w.pick(w.idents...)), "_id=" + w.id(typ), w.named(typ) + "&identifier=" + escaped(w.pick(w.idents...)), w.named(typ)} {
					asks = append(asks, ask{method: http.MethodPatch, path: typ + "?" + query, mime: mediaPatch, body: archiving(true)})
				}
			}
			if fhir.Supports(typ, fhir.Update) {
				body := strings.Replace(consentBody(w.focus, "blocage", "Practitioner", identOf(w.pick(w.safe...)), "", "inactive"), `"resourceType":"Consent"`,
					`"resourceType":"`+typ+`","id":"`+strings.TrimPrefix(ref, typ+"/")+`"`, 1)
				put := ask{method: http.MethodPut, path: ref, mime: mediaJSON, body: body}
				asks = append(asks, put, put.with("If-Match", `W/"1"`))
			}
			if fhir.Supports(typ, fhir.Delete) {
				del := ask{method: http.MethodDelete, path: ref}
				asks = append(asks, del.with("If-Match", `W/"7"`))
				if w.r.IntN(3) == 0 {
					asks = append(asks, del)
				}
			}
			asks = append(asks, ask{method: w.pick("PUT", "PATCH", "DELETE", "POST"), path: ref})
		}
	}
	return asks
}

// operations invokes every operation of the table on the type and on what is
// shown, hidden and unknown.
func (w *writer) operations() []ask {
	var asks []ask
	for _, typ := range fhir.Types() {
		for _, op := range fhir.Operations(typ) {
			for _, patient := range []string{"patient-basile", "patient-farid", w.focus} {
				asks = append(asks, w.operation(typ+"/$"+op.Name, op, patient))
				id := w.id(typ)
				switch { // none whose record an emergency would open, and that differs
				case typ == "Patient" && patient == "patient-farid":
					id = "inconnu"
				case typ == "Patient":
					id = "{{" + patient + "}}"
				}
				asks = append(asks, w.operation(typ+"/"+id+"/$"+op.Name, op, ""))
			}
		}
	}
	slices.SortStableFunc(asks, func(a, b ask) int { return strings.Count(a.path, "detruire") - strings.Count(b.path, "detruire") })
	return asks
}

// operation fills the parameters of an operation by their types.
func (w *writer) operation(path string, op fhir.OperationDef, patient string) ask {
	var parameters []any
	for _, p := range op.Params {
		part := object{"name": p.Name}
		switch {
		case p.Out, p.Type == "Identifier" && patient == "":
			continue
		case p.Name == "circonstance":
			part["valueCoding"] = object{"system": "urn:opendmp:circonstance-urgence", "code": "hors-etat-de-consentir"}
		case p.Type == "Identifier":
			system, value, _ := strings.Cut(identOf(patient), "|")
			part["valueIdentifier"] = object{"system": system, "value": value}
		case p.Type == "string":
			part["valueString"] = "Une raison écrite en toutes lettres"
		case p.Type == "boolean":
			part["valueBoolean"] = true
		case p.Type == "Coding":
			part["valueCoding"] = object{"system": "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture", "code": "patient-demande"}
		case p.Type == "code":
			part["valueCode"] = "patient-demande"
		default:
			continue
		}
		parameters = append(parameters, part)
	}
	return postJSON(path, object{"resourceType": "Parameters", "parameter": parameters})
}
