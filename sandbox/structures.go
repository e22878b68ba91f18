package sandbox

import "opendmp/fhir"

// structure is a place where care is given, or that feeds records.
type structure struct {
	key, name string
	number    string // Struct_IdNat: 1 and a FINESS
	sector    coded  // JDV_J02, the kind of facility
	setting   coded  // JDV_J04, the kind of practice
	city      string
}

func (s structure) ident() fhir.Ident {
	return fhir.Ident{System: fhir.SystemStructure, Value: s.number}
}

// Code systems of the metadata of documents.
const (
	systemSector   = "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"
	systemSetting  = "https://mos.esante.gouv.fr/NOS/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice"
	systemProducer = "https://mos.esante.gouv.fr/NOS/TRE_A00-ProducteurDocNonPS/FHIR/TRE-A00-ProducteurDocNonPS"
)

func sector(code, display string) coded  { return coded{systemSector, code, display} }
func setting(code, display string) coded { return coded{systemSetting, code, display} }

// fromPatient is the facility and the practice of what the patient writes.
func fromPatient() coded {
	return coded{systemProducer, "EXP_PATIENT", "Expression personnelle du patient"}
}

func structures() []structure {
	hospital := sector("SA01", "Etablissement public de santé")
	group := sector("SA08", "Cabinet de groupe")
	stay := setting("ETABLISSEMENT", "Etablissement de santé")
	ambulatory := setting("AMBULATOIRE", "Ambulatoire")
	return []structure{
		{"hopital-nord", "Hôpital Nord", "1750000001", hospital, stay, "Paris"},
		{"hopital-sud", "Hôpital Sud", "1750000002", hospital, stay, "Paris"},
		{"cabinet-centre", "Cabinet du Centre", "1750000003", group, ambulatory, "Paris"},
		{"cabinet-sud", "Cabinet Sud", "1750000004", group, ambulatory, "Paris"},
		{"officine-gare", "Pharmacie de la Gare", "1750000005", sector("SA33", "Pharmacie d'officine"), ambulatory, "Paris"},
		{"optique-gare", "Optique de la Gare", "1750000006", sector("SA42", "Appareillage médical"), ambulatory, "Paris"},
		{"service-sante-travail", "Service de santé au travail", "1750000007", sector("SA13", "Prévention et soins en entreprise"), ambulatory, "Paris"},
		{"samu-75", "SAMU 75", "1750000008", hospital, setting("SAMU_SMUR", "SAMU/SMUR"), "Paris"},
		{"assurance-maladie", "Assurance maladie", "1750000009", sector("SA24", "Organisme de sécurité sociale"), setting("AMO", "Organisme d'assurance maladie obligatoire"), "Paris"},
	}
}

func structureOf(key string) structure {
	for _, s := range structures() {
		if s.key == key {
			return s
		}
	}
	return structure{}
}
