package fhir

import (
	"fmt"
	"slices"
	"strings"
)

// codedElement says which codes an element of a document or of a submission set takes
// (PDSm 3.1, DOMAIN.md §2.9).
type codedElement struct {
	path []string // below the resource
	// below is the type of the contained resources that have the element; "" for the
	// resource itself.
	below string
	// extension is the URL of the extension that holds the concept, for the path
	// "extension".
	extension string
	// rule is the key of the PDSm invariant, or "binding"; profile is the one that has it.
	rule, profile string
	// systems are the reference terminologies; a code of another is out of place.
	systems []string
	// sets are the value sets, one of which has the code. Those whose content is not
	// known are passed over; where none is, the system alone is checked.
	sets []string
	// othersToo lets codes of other systems stand.
	othersToo bool
	// recommended is the rule of the simplified profile that asks for no more than
	// what is recommended: what a resource of that profile breaks is a warning.
	recommended string
}

const (
	pdsmDocument   = pdsmURL + "pdsm-comprehensive-document-reference"
	pdsmSimplified = pdsmURL + "pdsm-simplified-publish"
	pdsmSet        = pdsmURL + "pdsm-submissionset-comprehensive"

	extDesignation = mhdURL + "ihe-designationType"
	systemMHDLists = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"
)

// codedPeople is what the people and roles that a document or a submission set contains
// have in common, its authors first. Codes of other systems stand beside these: those of
// the national directory, diplomas, functions.
var codedPeople = [...]codedElement{
	{
		path: []string{"specialty"}, below: "PractitionerRole", rule: "binding", othersToo: true,
		systems: []string{"TRE_A00-ProducteurDocNonPS", "TRE_A02-ProfessionSavFaire-CISIS", "TRE_R85-RolePriseCharge", "TRE_R94-ProfessionSocial", "TRE_R95-UsagerTitre"},
		sets:    []string{"JDV_J01-XdsAuthorSpecialty-CISIS", "JDV_J56-AuthorSpecialty-DMP"},
	},
	{
		path: []string{"code"}, below: "PractitionerRole", rule: "binding", othersToo: true,
		systems: []string{"TRE_G15-ProfessionSante"}, sets: []string{"TRE_G15-ProfessionSante"},
	},
	{
		path: []string{"qualification", "code"}, below: "Practitioner", rule: "binding", othersToo: true,
		systems: []string{"TRE_G15-ProfessionSante"}, sets: []string{"TRE_G15-ProfessionSante"},
	},
}

// codedDocument is every element of a DocumentReference that has a terminology.
// context.event takes codes of any (constr-bind-context-event), and nothing is known of
// the list of the roles of authors (JDV_J47).
var codedDocument = [...]codedElement{
	{
		path: []string{"type"}, rule: "constr-bind-type", profile: pdsmDocument,
		systems: []string{"LOINC", "TRE_A05-TypeDocComplementaire", "TRE_A12-NomenclatureASTM"},
		sets:    []string{"JDV_J07-XdsTypeCode-CISIS", "JDV_J66-TypeCode-DMP", "ASS_X16 (types)"},
	},
	{
		path: []string{"category"}, rule: "constr-bind-category", profile: pdsmDocument,
		systems: []string{"TRE_A03-ClasseDocument", "TRE_A10-NomenclatureURN"},
		sets:    []string{"JDV_J06-XdsClassCode-CISIS", "JDV_J57-ClassCode-DMP", "TRE_A03-ClasseDocument", "ASS_X16 (classes)"},
	},
	{
		path: []string{"securityLabel"}, rule: "binding", profile: pdsmDocument,
		systems: []string{"v3-Confidentiality", "TRE_A07-StatutVisibiliteDocument"},
		sets:    []string{"JDV_J08-XdsConfidentialityCode-CISIS", "JDV_J58-ConfidentialityCode-DMP"},
	},
	{
		path: []string{"content", "format"}, rule: "constr-bind-format", profile: pdsmDocument,
		systems: []string{"TRE_A06-FormatCodeComplementaire", "TRE_A09-DICOMuidRegistry", "TRE_A10-NomenclatureURN", "TRE_A11-IheFormatCode"},
		sets:    []string{"JDV_J10-XdsFormatCode-CISIS", "JDV_J60-FormatCode-DMP"},
	},
	{
		path: []string{"context", "facilityType"}, rule: "constr-bind-ProducteurDoc", profile: pdsmDocument, recommended: "constr-bind-ProducteurDoc-simplified",
		systems: []string{"TRE_A00-ProducteurDocNonPS", "TRE_R02-SecteurActivite"},
		sets:    []string{"JDV_J02-XdsHealthcareFacilityTypeCode-CISIS", "JDV_J61-HealthcareFacilityTypeCode-DMP"},
	},
	{
		// The sentence of this invariant is that of facilityType, by mistake: the binding
		// of the element says JDV_J04.
		path: []string{"context", "practiceSetting"}, rule: "constr-bind-ProducteurDoc", profile: pdsmDocument, recommended: "constr-bind-ProducteurDoc-simplified",
		systems: []string{"TRE_A00-ProducteurDocNonPS", "TRE_A01-CadreExercice"},
		sets:    []string{"JDV_J04-XdsPracticeSettingCode-CISIS", "JDV_J62-PracticeSettingCode-DMP"},
	},
}

