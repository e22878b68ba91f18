package dossier

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strings"

	"opendmp/fhir"
)

// Canonicals of IHE MHD 4.2.3 and ANS PDSm 3.1 that a submission may claim.
const (
	mhd  = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/"
	pdsm = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"

	listTypes   = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"
	extSourceID = mhd + "ihe-sourceId"
	extArchived = pdsm + "pdsm-ext-is-archived"
)

var provideProfiles = map[string]bool{
	mhd + "IHE.MHD.Minimal.ProvideBundle":                   true,
	mhd + "IHE.MHD.UnContained.Comprehensive.ProvideBundle": true,
	mhd + "IHE.MHD.Comprehensive.ProvideBundle":             true,
	pdsm + "pdsm-comprehensive-provide-document-bundle":     true,
}

// readSubmission reads an ITI-65 bundle and checks what does not depend on a
// dossier: the slices of the profile, the contents, sizes and hashes.
func (c *call) readSubmission(b fhir.Bundle) (*submission, error) {
	if err := claimsProfile(b.Resource); err != nil {
		return nil, cmp.Or(published105(b), err)
	}
	sub := &submission{entries: b.Entries, contents: make(map[string]*pushedContent)}
	patients := make(map[string]*fhir.Resource)
	for i := range sub.entries {
		if err := sub.sort(&sub.entries[i], patients); err != nil {
			return nil, err
		}
	}
	if sub.list == nil {
		return nil, invalid("required", "Bundle.entry", "Le lot n’a pas d’entrée List (lot de soumission).", "The bundle has no List entry (submission set).")
	}
	if err := checkSubmissionSet(sub.list); err != nil {
		return nil, err
	}
	for _, doc := range sub.docs {
		if err := sub.readDocument(doc); err != nil {
			return nil, err
		}
	}
	if err := sub.checkComplete(); err != nil {
		return nil, err
	}
	if err := c.readSubjects(sub, patients); err != nil {
		return nil, err
	}
	sub.identify()
	return sub, nil
}

// published105 tells who puts the publication of one document (ITI-105) into a
// transaction where it goes; nil where nobody does.
func published105(b fhir.Bundle) error {
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.Method == http.MethodPost && e.URL == "DocumentReference" && e.Resource.At("content", "attachment").Get("data").Exists() {
			return invalid("not-supported", e.At(), "Un document avec son contenu (ITI-105) s’envoie seul, ou dans un lot batch ; une transaction dépose un lot de soumission (ITI-65).", "A document with its content inside (ITI-105) is sent alone, or in a batch; a transaction pushes a submission set (ITI-65).")
		}
	}
	return nil
}

// claimsProfile requires that the bundle says which level of the profile it is.
func claimsProfile(r *fhir.Resource) error {
	for p := range r.At("meta").All("profile") {
		canonical, _, _ := strings.Cut(p.Text(), "|")
		if provideProfiles[canonical] {
			return nil
		}
	}
	return invalid("required", "Bundle.meta.profile",
		"Le lot n’annonce aucun des profils MHD ou PDSm de mise à disposition.",
		"The bundle claims none of the MHD or PDSm provide-document profiles.")
}

// sort puts an entry into its slice; the slicing is closed.
func (sub *submission) sort(e *fhir.Entry, patients map[string]*fhir.Resource) error {
	at := e.At()
	typ := ""
	if e.Resource != nil {
		typ = e.Resource.Type()
	}
	switch {
	case e.IfNoneExist != "" && typ != "Patient" || e.IfNoneMatch != "" || e.IfModifiedSince != "":
		return invalid("not-supported", at+".request", "Un envoi répété est reconnu à ses identifiants : cette condition n’est pas proposée ici.", "A repeated submission is known by its identifiers: this condition is not supported here.")
	case typ == "List" && e.Method == "POST" && e.URL == "List":
		if sub.list != nil {
			return invalid("structure", at, "Le lot a plus d’une entrée List.", "The bundle has more than one List entry.")
		}
		sub.list = e
	case typ == "DocumentReference" && e.Method == "POST" && e.URL == typ:
		sub.docs = append(sub.docs, &pushedDoc{Entry: e})
	case (typ == "Binary" || typ == "Bundle") && e.Method == "POST" && e.URL == typ:
		return sub.sortContent(e, at)
	case e.Method == "PATCH" && strings.HasPrefix(e.URL, "DocumentReference/"):
		sub.patches = append(sub.patches, e)
	case typ == "Patient":
		patients[e.FullURL] = e.Resource
		return checkCondition(e, insOf(e.Resource))
	default:
		return invalid("structure", at, "Cette entrée n’a pas sa place dans un envoi de documents.", "This entry has no place in a provide-document bundle.")
	}
	return nil
}

