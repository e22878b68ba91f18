package issuer

import (
	"slices"
	"strings"

	"opendmp/auth"
)

// userInfo is the userinfo of Pro Santé Connect, as far as it is used (DOMAIN §5.5).
type userInfo struct {
	Subject    string `json:"sub"`
	GivenName  string `json:"given_name"`
	FamilyName string `json:"family_name"`
	// National is a PS_IdNat: 8 and an RPPS, 0 and an ADELI.
	National   string `json:"SubjectNameID"`
	Regulation string `json:"Acces_Regulation_Medicale"` // VRAI or FAUX
	Pro        struct {
		Exercises []exercise `json:"exercices"`
	} `json:"SubjectRefPro"`
}

// exercise is one situation d’exercice.
type exercise struct {
	Profession string     `json:"codeProfession"`               // TRE_G15
	Category   string     `json:"codeCategorieProfessionnelle"` // C, M, E
	Skill      string     `json:"codeSavoirFaire"`              // TRE_R01
	FirstName  string     `json:"prenomDexercice"`
	LastName   string     `json:"nomDexercice"`
	Activities []activity `json:"activities"`
}

// activity is one place of an exercise.
type activity struct {
	SIRET    string `json:"numeroSiretSite"`
	SIREN    string `json:"numeroSirenSite"`
	Site     string `json:"numeroFinessSite"`
	Legal    string `json:"numeroFinessetablissementJuridique"`
	National string `json:"ancienIdentifiantDeLaStructure"` // Struct_IdNat
	Name     string `json:"raisonSocialeSite"`
}

// key is what a client chooses an exercise by: profession and category, as "10C".
func (e exercise) key() string { return e.Profession + e.Category }

// identifiers returns what the structure is known by, system|value, each once; the
// Struct_IdNat that VIHF used first.
func (a activity) identifiers() []string {
	const system = "urn:oid:1.2.250.1.71.4.2.2|"
	var ids []string
	for _, n := range [...]struct{ prefix, number string }{
		{"", a.National}, {"1", a.Site}, {"1", a.Legal}, {"3", a.SIRET}, {"2", a.SIREN},
	} {
		id := system + n.prefix + n.number
		if n.number != "" && auth.IsStructure(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// practice is where and as whom a professional acts.
type practice struct {
	exercise   exercise
	name       string
	structures []string // system|value; empty if the exercise has no place
}

// chooseExercise returns the exercise that the client named, or the only one. Two that
// match are no choice.
func (u userInfo) chooseExercise(key string) (exercise, *Error) {
	var found []exercise
	for _, e := range u.Pro.Exercises {
		if key == "" || e.key() == key {
			found = append(found, e)
		}
	}
	switch {
	case len(u.Pro.Exercises) == 0:
		return exercise{}, refuse("access_denied", "the person exercises no profession", nil)
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return exercise{}, refuse("invalid_request", "situation_exercice is none of those of the token", nil)
	case key == "":
		return exercise{}, refuse("invalid_request", "the person has several exercises: situation_exercice must say which one (code of profession and category, as 10C)", nil)
	}
	return exercise{}, refuse("invalid_request", "several exercises of the token are this situation_exercice", nil)
}

// choosePractice returns the place of the exercise that the client named, by any of its
// identifiers in any of their systems, or the only one.
func (e exercise) choosePractice(structure string) (practice, *Error) {
	if structure != "" {
		named, err := auth.FormatStructure(structure)
		if err != nil {
			return practice{}, refuse("invalid_request", "structure is not system|value with a Struct_IdNat, a FINESS, a SIRET or a SIREN", err)
		}
		structure = named
	}
	var found []activity
	for _, a := range e.Activities {
		if structure == "" || slices.Contains(a.identifiers(), structure) {
			found = append(found, a)
		}
	}
	switch {
	case len(found) == 1:
		ids := found[0].identifiers()
		if i := slices.Index(ids, structure); i > 0 { // the one that was named is the one they act in
			ids = append([]string{structure}, slices.Delete(ids, i, i+1)...)
		}
		if len(ids) == 0 {
			return practice{}, refuse("access_denied", "the structure of the exercise has no national identifier", nil)
		}
		return practice{exercise: e, name: found[0].Name, structures: ids}, nil
	case len(e.Activities) == 0 && structure == "":
		return practice{exercise: e}, nil
	case len(found) == 0:
		return practice{}, refuse("invalid_request", "structure is none of those of the exercise", nil)
	case structure == "":
		return practice{}, refuse("invalid_request", "the exercise has several places: structure must say which one (system|value)", nil)
	}
	return practice{}, refuse("invalid_request", "several places of the exercise are this structure", nil)
}

// name returns the name that a person exercises under.
func (u userInfo) name(e exercise) string {
	first, last := u.GivenName, u.FamilyName
	if e.LastName != "" {
		first, last = e.FirstName, e.LastName
	}
	return strings.TrimSpace(first + " " + last)
}
