package sandbox

// The texts of the documents of Alix. Every person, date and value in them is
// invented.

func consultationOfAlix() report {
	return report{
		title:   "Compte rendu de consultation de médecine générale",
		service: "Médecine générale",
		sections: []section{
			{heading: "Motif", loinc: "29299-5", paragraphs: []string{
				"Consultation de suivi d’un asthme allergique persistant léger et renouvellement du traitement de fond. La patiente signale une gêne respiratoire à l’effort depuis trois semaines, sans fièvre ni expectoration."}},
			{heading: "Antécédents et traitement en cours", loinc: "11348-0", paragraphs: []string{
				"• Asthme allergique (acariens, graminées) diagnostiqué en 1998 ; pas d’hospitalisation pour exacerbation.",
				"• Appendicectomie en 2003, sans complication.",
				"• Allergie documentée à l’amoxicilline : éruption cutanée en 2011, bilan allergologique positif.",
				"• Traitement de fond : budésonide 200 µg, une inhalation matin et soir. À la demande : salbutamol 100 µg."}},
			{heading: "Examen clinique", loinc: "29545-1",
				paragraphs: []string{"Bon état général. Auscultation pulmonaire : quelques sibilants expiratoires bilatéraux en fin d’expiration forcée, pas de crépitant. Auscultation cardiaque normale. Pas d’adénopathie. Technique d’inhalation vérifiée : coordination à revoir, démonstration refaite avec la chambre."},
				table: table{
					header: []string{"Mesure", "Valeur", "Commentaire"}, widths: []float64{0.34, 0.22, 0.44},
					rows: [][]string{
						{"Poids", "63 kg", "Stable depuis un an"},
						{"Taille", "1,68 m", "IMC 22,3 kg/m²"},
						{"Pression artérielle", "118 / 74 mmHg", "Assise, après cinq minutes de repos"},
						{"Fréquence cardiaque", "72 /min", "Régulière"},
						{"Saturation en oxygène", "98 %", "Air ambiant"},
						{"Débit expiratoire de pointe", "410 L/min", "91 % de la valeur théorique"},
					}}},
			{heading: "Conclusion et conduite à tenir", loinc: "51847-2", paragraphs: []string{
				"Asthme partiellement contrôlé (score ACT : 18 / 25), en lien probable avec une technique d’inhalation imparfaite et la saison pollinique.",
				"• Poursuite du budésonide à la même dose, avec chambre d’inhalation ; réévaluation dans six semaines.",
				"• Plan d’action écrit remis et expliqué : quand augmenter le traitement, quand appeler le 15.",
				"• Explorations fonctionnelles respiratoires demandées. Vaccination antigrippale proposée et acceptée pour l’automne.",
				"• Rappel de l’allergie à l’amoxicilline : à signaler à tout prescripteur et au pharmacien."}},
		},
		closing: "La patiente est informée du dépôt de ce document dans son dossier médical partagé.",
	}
}

