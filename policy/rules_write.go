package policy

import (
	"opendmp/auth"
	"opendmp/fhir"
)

// labelChanges are the acts that set or lift one visibility flag.
const labelChanges = 1<<ActMask | 1<<ActUnmask | 1<<ActHide | 1<<ActShow | 1<<ActHideReps | 1<<ActShowReps

// noWriting is the one wording of a write where there is no dossier to write to, or
// as if there were none (POLICY §7).
var noWriting = fhir.Text{
	FR: "Le patient n’est pas identifié ou son dossier n’accepte pas d’écriture.",
	EN: "The patient is not identified or their dossier accepts no writing."}

// rulesOfWriting are POLICY §3.
var rulesOfWriting = []rule{
	{
		id: "E14",
		sentence: fhir.Text{
			FR: "Aucun document n’est écrit dans un dossier fermé ou détruit.",
			EN: "No document is written to a closed or destroyed dossier."},
		source: "DOMAIN §6",
		on:     additions | changes,
		class:  Unprocessable,
		told:   noWriting,
		judge:  func(c Case) Effect { return refuseIf(c.State != Active) },
	},
	{
		id: "E01",
		sentence: fhir.Text{
			FR: "Un professionnel ou un établissement ajoute des documents à un dossier ouvert, qu’il puisse le lire ou non (paramètre alimentation-sur-autorisation) ; un établissement, par décision de sa CME.",
			EN: "A professional or an establishment adds documents to an open dossier whether or not they may read it (setting alimentation-sur-autorisation); an establishment, by decision of its CME."},
		source: "DOMAIN §4.2, §5.2",
		on:     additions,
		class:  Forbidden,
		judge: func(c Case) Effect {
			switch {
			case !c.professional() && c.Kind != auth.Establishment && c.Kind != auth.Administrative:
				return Silent
			case c.Options.FeedByAuthorisation && (c.Authorisation != Valide && !c.treating() || c.Blocked && c.professional()):
				return Refuse // INTERDIT covers VALIDE, but for an establishment's push (E02)
			}
			return Permit
		},
	},
	{
		id:     "E01",
		source: "POLICY §3",
		on:     additions,
		class:  Forbidden,
		told: fhir.Text{
			FR: "L’alimentation automatique par un établissement demande la décision de sa CME (commission médicale d’établissement) : l’exploitant l’enregistre avec les identifiants de l’établissement (paramètre etablissements).",
			EN: "Automatic feeding by an establishment needs the decision of its CME: the operator registers it with the identifiers of the establishment (setting etablissements)."},
		aside: true,
		judge: func(c Case) Effect { return refuseIf(c.Kind == auth.Establishment && !c.CMEDecided) },
	},
	{
		id: "E02",
		sentence: fhir.Text{
			FR: "sauf si le patient s’est opposé à l’alimentation par lui. Le blocage ferme la lecture ; il ne ferme l’écriture que par le paramètre blocage-interdit-alimentation, et jamais l’envoi d’un établissement.",
			EN: "Not if the patient opposed feeding by them. Blocking closes reading; it closes writing only with setting blocage-interdit-alimentation, and never an establishment's push."},
		source: "CSP R.1111-47",
		on:     additions,
		class:  Forbidden,
		judge: func(c Case) Effect {
			blocked := c.Blocked && c.Options.BlockForbidsFeeding && (c.carer() || c.Kind == auth.InsuranceFeeder)
			return refuseIf(!c.patientKind() && c.FeedOpposed || blocked)
		},
	},
	{
		id: "E03",
		sentence: fhir.Text{
			FR: "L’auteur du document ou du lot est l’appelant et nul autre ou, pour un établissement, une personne ou une structure de cet établissement ; l’assurance maladie est auteur comme ALIM_AM.",
			EN: "The author of the document or submission set is the caller and nobody else, or for an establishment a person or structure of that establishment; the health-insurance feeder is author as ALIM_AM."},
		source: "DOMAIN §5.3",
		on:     additions,
		class:  Forbidden,
		judge:  func(c Case) Effect { return refuseIf(c.Foreign || c.Act == ActAdd && !c.Mine) },
	},
	{
		id: "E04",
		sentence: fhir.Text{
			FR: "Le patient n’ajoute que des documents de patient ; l’assurance maladie, que les types du paramètre types-assurance-maladie ; les professionnels et les établissements, ni REMB ni documents de patient.",
			EN: "The patient adds only patient documents; the feeder of the health insurance only the types of setting types-assurance-maladie; professionals and establishments neither REMB nor patient documents."},
		source: "DOMAIN §4.2",
		on:     additions,
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Ce type de document n’est pas de ceux que vous pouvez déposer.",
			EN: "This type of document is not one that you may deposit."},
		judge: func(c Case) Effect {
			fed := false
			switch {
			case c.patientKind():
				fed = c.Group == FromPatient
			case c.Kind == auth.InsuranceFeeder:
				fed = c.Insurance
			case c.Act == ActAdd:
				return refuseIf(c.Group == FromPatient || c.Group == Reimbursement)
			default:
				return Silent
			}
			if c.Act == ActAddList || fed {
				return Permit
			}
			return Refuse
		},
	},
	{
		id: "E05",
		sentence: fhir.Text{
			FR: "Seuls les types et les classes des jeux de valeurs du DMP sont admis ; une classe qui ne va pas avec son type est un avertissement (paramètre classe-du-type).",
			EN: "Only types and classes of the DMP value sets; a class that does not go with its type is a warning (setting classe-du-type)."},
		source: "DOMAIN §4.4, §11",
		on:     on(ActAdd),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Le type ou la classe du document n’est pas admis par le DMP.",
			EN: "The type or class of the document is not one of the DMP."},
		judge: func(c Case) Effect {
			return refuseIf(c.Group == UnknownType || c.Fit == UnknownClass || c.Fit != OwnClass && c.Options.ClassMustFit)
		},
	},
	{
		id: "E06",
		sentence: fhir.Text{
			FR: "Remplacer un document revient à un auteur de l’ancien ; le remplaçant en reprend la visibilité.",
			EN: "Replacing is for an author of the old document; the replacement takes over its visibility."},
		source: "DOMAIN §2.2",
		on:     on(ActReplace, ActSupersede),
		class:  Forbidden,
		judge:  permitAuthor,
	},
	{
		id:     "E06",
		source: "DOMAIN §2.2",
		// To send no label is no act of lifting one, by whoever may lift it (TakeOver).
		// A flag that only the replacement has would leave an older document that is
		// superseded by nothing, and so tell of what is hidden; and hiding from the
		// patient would begin anew.
		on:    on(ActReplace),
		class: Unprocessable,
		told: fhir.Text{
			FR: "Le remplaçant n’a pas la visibilité du document remplacé : changez d’abord celle de ce dernier.",
			EN: "The replacement does not have the visibility of the replaced document: change that of the latter first."},
		judge: func(c Case) Effect {
			return refuseIf(c.Masked != c.WillMask || c.Hidden != c.WillHide || c.HiddenReps != c.WillHideReps)
		},
	},
	{
		id: "E07",
		sentence: fhir.Text{
			FR: "Supprimer (logiquement) un document revient à son auteur ; le patient supprime ses propres documents.",
			EN: "Deleting (logical) is for its author; the patient may delete their own documents."},
		source: "DOMAIN §2.8, §11",
		on:     on(ActDelete),
		class:  Forbidden,
		judge:  permitAuthor,
	},
	{
		id: "E08",
		sentence: fhir.Text{
			FR: "Masquent et démasquent : le patient, un médecin traitant, l’auteur, ou un professionnel VALIDE à la demande du patient ; personne ne démasque ce qu’il ne voit pas, et l’auteur ne lève pas le masque mis par le patient.",
			EN: "Masking and unmasking: the patient, a médecin traitant, the author, or a professional with VALIDE at the patient's request; nobody unmasks what they cannot see, and the author does not lift a mask that the patient set."},
		source: "DOMAIN §3.2",
		on:     on(ActMask, ActUnmask),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Vous ne pouvez pas changer ce masquage.",
			EN: "You may not change this masking."},
		judge: func(c Case) Effect {
			author := c.Mine && !c.holder() && !(c.professional() && c.MT)
			if !c.Sees || c.Act == ActUnmask && c.MaskedPatient && author {
				return Refuse
			}
			return permitIf(c.holder() || c.Mine || c.treating())
		},
	},
	{
		id: "E09",
		sentence: fhir.Text{
			FR: "L’auteur, un médecin traitant ou un professionnel VALIDE qui voit le document peut le rendre invisible au patient, puis visible après l’avoir informé ; le patient ne peut ni l’un ni l’autre. Un mois après le dépôt, le document est visible de lui-même.",
			EN: "The author, a médecin traitant or a professional with VALIDE who can see the document may hide it from the patient, and make it visible after telling them; the patient can do neither. One month after the deposit it is visible by itself."},
		source: "DOMAIN §3.2; CSP R.1111-53",
		on:     on(ActAdd, ActHide, ActShow),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "L’invisibilité au patient ne peut pas être changée ainsi.",
			EN: "Hiding from the patient may not be changed this way."},
		judge: func(c Case) Effect {
			switch {
			case c.Act == ActAdd:
				return refuseIf(c.WillHide && c.patientKind())
			case c.patientKind() || !c.Sees || c.Act == ActHide && (c.Late || c.Group == FromPatient):
				return Refuse
			}
			return permitIf(c.Mine || c.treating())
		},
	},
	{
		id: "E10",
		sentence: fhir.Text{
			FR: "Invisible au patient et masqué s’excluent (paramètre cumul-invisible-masque).",
			EN: "Hidden from the patient and masked exclude each other (setting cumul-invisible-masque)."},
		source: "DOMAIN §3.2",
		on:     on(ActAdd, ActMask, ActHide),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Un document ne peut pas être à la fois masqué aux professionnels et invisible au patient.",
			EN: "A document cannot be both masked to professionals and hidden from the patient."},
		judge: func(c Case) Effect {
			return refuseIf(c.WillMask && c.WillHide && !c.Options.BothFlags && !c.TakesOver)
		},
	},
	{
		id: "E11",
		sentence: fhir.Text{
			FR: "L’invisibilité aux représentants n’existe que pour un mineur ; en connexion secrète, c’est la seule possibilité.",
			EN: "Hidden from representatives exists only for a minor; in a secret session it is the only possibility."},
		source: "DOMAIN §3.2",
		on:     labelChanges | on(ActAdd),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Cette visibilité n’est pas possible pour ce patient ou dans cette session.",
			EN: "This visibility is not possible for this patient or in this session."},
		judge: func(c Case) Effect {
			only := c.WillHideReps && !c.WillMask && !c.WillHide
			switch {
			case c.Act == ActAdd:
				forNobody := c.WillHideReps && !c.TakesOver && (!c.Minor || c.Kind == auth.Representative)
				return refuseIf(forNobody || c.Secret && !only)
			case c.Secret && c.Act != ActHideReps:
				return Refuse
			case c.Act != ActHideReps && c.Act != ActShowReps:
				return Silent
			case c.Kind == auth.Representative || !c.Sees || c.Act == ActHideReps && !c.Minor:
				return Refuse
			}
			return permitIf(c.holder() || c.Mine || c.treating())
		},
	},
	{
		id: "E12",
		sentence: fhir.Text{
			FR: "Archivent : l’auteur, un médecin traitant, le patient, ou un professionnel VALIDE qui voit le document ; une liste, son auteur.",
			EN: "Archiving: author, médecin traitant, patient, or a professional with VALIDE who can see it; of a List, its author."},
		source: "DOMAIN §2.8",
		on:     on(ActArchive, ActArchiveList),
		class:  Forbidden,
		judge: func(c Case) Effect {
			switch {
			case !c.Sees || c.Act == ActArchiveList && !c.Mine:
				return Refuse
			}
			return permitIf(c.Mine || c.holder() || c.treating())
		},
	},
	{
		id: "E13",
		sentence: fhir.Text{
			FR: "Un PATCH de DocumentReference ne change que le statut, les étiquettes et l’archivage ; d’une List, que l’archivage.",
			EN: "PATCH of a DocumentReference changes only status, securityLabel and the archive extension, of a List only the archive extension."},
		source: "DOMAIN §2.7",
		on:     on(ActPatch),
		class:  NotMethod,
		told: fhir.Text{
			FR: "Seuls le statut, les étiquettes de sécurité et l’archivage peuvent être modifiés.",
			EN: "Only status, security labels and archiving can be changed."},
		judge: func(c Case) Effect {
			if c.Outside {
				return Refuse
			}
			return Permit
		},
	},
	{
		id: "E15",
		sentence: fhir.Text{
			FR: "Un changement d’étiquettes est jugé par les marques d’avant et d’après, jamais par l’opération ; là où rien ne change, rien n’est à juger.",
			EN: "A label change is judged by the flags before and after, never by the operation; where nothing changes there is nothing to judge."},
		source: "DOMAIN §2.8",
		on:     on(ActTouch),
		class:  Unprocessable,
		judge: func(c Case) Effect {
			if !c.Sees {
				return Refuse
			}
			return Permit
		},
	},
	{
		id: "E16",
		sentence: fhir.Text{
			FR: "Le statut passe de courant à remplacé, ou à saisi par erreur ; tout autre changement est refusé.",
			EN: "Status goes from current to superseded, or to entered-in-error; any other change is refused."},
		source: "DOMAIN §2.8",
		on:     on(ActAdd, ActReplace, ActSupersede, ActStatus),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Ce changement de statut n’est pas permis.",
			EN: "This change of status is not permitted."},
		judge: func(c Case) Effect {
			if c.Act == ActAdd {
				return refuseIf(c.Status != Current && c.Status != Superseded)
			}
			return refuseIf(c.Act == ActStatus || c.Status != Current)
		},
	},
}

// permitAuthor permits an author who sees the document, and refuses others.
func permitAuthor(c Case) Effect {
	if !c.Mine || !c.Sees {
		return Refuse
	}
	return Permit
}