// codedSubmissionSet is every element of a submission set that has a terminology.
var codedSubmissionSet = [...]codedElement{
	{
		path: []string{"extension"}, extension: extDesignation, rule: "constr-bind-designationtype", profile: pdsmSet,
		systems: []string{"TRE_A00-ProducteurDocNonPS", "TRE_R02-SecteurActivite", "TRE_R209-TypeActivite"},
		sets:    []string{"JDV_J03-XdsContentTypeCode-CISIS", "JDV_J59-ContentTypeCode-DMP"},
	},
}

// CheckCodes checks the coded elements of a document or a submission set, or of those
// among the entries of a Bundle, against the terminologies of the DMP and of PDSm: each
// concept needs one code of a reference terminology, and of its value set where the
// content of that is known (docs/validation.md). It finds nothing in other resources.
//
// What is out of place is an error, a deprecated code a warning; the caller decides
// what errors do. At most a hundred findings are listed. r may be any resource that
// Parse or Scan accepted.
func CheckCodes(r *Resource) []Issue {
	c := codeChecker{}
	root := r.Root()
	c.resource(root)
	if root.Get("resourceType").Is("Bundle") {
		for resource := range root.All("entry", "resource") {
			c.resource(resource)
		}
	}
	return c.issues
}

// codeChecker collects the findings of CheckCodes.
type codeChecker struct {
	issues     []Issue
	simplified bool // the resource at hand is of the simplified profile
}

func (c *codeChecker) resource(n Node) {
	var rows []codedElement
	switch typ := n.Get("resourceType"); {
	case typ.Is("DocumentReference"):
		rows = codedDocument[:]
	case typ.Is("List") && isSubmissionSet(n):
		rows = codedSubmissionSet[:]
	default:
		return
	}
	c.simplified = false
	for claim := range n.All("meta", "profile") {
		url, _, _ := strings.Cut(claim.Text(), "|")
		c.simplified = c.simplified || url == pdsmSimplified
	}
	for i := range rows {
		c.element(n, &rows[i])
	}
	for i := range codedPeople {
		c.element(n, &codedPeople[i])
	}
}

func isSubmissionSet(n Node) bool {
	for coding := range n.All("code", "coding") {
		if coding.Get("system").Is(systemMHDLists) && coding.Get("code").Is("submissionset") {
			return true
		}
	}
	return false
}

func (c *codeChecker) element(n Node, e *codedElement) {
	switch {
	case e.extension != "":
		for x := range n.All(e.path...) {
			if value := x.Get("valueCodeableConcept"); x.Get("url").Is(e.extension) && value.Exists() {
				c.concept(value, e)
			}
		}
	case e.below != "":
		for resource := range n.All("contained") {
			if resource.Get("resourceType").Is(e.below) {
				c.values(resource, e)
			}
		}
	default:
		c.values(n, e)
	}
}

func (c *codeChecker) values(n Node, e *codedElement) {
	for value := range n.All(e.path...) {
		c.concept(value, e)
	}
}

// judgement is what is thought of one coding.
type judgement uint8

const (
	elsewhere judgement = iota // of a system that is no reference terminology
	unlisted                   // of a reference terminology, in none of the value sets
	outdated                   // deprecated
	good
)

// concept checks a CodeableConcept or a Coding: its best coding counts, for the others
// say the same in other terms (R4 datatypes.html#CodeableConcept).
func (c *codeChecker) concept(value Node, e *codedElement) {
	codings := value.Get("coding")
	if !codings.Exists() {
		codings = value // a Coding, or a concept that has only a text
	}
	var best Node
	of := elsewhere
	for coding := range codings.Items() {
		if j := e.judge(coding); !best.Exists() || j > of {
			best, of = coding, j
		}
	}
	switch {
	case !best.Get("code").Exists():
		if !e.othersToo {
			c.report(best, e, uncoded)
		}
	case of == elsewhere:
		if !e.othersToo {
			c.report(best, e, foreignCode)
		}
	case of == unlisted:
		c.report(best, e, unlistedCode)
	case of == outdated:
		c.report(best, e, oldCode)
	}
}