func biologyOfAlix() report {
	return report{
		title:   "Compte rendu d’examens de biologie médicale",
		service: "Laboratoire de biologie médicale",
		sections: []section{
			{heading: "Renseignements", paragraphs: []string{
				"Prélèvement veineux au pli du coude, patiente à jeun depuis douze heures. Échantillons conformes à réception. Prescription du service de médecine interne.",
				"Les antériorités sont celles du même laboratoire, par la même technique."}},
			{heading: "Hématologie – hémogramme", loinc: "18723-7", results: []result{
				{"Leucocytes", "6690-2", "6,8", "10*9/L", "4,0", "10,0", "7,1"},
				{"Hématies", "789-8", "4,52", "10*12/L", "3,80", "5,90", "4,48"},
				{"Hémoglobine", "718-7", "13,4", "g/dL", "11,5", "16,0", "13,1"},
				{"Hématocrite", "4544-3", "40,2", "%", "34,0", "48,0", "39,6"},
				{"Volume globulaire moyen", "787-2", "88,9", "fL", "80,0", "100,0", "88,4"},
				{"Plaquettes", "777-3", "246", "10*9/L", "150", "400", "239"},
				{"Polynucléaires neutrophiles", "751-8", "3,9", "10*9/L", "1,8", "7,5", "4,0"},
				{"Polynucléaires éosinophiles", "711-2", "0,58", "10*9/L", "0,04", "0,80", "0,61"},
				{"Lymphocytes", "731-0", "1,8", "10*9/L", "1,0", "4,0", "1,9"},
			}},
			{heading: "Biochimie – sang", loinc: "18719-5", results: []result{
				{"Sodium", "2951-2", "139", "mmol/L", "136", "145", "140"},
				{"Potassium", "2823-3", "4,1", "mmol/L", "3,5", "5,1", "4,2"},
				{"Créatinine", "14682-9", "68", "umol/L", "45", "84", "70"},
				{"Débit de filtration glomérulaire estimé (CKD-EPI)", "62238-1", "98", "mL/min", "90", "140", "96"},
				{"Glucose à jeun", "14771-0", "4,9", "mmol/L", "3,9", "6,1", "5,0"},
				{"Protéine C réactive", "1988-5", "3,2", "mg/L", "0,0", "5,0", "2,8"},
				{"Alanine aminotransférase", "1742-6", "21", "U/L", "0", "35", "19"},
				{"Ferritine", "2276-4", "64", "ug/L", "15", "150", "58"},
				{"Thyréostimuline", "3016-3", "1,9", "mU/L", "0,4", "4,0", "2,1"},
			}},
			{heading: "Conclusion", loinc: "55110-1", paragraphs: []string{
				"Hémogramme et ionogramme sans anomalie. Éosinophiles dans la moitié haute de l’intervalle, à interpréter avec le terrain allergique connu."}},
		},
		closing: "Résultats validés par le biologiste responsable.",
	}
}

// dischargeOfAlix is the letter of liaison; the first version lacked the results
// that were awaited.
func dischargeOfAlix(complete bool) report {
	r := report{
		title:   "Lettre de liaison à la sortie d’hospitalisation",
		service: "Médecine interne",
		sections: []section{
			{heading: "Séjour", paragraphs: []string{
				"Madame MERCIER Alix a été hospitalisée du 3 au 5 du mois pour le bilan d’une dyspnée d’effort. Elle est adressée par son médecin traitant, le Dr Hélène MARTIN."}},
			{heading: "Motif d’hospitalisation et histoire de la maladie", loinc: "10164-2", paragraphs: []string{
				"Dyspnée d’effort d’aggravation progressive depuis un mois chez une patiente asthmatique connue, avec réveils nocturnes deux fois par semaine. Pas de douleur thoracique, pas d’hémoptysie, pas de voyage récent."}},
			{heading: "Synthèse du séjour", loinc: "8648-8", paragraphs: []string{
				"À l’entrée : saturation 95 % en air ambiant, sibilants diffus, pas de signe de lutte. Radiographie thoracique sans foyer. Électrocardiogramme normal.",
				"Les explorations fonctionnelles respiratoires montrent un trouble ventilatoire obstructif léger, réversible après bronchodilatateur (VEMS à 84 % de la théorique, gain de 14 %).",
				"Évolution favorable après majoration du traitement inhalé et reprise de l’éducation thérapeutique avec l’infirmière du service."}},
			{heading: "Traitement à la sortie", loinc: "10183-2", table: table{
				header: []string{"Médicament", "Posologie", "Durée", "Remarque"}, widths: []float64{0.3, 0.3, 0.15, 0.25},
				rows: [][]string{
					{"Budésonide / formotérol 200/6 µg, poudre", "1 inhalation matin et soir", "3 mois", "Remplace le budésonide seul"},
					{"Salbutamol 100 µg, suspension", "1 à 2 bouffées si gêne", "Au besoin", "Avec chambre d’inhalation"},
					{"Cétirizine 10 mg, comprimé", "1 le soir", "1 mois", "Saison pollinique"},
				}}},
			{heading: "Allergies et points de vigilance", loinc: "48765-2", paragraphs: []string{
				"• Allergie à l’amoxicilline (éruption cutanée, 2011).",
				"• Ne pas arrêter le traitement de fond en cas d’amélioration ; consulter si plus de deux recours au salbutamol par semaine."}},
		},
		closing: "Lettre remise à la patiente le jour de sa sortie et adressée au médecin traitant.",
	}
	pending := section{heading: "Examens en attente", paragraphs: []string{
		"Le bilan biologique de sortie n’est pas parvenu à ce jour ; une lettre complétée sera adressée."}}
	if complete {
		pending = section{heading: "Résultats complémentaires et suite", loinc: "18776-5", paragraphs: []string{
			"Le bilan biologique est sans anomalie (hémogramme, ionogramme, CRP à 3,2 mg/L). Cette lettre annule et remplace la précédente.",
			"Consultation de pneumologie dans six semaines ; contrôle des explorations fonctionnelles dans trois mois."}}
	}
	r.sections = append(r.sections, pending)
	return r
}

