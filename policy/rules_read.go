package policy

import (
	"opendmp/auth"
	"opendmp/fhir"
)

// rulesOfCallers concern who calls, whatever for.
var rulesOfCallers = []rule{
	{
		id: "L01",
		sentence: fhir.Text{
			FR: "Un appelant non identifié ne lit rien.",
			EN: "An unidentified caller reads nothing."},
		source: "POLICY §2",
		on:     everything,
		class:  Forbidden,
		judge:  func(c Case) Effect { return refuseIf(c.Kind == auth.Nobody || c.Kind > auth.Operator) },
	},
	{
		id: "1.operateur",
		sentence: fhir.Text{
			FR: "L’opérateur fait fonctionner le serveur et ne voit aucun contenu clinique.",
			EN: "The operator runs the server and sees no clinical content."},
		source: "POLICY §1",
		on:     everything,
		class:  Forbidden,
		judge:  func(c Case) Effect { return refuseIf(c.Kind == auth.Operator) },
	},
	{
		id: "1.AIR",
		sentence: fhir.Text{
			FR: "Un professionnel dont un établissement répond (AIR, paramètre air) est un professionnel, jamais dans un mode d’urgence.",
			EN: "A professional vouched for by an establishment (AIR, setting air) is a professional, never in an emergency mode."},
		source: "POLICY §1; DOMAIN §5.3",
		on:     everything,
		class:  Forbidden,
		judge: func(c Case) Effect {
			return refuseIf(c.Vouched && (!c.Options.AIR || c.Mode != auth.Normal || c.Act == ActEmergency))
		},
	},
	{
		id: "1.administratif",
		sentence: fhir.Text{
			FR: "Un agent administratif dépose et retrouve les documents de son établissement ; il n’en est pas l’auteur et ne les change pas.",
			EN: "Administrative staff push and find the documents of their establishment; they are not its author and change nothing of them."},
		source: "POLICY §1, L13; DOMAIN §5.3",
		on:     changes,
		class:  Forbidden,
		judge:  func(c Case) Effect { return refuseIf(c.Kind == auth.Administrative) },
	},
	{
		id: "7.autre",
		sentence: fhir.Text{
			FR: "Un patient ou un représentant qui désigne un autre dossier que le sien est refusé, que ce dossier existe ou non.",
			EN: "A patient or representative who names a dossier that is not theirs is refused, whether it exists or not."},
		source: "POLICY §7",
		on:     everything &^ on(ActPatch),
		class:  Forbidden,
		judge:  func(c Case) Effect { return refuseIf(c.patientKind() && !c.Holder) },
	},
	{
		id: "5.motif",
		sentence: fhir.Text{
			FR: "Un bris de glace demande une circonstance codée et un motif écrit de 10 à 500 caractères, dont dix lettres ou chiffres.",
			EN: "Break-glass asks for a coded circumstance and a written reason of 10 to 500 characters, ten of them letters or digits."},
		source: "POLICY §5; CSP L.1111-17 I",
		on:     on(ActEmergency),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "La circonstance ou le motif écrit (10 à 500 caractères, dont dix lettres ou chiffres) n’est pas valable.",
			EN: "The circumstance or the written reason (10 to 500 characters, ten of them letters or digits) is not valid."},
		// Before all that the dossier decides, so that it gives nothing away.
		judge: func(c Case) Effect { return refuseIf(!c.Justified) },
	},
}