// canonicalCode returns a coding in the form that the value sets have it in, and its
// code system, nil if it is none of the table.
func canonicalCode(n Node) (coding string, system *codeSystem) {
	url, code := CanonicalCoding(n.Get("system").Text(), n.Get("code").Text())
	if system = codeSystemOf(url); system != nil {
		url = system.urls[0]
	}
	return url + "|" + code, system
}

func (e *codedElement) judge(n Node) judgement {
	coding, system := canonicalCode(n)
	if system == nil || !slices.Contains(e.systems, system.name) {
		return elsewhere
	}
	if deprecation(coding) != nil {
		return outdated
	}
	known := false
	for _, name := range e.sets {
		set := listedSetNamed(name)
		if set == nil {
			continue
		}
		if _, found := slices.BinarySearch(set.codes, coding); found {
			return good
		}
		known = true
	}
	if known {
		return unlisted
	}
	return good
}

// The sentences of CheckCodes: %[1]s is the element, %[2]s the code, %[3]s its system,
// %[4]s the list or the terminologies that are expected.
var (
	uncoded      = &finding{Error, "code-invalid", "« %[1]s » n’a pas de code : un code de %[4]s est attendu.", "“%[1]s” has no code: one of %[4]s is expected."}
	foreignCode  = &finding{Error, "code-invalid", "Le code %[2]s de %[3]s n’a pas sa place dans « %[1]s » : un code de %[4]s est attendu.", "The code %[2]s of %[3]s has no place in “%[1]s”: one of %[4]s is expected."}
	unlistedCode = &finding{Error, "code-invalid", "Le code %[2]s de %[3]s n’est pas dans la liste %[4]s.", "The code %[2]s of %[3]s is not in the list %[4]s."}
	oldCode      = &finding{Warning, "code-invalid", "Le code %[2]s de %[3]s est obsolète%[4]s.", "The code %[2]s of %[3]s is deprecated%[4]s."}
)

// maxShown bounds what a sentence shows of a code or a system.
const maxShown = 80

// report notes a finding about a coding.
func (c *codeChecker) report(n Node, e *codedElement, f *finding) {
	if len(c.issues) >= maxFindings {
		return
	}
	severity, rule, profile := f.severity, e.rule, e.profile
	if c.simplified && e.recommended != "" {
		severity, rule, profile = Warning, e.recommended, pdsmSimplified
	}
	coding, system := canonicalCode(n)
	fr := []any{e.path[len(e.path)-1], shown(n.Get("code").Text()), systemShown(n, system, "aucun système"), e.expected(f, coding, " ou ", " : il est remplacé par ")}
	en := []any{fr[0], fr[1], systemShown(n, system, "no system"), e.expected(f, coding, " or ", ": it is replaced by ")}
	if e.extension != "" {
		fr[0] = e.extension[strings.LastIndexByte(e.extension, '/')+1:]
		en[0] = fr[0]
	}
	i := Issue{
		Severity: severity, Code: f.code, Expression: n.Path(), Rule: rule, Profile: profile, Diagnostics: "rule " + rule,
		Text: Text{FR: fmt.Sprintf(f.fr, fr...), EN: fmt.Sprintf(f.en, en...)},
	}
	if profile != "" {
		i.Diagnostics += " of " + profile
	}
	c.issues = append(c.issues, i)
}

// expected is the end of a sentence: the list that lacks the code, the terminologies
// of the element, or what stands for a deprecated code.
func (e *codedElement) expected(f *finding, coding, or, replacedBy string) string {
	switch f {
	case unlistedCode:
		for _, name := range e.sets {
			if listedSetNamed(name) != nil {
				return name
			}
		}
	case oldCode:
		if d := deprecation(coding); d.instead != "" {
			return replacedBy + d.instead
		}
		return ""
	}
	names := make([]string, 0, len(e.systems))
	for _, name := range e.systems {
		names = append(names, (&codeSystem{name: name}).shortName())
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + or + names[last]
}

func systemShown(n Node, system *codeSystem, none string) string {
	switch {
	case system != nil:
		return system.shortName()
	case !n.Get("system").Exists():
		return none
	}
	return shown(n.Get("system").Text())
}

// shown cuts a text that a client wrote to what a sentence has place for.
func shown(s string) string {
	if len(s) <= maxShown {
		return s
	}
	end := maxShown
	for end > 0 && s[end]&0xC0 == 0x80 { // not within a character
		end--
	}
	return s[:end] + "…"
}
