package dossier

import (
	"errors"
	"slices"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
)

// recognise looks at what a content is by its own bytes: what is unknown, what can
// be carried out and what is not of the type that its metadata announce is refused
// (SECURITY §6.3, WB01 and WB07). There is no quarantine: what a virus scanner would
// hold back does not come in. Of a CDA it returns the header.
func recognise(mime string, plain []byte, at string) (*fhir.DocumentHeader, error) {
	kind, cda, err := fhir.RecogniseContent(plain)
	var bad *fhir.Invalid
	switch {
	case errors.Is(err, fhir.ErrHostile):
		return nil, unprocessable(at, "Le contenu porte la signature d’un fichier dangereux : il n’est pas enregistré.",
			"The content has the signature of a dangerous file: it is not stored.")
	case errors.As(err, &bad):
		return nil, asRule(located(bad, at))
	case err != nil:
		return nil, err
	case !kind.Fits(mime):
		return nil, unprocessable(at+".contentType",
			"Le contenu n’est pas du type annoncé, ou n’est pas d’un type accepté : PDF, JPEG, PNG, TIFF, DICOM, texte brut, CDA, document FHIR.",
			"The content is not of the type announced, or not of one that is accepted: PDF, JPEG, PNG, TIFF, DICOM, plain text, CDA, FHIR document.")
	}
	return cda, nil
}

// located says of findings without a place where they are.
func located(bad *fhir.Invalid, at string) *fhir.Invalid {
	out := &fhir.Invalid{Issues: slices.Clone(bad.Issues)}
	for i := range out.Issues {
		if out.Issues[i].Expression == "" {
			out.Issues[i].Expression = at
		}
	}
	return out
}

// headerDoubts is what the header of a CDA says otherwise than the metadata that
// announce it, or does not say: type, patient and author. The severity is that of
// the setting controle-cda; Off finds nothing. cda may be nil.
func (c *call) headerDoubts(cda *fhir.DocumentHeader, facts policy.Facts, patient []fhir.Ident) []fhir.Issue {
	if cda == nil || c.cda == Off {
		return nil
	}
	severity := fhir.Error
	if c.cda == Warns {
		severity = fhir.Warning
	}
	var issues []fhir.Issue
	doubt := func(element, fr, en string) {
		issues = append(issues, fhir.Issue{Severity: severity, Code: "business-rule", Text: fhir.Text{FR: fr, EN: en}, Expression: "DocumentReference." + element})
	}
	if (auth.Coding{System: cda.Type.System, Code: cda.Type.Code}) != facts.DocumentType() {
		doubt("type", "Le type du document n’est pas celui de l’en-tête du CDA.", "The type of the document is not that of the header of the CDA.")
	}
	if !shares(cda.Patient.INS(), patient) {
		doubt("subject", "Le patient n’est pas celui de l’en-tête du CDA, ou l’en-tête n’a pas son INS.", "The patient is not that of the header of the CDA, or the header lacks their INS.")
	}
	if !shares(authorsOf(cda), facts.Attributed()) {
		doubt("author", "Aucun auteur du document n’est dans l’en-tête du CDA.", "No author of the document is in the header of the CDA.")
	}
	return issues
}

// authorsOf returns the identifiers of the authors of a CDA and of their structures.
func authorsOf(cda *fhir.DocumentHeader) []fhir.Ident {
	var out []fhir.Ident
	for _, a := range cda.Authors {
		out = append(append(out, a.Idents...), a.Structures...)
	}
	return out
}

func shares(a, b []fhir.Ident) bool {
	return slices.ContainsFunc(a, func(i fhir.Ident) bool { return slices.Contains(b, i) })
}

// checkHeader refuses a CDA whose header contradicts its metadata, where the
// setting says so. It comes after the policy: who may not write learns nothing here.
func (c *call) checkHeader(cda *fhir.DocumentHeader, facts policy.Facts, patient *row) error {
	if c.cda != Refuses {
		return nil
	}
	if issues := c.headerDoubts(cda, facts, patient.facts.INS()); len(issues) > 0 {
		return asRule(&fhir.Invalid{Issues: issues})
	}
	return nil
}
