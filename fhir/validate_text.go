package fhir

import (
	"fmt"
	"strings"
)

// finding is one thing that Validate finds: its severity, the code of the issue and
// its sentences, whose %[1]s is the name of the element and %[2]s what is expected.
type finding struct {
	severity Severity
	code     string
	fr, en   string
}

var (
	tooFew         = &finding{Error, "required", "Le profil demande au moins %[3]d « %[1]s ».", "The profile asks for at least %[3]d “%[1]s”."}
	tooMany        = &finding{Error, "structure", "Le profil permet au plus %[3]d « %[1]s ».", "The profile allows at most %[3]d “%[1]s”."}
	tooFewOfSlice  = &finding{Error, "required", "Parmi les « %[1]s », le profil demande au moins %[4]d de la sorte %[3]s.", "Among the “%[1]s”, the profile asks for at least %[4]d of the slice %[3]s."}
	tooManyOfSlice = &finding{Error, "structure", "Parmi les « %[1]s », le profil permet au plus %[4]d de la sorte %[3]s.", "Among the “%[1]s”, the profile allows at most %[4]d of the slice %[3]s."}
	noSlice        = &finding{Error, "structure", "« %[1]s » n’est d’aucune des sortes que le profil permet.", "“%[1]s” is of none of the slices that the profile allows."}
	wrongType      = &finding{Error, "structure", "« %[1]s » n’a pas le type que le profil demande : %[2]s.", "“%[1]s” is not of the type that the profile asks for: %[2]s."}
	wrongValue     = &finding{Error, "value", "« %[1]s » n’a pas la valeur que le profil impose : %[2]s.", "“%[1]s” does not have the value that the profile imposes: %[2]s."}
	wrongCode      = &finding{Error, "code-invalid", "« %[1]s » n’est pas l’un des codes que le profil permet%[2]s.", "“%[1]s” is not one of the codes that the profile allows%[2]s."}
	wrongTarget    = &finding{Error, "value", "« %[1]s » ne peut pas désigner une ressource de ce type ; types permis : %[2]s.", "“%[1]s” must not name a resource of that type; types allowed: %[2]s."}
	notContained   = &finding{Error, "value", "« %[1]s » doit désigner une ressource contenue.", "“%[1]s” must name a contained resource."}
	otherType      = &finding{Error, "structure", "Ce profil porte sur le type %[2]s, qui n’est pas celui de cette ressource.", "That profile is of the type %[2]s, which this resource is not."}
	unknownProfile = &finding{Information, "not-supported", "Ce serveur ne connaît pas ce profil : il n’a pas été vérifié.", "This server does not have that profile: it was not checked."}
	dom6           = &finding{Warning, "invariant", "Une ressource devrait avoir un texte lisible (dom-6).", "A resource should have a narrative (dom-6)."}
)

// report notes a finding about the value at n, or about its child if what is
// missing is one: then expected is the name of the child. def is the profile whose
// rule it is, nil for R4.
func (v *validator) report(n Node, f *finding, expected, rule string, def *profileDef, args ...any) {
	severity := f.severity
	path := ""
	if severity == Error && (v.silent == 0 || def.hasDepartures()) {
		path = v.path(n, f, expected)
		severity = def.severity(path, rule)
	}
	switch severity {
	case Error:
		v.found.errors++
	case Warning:
		v.found.warnings++
	}
	if v.silent > 0 || v.full() || severity == "" {
		return
	}
	if path == "" {
		path = v.path(n, f, expected)
	}
	v.issues = append(v.issues, f.issue(severity, path, expected, rule, def, args))
}

// path is where the finding is.
func (v *validator) path(n Node, f *finding, expected string) string {
	if f == tooFew || f == tooFewOfSlice {
		return n.Path() + "." + expected
	}
	return n.Path()
}

func (f *finding) issue(severity Severity, path, expected, rule string, def *profileDef, args []any) Issue {
	all := append([]any{lastName(path), expected}, args...)
	i := Issue{
		Severity: severity, Code: f.code, Expression: path, Rule: rule, Diagnostics: "rule " + rule,
		Text: Text{FR: sentence(f.fr, all), EN: sentence(f.en, all)},
	}
	if def != nil {
		i.Profile = def.url
		i.Diagnostics += " of " + def.url
	}
	return i
}

// sentence fills a template. Its verbs have indices, so it need not use all
// arguments, or none.
func sentence(template string, args []any) string {
	if !strings.Contains(template, "%[") {
		return template
	}
	return fmt.Sprintf(template, args...)
}

// list is the codes of a set as a sentence ends with them, when they are few.
func (s *codeSet) list() string {
	if len(s.codes) > 16 {
		return ""
	}
	return " (" + strings.Join(s.codes, ", ") + ")"
}
