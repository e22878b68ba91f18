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
				FR: "Raison écrite, de 10 à 500 caractères, dont dix lettres ou chiffres. Elle est conservée et montrée à qui demande l’état du dossier.",
				EN: "Written reason, of 10 to 500 characters, ten of them letters or digits. It is kept, and shown to whoever asks for the state of the record.",
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
	{
		Name: "expliquer", ID: "dmp-expliquer", On: "DocumentReference", Instance: true, Reads: true,
		Title: Text{FR: "Expliquer qui peut lire un document", EN: "Explain who may read a document"},
		About: Text{
			FR: "Dit, au patient et à un médecin traitant qui lisent ce document, qui d’autre peut le lire et selon quelle règle : les personnes et les structures que le dossier nomme, les autres professionnels par profession, les accès d’urgence. Chaque ligne est une décision des règles elles-mêmes. Pour tout autre appelant, il n’y a pas de tel document. La demande figure dans l’historique.",
			EN: "Tells the patient, and a médecin traitant, who read this document, who else may read it and by which rule: the persons and structures that the record names, other professionals by profession, emergency accesses. Each line is a decision of the rules themselves. For any other caller there is no such document. The request is shown in the history.",
		},
		Params: []OperationParam{
			{Name: "document", Type: "Reference", Min: 1, Out: true, About: Text{FR: "Le document expliqué.", EN: "The document that is explained."}},
			{Name: "lecteur", Min: 1, Many: true, Out: true, About: Text{
				FR: "Une personne, une structure ou un groupe. Un professionnel se trouve à la ligne de sa personne dans sa structure ; à défaut, à la plus large de celle de sa personne et de celle de sa structure ; à défaut, à celle de tout autre professionnel.",
				EN: "A person, a structure or a group. A professional finds themself by the line of their person in their structure; without one, by the wider of that of their person and that of their structure; without these, by that of any other professional.",
			}, Parts: []OperationParam{
				{Name: "qualite", Type: "code", Min: 1, About: Text{FR: "Ce qui fait cette ligne : patient, medecin-traitant, professionnel-autorise, structure-bloquee, autre-professionnel, bris-de-glace…", EN: "What makes this line: patient, medecin-traitant, professionnel-autorise, structure-bloquee, autre-professionnel, bris-de-glace…"}},
				{Name: "personne", Type: "Reference", About: Text{FR: "La personne, si la ligne en nomme une.", EN: "The person, where the line names one."}},
				{Name: "structure", Type: "Reference", About: Text{FR: "La structure d’exercice, si la ligne en nomme une.", EN: "The structure in which they act, where the line names one."}},
				{Name: "equipe", Type: "Reference", About: Text{FR: "L’équipe de soins, si la ligne en vient.", EN: "The care team, where the line comes from one."}},
				{Name: "profession", Type: "Coding", Many: true, About: Text{FR: "Les professions dont parle la ligne ; sans elles, toutes.", EN: "The professions that the line is about; without them, all."}},
				{Name: "matrice", Type: "code", About: Text{FR: "allow ou deny : la ligne vaut pour les professions à qui la matrice permet ce type de document, ou ne le permet pas ; sans elle, pour toutes.", EN: "allow or deny: the line holds for professions that the matrix allows this type of document, or does not; without it, for all."}},
				{Name: "lit", Type: "code", Min: 1, About: Text{FR: "entier, metadonnees ou rien.", EN: "entier (whole), metadonnees (metadata) or rien (nothing)."}},
				{Name: "regle", Type: "string", Many: true, About: Text{FR: "Les règles qui décident (docs/regles.md) ; aucune quand nulle règle ne permet.", EN: "The rules that decide (docs/regles.md); none where no rule permits."}},
				{Name: "phrase", Type: "string", Min: 1, About: Text{FR: "La ligne, en une phrase, dans la langue de la réponse.", EN: "The line in a sentence, in the language of the answer."}},
			}},
		},
	},
	generation,
	validation("Patient", true),
	validation("DocumentReference", true),
	validation("List", true),
	validation("Consent", true),
	validation("CareTeam", true),
	validation("RelatedPerson", true),
	validation("Provenance", true),
	validation("AuditEvent", false),
	validation("Binary", false),
	validation("Bundle", false),
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
