package sandbox

// The texts of the documents of Basile, Claire and Emma. Every person, date and
// value in them is invented.

func dischargeOfBasile() report {
	return report{
		title:   "Lettre de liaison à la sortie d’hospitalisation",
		service: "Cardiologie",
		sections: []section{
			{heading: "Séjour", paragraphs: []string{
				"Monsieur NGUYEN Basile a été hospitalisé quatre jours en cardiologie pour la prise en charge d’une fibrillation atriale symptomatique de découverte récente."}},
			{heading: "Histoire et examens", paragraphs: []string{
				"Palpitations et essoufflement depuis dix jours. Hypertension artérielle traitée, apnées du sommeil appareillées. À l’entrée : fréquence ventriculaire à 128 /min, pression artérielle 138 / 84 mmHg, pas de signe d’insuffisance cardiaque.",
				"Échographie cardiaque : fonction systolique du ventricule gauche conservée (58 %), oreillette gauche modérément dilatée, pas de valvulopathie significative. Bilan thyroïdien et ionogramme normaux. Score CHA2DS2-VASc à 2."}},
			{heading: "Évolution", paragraphs: []string{
				"Anticoagulation orale et ralentissement par bêtabloquant. Retour spontané en rythme sinusal au deuxième jour. Pas de complication. Éducation à l’anticoagulant faite avec remise d’une carte."}},
			{heading: "Traitement à la sortie", table: table{
				header: []string{"Médicament", "Posologie", "Durée"}, widths: []float64{0.45, 0.35, 0.2},
				rows: [][]string{
					{"Apixaban 5 mg, comprimé", "1 matin et soir", "Au long cours"},
					{"Bisoprolol 2,5 mg, comprimé", "1 le matin", "Au long cours"},
					{"Périndopril 5 mg, comprimé", "1 le matin (inchangé)", "Au long cours"},
				}}},
			{heading: "Suite", paragraphs: []string{
				"Holter rythmique à un mois, consultation de cardiologie à six semaines. Surveillance de la fonction rénale et de l’hémogramme tous les six mois. En cas de saignement inhabituel, consulter sans attendre."}},
		},
		closing: "Lettre remise au patient et adressée à son médecin.",
	}
}

func referralOfBasile() report {
	return report{
		title:   "Lettre d’adressage en consultation de cardiologie",
		service: "Médecine générale",
		sections: []section{
			{heading: "Demande", paragraphs: []string{
				"Cher confrère, je vous adresse Monsieur NGUYEN Basile pour la consultation de suivi prévue à la suite de son hospitalisation pour fibrillation atriale paroxystique. Merci de votre avis sur la poursuite du bêtabloquant et sur l’indication d’une ablation."}},
			{heading: "Résumé", paragraphs: []string{
				"Depuis la sortie : deux épisodes brefs de palpitations, de moins d’une heure, sans malaise. Pression artérielle à domicile en moyenne à 128 / 76 mmHg. Tolérance correcte du traitement ; fatigue modérée à l’effort, peut-être liée au bêtabloquant.",
				"Observance de l’anticoagulant vérifiée. Pas d’évènement hémorragique. Appareillage nocturne utilisé six heures par nuit en moyenne."}},
			{heading: "Antécédents", paragraphs: []string{
				"• Hypertension artérielle depuis 2012.",
				"• Syndrome d’apnées du sommeil appareillé depuis 2019.",
				"• Cholécystectomie en 2015.",
				"• Pas d’allergie médicamenteuse connue. Ancien fumeur, sevré depuis 2008."}},
			{heading: "Derniers résultats", table: table{
				header: []string{"Examen", "Résultat", "Commentaire"}, widths: []float64{0.36, 0.28, 0.36},
				rows: [][]string{
					{"Créatinine", "88 µmol/L", "Stable"},
					{"Hémoglobine", "14,6 g/dL", "Normale"},
					{"Potassium", "4,4 mmol/L", "Normal"},
					{"Cholestérol LDL", "2,9 mmol/L", "À discuter"},
					{"Holter de 24 heures", "Rythme sinusal", "Une salve atriale de 40 s"},
				}}},
			{heading: "Traitement en cours", paragraphs: []string{
				"Apixaban 5 mg deux fois par jour ; bisoprolol 2,5 mg le matin ; périndopril 5 mg le matin."}},
		},
		closing: "Avec mes remerciements et mes salutations confraternelles.",
	}
}

