package sandbox

import (
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
)

// systemFINESS is the register of establishments as authors may name them.
const systemFINESS = "https://finess.esante.gouv.fr"

// Workplace returns the identifiers and the name of the structure in which a
// persona acts: the Struct_IdNat, and the FINESS number that it is made of. Both
// are empty of a persona without one.
func (p Persona) Workplace() ([]fhir.Ident, string) {
	if p.Structure == "" {
		return nil, ""
	}
	s := structureOf(p.Structure)
	return []fhir.Ident{s.ident(), {System: systemFINESS, Value: strings.TrimPrefix(s.number, "1")}}, s.name
}

// KindFR returns the kind of the persona in French.
func (p Persona) KindFR() string {
	switch p.Kind {
	case auth.Patient:
		return "patient"
	case auth.Representative:
		return "représentant"
	case auth.Professional:
		if p.Student {
			return "étudiant"
		}
		return "professionnel"
	case auth.Regulator:
		return "régulateur"
	case auth.Establishment:
		return "établissement"
	case auth.Administrative:
		return "secrétariat"
	case auth.InsuranceFeeder:
		return "assurance maladie"
	case auth.Operator:
		return "exploitant"
	}
	return ""
}

// Note says in one French sentence what a newcomer should know of a persona: the
// state of their record, or what they may do.
func (p Persona) Note() string {
	switch p.Key {
	case "patient-alix":
		return "Dossier ouvert ; médecin traitant medecin-martin ; autorise medecin-durand, pharmacien-dubois, infirmier-moreau, sage-femme-roux, dentiste-faure, opticien-blanc et dieteticien-noel ; un document masqué par la patiente, un autre qui lui est encore invisible."
	case "patient-basile":
		return "Dossier ouvert ; opposé au bris de glace et à l’accès du centre 15 ; n’autorise personne."
	case "patient-claire":
		return "Dossier fermé le 30 juin 2025 à sa demande : personne n’y lit ni n’y écrit de document."
	case "patient-david":
		return "Dossier ouvert, sans document ; autorise hopital-nord, bloque medecin-durand qui y exerce."
	case "patient-emma":
		return "Mineure ; dossier ouvert ; représentée par representative-lambert, à qui un document est invisible."
	case "patient-exemple":
		return "Dossier ouvert ; la patiente des exemples publiés (domaine …4.8, clé de l’INS fausse) ; contient doc-x-id ; autorise medecin-exemple."
	case "patient-farid":
		return "Pas encore de dossier : à ouvrir."
	case "medecin-martin":
		return "Médecin traitant d’Alix : voit aussi ce qu’elle a masqué."
	case "medecin-durand":
		return "Autorisé par Alix ; exerce à hopital-nord ; bloqué par David."
	case "medecin-leroy":
		return "Auteur du document masqué d’Alix, sans autorisation : en trouve les métadonnées, n’en lit pas le contenu."
	case "medecin-petit":
		return "Son autorisation au dossier d’Alix est expirée ; y retrouve les métadonnées de sa synthèse."
	case "urgentiste-roche":
		return "Sans autorisation : fait le bris de glace."
	case "pharmacien-dubois":
		return "Autorisée par Alix, dans les limites de la matrice ; ne voit pas le document masqué."
	case "infirmier-moreau", "sage-femme-roux", "dentiste-faure", "dieteticien-noel":
		return "Autorisé par Alix, dans les limites de la matrice de sa profession."
	case "opticien-blanc":
		return "Autorisée par Alix ; la matrice ne lui ouvre que peu de types de documents."
	case "medecin-travail-colin":
		return "Médecin du travail : ne lit aucun dossier."
	case "etudiant-simon":
		return "Étudiant en médecine à hopital-nord ; compte comme médecin, dans le bac à sable seulement."
	case "samu-garnier":
		return "Médecin régulateur du SAMU : mode centre_15, sauf opposition du patient ; cherche aussi un dossier par les traits d’identité."
	case "medecin-exemple":
		return "Auteur des exemples publiés ; autorisé par patient-exemple."
	case "hopital-nord":
		return "Système d’un établissement : dépose dans tout dossier ouvert, y retrouve les métadonnées de ses propres documents, n’en relit jamais le contenu ; autorisé par David."
	case "hopital-sud":
		return "Système d’un établissement : dépose, retrouve les métadonnées de ses propres documents, n’en relit jamais le contenu."
	case "secretariat-nord":
		return "Secrétariat de hopital-nord : ouvre les dossiers, ne lit aucun document."
	case "assurance-maladie":
		return "Alimente en remboursements ; ne relit que les métadonnées de ses documents."
	case "representative-lambert":
		return "Mère d’Emma : lit ce qui n’est pas invisible aux représentants légaux."
	case "operateur":
		return "Exploite le serveur : ne voit aucune donnée médicale."
	}
	return ""
}
