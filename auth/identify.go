package auth

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"opendmp/fhir"
)

const (
	maxName       = 255
	maxRoles      = 16
	maxStructures = 64
	maxPurposes   = 4
	maxTestNumber = 20 // digits of a test person
)

// principal maps verified claims to a Principal. What a kind of caller has no use
// for is refused, so that no reader can take one caller for another. test admits test
// persons (Issuer.TestPersons).
func (c Claims) principal(test bool) (Principal, error) {
	kind, ok := ParseKind(c.DMP.Kind)
	if !ok {
		return Principal{}, errors.New("kind unknown")
	}
	if !identifier(c.ID) || !identifier(c.Subject) || c.Client != "" && !identifier(c.Client) {
		return Principal{}, errors.New("jti, sub or client_id missing or malformed")
	}
	p := Principal{
		kind:    kind,
		tokenID: c.ID,
		client:  c.Client,
		expires: time.Unix(c.Expires, 0).UTC(),
		student: c.DMP.Student,
		vouched: c.DMP.Vouched,
	}
	if c.DMP.Confirmed != 0 {
		p.confirmed = time.Unix(c.DMP.Confirmed, 0).UTC()
	}
	person := func(p *Principal) error { return c.putPerson(p, test) }
	for _, step := range [...]func(*Principal) error{c.putNames, c.putMode, c.putStructure, person, c.putProfession, c.putSession} {
		if err := step(&p); err != nil {
			return Principal{}, err
		}
	}
	return p, nil
}

func (c Claims) putNames(p *Principal) error {
	iua := c.Extensions.IUA
	if len(iua.Organization) > 1 {
		return errors.New("several subject_organization")
	}
	p.name = iua.SubjectName
	if len(iua.Organization) == 1 {
		p.orgName = iua.Organization[0]
	}
	if !line(p.name, maxName) || !line(p.orgName, maxName) {
		return errors.New("name too long or with control characters")
	}
	return nil
}

func (c Claims) putMode(p *Principal) error {
	purposes := c.Extensions.IUA.Purpose
	if len(purposes) == 0 || len(purposes) > maxPurposes {
		return errors.New("no or too many purpose_of_use")
	}
	for i, coding := range purposes {
		mode, allowed, ok := purpose(coding)
		switch {
		case !ok:
			return errors.New("purpose_of_use unknown")
		case !allowed.has(p.kind):
			return errors.New("purpose_of_use does not go with the kind")
		case i > 0 && mode != p.mode:
			return errors.New("purpose_of_use of two modes")
		}
		p.mode = mode
	}
	if c.DMP.Reason == "" {
		return nil
	}
	p.reason = strings.TrimSpace(c.DMP.Reason)
	if p.mode != BrisDeGlace || !line(p.reason, maxReason) {
		return errors.New("reason without bris_de_glace, too long or with control characters")
	}
	return nil
}

func (c Claims) putStructure(p *Principal) error {
	ids := c.Extensions.IUA.OrganizationID
	if len(ids) > 1 || len(c.DMP.Structures) > maxStructures {
		return errors.New("several subject_organization_id, or too many structures")
	}
	if len(ids) == 0 {
		if setOf(Regulator, Administrative, Establishment, InsuranceFeeder).has(p.kind) || p.vouched {
			return errors.New("no structure")
		}
		if len(c.DMP.Structures) > 0 {
			return errors.New("structures without subject_organization_id")
		}
		return nil
	}
	if setOf(Patient, Representative, Operator).has(p.kind) {
		return errors.New("structure does not go with the kind")
	}
	main, ok := structure(ids[0])
	if !ok {
		return errors.New("subject_organization_id malformed")
	}
	p.structure = main
	p.structures = []fhir.Ident{main}
	listed := len(c.DMP.Structures) == 0
	for _, s := range c.DMP.Structures {
		id, ok := structure(s)
		if !ok {
			return errors.New("structures malformed")
		}
		if id == main {
			listed = true
			continue
		}
		p.structures = append(p.structures, id)
	}
	if !listed {
		return errors.New("structures do not hold subject_organization_id")
	}
	return nil
}

func (c Claims) putPerson(p *Principal, test bool) error {
	iua := c.Extensions.IUA
	switch p.kind {
	case Patient, Representative, Operator:
		if iua.Provider != "" {
			return errors.New("national_provider_identifier does not go with the kind")
		}
		id, ok := person(p.kind, iua.PersonID)
		if !ok {
			return errors.New("person_id missing or malformed")
		}
		p.id = id
	case Professional, Regulator, Administrative:
		if iua.PersonID != "" {
			return errors.New("person_id does not go with the kind")
		}
		id, ok := provider(iua.Provider, p.kind == Administrative || p.vouched, test)
		if !ok {
			return errors.New("national_provider_identifier missing or malformed")
		}
		p.id = id
	default:
		if iua.PersonID != "" || iua.Provider != "" {
			return errors.New("a system is no person")
		}
		p.id = p.structure
	}
	return nil
}