func biologyOfClaire() report {
	return report{
		title:   "Compte rendu d’examens de biologie médicale",
		service: "Laboratoire de biologie médicale",
		sections: []section{
			{heading: "Renseignements", paragraphs: []string{
				"Bilan de suivi d’un diabète de type 2 traité. Prélèvement à jeun, échantillons conformes."}},
			{heading: "Biochimie – sang", loinc: "18719-5", results: []result{
				{"Hémoglobine A1c", "4548-4", "7,2", "%", "4,0", "6,0", "7,6"},
				{"Glucose à jeun", "14771-0", "7,8", "mmol/L", "3,9", "6,1", "8,2"},
				{"Créatinine", "14682-9", "82", "umol/L", "45", "84", "80"},
				{"Débit de filtration glomérulaire estimé (CKD-EPI)", "62238-1", "63", "mL/min", "90", "140", "65"},
				{"Potassium", "2823-3", "4,6", "mmol/L", "3,5", "5,1", "4,5"},
				{"Cholestérol total", "14647-2", "4,7", "mmol/L", "0,0", "5,2", "4,9"},
				{"Cholestérol LDL", "39469-2", "2,4", "mmol/L", "0,0", "2,6", "2,7"},
				{"Triglycérides", "14927-8", "1,6", "mmol/L", "0,0", "1,7", "1,8"},
				{"Alanine aminotransférase", "1742-6", "27", "U/L", "0", "35", "29"},
			}},
			{heading: "Biochimie – urines", loinc: "18729-4", results: []result{
				{"Albumine / créatinine urinaires", "14959-1", "2,8", "mg/mmol", "0,0", "3,0", "3,1"},
			}},
			{heading: "Conclusion", loinc: "55110-1", paragraphs: []string{
				"Équilibre glycémique en amélioration. Fonction rénale stable. Contrôle conseillé dans trois mois."}},
		},
		closing: "Résultats validés par le biologiste responsable.",
	}
}

func consultationOfClaire() report {
	return report{
		title:   "Compte rendu de consultation de médecine générale",
		service: "Médecine générale",
		sections: []section{
			{heading: "Motif", paragraphs: []string{
				"Suivi trimestriel d’un diabète de type 2 et d’une arthrose des genoux. Madame FONTAINE se plaint de douleurs du genou droit à la marche, surtout en fin de journée."}},
			{heading: "Examen clinique", paragraphs: []string{
				"Poids 68 kg pour 1,60 m. Pression artérielle 134 / 76 mmHg. Pieds : pouls perçus, monofilament normal, pas de plaie. Genou droit : discret épanchement, mobilité conservée, pas de signe inflammatoire."}},
			{heading: "Évaluation gériatrique", table: table{
				header: []string{"Domaine", "Résultat", "Commentaire"}, widths: []float64{0.34, 0.2, 0.46},
				rows: [][]string{
					{"Autonomie (ADL)", "6 / 6", "Vit seule, sans aide"},
					{"Activités instrumentales (IADL)", "8 / 8", "Conduit encore de jour"},
					{"Équilibre (lever de chaise)", "11 s", "Pas de chute dans l’année"},
					{"Mémoire (cinq mots)", "10 / 10", "Pas de plainte"},
					{"Humeur (mini-GDS)", "0 / 4", "Bon moral, bien entourée"},
				}}},
			{heading: "Conduite à tenir", paragraphs: []string{
				"• Poursuite de la metformine ; objectif d’hémoglobine A1c inférieur à 7,5 %.",
				"• Kinésithérapie de renforcement du quadriceps, dix séances. Paracétamol à la demande, au plus 3 g par jour.",
				"• Fond d’œil annuel à programmer. Vaccinations contre la grippe et le zona proposées ; la patiente réfléchit.",
				"• Nouveau rendez-vous dans trois mois, avec un bilan biologique quelques jours avant."}},
			{heading: "Échanges avec la patiente", paragraphs: []string{
				"Madame FONTAINE souhaite limiter le nombre de ses dossiers informatiques et s’interroge sur la fermeture de son dossier médical partagé. Informations données sur ses droits : fermeture à tout moment, conservation dix ans, réouverture possible, destruction sur demande."}},
		},
		closing: "La patiente est informée du dépôt de ce document dans son dossier médical partagé.",
	}
}

