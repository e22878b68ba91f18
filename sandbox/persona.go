package sandbox

import (
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
)

// Persona is one of the cast: a patient, a professional, a system.
type Persona struct {
	// Key names the persona in commands and in the script: "medecin-martin".
	Key string
	// Kind is the kind of caller.
	Kind auth.Kind
	// ID identifies the persona: an INS, a PS_IdNat, a Struct_IdNat, an account.
	ID fhir.Ident
	// Given, Family and Title make the name; of a system Family is all of it.
	Given, Family, Title string
	// Profession is that of a professional (TRE_G15), Skill a further one
	// (TRE_R01); zero if none.
	Profession, Skill auth.Coding
	// Student says that the professional is in training.
	Student bool
	// Structure is the key of the structure in which the persona acts, "" if none.
	Structure string
	// Patient holds what a dossier says of a patient, nil for others.
	Patient *PatientTraits
}

// PatientTraits are the identity traits of a patient.
type PatientTraits struct {
	BirthName, UsualName string
	Given, AllGiven      string
	Gender               string // of FHIR: female, male
	BirthDate            string // AAAA-MM-JJ
	BirthPlaceCode       string // INSEE
	BirthPlace           string
	Phone, Email         string
}

// Name returns the name for the history and for documents: "Dr Hélène MARTIN".
func (p Persona) Name() string {
	return strings.Join(strings.Fields(p.Title+" "+p.Given+" "+p.Family), " ")
}

// Lookup returns the persona of a key; false if there is none.
func Lookup(key string) (Persona, bool) {
	for _, p := range Personas() {
		if p.Key == key {
			return p, true
		}
	}
	return Persona{}, false
}

// Claims returns the claims of a token of the persona: all but times and jti,
// which the signer sets. Purpose is a code of TRE_R248 (bris_de_glace) or of
// v3-ActReason (BTG), or "" for what the persona usually does; it is not checked
// here: the server refuses what does not go with the persona. Reason is the
// written reason of a bris de glace, "" otherwise.
func (p Persona) Claims(purpose, reason string) auth.Claims {
	c := auth.Claims{
		Subject:    p.Key,
		Client:     "opendmp-sandbox",
		Extensions: auth.Extensions{IUA: auth.IUA{SubjectName: p.Name(), Purpose: []auth.Coding{p.purpose(purpose)}}},
		DMP:        auth.DMP{Kind: p.Kind.String(), Student: p.Student, Reason: reason},
	}
	p.claimPerson(&c.Extensions.IUA)
	p.claimStructure(&c)
	p.claimProfession(&c)
	return c
}

func (p Persona) claimPerson(iua *auth.IUA) {
	switch p.Kind {
	case auth.Patient, auth.Representative, auth.Operator:
		iua.PersonID = auth.FormatIdent(p.ID)
	case auth.Professional, auth.Regulator, auth.Administrative:
		iua.Provider = auth.FormatIdent(p.ID)
	}
}

func (p Persona) claimStructure(c *auth.Claims) {
	if p.Structure == "" {
		return
	}
	s := structureOf(p.Structure)
	id := auth.FormatIdent(s.ident())
	c.Extensions.IUA.Organization = []string{s.name}
	c.Extensions.IUA.OrganizationID = []string{id}
	c.DMP.Structures = []string{id}
}

func (p Persona) claimProfession(c *auth.Claims) {
	if p.Profession.IsZero() {
		return
	}
	c.DMP.Profession = &p.Profession
	c.Extensions.IUA.Role = []auth.Coding{p.Profession}
	if !p.Skill.IsZero() {
		c.DMP.Roles = []auth.Coding{p.Skill}
		c.Extensions.IUA.Role = append(c.Extensions.IUA.Role, p.Skill)
	}
}

// purpose returns the coding of a purpose of use.
func (p Persona) purpose(code string) auth.Coding {
	switch code {
	case "normal", "bris_de_glace", "centre_15":
		return auth.Coding{System: auth.SystemAccessMode, Code: code}
	case "":
		return p.usualPurpose()
	}
	return auth.Coding{System: auth.SystemActReason, Code: code}
}

// usualPurpose is that of a token for which none is asked.
func (p Persona) usualPurpose() auth.Coding {
	reason := func(code string) auth.Coding { return auth.Coding{System: auth.SystemActReason, Code: code} }
	switch p.Kind {
	case auth.Patient:
		return reason("PATRQT")
	case auth.Representative:
		return reason("FAMRQT")
	case auth.Administrative:
		return reason("PATADMIN")
	case auth.InsuranceFeeder:
		return reason("HPAYMT")
	case auth.Operator:
		return reason("HSYSADMIN")
	case auth.Regulator:
		return auth.Coding{System: auth.SystemAccessMode, Code: "centre_15"}
	}
	return auth.Coding{System: auth.SystemAccessMode, Code: "normal"}
}