func (sub *submission) sortContent(e *fhir.Entry, at string) error {
	content := &pushedContent{Entry: e}
	if e.Resource.Type() == "Binary" {
		data := e.Resource.Get("data")
		if !data.Exists() {
			return invalid("required", at+".resource.data", "Le Binary n’a pas de contenu.", "The Binary has no data.")
		}
		plain, err := decodeBase64(data.Text())
		if err != nil {
			return invalid("value", at+".resource.data", "Le contenu n’est pas en base64.", "The data is not base64.")
		}
		content.plain = plain
	} else if !e.Resource.Get("type").Is("document") {
		return invalid("value", at+".resource.type", "Un Bundle envoyé comme document est de type document.", "A Bundle sent as a document has type document.")
	}
	if e.FullURL == "" {
		return invalid("required", at+".fullUrl", "Un contenu doit avoir un fullUrl.", "A content must have a fullUrl.")
	}
	sub.contents[e.FullURL] = content
	return nil
}

// decodeBase64 reads base64Binary, which may hold white space (R4 datatypes).
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, " \t\r\n") {
		s = strings.Map(func(r rune) rune {
			if strings.ContainsRune(" \t\r\n", r) {
				return -1
			}
			return r
		}, s)
	}
	return base64.StdEncoding.DecodeString(s)
}

// checkSubmissionSet checks what MHD requires of every submission set.
func checkSubmissionSet(e *fhir.Entry) error {
	at := e.At() + ".resource"
	r := e.Resource
	code := r.At("code", "coding")
	switch {
	case !code.Get("system").Is(listTypes) || !code.Get("code").Is("submissionset"):
		return invalid("value", at+".code", "La List n’est pas un lot de soumission.", "The List is not a submission set.")
	case !r.Get("status").Is("current"):
		return invalid("value", at+".status", "Le statut d’un lot de soumission est current.", "The status of a submission set is current.")
	case !r.Get("mode").Is("working"):
		return invalid("value", at+".mode", "Le mode d’un lot de soumission est working.", "The mode of a submission set is working.")
	case !r.Get("date").Exists():
		return invalid("required", at+".date", "Le lot de soumission n’a pas de date.", "The submission set has no date.")
	case !hasExtension(r, extSourceID):
		return invalid("required", at+".extension('"+extSourceID+"')", "Le lot de soumission n’a pas d’identifiant de source (sourceId).", "The submission set has no sourceId.")
	}
	return nil
}

func hasExtension(r *fhir.Resource, url string) bool {
	for x := range r.Get("extension").Items() {
		if x.Get("url").Is(url) {
			return true
		}
	}
	return false
}

// readDocument checks what MHD requires of every document of a submission, and
// pairs it with its contents.
func (sub *submission) readDocument(doc *pushedDoc) error {
	at := doc.At() + ".resource"
	if err := checkPublished(doc.Resource, at); err != nil {
		return err
	}
	attachment := doc.Resource.At("content", "attachment")
	switch {
	case attachment.Get("data").Exists():
		return invalid("structure", at+".content[0].attachment.data", "Le contenu va dans une entrée Binary, pas dans l’attachement.", "The content goes in a Binary entry, not in the attachment.")
	case !attachment.Get("url").Exists():
		return invalid("required", at+".content[0].attachment.url", "L’attachement n’a pas d’adresse.", "The attachment has no URL.")
	}
	doc.idents = identifiers(doc.Resource)
	return sub.contentsOf(doc)
}