// rulesOfReading are POLICY §2, §6 and what §7 says of searches.
var rulesOfReading = []rule{
	{
		id: "L12",
		sentence: fhir.Text{
			FR: "En centre 15, un médecin régulateur n’a pas besoin d’autorisation, sauf opposition du patient.",
			EN: "In centre_15 a regulator needs no authorisation, unless the patient opposed."},
		source: "DOMAIN §5.1; CSP L.1111-17 I; POLICY §7",
		// Before all that a dossier decides: the answer is that of none.
		on:    readings | on(ActReadList, ActReadProvenance, ActReadStatus, ActHistory, ActEmergency),
		class: Hidden,
		judge: func(c Case) Effect { return refuseIf(c.Kind == auth.Regulator && c.OpposedC15) },
	},
	{
		id:     "L12",
		source: "POLICY §7",
		on:     additions | on(ActConsent, ActWithdraw, ActTeam, ActNarrowTeam),
		class:  Unprocessable,
		told:   noWriting,
		judge:  func(c Case) Effect { return refuseIf(c.Kind == auth.Regulator && c.OpposedC15) },
	},
	{
		id: "L02",
		sentence: fhir.Text{
			FR: "Dans un dossier fermé, personne ne lit de document ; dans un dossier détruit, rien n’existe.",
			EN: "In a closed dossier nobody reads documents; in a destroyed one nothing exists."},
		source: "DOMAIN §6",
		on:     readings | on(ActReadList, ActReadProvenance, ActReadStatus, ActHistory, ActEmergency),
		class:  Hidden,
		judge:  func(c Case) Effect { return refuseIf(c.State != Active && c.State != Closed) },
	},
	{
		id:     "L02",
		source: "DOMAIN §6",
		on:     on(ActRead, ActReadList, ActReadProvenance, ActSearch, ActEmergency),
		class:  Forbidden,
		judge:  func(c Case) Effect { return refuseIf(c.State == Closed) },
	},
	{
		id:     "L02",
		source: "DOMAIN §6; POLICY G03",
		// The patient still sees the state of a closed dossier.
		on:    on(ActReadPatient, ActReadConsent, ActReadRelated, ActReadTeam, ActSearchConsent, ActSearchRelated, ActSearchTeam),
		class: Forbidden,
		judge: func(c Case) Effect { return refuseIf(c.State == Closed && !c.holder()) },
	},
	{
		id: "L03",
		sentence: fhir.Text{
			FR: "Le patient lit tous les documents de son dossier,",
			EN: "The patient reads every document of their dossier,"},
		source: "POLICY §2",
		on:     on(ActRead, ActSearch),
		judge:  func(c Case) Effect { return permitIf(c.Kind == auth.Patient && c.Holder) },
	},
	{
		id: "L04",
		sentence: fhir.Text{
			FR: "sauf ceux qui lui sont rendus invisibles.",
			EN: "except those hidden from the patient."},
		source: "DOMAIN §3.2; CSP R.1111-53",
		on:     on(ActRead),
		judge:  func(c Case) Effect { return refuseIf(c.patientKind() && c.Hidden) },
	},
	{
		id: "L05",
		sentence: fhir.Text{
			FR: "Un représentant lit ce que lit le patient, sauf ce qui est invisible aux représentants ; la représentation d’un mineur prend fin à sa majorité, toute autre avec sa période.",
			EN: "A representative reads what the patient reads, except what is hidden from representatives; representation of a minor ends at majority, any other with its period."},
		source: "DOMAIN §3.2",
		on:     on(ActRead, ActSearch),
		class:  Forbidden,
		judge: func(c Case) Effect {
			if c.Kind != auth.Representative {
				return Silent
			}
			if !c.Holder || c.Act == ActRead && c.HiddenReps {
				return Refuse
			}
			return Permit
		},
	},
	{
		id: "L06",
		sentence: fhir.Text{
			FR: "Un professionnel, en mode normal, lit si son autorisation est VALIDE,",
			EN: "A professional in normal mode reads if their authorisation is VALIDE,"},
		source: "DOMAIN §5.2; CSP L.1111-17 III",
		on:     on(ActRead, ActSearch, ActReadPatient),
		judge: func(c Case) Effect {
			return permitIf(c.professional() && c.Mode == auth.Normal && c.Authorisation == Valide)
		},
	},
	{
		id: "L06a",
		sentence: fhir.Text{
			FR: "Un médecin traitant n’a besoin d’aucune autre autorisation, et la matrice ne réduit pas ce qu’il lit.",
			EN: "A médecin traitant needs no other authorisation, and the matrix does not narrow what they read."},
		source: "CSP L.1111-16",
		on:     on(ActRead, ActSearch, ActReadPatient),
		judge:  func(c Case) Effect { return permitIf(c.professional() && c.Mode == auth.Normal && c.MT) },
	},
	{
		id: "L07",
		sentence: fhir.Text{
			FR: "et la matrice permet à sa profession ce type de document,",
			EN: "and the matrix allows their profession that document type,"},
		source: "DOMAIN §4; arrêté du 26 octobre 2023",
		on:     on(ActRead),
		judge: func(c Case) Effect {
			allowed := c.Cell == Allow && c.Group != UnknownType && (!c.Student || c.Options.Students)
			switch {
			case !c.carer() || allowed || c.MT:
				return Silent
			case !c.Mine:
				return Refuse
			case c.Authorisation == Valide: // L09: whatever the matrix says
				return Silent
			}
			return Limit
		},
	},
	{
		id: "L08",
		sentence: fhir.Text{
			FR: "et si le document n’est pas masqué, à moins d’en être l’auteur, d’exercer dans la structure qui l’a déposé ou d’être médecin traitant du dossier.",
			EN: "and the document is not masked, unless they are its author, act in the structure that deposited it, or are a médecin traitant of the dossier."},
		source: "DOMAIN §3.2; CSP R.1111-49",
		on:     on(ActRead),
		judge: func(c Case) Effect {
			return refuseIf(c.carer() && (c.Masked || c.MaskAll) && !c.Mine && !c.Deposited && !c.MT)
		},
	},
	{
		id: "L09",
		sentence: fhir.Text{
			FR: "Sans autorisation VALIDE, l’auteur trouve les métadonnées de ses propres documents ; le contenu demande VALIDE.",
			EN: "Without VALIDE an author finds the metadata of their own documents; the content needs VALIDE."},
		source: "DOMAIN §2.8, §3.2",
		on:     on(ActRead, ActSearch),
		judge: func(c Case) Effect {
			if c.carer() && c.Act == ActRead && c.Mine || c.professional() && c.Act == ActSearch && c.ByIdentifier {
				return PermitBrief
			}
			return Silent
		},
	},
	{
		id: "L10",
		sentence: fhir.Text{
			FR: "Un professionnel bloqué par le patient ne lit rien, dans aucun mode.",
			EN: "A professional whom the patient blocked reads nothing, in any mode."},
		source: "DOMAIN §5.2",
		on:     readings | changes | keeping | on(ActReadList, ActReadProvenance, ActHistory, ActEmergency, ActReopen, ActAddRelated),
		class:  Forbidden,
		judge:  func(c Case) Effect { return refuseIf(c.Blocked && !c.patientKind()) },
	},
	{
		id: "L11",
		sentence: fhir.Text{
			FR: "En bris de glace, aucune autorisation n’est nécessaire si un accès d’urgence est ouvert à cet appelant sur ce dossier ; ce que le patient a masqué reste masqué.",
			EN: "In bris_de_glace no authorisation is needed, if an emergency grant is open for this caller and this dossier; what the patient masked stays masked."},
		source: "DOMAIN §5.1; CSP L.1111-17 I",
		on:     on(ActRead, ActSearch, ActReadPatient),
		judge: func(c Case) Effect {
			return permitIf(c.professional() && c.Mode == auth.BrisDeGlace && c.Grant && !c.OpposedBTG)
		},
	},
	{
		id:     "L12",
		source: "DOMAIN §5.1; CSP L.1111-17 I",
		on:     on(ActRead, ActSearch, ActReadPatient),
		judge:  func(c Case) Effect { return permitIf(c.Kind == auth.Regulator && c.Mode == auth.Centre15) },
	},
	{
		id: "L13",
		sentence: fhir.Text{
			FR: "Un établissement, un agent administratif ou l’assurance maladie ne lit que les métadonnées de ses propres documents.",
			EN: "Establishment, administrative and insurance-feeder callers read only the metadata of their own documents."},
		source: "DOMAIN §5.3",
		on:     on(ActRead, ActSearch),
		judge: func(c Case) Effect {
			switch {
			case !c.system():
				return Silent
			case c.Act == ActRead && !c.Mine:
				return Refuse
			}
			return PermitBrief
		},
	},
	{
		id: "L14",
		sentence: fhir.Text{
			FR: "Assureurs, complémentaires, banques et employeurs ne lisent jamais ; le médecin du travail agissant comme tel non plus (paramètre occupational-physician), ou alors par une autorisation personnelle et expresse.",
			EN: "Insurers, complementary insurers, banks and employers never read; an occupational physician acting as such does not either (setting occupational-physician), or by a personal, express authorisation only."},
		source: "DOMAIN §4.1; CSP L.1111-17 IV",
		on:     on(ActRead, ActSearch, ActSearchTraits, ActReadPatient, ActHistory, ActEmergency, ActNameMT),
		class:  Forbidden,
		judge: func(c Case) Effect {
			express := c.Options.OccupationalByConsent && c.Authorisation == Valide && c.Personal &&
				c.Mode == auth.Normal && c.Act != ActEmergency && c.Act != ActNameMT
			return refuseIf(c.Occupational && !express)
		},
	},
	{
		id: "L15",
		sentence: fhir.Text{
			FR: "Un document supprimé n’existe plus pour personne ; remplacé ou archivé, il suit les règles d’un document courant.",
			EN: "A deleted document is gone for everyone; a superseded or archived one follows the rules of a current one."},
		source: "DOMAIN §3.2",
		on:     on(ActRead, ActReadList),
		judge:  func(c Case) Effect { return refuseIf(c.Status != Current && c.Status != Superseded) },
	},
	{
		id: "L16",
		sentence: fhir.Text{
			FR: "Un document d’un type inconnu de la matrice n’est lu que par son auteur et par le patient.",
			EN: "A document whose type the matrix does not know is read by its author and the patient only."},
		source: "POLICY §2 (choix)",
		on:     on(ActRead),
		judge:  func(c Case) Effect { return refuseIf(c.Group == UnknownType && !c.Mine && !c.holder()) },
	},
	{
		id: "L17",
		sentence: fhir.Text{
			FR: "Une liste est lue par qui peut lire au moins un document qu’elle nomme ; une liste qui ne nomme que des documents cachés n’existe pas.",
			EN: "A List is read by whom may read at least one document it names; a list that names only hidden documents does not exist."},
		source: "POLICY §2 (choix)",
		on:     on(ActReadList),
		judge: func(c Case) Effect {
			if !c.Sees {
				return Refuse
			}
			return Permit
		},
	},
	{
		id: "L18",
		sentence: fhir.Text{
			FR: "Si le patient a tout masqué, chaque document compte comme masqué, dans tous les modes ; les médecins traitants gardent l’accès (paramètre masquage-total-mt).",
			EN: "If the patient hid everything, every document counts as masked, in every mode; médecins traitants keep access (setting masquage-total-mt)."},
		source: "POLICY §2 (Mon espace santé)",
		on:     on(ActRead),
		judge: func(c Case) Effect {
			return refuseIf(c.carer() && c.MaskAll && c.MT && !c.Mine && !c.Deposited && !c.Options.MaskAllSparesMT)
		},
	},
	{
		id: "6.Patient",
		sentence: fhir.Text{
			FR: "La ressource Patient entière est lue par le patient et par qui peut lire le dossier.",
			EN: "The full Patient resource is read by the patient and those who may read the dossier."},
		source: "POLICY §6",
		on:     on(ActReadPatient),
		judge:  func(c Case) Effect { return permitIf(c.holder()) },
	},
	{
		id: "6.TD0.2",
		sentence: fhir.Text{
			FR: "L’existence, l’état et son propre statut sont répondus à tout professionnel, établissement ou agent administratif identifié et à l’assurance maladie, dossier ouvert ou fermé.",
			EN: "Existence, state and one's own status are answered to any identified professional, establishment or administrative caller and to the health insurance, open or closed."},
		source: "POLICY §6; DOMAIN §2.8",
		on:     on(ActReadStatus),
		judge: func(c Case) Effect {
			return permitIf(c.carer() || c.system() || c.holder())
		},
	},
	{
		id: "5.traits",
		sentence: fhir.Text{
			FR: "Un médecin régulateur, en centre 15, cherche un dossier par les traits d’identité ; tout autre appelant ne cherche que par l’INS exact.",
			EN: "A regulator in centre_15 searches a dossier by identity traits; any other caller searches by the exact INS only."},
		source: "POLICY §5, §6; DOMAIN §1.6",
		on:     on(ActSearchTraits),
		judge:  func(c Case) Effect { return permitIf(c.Kind == auth.Regulator && c.Mode == auth.Centre15) },
	},
	{
		id: "6.Consent",
		sentence: fhir.Text{
			FR: "Les consentements sont lus par le patient, son représentant et le médecin traitant ; un professionnel lit ceux qui le concernent, lui ou sa structure.",
			EN: "Consents are read by the patient, representative and médecin traitant; a professional reads those about themselves or their structure."},
		source: "POLICY §6",
		on:     on(ActReadConsent, ActSearchConsent),
		judge: func(c Case) Effect {
			own := c.AboutMe || c.Act == ActSearchConsent && c.Authorisation == Valide
			return permitIf(c.holder() || c.professional() && (c.MT || own))
		},
	},
	{
		id: "6.RelatedPerson",
		sentence: fhir.Text{
			FR: "Les représentants sont lus par le patient, son représentant et le médecin traitant.",
			EN: "RelatedPersons are read by the patient, representative and médecin traitant."},
		source: "POLICY §6",
		on:     on(ActReadRelated, ActSearchRelated),
		judge:  func(c Case) Effect { return permitIf(c.holder() || c.professional() && c.MT) },
	},
	{
		id: "6.Provenance",
		sentence: fhir.Text{
			FR: "Une Provenance est lue avec sa cible.",
			EN: "A Provenance is read with its target."},
		source: "POLICY §6",
		on:     on(ActReadProvenance),
		judge: func(c Case) Effect {
			if !c.Sees {
				return Refuse
			}
			return Permit
		},
	},
	{
		id: "G09",
		sentence: fhir.Text{
			FR: "L’historique des accès est lu par le patient, les médecins traitants et un représentant, sauf les événements des sessions secrètes.",
			EN: "The history of accesses is read by the patient, the médecins traitants and a representative, except events of secret sessions."},
		source: "POLICY §4; CSP L.1111-19",
		on:     on(ActHistory),
		class:  Forbidden,
		judge:  func(c Case) Effect { return permitIf(c.holder() || c.professional() && c.MT) },
	},
}