func prescriptionOfAlix() report {
	return report{
		title:   "Ordonnance",
		service: "Consultation externe",
		sections: []section{
			{heading: "Prescription de médicaments", table: table{
				header: []string{"Médicament (dénomination commune)", "Posologie", "Durée"}, widths: []float64{0.46, 0.36, 0.18},
				rows: [][]string{
					{"BUDÉSONIDE 200 µg + FORMOTÉROL 6 µg, poudre pour inhalation", "1 inhalation le matin et 1 le soir ; se rincer la bouche après", "3 mois"},
					{"SALBUTAMOL 100 µg/dose, suspension pour inhalation en flacon pressurisé", "1 à 2 bouffées en cas de gêne, à renouveler après 10 minutes si besoin ; au plus 8 par jour", "3 mois"},
					{"CÉTIRIZINE 10 mg, comprimé sécable", "1 comprimé le soir au coucher", "1 mois"},
					{"MÉLATONINE LP 2 mg, comprimé à libération prolongée", "1 comprimé une à deux heures avant le coucher, après un repas", "21 jours"},
				}}},
			{heading: "Dispositif médical", paragraphs: []string{
				"• Chambre d’inhalation pour adulte, avec embout buccal : une unité."}},
			{heading: "Recommandations au patient", paragraphs: []string{
				"Ne pas dépasser les doses indiquées. En cas de gêne qui ne cède pas après deux bouffées de salbutamol répétées à dix minutes, appeler le 15 ou le 112.",
				"Allergie connue à l’amoxicilline : en informer tout professionnel de santé.",
				"Hygiène du sommeil : horaires réguliers, pas d’écran dans l’heure qui précède le coucher, pas de caféine après quatorze heures."}},
			{heading: "Mentions", paragraphs: []string{
				"Ordonnance à renouveler une fois. Substitution possible par un médicament générique. Aucun produit relevant d’une affection de longue durée.",
				"Prescription établie après consultation et examen de la patiente ; l’absence d’interaction avec les traitements connus a été vérifiée."}},
		},
		closing: "Quatre médicaments et un dispositif prescrits.",
	}
}

func maskedOfAlix() report {
	return report{
		title:   "Compte rendu de consultation – santé sexuelle et contraception",
		service: "Médecine générale",
		sections: []section{
			{heading: "Motif", paragraphs: []string{
				"Consultation à la demande de la patiente, pour un choix de contraception et un dépistage. Elle souhaite que cette consultation reste discrète et indique qu’elle masquera le document."}},
			{heading: "Entretien", paragraphs: []string{
				"Antécédents gynécologiques sans particularité. Pas de facteur de risque vasculaire, pas de migraine avec aura, pas de tabac. Cycles réguliers de 28 jours. Dernier frottis de 2023, normal.",
				"Information donnée sur l’ensemble des méthodes, leur efficacité en vie réelle et leurs effets indésirables. Temps de réflexion laissé."}},
			{heading: "Examen et dépistage", paragraphs: []string{
				"Pression artérielle 116 / 72 mmHg, poids 63 kg. Examen clinique normal.",
				"• Sérologies VIH, hépatites B et C, syphilis prescrites, avec information sur les modalités de rendu.",
				"• Recherche de Chlamydia et de gonocoque par auto-prélèvement, remise du kit."}},
			{heading: "Décision", paragraphs: []string{
				"Pose d’un dispositif intra-utérin au cuivre programmée dans quinze jours, après résultat des dépistages. Conduite à tenir en cas de rapport non protégé rappelée ; contraception d’urgence expliquée.",
				"Vaccination contre les papillomavirus : schéma complet en 2008, rien à prévoir."}},
			{heading: "Suivi", paragraphs: []string{
				"Rendez-vous de pose fixé. Contrôle quatre à six semaines après la pose. La patiente peut joindre le secrétariat pour toute question ; elle dispose des numéros utiles."}},
		},
		closing: "Consultation réalisée seule avec la patiente.",
	}
}