func (c Claims) putProfession(p *Principal) error {
	d := c.DMP
	if !setOf(Professional, Regulator).has(p.kind) {
		if d.Profession != nil || len(d.Roles) > 0 || d.Student || d.Occupational || d.Vouched {
			return errors.New("profession or role does not go with the kind")
		}
		return nil
	}
	if d.Profession == nil || !profession(*d.Profession) {
		return errors.New("profession missing, unknown or no longer in force")
	}
	p.profession = *d.Profession
	p.student = d.Student || p.profession.System == SystemProfessionTraining
	if p.kind == Regulator && (p.profession != (Coding{SystemProfession, codePhysician}) || p.student || p.vouched) {
		return errors.New("a regulator is a physician in person")
	}
	if len(d.Roles) > maxRoles {
		return errors.New("too many roles")
	}
	p.occupation = d.Occupational
	for _, r := range d.Roles {
		if r.System != SystemSkill && r.System != SystemCareRole || !code(r.Code) {
			return errors.New("role malformed")
		}
		p.occupation = p.occupation || r == (Coding{SystemSkill, codeOccupationalPhysician})
	}
	p.roles = d.Roles
	return c.agreesWithIUA(p)
}

// agreesWithIUA checks that subject_role, which other readers of the token go by,
// names the same profession and no second one: of several practices the token
// holds the one that was chosen.
func (c Claims) agreesWithIUA(p *Principal) error {
	roles := c.Extensions.IUA.Role
	if len(roles) == 0 {
		return nil
	}
	named := false
	for _, r := range roles {
		switch {
		case r == p.profession:
			named = true
		case r.System == SystemProfession || r.System == SystemProfessionTraining:
			return errors.New("subject_role holds another profession")
		}
	}
	if !named {
		return errors.New("subject_role does not hold the profession")
	}
	return nil
}

func (c Claims) putSession(p *Principal) error {
	switch c.DMP.Confidentiality {
	case "":
		return nil
	case codeSecret:
	default:
		return errors.New("confidentiality_code unknown")
	}
	if !setOf(Patient, Professional, Establishment).has(p.kind) {
		return errors.New("secret session does not go with the kind")
	}
	p.secret = true
	return nil
}

// profession tells whether a coding can be an exercised profession.
func profession(c Coding) bool {
	switch c.System {
	case SystemProfession:
		return currentProfession(c.Code)
	case SystemProfessionTraining:
		return professionInTraining(c.Code)
	case SystemCareRole, SystemTitle, SystemSocial, SystemOtherProfession:
		return code(c.Code)
	}
	return false
}

// person reads the identifier of a patient (INS), of a representative (account
// or INS) or of an operator (account).
func person(k Kind, s string) (fhir.Ident, bool) {
	id, ok := parseIdent(s)
	if !ok {
		return fhir.Ident{}, false
	}
	if k != Patient && id.System == SystemAccount {
		return id, identifier(id.Value)
	}
	if k == Operator {
		return fhir.Ident{}, false
	}
	_, err := fhir.ParseINS(id)
	return id, err == nil
}

// provider reads the national identifier of a person and returns its canonical
// form. Those that a structure gives (PS_IdNat 1, 3, 4, 5, 6, of the form
// structure/number) are for staff, and for persons vouched for; test persons are for
// who asks for them.
func provider(s string, internal, test bool) (fhir.Ident, bool) {
	id, ok := parseIdent(s)
	if !ok {
		return fhir.Ident{}, false
	}
	if id.System == fhir.SystemIDNPS {
		number, ans := strings.CutPrefix(id.Value, "ANS")
		switch {
		case ans:
			return id, test && number != "" && len(number) <= maxTestNumber && digits(number)
		case strings.Contains(id.Value, "/"):
			return id, internal && internalProvider(id.Value)
		}
	}
	id = fhir.CanonicalIdent(id)
	switch id.System {
	case fhir.SystemRPPS:
		return id, len(id.Value) == 11 && digits(id.Value)
	case fhir.SystemADELI:
		return id, len(id.Value) == 9 && digitsOrCapitals(id.Value)
	}
	return fhir.Ident{}, false
}

func internalProvider(v string) bool {
	if !strings.ContainsRune("13456", rune(v[0])) {
		return false
	}
	structure, number, _ := strings.Cut(v[1:], "/")
	return len(structure) >= 9 && len(structure) <= 14 && digitsOrCapitals(structure) && identifier(number)
}

// structure reads a Struct_IdNat. A token holds no other form of it.
func structure(s string) (fhir.Ident, bool) {
	id, ok := parseIdent(s)
	return id, ok && id.System == fhir.SystemStructure && structureNumber(id.Value)
}

// identifier accepts 1 to 255 visible ASCII characters.
func identifier(s string) bool {
	return s != "" && len(s) <= maxTextLength &&
		strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// code accepts 1 to 64 letters, digits, hyphens and underscores.
func code(s string) bool {
	return s != "" && len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	}) < 0
}

// line accepts up to limit characters, none of them a control or a format
// character (Cc and Cf, those that turn the direction of a text among them): names
// and reasons are shown in the history and written to logs.
func line(s string, limit int) bool {
	return utf8.RuneCountInString(s) <= limit &&
		strings.IndexFunc(s, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }) < 0
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

func digitsOrCapitals(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') }) < 0
}
