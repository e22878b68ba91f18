package fhir

// operationTable is every operation of the server: the only source of their
// routes, of the parameters that they take, of OperationDefinition and of
// /metadata. It is never changed.
var operationTable = []OperationDef{
	{
		Name: "bris-de-glace", ID: "dmp-bris-de-glace", On: "Patient", Type: true, Instance: true,
		Title: Text{FR: "Bris de glace", EN: "Break-glass"},
		About: Text{
			FR: "Ouvre, pour le professionnel qui la demande et pour ce seul dossier, un accès d’urgence de durée limitée. Le patient et ses médecins traitants en sont toujours informés. Ce que le patient a masqué le reste. Refusée, en une seule formule, si le patient s’y est opposé, s’il a bloqué ce professionnel ou si le dossier est fermé.",
			EN: "Opens, for the professional who asks and for this one record, an emergency access of limited duration. The patient and their médecins traitants are always told. What the patient masked stays masked. It is refused, in one wording, when the patient opposed it, blocked this professional, or the record is closed.",
		},
		Params: []OperationParam{
			byINS,
			{Name: "circonstance", Type: "Coding", Min: 1, About: Text{
				FR: "Circonstance, du système urn:opendmp:circonstance-urgence : hors-etat-de-consentir.",
				EN: "The circumstance, of system urn:opendmp:circonstance-urgence: hors-etat-de-consentir.",
			}},
			{Name: "motif", Type: "string", Min: 1, About: Text{
				FR: "Motif écrit, de 10 à 500 caractères, dont dix lettres ou chiffres. Il figure dans l’historique du patient.",
				EN: "Written reason, of 10 to 500 characters, ten of them letters or digits. It is shown in the patient’s history.",
			}},
			{Name: "patient", Type: "Reference", Min: 1, Out: true, About: Text{FR: "Le patient du dossier.", EN: "The patient of the record."}},
			{Name: "consent", Type: "Reference", Min: 1, Out: true, About: Text{FR: "Le Consent de sorte acces-urgence qui vient d’être écrit.", EN: "The Consent of kind acces-urgence that was just written."}},
			{Name: "fin", Type: "instant", Min: 1, Out: true, About: Text{FR: "Fin de l’accès.", EN: "When the access ends."}},
		},
	},
	{
		Name: "fermer", ID: "dmp-fermer", On: "Patient", Type: true, Instance: true,
		Title: Text{FR: "Fermer le dossier", EN: "Close the record"},
		About: Text{
			FR: "Ferme le dossier : active=false et l’extension dmp-fermeture (date du jour, motif, raison), comme le ferait un PATCH du Patient et selon les mêmes règles. Plus personne n’y lit ni n’y dépose de document ; il est conservé dix ans et peut être rouvert. Le motif DECES inscrit aussi le décès.",
			EN: "Closes the record: active=false and the extension dmp-fermeture (today’s date, motive, reason), as a PATCH of the Patient would and by the same rules. From then on nobody reads or writes documents in it; it is kept for ten years and can be reactivated. The motive DECES records the death too.",
		},
		Params: []OperationParam{
			byINS,
			{Name: "motif", Type: "Coding", Min: 1, About: Text{
				FR: "Motif de fermeture, de dmp-motif-fermeture : patient-demande, DOUBLON ou DECES.",
				EN: "Motive of the closing, of dmp-motif-fermeture: patient-demande, DOUBLON or DECES.",
			}},
			{Name: "raison", Type: "string", Min: 1, About: Text{
				FR: "Raison écrite, de 10 à 500 caractères. Elle est conservée et montrée à qui demande l’état du dossier.",
				EN: "Written reason, of 10 to 500 characters. It is kept, and shown to whoever asks for the state of the record.",
			}},
			{Name: "date-deces", Type: "dateTime", About: Text{
				FR: "Date du décès, avec le motif DECES seulement.",
				EN: "Date of the death, with the motive DECES only.",
			}},
			patientOrOutcome,
		},
	},
	{
		Name: "reactiver", ID: "dmp-reactiver", On: "Patient", Type: true, Instance: true,
		Title: Text{FR: "Rouvrir un dossier fermé", EN: "Reactivate a closed record"},
		About: Text{
			FR: "Dans les dix ans de sa fermeture, rouvre le dossier avec tout ce qu’il contenait, autorisations, blocages et oppositions compris. Le patient le fait sans autre formalité ; un professionnel donne le consentement renouvelé du patient, enregistré dans la même écriture.",
			EN: "Within ten years of its closing, reactivates the record with all that it held, authorisations, blocks and oppositions included. The patient needs nothing else; a professional gives the renewed consent of the patient, which is recorded in the same write.",
		},
		Params: []OperationParam{
			byINS,
			{Name: "consentement", Type: "Consent", About: Text{
				FR: "Consent de sorte ouverture : qui consent (performer) et où l’accord est recueilli (source). Exigé d’un professionnel qui ne l’a pas déjà enregistré ce jour.",
				EN: "A Consent of kind ouverture: who consents (performer) and where the agreement is recorded (source). Asked of a professional who has not recorded it within the day.",
			}},
			patientOrOutcome,
		},
	},
	{
		Name: "detruire", ID: "dmp-detruire", On: "Patient", Type: true, Instance: true,
		Title: Text{FR: "Détruire le dossier", EN: "Destroy the record"},
		About: Text{
			FR: "Détruit tout le dossier, ouvert ou fermé, sans retour possible. Réservée au patient, ou au représentant d’un mineur, qui vient de donner un second facteur. Le dossier répond ensuite comme s’il n’avait jamais existé, et un autre peut être ouvert pour le même INS.",
			EN: "Destroys the whole record, open or closed, for good. For the patient, or the representative of a minor, who has just given a second factor. Afterwards the record answers as if it had never existed, and another one may be opened for the same INS.",
		},
		Params: []OperationParam{
			byINS,
			{Name: "confirmation", Type: "string", Min: 1, About: Text{
				FR: "L’INS du patient, saisi une seconde fois.",
				EN: "The INS of the patient, typed a second time.",
			}},
			outcomeOnly,
		},
	},
	{
		Name: "detruire", ID: "dmp-detruire-document", On: "DocumentReference", Instance: true,
		Title: Text{FR: "Détruire un document", EN: "Destroy a document"},
		About: Text{
			FR: "Détruit ce document, ses versions et son contenu, sans retour possible. Réservée au patient, ou au représentant d’un mineur, qui le voit et vient de donner un second facteur. Sa source ne peut pas le déposer de nouveau sous le même identifiant.",
			EN: "Destroys this document, its versions and its content, for good. For the patient, or the representative of a minor, who sees it and has just given a second factor. Its source cannot push it again under the same identifier.",
		},
		Params: []OperationParam{
			{Name: "confirmation", Type: "string", Min: 1, About: Text{
				FR: "L’identifiant technique (id) du document, répété.",
				EN: "The id of the document, repeated.",
			}},
			outcomeOnly,
		},
	},
}

// Parameters that operations share.
var (
	byINS = OperationParam{Name: "identifier", Type: "Identifier", About: Text{
		FR: "INS du patient. Exigé quand l’opération est appelée sur le type ; sur un Patient, il doit être le sien.",
		EN: "INS of the patient. Needed when the operation is called on the type; on a Patient it must be theirs.",
	}}
	patientOrOutcome = OperationParam{Name: "return", Type: "Resource", Min: 1, Out: true, About: Text{
		FR: "Le Patient, tel que l’appelant peut alors le lire ; sinon un OperationOutcome.",
		EN: "The Patient, as the caller may then read it; otherwise an OperationOutcome.",
	}}
	outcomeOnly = OperationParam{Name: "return", Type: "OperationOutcome", Min: 1, Out: true, About: Text{
		FR: "L’accusé de la destruction.",
		EN: "The receipt of the destruction.",
	}}
)