func pathologyOfAlix() report {
	return report{
		title:   "Compte rendu d’anatomie et de cytologie pathologiques",
		service: "Hôpital de jour",
		sections: []section{
			{heading: "Renseignements cliniques", paragraphs: []string{
				"Exérèse d’une lésion pigmentée du dos, découverte lors d’un examen en hôpital de jour. Lésion de 7 mm, asymétrique, à bords irréguliers. Ce résultat doit être annoncé à la patiente en consultation ; il reste invisible pour elle jusque-là."}},
			{heading: "Examen macroscopique", paragraphs: []string{
				"Fuseau cutané de 22 × 10 × 6 mm, orienté par un fil à 12 heures. Lésion brune centrale de 7 × 5 mm, à 4 mm de la berge la plus proche. Inclusion en totalité, cinq cassettes."}},
			{heading: "Examen microscopique", paragraphs: []string{
				"Prolifération mélanocytaire asymétrique, à composante jonctionnelle lentigineuse et thécale, avec ascension pagétoïde. Atteinte du derme papillaire par des mélanocytes atypiques. Indice de Breslow : 0,5 mm. Pas d’ulcération. Moins d’une mitose par mm². Pas d’embole vasculaire, pas d’engainement périnerveux.",
				"Immunohistochimie : Melan-A et SOX10 positifs ; HMB45 positif sur toute l’épaisseur ; Ki67 inférieur à 5 %."}},
			{heading: "Éléments du compte rendu standardisé", table: table{
				header: []string{"Élément", "Valeur"}, widths: []float64{0.5, 0.5},
				rows: [][]string{
					{"Type histologique", "Mélanome superficiel extensif"},
					{"Indice de Breslow", "0,5 mm"},
					{"Ulcération", "Absente"},
					{"Marge latérale minimale", "4 mm"},
					{"Marge profonde", "3 mm"},
					{"Stade pTNM (AJCC, 8e édition)", "pT1a"},
				}}},
			{heading: "Conclusion", paragraphs: []string{
				"Mélanome superficiel extensif, Breslow 0,5 mm, sans ulcération, classé pT1a. Exérèse complète sur ce prélèvement ; une reprise des marges selon les recommandations est à discuter en réunion de concertation pluridisciplinaire.",
				"Annonce prévue en consultation dédiée, avec l’infirmière d’annonce."}},
		},
		closing: "Résultat communiqué par téléphone au service demandeur.",
	}
}

func psychiatryOfAlix() report {
	return report{
		title:   "Synthèse psychiatrique",
		service: "Psychiatrie adulte – consultation",
		sections: []section{
			{heading: "Contexte", paragraphs: []string{
				"Patiente suivie en consultation pendant six mois à la suite d’un épisode dépressif caractérisé d’intensité moyenne, survenu dans un contexte de surcharge professionnelle. Cette synthèse est rédigée à la fin du suivi, avec son accord."}},
			{heading: "Évolution", paragraphs: []string{
				"À l’entrée dans le suivi : tristesse, anhédonie, insomnie d’endormissement, fatigue, difficultés de concentration. Pas d’idée suicidaire à aucun moment. Score PHQ-9 initial à 15.",
				"Une psychothérapie de soutien puis une thérapie cognitive et comportementale (douze séances) ont été conduites, sans traitement antidépresseur, choix partagé avec la patiente. Un arrêt de travail de cinq semaines a permis une reprise progressive.",
				"Au terme du suivi : humeur stable, sommeil réparateur, reprise des activités de loisir et du travail à temps plein. Score PHQ-9 à 3."}},
			{heading: "Échelles d’évaluation", table: table{
				header: []string{"Échelle", "Début", "3 mois", "6 mois"}, widths: []float64{0.4, 0.2, 0.2, 0.2},
				rows: [][]string{
					{"PHQ-9 (dépression)", "15", "8", "3"},
					{"GAD-7 (anxiété)", "11", "6", "4"},
					{"Index de sévérité de l’insomnie", "17", "9", "5"},
				}}},
			{heading: "Diagnostic retenu", paragraphs: []string{
				"Épisode dépressif unique, d’intensité moyenne, sans symptôme psychotique, en rémission complète."}},
			{heading: "Recommandations", paragraphs: []string{
				"• Poursuite des techniques apprises ; pas de traitement médicamenteux.",
				"• Signes d’alerte revus avec la patiente : trouble du sommeil de plus de deux semaines, perte d’envie, retrait.",
				"• Nouvelle consultation à la demande de la patiente ou de son médecin traitant."}},
		},
		closing: "Synthèse relue et acceptée par la patiente.",
	}
}