func prescriptionOfClaire() report {
	return report{
		title:   "Ordonnance",
		service: "Consultation externe",
		sections: []section{
			{heading: "Prescription de médicaments", table: table{
				header: []string{"Médicament (dénomination commune)", "Posologie", "Durée"}, widths: []float64{0.46, 0.36, 0.18},
				rows: [][]string{
					{"METFORMINE 1000 mg, comprimé pelliculé", "1 comprimé matin et soir, au cours des repas", "3 mois"},
					{"RAMIPRIL 5 mg, comprimé", "1 comprimé le matin", "3 mois"},
					{"ATORVASTATINE 10 mg, comprimé pelliculé", "1 comprimé le soir", "3 mois"},
					{"PARACÉTAMOL 1000 mg, comprimé", "1 comprimé en cas de douleur, au plus 3 par jour, espacés de 6 heures", "1 mois"},
				}}},
			{heading: "Dispositifs et examens", paragraphs: []string{
				"• Bandelettes et lancettes pour lecteur de glycémie : un contrôle par jour, pour trois mois.",
				"• Hémoglobine A1c, créatinine, ionogramme, rapport albumine / créatinine urinaires avant la prochaine consultation."}},
			{heading: "Recommandations au patient", paragraphs: []string{
				"Suspendre la metformine en cas de vomissements ou de diarrhée importante, et prévenir le médecin. Ne pas associer d’anti-inflammatoire au ramipril sans avis médical.",
				"Signes d’hypoglycémie rappelés : sueurs, tremblements, faim brutale. Avoir toujours du sucre sur soi.",
				"Surveiller les pieds chaque jour ; consulter en cas de plaie, même minime."}},
			{heading: "Mentions", paragraphs: []string{
				"Ordonnance à renouveler une fois. Substitution possible par un médicament générique. Prescriptions en rapport avec une affection de longue durée, sauf le paracétamol.",
				"L’absence d’interaction avec les traitements connus a été vérifiée ; la fonction rénale du dernier bilan permet ces doses."}},
		},
		closing: "Quatre médicaments prescrits.",
	}
}

func consultationOfEmma() report {
	return report{
		title:   "Compte rendu de consultation – demande de la mineure",
		service: "Médecine générale",
		sections: []section{
			{heading: "Cadre", paragraphs: []string{
				"Emma LAMBERT, treize ans, consulte seule, à sa demande, et s’oppose à ce que les titulaires de l’autorité parentale soient informés de cette consultation. L’article L.1111-5 du code de la santé publique est expliqué en termes simples. Elle accepte de réfléchir à en parler à une adulte de confiance ; l’infirmière scolaire est citée."}},
			{heading: "Motif et entretien", paragraphs: []string{
				"Mal-être depuis la rentrée, difficultés d’endormissement, moqueries répétées au collège et sur un groupe de messagerie. Pas d’idée suicidaire, pas de geste d’auto-agression, alimentation conservée. Une amie proche la soutient. Résultats scolaires stables.",
				"Pas de consommation de tabac, d’alcool ou d’autres produits. Temps d’écran le soir d’environ deux heures, dont une partie sur le groupe en cause."}},
			{heading: "Examen", paragraphs: []string{
				"Poids 44 kg, taille 1,56 m, courbes régulières. Pression artérielle 104 / 62 mmHg. Examen clinique normal, pas de trace de coup."}},
			{heading: "Évaluation", table: table{
				header: []string{"Repère", "Résultat", "Commentaire"}, widths: []float64{0.4, 0.2, 0.4},
				rows: [][]string{
					{"ADRS (dépression de l’adolescent)", "3 / 10", "Sous le seuil, à suivre"},
					{"Bullying-Insomnia-Tobacco-Stress", "2 / 4", "Harcèlement et sommeil"},
					{"Sommeil", "7 h 30", "Endormissement retardé d’une heure"},
				}}},
			{heading: "Conduite à tenir", paragraphs: []string{
				"• Écoute, information sur le numéro national contre le harcèlement (3018) et sur les recours au collège.",
				"• Conseils de sommeil ; téléphone hors de la chambre la nuit.",
				"• Consultation dans dix jours, seule ou accompagnée selon son choix ; prise en charge sans avance de frais.",
				"• Conduite à tenir en cas d’aggravation expliquée et comprise : appeler le cabinet, le 3114 ou le 15.",
				"Document déposé non visible des représentants légaux ; à revoir avec elle à chaque consultation."}},
		},
		closing: "Consultation réalisée seule avec la jeune patiente, à sa demande.",
	}
}
