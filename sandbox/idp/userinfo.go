package idp

import (
	"net/http"
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/sandbox"
)

// Vocabularies of the claims (DOMAIN §5.5).
const (
	oidProfession = "1.2.250.1.213.1.1.5.5"
	oidSkill      = "1.2.250.1.71.4.2.5"
	oidSector     = "1.2.250.1.71.4.2.4"
	level         = "APPPRIP3^1.2.250.1.213.1.5.1.1.1"
)

// userFederation is the first part of every sub: Pro Santé Connect has a technical
// identifier there, which identifies nobody across providers.
const userFederation = "f:00000000-0000-4000-8000-000000000090:"

func subject(p sandbox.Persona) string { return userFederation + p.ID.Value }

// userInfo answers who the person of an access token is.
func (p *Provider) userInfo(r *http.Request) answer {
	value, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t, known := p.look(value)
	if !ok || !known || t.refresh {
		return refusal(http.StatusUnauthorized, "invalid_token", "the access token is unknown, expired or revoked").
			with("WWW-Authenticate", `Bearer realm="esante-wallet", error="invalid_token"`)
	}
	return jsonAnswer(http.StatusOK, describe(t.session.persona))
}

// describe returns the claims about a persona.
func describe(p sandbox.Persona) object {
	exercises := p.Exercises()
	first := exercises[0].Places[0]
	roles := []string{p.Profession.Code + "^" + oidProfession}
	if p.Skill.Code != "" {
		roles = append(roles, p.Skill.Code+"^"+oidSkill)
	}
	regulation := "FAUX"
	if p.Kind == auth.Regulator {
		regulation = "VRAI"
	}
	return object{
		"sub": subject(p), "preferred_username": p.ID.Value, "given_name": p.Given, "family_name": p.Family,
		"SubjectNameID": p.ID.Value, "SubjectRole": roles,
		"SubjectOrganization": first.Name, "SubjectOrganizationID": first.ID.Value, "Secteur_Activite": first.Sector + "^" + oidSector,
		"Acces_Regulation_Medicale": regulation, "Mode_Acces_Raison": "", "Palier_Authentification": level,
		"PSI_Locale": "1.2.250.1.213.1.3.1.1", "UITVersion": "1.0", "authMode": "CARD", "codeCivilite": "",
		"otherIds":      []object{{"identifiant": strings.TrimPrefix(p.ID.Value, "8"), "origine": "RPPS", "qualite": 1}},
		"SubjectRefPro": object{"codeCivilite": "", "exercices": exercices(p, exercises)},
	}
}

// exercices are the situations of a person.
func exercices(p sandbox.Persona, all []sandbox.Exercise) []object {
	var out []object
	for _, e := range all {
		kind := ""
		if e.Skill != "" {
			kind = "S"
		}
		out = append(out, object{
			"codeProfession": e.Profession, "codeCategorieProfessionnelle": e.Category, "codeTypeSavoirFaire": kind, "codeSavoirFaire": e.Skill,
			"codeCiviliteDexercice": strings.ToUpper(p.Title), "nomDexercice": p.Family, "prenomDexercice": p.Given, "activities": activities(e.Places),
		})
	}
	return out
}

// activities are the places of a situation. A Struct_IdNat of the cast is 1 and a
// FINESS.
func activities(places []sandbox.Place) []object {
	var out []object
	for _, p := range places {
		out = append(out, object{
			"codeModeExercice": p.Mode, "codeSecteurDactivite": p.Sector, "codeSectionPharmacien": "", "codeRole": "", "codeGenreActivite": "GENR01",
			"numeroSiretSite": "", "numeroSirenSite": "", "numeroFinessSite": finess(p.ID), "numeroFinessetablissementJuridique": "",
			"identifiantTechniqueDeLaStructure": "F" + finess(p.ID), "ancienIdentifiantDeLaStructure": p.ID.Value,
			"raisonSocialeSite": p.Name, "enseigneCommercialeSite": "", "autoriteDenregistrement": "ARS/ARS/ARS",
		})
	}
	return out
}

func finess(id fhir.Ident) string { return strings.TrimPrefix(id.Value, "1") }