func vaccinationsOfAlix() report {
	shots := [][]string{
		{"1985-06-14", "Diphtérie, tétanos, coqueluche, poliomyélite", "Primovaccination, dose 1", "A1203", "Médecin"},
		{"1985-07-19", "Diphtérie, tétanos, coqueluche, poliomyélite", "Primovaccination, dose 2", "A1288", "Médecin"},
		{"1985-08-23", "Diphtérie, tétanos, coqueluche, poliomyélite", "Primovaccination, dose 3", "A1340", "Médecin"},
		{"1986-10-10", "Diphtérie, tétanos, coqueluche, poliomyélite", "Premier rappel", "B0417", "Médecin"},
		{"1986-05-16", "Rougeole, oreillons, rubéole", "Dose 1", "R2231", "PMI"},
		{"1996-09-06", "Rougeole, oreillons, rubéole", "Dose 2", "R7702", "Médecin"},
		{"1991-04-19", "Diphtérie, tétanos, poliomyélite", "Rappel", "D3390", "Médecin"},
		{"1996-11-08", "Hépatite B", "Schéma complet, dose 3", "H1187", "Santé scolaire"},
		{"2008-03-28", "Papillomavirus humains", "Schéma complet, dose 3", "P0021", "Médecin"},
		{"2010-04-23", "Diphtérie, tétanos, coqueluche, poliomyélite", "Rappel à 25 ans", "T5521", "Médecin"},
		{"2021-05-28", "COVID-19 (ARN messager)", "Dose 1", "EX8680", "Centre de vaccination"},
		{"2021-07-09", "COVID-19 (ARN messager)", "Dose 2", "FD7958", "Centre de vaccination"},
		{"2024-10-18", "Grippe saisonnière", "Dose annuelle", "U3J201V", "Pharmacien"},
	}
	for i := range shots {
		shots[i][0] = frenchDay(shots[i][0])
	}
	return report{
		title:   "Historique des vaccinations",
		service: "Vaccination en officine",
		sections: []section{
			{heading: "Origine des informations", paragraphs: []string{
				"Historique reconstitué à l’officine à partir du carnet de santé et du carnet de vaccination présentés par la patiente, et des injections réalisées sur place."}},
			{heading: "Vaccinations", loinc: "11369-6", table: table{
				header: []string{"Date", "Maladies visées", "Dose", "Lot", "Réalisée par"}, widths: []float64{0.14, 0.38, 0.22, 0.12, 0.14},
				rows: shots}},
			{heading: "Recommandations", loinc: "18776-5", paragraphs: []string{
				"Rappel diphtérie, tétanos, coqueluche, poliomyélite à 45 ans. Vaccination antigrippale recommandée chaque automne (asthme)."}},
		},
		closing: "Certificat établi à la demande de la patiente.",
	}
}

