package sandbox

import (
	"time"

	"opendmp/fhir"
)

// timedDocument is a document and the instant of its push.
type timedDocument struct {
	document
	at time.Time
}

// Types and classes of the documents of the script, as the DMP names them.
const (
	typeConsultation = "11488-4"
	typeBiology      = "11502-2"
	typeDischarge    = "11490-0"
	typeReferral     = "96349-6"
	typePrescription = "57833-6"
	typePathology    = "11526-1"
	typePsychiatry   = "68599-0"
	typeVaccinations = "11369-6"
	typeDirectives   = "EXPPAT_3"
	typeRefunds      = "REMB"
)

// kindOf returns type and class of a type code.
func kindOf(code string) (typ, class coded) {
	c := func(code, display string) coded { return coded{fhir.SystemDocumentClass, code, display} }
	l := func(display string) coded { return coded{fhir.SystemLOINC, code, display} }
	switch code {
	case typeConsultation:
		return l("CR ou fiche de consultation ou de visite"), c("10", "Compte rendu")
	case typeBiology:
		return l("CR d'examens biologiques"), c("10", "Compte rendu")
	case typeDischarge:
		return l("Lettre de liaison à la sortie d'un établissement de soins"), c("10", "Compte rendu")
	case typeReferral:
		return l("Lettre d'adressage"), c("10", "Compte rendu")
	case typePathology:
		return l("CR d'anatomie et de cytologie pathologiques"), c("10", "Compte rendu")
	case typePsychiatry:
		return l("Synthèse psychiatrique"), c("11", "Synthèse")
	case typePrescription:
		return l("Prescription de produits de santé"), c("42", "Prescription")
	case typeVaccinations:
		return l("Historique des vaccinations"), c("52", "Certificat, déclaration")
	case typeRefunds:
		return coded{fhir.SystemDocumentType, code, "Données de remboursement"}, c("60", "Données de remboursement")
	}
	return coded{fhir.SystemDocumentType, code, "Directives anticipées"}, c("90", "Autres documents déposés par le patient")
}

// documents returns the documents of all records, those that are replaced before
// those that replace them. The dates of Claire's are fixed, others count back
// from now.
func documents(now time.Time) []timedDocument {
	var ds []timedDocument
	add := func(key, patient, author, code string, f form, at time.Time, r report) *document {
		typ, class := kindOf(code)
		ds = append(ds, timedDocument{document{
			key: key, patient: patient, author: author, typ: typ, class: class, form: f,
			act: at.Add(-50 * time.Minute).Truncate(5 * time.Minute), report: r,
		}, at})
		return &ds[len(ds)-1].document
	}
	on := func(year int, month time.Month, d, hour, minute int) time.Time {
		return time.Date(year, month, d, hour, minute, 0, 0, fhir.Paris)
	}
	before := func(days, hour, minute int) time.Time { return ago(now, days, hour, minute) }

	add("claire-biologie", "patient-claire", "hopital-sud", typeBiology, formCDA, on(2024, time.February, 6, 11, 30), biologyOfClaire())
	add("claire-cr-consultation", "patient-claire", "medecin-leroy", typeConsultation, formPDF, on(2024, time.September, 17, 15, 20), consultationOfClaire())
	add("claire-ordonnance", "patient-claire", "medecin-petit", typePrescription, formPDF, on(2025, time.January, 23, 10, 5), prescriptionOfClaire())

	add("basile-lettre-sortie", "patient-basile", "hopital-sud", typeDischarge, formPDF, before(180, 17, 30), dischargeOfBasile())
	add("basile-lettre-adressage", "patient-basile", "medecin-leroy", typeReferral, formPDF, before(90, 12, 10), referralOfBasile())

	add("emma-consultation", "patient-emma", "medecin-leroy", typeConsultation, formPDF, before(14, 16, 50), consultationOfEmma()).flag = flagGuardians

	add("alix-psy", "patient-alix", "medecin-petit", typePsychiatry, formPDF, before(372, 15, 30), psychiatryOfAlix())
	add("alix-vaccins", "patient-alix", "pharmacien-dubois", typeVaccinations, formCDA, before(61, 18, 5), vaccinationsOfAlix())
	add("alix-masque", "patient-alix", "medecin-leroy", typeConsultation, formPDF, before(45, 11, 15), maskedOfAlix())
	add("alix-remb", "patient-alix", "assurance-maladie", typeRefunds, formCDA, before(30, 4, 0), refundsOfAlix())
	add("alix-cr-consultation", "patient-alix", "medecin-martin", typeConsultation, formPDF, before(25, 9, 40), consultationOfAlix())
	add("alix-lettre-sortie-ancienne", "patient-alix", "hopital-nord", typeDischarge, formCDA, before(21, 18, 45), dischargeOfAlix(false))
	add("alix-biologie", "patient-alix", "hopital-nord", typeBiology, formCDA, before(20, 13, 20), biologyOfAlix())
	add("alix-lettre-sortie", "patient-alix", "hopital-nord", typeDischarge, formCDA, before(19, 10, 0), dischargeOfAlix(true)).replaces = "alix-lettre-sortie-ancienne"
	add("alix-ordonnance", "patient-alix", "medecin-durand", typePrescription, formPDF, before(12, 16, 25), prescriptionOfAlix())
	add("alix-directives", "patient-alix", "patient-alix", typeDirectives, formPDF, before(9, 20, 35), directivesOfAlix())
	add("alix-annonce", "patient-alix", "medecin-durand", typePathology, formCDAOfPDF, before(1, 15, 40), pathologyOfAlix()).flag = flagHidden

	add("doc-x-id", "patient-exemple", "medecin-exemple", typeConsultation, formBytes, before(3, 9, 0), report{title: "Compte rendu de consultation (v1)"}).published = true
	return ds
}
