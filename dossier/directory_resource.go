package dossier

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"opendmp/auth"
	"opendmp/directory"
	"opendmp/fhir"
)

// Systems of codes of the directory, beside those of package auth.
const (
	systemCategory     = "https://mos.esante.gouv.fr/NOS/TRE_R09-CategorieProfessionnelle/FHIR/TRE-R09-CategorieProfessionnelle"
	systemMode         = "https://mos.esante.gouv.fr/NOS/TRE_R23-ModeExercice/FHIR/TRE-R23-ModeExercice"
	systemRoleFunction = "https://mos.esante.gouv.fr/NOS/TRE_R21-Fonction/FHIR/TRE-R21-Fonction"
	systemSectorOf     = "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"
	systemIdentType    = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
	systemFINESS       = "https://finess.esante.gouv.fr"
	systemSIRENE       = "https://sirene.fr"
)

// Ids of the directory are made of national identifiers, so that they stay the same
// from one extraction to the next: ps-<PS_IdNat>, ps-<PS_IdNat>-<practice> and
// st-<technical identifier>.
const (
	practitionerPrefix = "ps-"
	organizationPrefix = "st-"
)

func practitionerID(p directory.Professional) string { return practitionerPrefix + p.National }

// roleID tells the practices of a professional apart by what they are, but for their
// savoir-faire.
func roleID(p directory.Professional, r directory.Practice) string {
	key := ""
	if r.Structure != nil {
		key = r.Structure.Key
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{r.Profession.Code, r.Category, r.Mode.Code, r.Sector.Code, r.Role.Code, key}, "|")))
	return practitionerID(p) + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5]))
}

// splitPractitionerID returns the PS_IdNat of an id, and what comes after it of a
// practice.
func splitPractitionerID(id string) (national, role string, ok bool) {
	rest, ok := strings.CutPrefix(id, practitionerPrefix)
	national, role, _ = strings.Cut(rest, "-")
	return national, role, ok && national != ""
}

// practitioner makes the FHIR form of a professional.
func practitioner(p directory.Professional) (*fhir.Resource, error) {
	idents := []object{identified(fhir.Ident{System: fhir.SystemIDNPS, Value: p.National}, "IDNPS")}
	switch own := p.Ident(); own.System {
	case fhir.SystemRPPS:
		idents = append(idents, identified(own, "RPPS"))
	case fhir.SystemADELI:
		idents = append(idents, identified(own, "ADELI"))
	}
	name := object{"use": "official", "text": p.Name(), "family": p.Family}
	setList(name, "given", strings.Fields(p.Given))
	setList(name, "prefix", strings.Fields(p.Title))
	r := object{"resourceType": "Practitioner", "id": practitionerID(p), "active": true, "identifier": idents, "name": []object{name}}
	setObjects(r, "qualification", qualifications(p))
	return made(r)
}

// qualifications are the professions of a professional, each once with its category.
func qualifications(p directory.Professional) []object {
	var seen []string
	var out []object
	for _, own := range p.Practices {
		key := own.Profession.Code + "|" + own.Category
		if slices.Contains(seen, key) {
			continue
		}
		seen = append(seen, key)
		out = append(out, object{"code": object{"coding": codings(
			coded(auth.SystemProfession, own.Profession), fhir.Code{System: systemCategory, Code: own.Category},
		)}})
	}
	return out
}

// practitionerRole makes the FHIR form of a practice.
func practitionerRole(p directory.Professional, own directory.Practice) (*fhir.Resource, error) {
	r := object{
		"resourceType": "PractitionerRole", "id": roleID(p, own), "active": true,
		"practitioner": object{
			"reference": "Practitioner/" + practitionerID(p), "type": "Practitioner",
			"identifier": identObject(fhir.Ident{System: fhir.SystemIDNPS, Value: p.National}), "display": p.Name(),
		},
	}
	var codes []object
	for _, code := range []fhir.Code{
		coded(auth.SystemProfession, own.Profession), {System: systemCategory, Code: own.Category},
		coded(systemMode, own.Mode), coded(systemRoleFunction, own.Role),
	} {
		if code.Code != "" {
			codes = append(codes, conceptObject(code))
		}
	}
	var skills []object
	for _, s := range own.Skills {
		skills = append(skills, conceptObject(coded(auth.SystemSkill, s)))
	}
	setObjects(r, "code", codes)
	setObjects(r, "specialty", skills)
	if s := own.Structure; s != nil {
		place := object{"reference": "Organization/" + organizationPrefix + s.Key, "type": "Organization"}
		if len(s.Sites) > 0 {
			place["identifier"] = identObject(s.Sites[0])
		}
		setText(place, "display", s.Label())
		r["organization"] = place
	}
	return made(r)
}

// organization makes the FHIR form of a structure.
func organization(s directory.Structure) (*fhir.Resource, error) {
	r := object{"resourceType": "Organization", "id": organizationPrefix + s.Key, "active": true}
	var idents []object
	for _, id := range s.Sites {
		idents = append(idents, identified(id, "IDNST"))
		if own, code := register(id); !own.IsZero() {
			idents = append(idents, identified(own, code))
		}
	}
	if idents == nil { // org-1: an organization has a name or an identifier
		idents = []object{{"system": "https://annuaire.sante.fr", "value": s.Key}}
	}
	r["identifier"] = idents
	setText(r, "name", s.Label())
	if s.Trade != "" && s.Trade != s.Label() {
		r["alias"] = []string{s.Trade}
	}
	if len(s.Legal) > 0 {
		r["partOf"] = logicalObject("Organization", s.Legal[0], "")
	}
	if address := addressOf(s); len(address) > 0 {
		r["address"] = []object{address}
	}
	return made(r)
}

func addressOf(s directory.Structure) object {
	address := object{}
	if s.Line != "" {
		address["line"] = []string{s.Line}
	}
	setText(address, "postalCode", s.Postal)
	setText(address, "city", s.City)
	return address
}

// register returns the number of a Struct_IdNat under its own system.
func register(id fhir.Ident) (fhir.Ident, string) {
	switch number := id.Value[1:]; id.Value[0] {
	case '1':
		return fhir.Ident{System: systemFINESS, Value: number}, "FINEG"
	case '3':
		return fhir.Ident{System: systemSIRENE, Value: number}, "SIRET"
	}
	return fhir.Ident{}, ""
}

// made makes a resource of its object. What cannot be parsed is a defect of ours.
func made(r object) (*fhir.Resource, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("%w: directory: %w", ErrInternal, err)
	}
	parsed, err := fhir.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("%w: directory: %s %v: %v", ErrInternal, r["resourceType"], r["id"], err)
	}
	return parsed, nil
}

// identified is an identifier with its type of FR Core.
func identified(i fhir.Ident, code string) object {
	o := identObject(i)
	o["use"] = "official"
	o["type"] = conceptObject(fhir.Code{System: systemIdentType, Code: code})
	return o
}

func coded(system string, c fhir.Code) fhir.Code {
	c.System = system
	return c
}

// codings are those of codes that have one.
func codings(codes ...fhir.Code) []object {
	var out []object
	for _, code := range codes {
		if code.Code != "" {
			out = append(out, conceptObject(code)["coding"].([]object)...)
		}
	}
	return out
}

func setList(o object, name string, values []string) {
	if len(values) > 0 {
		o[name] = values
	}
}

func setObjects(o object, name string, values []object) {
	if len(values) > 0 {
		o[name] = values
	}
}