// checkPublished checks what ITI-65 and ITI-105 require of a new document.
func checkPublished(r *fhir.Resource, at string) error {
	switch {
	case !r.At("masterIdentifier", "value").Exists():
		return invalid("required", at+".masterIdentifier", "Le document n’a pas d’identifiant unique (masterIdentifier).", "The document has no unique identifier (masterIdentifier).")
	case !r.Get("status").Is("current"):
		return invalid("value", at+".status", "Un document se publie au statut current.", "A document is published with status current.")
	case r.Get("content").Len() != 1:
		return invalid("structure", at+".content", "Un document a un contenu et un seul.", "A document has exactly one content.")
	case !r.At("content", "attachment", "contentType").Exists():
		return invalid("required", at+".content[0].attachment.contentType", "Le type du contenu manque.", "The type of the content is missing.")
	case r.Get("docStatus").Exists():
		return invalid("structure", at+".docStatus", "docStatus n’est pas admis (MHD).", "docStatus is not allowed (MHD).")
	}
	return bounded(r, at)
}

// identifiers returns the business identifiers of a document, master first.
func identifiers(r *fhir.Resource) []fhir.Ident {
	var out []fhir.Ident
	seen := make(map[fhir.Ident]bool)
	add := func(n fhir.Node) {
		i := fhir.Ident{System: n.Get("system").Text(), Value: n.Get("value").Text()}
		if i.Value != "" && !seen[i] {
			seen[i] = true
			out = append(out, i)
		}
	}
	add(r.Get("masterIdentifier"))
	for n := range r.Get("identifier").Items() {
		add(n)
	}
	return out
}

// checkComplete refuses contents that no document names, and a masterIdentifier used
// twice.
func (sub *submission) checkComplete() error {
	for _, content := range sub.contents {
		if !content.used {
			return unprocessable(content.At(), "Aucun document du lot ne désigne ce contenu.", "No document of the bundle names this content.")
		}
	}
	seen := make(map[fhir.Ident]bool)
	for _, doc := range sub.docs {
		if seen[doc.idents[0]] {
			return unprocessable(doc.At()+".resource.masterIdentifier", "Deux documents du lot ont le même identifiant.", "Two documents of the bundle have the same identifier.")
		}
		seen[doc.idents[0]] = true
	}
	for item := range sub.list.Resource.Root().All("entry", "item", "reference") {
		if strings.HasPrefix(item.Text(), "urn:uuid:") && !sub.has(item.Text()) {
			return invalid("not-found", sub.list.At()+".resource.entry", "Le lot de soumission désigne un document qui n’est pas dans l’envoi.", "The submission set names a document that is not in the bundle.")
		}
	}
	if len(sub.docs) > 0 && !sub.list.Resource.Get("entry").Exists() {
		return invalid("required", sub.list.At()+".resource.entry", "Le lot de soumission ne désigne aucun document.", "The submission set names no document.")
	}
	return nil
}

func (sub *submission) has(fullURL string) bool {
	for _, doc := range sub.docs {
		if doc.FullURL == fullURL {
			return true
		}
	}
	return false
}

// sourcePatient returns the patient as their source knows them, when the document
// contains them: their traits must be those of the dossier.
func sourcePatient(r *fhir.Resource, at string) []subject {
	id, ok := strings.CutPrefix(r.At("context", "sourcePatientInfo", "reference").Text(), "#")
	if !ok {
		return nil
	}
	p := contained(r, id)
	if p == nil || p.Type() != "Patient" {
		return nil
	}
	return []subject{{idents: insOf(p), traits: p, at: at + ".context.sourcePatientInfo"}}
}

// readSubjects collects the patients that List and documents name.
func (c *call) readSubjects(sub *submission, patients map[string]*fhir.Resource) error {
	resources := []*fhir.Entry{sub.list}
	for _, doc := range sub.docs {
		resources = append(resources, doc.Entry)
	}
	for _, e := range resources {
		node := e.Resource.Get("subject")
		if !node.Exists() {
			continue
		}
		s, ok := c.subjectOf(e.Resource, node, patients)
		if !ok {
			return unprocessable(e.At()+".resource.subject", "Le patient n’est pas désigné par une référence ou un INS connus.", "The patient is not named by a reference or an INS that is known.")
		}
		at := e.At() + ".resource"
		s.at = at + ".subject"
		sub.subjects = append(sub.subjects, s)
		sub.subjects = append(sub.subjects, sourcePatient(e.Resource, at)...)
	}
	if len(sub.subjects) == 0 {
		return unprocessable("Bundle.entry", "Aucune entrée ne désigne le patient.", "No entry names the patient.")
	}
	return nil
}