func directivesOfAlix() report {
	return report{
		title: "Mes directives anticipées",
		sections: []section{
			{heading: "Qui je suis", paragraphs: []string{
				"Je soussignée Alix MERCIER, majeure, énonce ci-dessous mes directives anticipées, pour le cas où je ne serais plus en état de m’exprimer. Je n’ai ni maladie grave connue ni handicap à la date où j’écris."}},
			{heading: "Ma personne de confiance", paragraphs: []string{
				"J’ai désigné une personne de confiance ; elle a un exemplaire de ce document et connaît mes volontés. Son nom et son téléphone sont sur la feuille jointe à mon carnet de santé."}},
			{heading: "Mes volontés sur les traitements", paragraphs: []string{
				"• Si je suis dans le coma sans espoir raisonnable de reprendre conscience, je ne veux pas que l’on entreprenne ou poursuive une respiration artificielle prolongée.",
				"• Je demande que l’on n’entreprenne pas de réanimation cardiaque et respiratoire si elle ne devait aboutir qu’au maintien artificiel de la vie.",
				"• J’accepte une alimentation et une hydratation artificielles pendant le temps nécessaire pour savoir si un retour est possible.",
				"• Je demande que ma douleur soit soulagée dans tous les cas, même si les traitements ont pour effet d’abréger ma vie, y compris par une sédation profonde et continue."}},
			{heading: "Ce qui compte pour moi", paragraphs: []string{
				"Je souhaite, si c’est possible, finir ma vie chez moi et entourée de mes proches. Je ne suis pas opposée au don d’organes. J’aimerais que l’on fasse jouer de la musique dans ma chambre.",
				"Je sais que je peux changer ou annuler ces directives à tout moment, que le médecin doit les respecter sauf urgence vitale le temps d’évaluer la situation ou si elles sont manifestement inappropriées, et qu’elles n’ont pas de limite de durée."}},
			{heading: "Conservation", paragraphs: []string{
				"Je demande que ces directives soient conservées dans mon dossier médical partagé et accessibles aux professionnels qui me soignent. J’en ai remis une copie à mon médecin traitant."}},
		},
		closing: "Fait pour valoir ce que de droit.",
	}
}

func refundsOfAlix() report {
	return report{
		title:   "Données de remboursement des douze derniers mois",
		service: "Alimentation automatique",
		sections: []section{
			{heading: "Période", paragraphs: []string{
				"Soins et produits de santé remboursés par l’assurance maladie obligatoire, toutes situations confondues. Ce relevé n’est pas un document médical et n’a pas de valeur de facture."}},
			{heading: "Soins médicaux et dentaires", table: table{
				header: []string{"Mois", "Nature", "Professionnel", "Nombre"}, widths: []float64{0.15, 0.45, 0.28, 0.12},
				rows: [][]string{
					{"M-1", "Consultation de médecine générale", "Médecin généraliste", "1"},
					{"M-1", "Hospitalisation complète, deux jours", "Établissement public", "1"},
					{"M-3", "Consultation de médecine générale", "Médecin généraliste", "1"},
					{"M-5", "Détartrage", "Chirurgien-dentiste", "1"},
					{"M-8", "Consultation d’ophtalmologie", "Ophtalmologiste", "1"},
					{"M-11", "Consultation de médecine générale", "Médecin généraliste", "2"},
				}}},
			{heading: "Médicaments et dispositifs délivrés", table: table{
				header: []string{"Mois", "Produit", "Nombre"}, widths: []float64{0.15, 0.7, 0.15},
				rows: [][]string{
					{"M-1", "Budésonide 200 µg, poudre pour inhalation", "1"},
					{"M-1", "Salbutamol 100 µg, suspension pour inhalation", "1"},
					{"M-2", "Budésonide 200 µg, poudre pour inhalation", "1"},
					{"M-4", "Budésonide 200 µg, poudre pour inhalation", "1"},
					{"M-5", "Paracétamol 500 mg, comprimé", "2"},
					{"M-6", "Chambre d’inhalation", "1"},
					{"M-9", "Verres correcteurs, paire", "1"},
				}}},
			{heading: "Biologie et imagerie", table: table{
				header: []string{"Mois", "Acte", "Nombre"}, widths: []float64{0.15, 0.7, 0.15},
				rows: [][]string{
					{"M-1", "Hémogramme, ionogramme, CRP", "1"},
					{"M-1", "Radiographie du thorax", "1"},
					{"M-7", "Dosage de la vitamine D", "1"},
				}}},
		},
		closing: "Relevé produit automatiquement.",
	}
}
