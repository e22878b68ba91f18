package sandbox

import (
	"fmt"

	"opendmp/auth"
	"opendmp/fhir"
)

// firstNumber is NN of the first professional in 88999000000NN.
const firstNumber = 10

// Personas returns the cast: patients, professionals in the order that numbers
// them, systems, and others.
func Personas() []Persona {
	return append(append(patients(), professionals()...), others()...)
}

func patients() []Persona {
	patient := func(key, system, ins string, t PatientTraits) Persona {
		if t.UsualName == "" {
			t.UsualName = t.BirthName
		}
		if t.AllGiven == "" {
			t.AllGiven = t.Given
		}
		return Persona{
			Key: key, Kind: auth.Patient, ID: fhir.Ident{System: system, Value: ins},
			Given: t.Given, Family: t.UsualName, Patient: &t,
		}
	}
	return []Persona{
		patient("patient-alix", fhir.SystemINSTest, "285047511200116", PatientTraits{
			BirthName: "MERCIER", Given: "Alix", AllGiven: "Alix Jeanne", Gender: "female", BirthDate: "1985-04-12",
			BirthPlaceCode: "75112", BirthPlace: "Paris 12e", Phone: "+33639980001", Email: "alix@exemple.test"}),
		patient("patient-basile", fhir.SystemINSTest, "162116938804233", PatientTraits{
			BirthName: "NGUYEN", Given: "Basile", Gender: "male", BirthDate: "1962-11-03",
			BirthPlaceCode: "69388", BirthPlace: "Lyon 8e", Phone: "+33639980002", Email: "basile@exemple.test"}),
		patient("patient-claire", fhir.SystemINSTest, "247021305511770", PatientTraits{
			BirthName: "FONTAINE", Given: "Claire", AllGiven: "Claire Marie", Gender: "female", BirthDate: "1947-02-21",
			BirthPlaceCode: "13055", BirthPlace: "Marseille", Phone: "+33639980003", Email: "claire@exemple.test"}),
		patient("patient-david", fhir.SystemINSTest, "190073306320538", PatientTraits{
			BirthName: "ROUSSEL", Given: "David", Gender: "male", BirthDate: "1990-07-08",
			BirthPlaceCode: "33063", BirthPlace: "Bordeaux", Phone: "+33639980004", Email: "david@exemple.test"}),
		patient("patient-emma", fhir.SystemINSTest, "213035935031003", PatientTraits{
			BirthName: "LAMBERT", Given: "Emma", AllGiven: "Emma Louise", Gender: "female", BirthDate: "2013-03-17",
			BirthPlaceCode: "59350", BirthPlace: "Lille", Phone: "+33639980005", Email: "lambert@exemple.test"}),
		// The number of the published examples; its key is wrong.
		patient("patient-exemple", fhir.SystemINSNIR, "123456789012345", PatientTraits{
			BirthName: "MARTIN", UsualName: "DUPONT", Given: "Marie", Gender: "female", BirthDate: "1985-04-12",
			BirthPlaceCode: "75056", BirthPlace: "Paris", Phone: "+33639980007", Email: "marie@exemple.test"}),
		patient("patient-farid", fhir.SystemINSTest, "155126748202370", PatientTraits{
			BirthName: "BENALI", Given: "Farid", AllGiven: "Farid Karim", Gender: "male", BirthDate: "1955-12-01",
			BirthPlaceCode: "67482", BirthPlace: "Strasbourg", Phone: "+33600000006", Email: "farid@exemple.test"}),
	}
}

func professionals() []Persona {
	var cast []Persona
	add := func(key, title, given, family, profession, skill, structure string) *Persona {
		p := Persona{
			Key: key, Kind: auth.Professional, Title: title, Given: given, Family: family, Structure: structure,
			ID:         fhir.Ident{System: fhir.SystemIDNPS, Value: fmt.Sprintf("88999000000%02d", firstNumber+len(cast))},
			Profession: auth.Coding{System: auth.SystemProfession, Code: profession},
		}
		if skill != "" {
			p.Skill = auth.Coding{System: auth.SystemSkill, Code: skill}
		}
		cast = append(cast, p)
		return &cast[len(cast)-1]
	}
	add("medecin-martin", "Dr", "Hélène", "MARTIN", "10", "SM54", "cabinet-centre")
	add("medecin-durand", "Dr", "Marc", "DURAND", "10", "SM42", "hopital-nord")
	add("medecin-leroy", "Dr", "Sophie", "LEROY", "10", "SM26", "cabinet-sud")
	add("medecin-petit", "Dr", "Antoine", "PETIT", "10", "SM42", "hopital-sud")
	add("urgentiste-roche", "Dr", "Paul", "ROCHE", "10", "SM59", "hopital-sud")
	add("pharmacien-dubois", "", "Nadia", "DUBOIS", "21", "", "officine-gare")
	add("infirmier-moreau", "", "Luc", "MOREAU", "60", "", "cabinet-centre")
	add("sage-femme-roux", "", "Camille", "ROUX", "50", "", "cabinet-sud")
	add("dentiste-faure", "Dr", "Olivier", "FAURE", "40", "", "cabinet-sud")
	add("opticien-blanc", "", "Inès", "BLANC", "28", "", "optique-gare")
	add("dieteticien-noel", "", "Thomas", "NOËL", "95", "", "cabinet-centre")
	add("medecin-travail-colin", "Dr", "Béatrice", "COLIN", "10", "SM25", "service-sante-travail")
	add("etudiant-simon", "", "Léo", "SIMON", "10", "", "hopital-nord").Student = true
	add("samu-garnier", "Dr", "Yann", "GARNIER", "10", "SM59", "samu-75").Kind = auth.Regulator
	// The author of the published examples.
	add("medecin-exemple", "Dr", "Jean", "EXEMPLE", "10", "", "cabinet-centre").ID.Value = "899700218896"
	return cast
}

func others() []Persona {
	system := func(key string, kind auth.Kind) Persona {
		s := structureOf(key)
		return Persona{Key: key, Kind: kind, ID: s.ident(), Family: s.name, Structure: key}
	}
	account := func(key string, kind auth.Kind, given, family string) Persona {
		return Persona{Key: key, Kind: kind, ID: fhir.Ident{System: auth.SystemAccount, Value: key}, Given: given, Family: family}
	}
	return []Persona{
		system("hopital-nord", auth.Establishment),
		system("hopital-sud", auth.Establishment),
		{Key: "secretariat-nord", Kind: auth.Administrative, Given: "Maud", Family: "PERRIN", Structure: "hopital-nord",
			ID: fhir.Ident{System: fhir.SystemIDNPS, Value: "3750000001/SEC01"}},
		system("assurance-maladie", auth.InsuranceFeeder),
		account("representative-lambert", auth.Representative, "Julie", "LAMBERT"),
		account("operateur", auth.Operator, "Alice", "OPÉRATRICE"),
	}
}
