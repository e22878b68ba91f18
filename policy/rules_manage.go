package policy

import (
	"opendmp/auth"
	"opendmp/fhir"
)

// rulesOfManaging are POLICY §4 and §5.
var rulesOfManaging = []rule{
	{
		id: "6.etat",
		sentence: fhir.Text{
			FR: "Un dossier fermé ou détruit ne change plus, sauf à être rouvert ou détruit.",
			EN: "A closed or destroyed dossier does not change, but to be reactivated or destroyed."},
		source: "POLICY G02, §7",
		on:     keeping,
		class:  Unprocessable,
		told:   noWriting,
		judge:  func(c Case) Effect { return refuseIf(c.State != Active && c.State != Closed) },
	},
	{
		id:     "6.etat",
		source: "POLICY G02, §7",
		on:     keeping,
		class:  Forbidden,
		judge: func(c Case) Effect {
			renewed := c.Act == ActConsent && c.Consent == Ouverture // G03
			return refuseIf(c.State == Closed && !renewed)
		},
	},
	{
		id: "G01",
		sentence: fhir.Text{
			FR: "Ouvrent un dossier : un professionnel, un établissement, un agent administratif, l’assurance maladie ou le patient.",
			EN: "Opening: a professional, an establishment, administrative staff, the health insurance, or the patient."},
		source: "POLICY §4; CSP L.1111-14",
		on:     on(ActOpen),
		class:  Forbidden,
		judge:  func(c Case) Effect { return permitIf(opens(c) || c.Kind == auth.Patient && c.Holder) },
	},
	{
		id:     "G01",
		source: "POLICY §4; CSP L.1111-14",
		// Setting ouverture: automatique. Who objects is not opened a dossier.
		on:    on(ActOpen),
		class: Unprocessable,
		told: fhir.Text{
			FR: "Sans le consentement du patient, seule l’assurance maladie ouvre un dossier, là où l’ouverture est automatique, et six semaines au moins après la lettre d’information.",
			EN: "Without the patient's consent only the health insurance opens a dossier, where opening is automatic, and six weeks at least after the letter of information."},
		judge: func(c Case) Effect {
			automatic := c.Options.OpenAutomatically && c.Kind == auth.InsuranceFeeder
			return refuseIf(c.Letter && !(automatic && c.Informed))
		},
	},
	{
		id:     "G01",
		source: "POLICY §4; DOMAIN §1.4, §3.2",
		// Identity qualified, INS, statement of consent; never in a secret session.
		on:    on(ActOpen),
		class: Unprocessable,
		told: fhir.Text{
			FR: "L’ouverture demande une identité qualifiée, l’INS et le consentement recueilli après information.",
			EN: "Opening asks for a qualified identity, the INS and the consent given after information."},
		judge: func(c Case) Effect {
			return refuseIf(!c.Qualified || !c.Informed || c.BadChange || c.BadPeriod || c.Secret)
		},
	},
	{
		id: "G02",
		sentence: fhir.Text{
			FR: "Ferment un dossier : le patient, ou un médecin traitant ou un professionnel VALIDE à sa demande ; motif et raison sont conservés.",
			EN: "Closing: the patient, or a médecin traitant or a professional with VALIDE at the patient's request; motive and reason kept."},
		source: "DOMAIN §6",
		on:     on(ActClose),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "La fermeture demande un motif.",
			EN: "Closing asks for a motive."},
		judge: func(c Case) Effect {
			if c.BadChange {
				return Refuse
			}
			return permitIf(c.holder() || c.treating())
		},
	},
	{
		id: "G03",
		sentence: fhir.Text{
			FR: "Dans les dix ans de la fermeture, le patient, ou un professionnel avec son consentement renouvelé, rouvre le dossier.",
			EN: "Within ten years of closing, the patient, or a professional with the patient's renewed consent, reactivates the dossier."},
		source: "DOMAIN §6",
		on:     on(ActReopen),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Le dossier ne peut pas être rouvert : plus de dix ans ont passé, ou le consentement renouvelé du patient (Consent « ouverture ») n’est pas enregistré ce jour.",
			EN: "The record cannot be reactivated: more than ten years have passed, or the patient's renewed consent (Consent of kind ouverture) is not recorded today."},
		judge: func(c Case) Effect {
			if c.State != Closed || c.Expired || c.BadChange {
				return Refuse
			}
			return permitIf(c.holder() || c.professional())
		},
	},
	{
		id: "G04",
		sentence: fhir.Text{
			FR: "Détruit le dossier ou un document : le patient, ou le représentant d’un mineur, confirmé par un second facteur récent.",
			EN: "Destruction: the patient, or the representative of a minor, confirmed by a fresh second factor."},
		source: "DOMAIN §6",
		on:     on(ActDestroy),
		class:  Forbidden,
		judge: func(c Case) Effect {
			if !c.Fresh || c.State != Active && c.State != Closed {
				return Refuse
			}
			return permitIf(c.holder() && (c.Kind == auth.Patient || c.Minor))
		},
	},
	{
		id: "6.Consent",
		sentence: fhir.Text{
			FR: "Un Consent est de l’une des sortes connues ; l’accès d’urgence n’est écrit que par la porte.",
			EN: "A Consent is of one of the known kinds; the emergency access is written by the door alone."},
		source: "POLICY §6",
		on:     on(ActConsent, ActWithdraw),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Ce consentement ne peut pas être enregistré ou changé ainsi.",
			EN: "This consent cannot be recorded or changed this way."},
		judge: func(c Case) Effect {
			known := c.Consent > NoKind && c.Consent < AccesUrgence
			return refuseIf(!known || c.BadChange || c.Consent == Ouverture && (c.Act == ActWithdraw || c.State != Closed))
		},
	},
	{
		id: "6.periode",
		sentence: fhir.Text{
			FR: "Un consentement ne commence pas dans le passé ; hors équipe il vaut pour la consultation, pour une structure ou une équipe un an au plus.",
			EN: "A consent does not start in the past; outside a team it holds for that consultation, for a structure or team one year at most."},
		source: "POLICY §1, §6; DOMAIN §5.2",
		on:     on(ActConsent),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "La période commence dans le passé ou dépasse la durée permise.",
			EN: "The period starts in the past or is longer than permitted."},
		judge: func(c Case) Effect { return refuseIf(c.BadPeriod) },
	},
	{
		id:     "G03",
		source: "DOMAIN §6",
		on:     on(ActConsent),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Le consentement renouvelé nomme le patient qui consent (performer) et où son accord est recueilli (source).",
			EN: "The renewed consent names the patient who consents (performer) and where the agreement is recorded (source)."},
		judge: func(c Case) Effect {
			switch {
			case c.Consent != Ouverture || c.State != Closed || c.Expired:
				return Silent
			case c.professional() && !c.Informed:
				return Refuse
			}
			return permitIf(c.holder() || c.professional())
		},
	},
	{
		id: "G05",
		sentence: fhir.Text{
			FR: "Le patient donne et retire les autorisations ; un professionnel enregistre la sienne avec l’accord du patient, et VALIDE, celle d’un autre professionnel nommé ou d’une équipe de soins ; un professionnel retire à la demande du patient.",
			EN: "Authorisations are given and withdrawn by the patient; a professional records their own with the patient's consent, and with VALIDE that of another named professional or of a care team; a professional withdraws at the patient's request."},
		source: "CSP L.1111-17 II; DOMAIN §5.2",
		on:     on(ActConsent, ActWithdraw),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "L’autorisation qu’un professionnel enregistre pour lui-même ou pour une équipe de soins nomme le patient qui consent (performer) et où son accord est recueilli (source).",
			EN: "The authorisation that a professional records for themself or for a care team names the patient who consents (performer) and where the agreement is recorded (source)."},
		judge: func(c Case) Effect {
			switch {
			case c.Consent != Autorisation:
				return Silent
			case c.holder():
				return Permit
			case !c.professional() || c.Mode != auth.Normal:
				return Silent
			case c.Act == ActWithdraw:
				return Permit
			case (c.ForMe || c.ForTeam) && !c.Informed: // never silently
				return Refuse
			}
			return permitIf(c.ForMe || c.treating() && (c.ForPerson || c.ForTeam))
		},
	},
	{
		id: "G06",
		sentence: fhir.Text{
			FR: "Bloquent un professionnel : le patient, ou un médecin traitant à sa demande ; un médecin traitant n’est pas bloqué avant d’avoir perdu ce statut.",
			EN: "Blocking: the patient, or a médecin traitant at the patient's request; a médecin traitant cannot be blocked before losing that status."},
		source: "DOMAIN §5.2",
		on:     on(ActConsent, ActWithdraw),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Un médecin traitant ne peut pas être bloqué avant d’avoir perdu ce statut.",
			EN: "A médecin traitant cannot be blocked before losing that status."},
		judge: func(c Case) Effect {
			patient := c.holder() || c.professional() && c.MT
			switch {
			case c.Consent != Blocage || !patient:
				return Silent
			case c.Act == ActConsent && c.ForMT:
				return Refuse
			}
			return Permit
		},
	},
	{
		id: "G08",
		sentence: fhir.Text{
			FR: "Les oppositions au bris de glace et au centre 15 sont mises et levées par le patient, ou par un médecin traitant à sa demande.",
			EN: "Oppositions to bris_de_glace and to centre_15 are set and lifted by the patient, or by a médecin traitant at the patient's request."},
		source: "DOMAIN §5.1",
		on:     on(ActConsent, ActWithdraw),
		judge: func(c Case) Effect {
			opposition := c.Consent == OppositionBrisDeGlace || c.Consent == OppositionCentre15
			return permitIf(opposition && (c.holder() || c.professional() && c.MT))
		},
	},
	{
		id:     "E02",
		source: "CSP R.1111-47",
		sentence: fhir.Text{
			FR: "L’opposition à l’alimentation est du patient.",
			EN: "Opposition to feeding is the patient's."},
		on:    on(ActConsent, ActWithdraw),
		judge: func(c Case) Effect { return permitIf(c.Consent == OppositionAlimentation && c.holder()) },
	},
	{
		id:     "L18",
		source: "POLICY §2 (Mon espace santé)",
		sentence: fhir.Text{
			FR: "Le masquage de tout le dossier est du patient.",
			EN: "Hiding everything is the patient's."},
		on:    on(ActConsent, ActWithdraw),
		judge: func(c Case) Effect { return permitIf(c.Consent == MasquageTotal && c.holder()) },
	},
	{
		id: "G07",
		sentence: fhir.Text{
			FR: "Les médecins traitants sont désignés par le patient, ou par le médecin avec l’accord du patient.",
			EN: "Médecins traitants are named by the patient, or by the physician with the patient's agreement."},
		source: "DOMAIN §5.3",
		on:     on(ActNameMT),
		class:  Forbidden,
		judge: func(c Case) Effect {
			return permitIf(c.holder() || c.mayName())
		},
	},
	{
		id:     "G07",
		source: "DOMAIN §5.3; POLICY G05",
		// Never silently: L06a gives a médecin traitant more than any authorisation.
		on:    on(ActNameMT),
		class: Unprocessable,
		told: fhir.Text{
			FR: "Le médecin qui se désigne médecin traitant dit où l’accord du patient est recueilli : extension urn:opendmp:accord-patient (valueAttachment avec un titre) sur generalPractitioner.",
			EN: "A physician who names themself médecin traitant says where the patient's agreement is recorded: extension urn:opendmp:accord-patient (valueAttachment with a title) on generalPractitioner."},
		judge: func(c Case) Effect { return refuseIf(c.mayName() && !c.Informed) },
	},
	{
		id: "G10",
		sentence: fhir.Text{
			FR: "Les réglages des alertes sont du patient.",
			EN: "Settings of alerts: the patient."},
		source: "DOMAIN §8",
		on:     on(ActAlerts),
		class:  Forbidden,
		judge:  func(c Case) Effect { return permitIf(c.holder()) },
	},
	{
		id: "G11",
		sentence: fhir.Text{
			FR: "Les traits sont changés par un professionnel VALIDE, un médecin traitant ou un agent administratif, les coordonnées aussi par le patient ; l’INS par un médecin traitant, un agent administratif ou l’assurance maladie, dans un dossier d’identité qualifiée, et aucun INS ne passe à une autre personne.",
			EN: "Traits are changed by a professional with VALIDE, a médecin traitant or administrative staff, contact data by the patient too; the INS by a médecin traitant, administrative staff or the health insurance, in a dossier of qualified identity, and no INS moves to another person."},
		source: "DOMAIN §1",
		on:     on(ActTraits, ActContact, ActINS),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Un changement d’INS demande une identité qualifiée, garde l’ancien comme tel et n’en laisse qu’un actif.",
			EN: "A change of INS needs a qualified identity, keeps the former one as such and leaves one active."},
		judge: func(c Case) Effect {
			if c.Act == ActINS {
				if !c.Qualified || c.BadChange {
					return Refuse
				}
				mt := c.professional() && c.MT
				return permitIf(mt || c.Kind == auth.Administrative || c.Kind == auth.InsuranceFeeder)
			}
			staff := c.treating() || c.Kind == auth.Administrative
			return permitIf(staff || c.Act == ActContact && c.holder())
		},
	},
	{
		id:     "G11",
		source: "DOMAIN §1",
		on:     on(ActElement),
		class:  NotMethod,
		told: fhir.Text{
			FR: "Cet élément du patient ne peut pas être modifié.",
			EN: "This element of the patient cannot be changed."},
		judge: func(Case) Effect { return Refuse },
	},
	{
		id: "G12",
		sentence: fhir.Text{
			FR: "Le décès ferme le dossier dans le même changement, avec le motif DECES ; l’inscrit un médecin traitant, un professionnel VALIDE ou un agent administratif.",
			EN: "Death closes the dossier in the same change, with motive DECES; it is recorded by a médecin traitant, a professional with VALIDE or administrative staff."},
		source: "POLICY §4; DOMAIN §6",
		on:     on(ActDeath),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Le décès du patient ferme le dossier : active=false et dmp-fermeture avec le motif DECES, dans le même changement.",
			EN: "The death of the patient closes the dossier: active=false and dmp-fermeture with the motive DECES, in the same change."},
		judge: func(c Case) Effect {
			if c.BadChange {
				return Refuse
			}
			return permitIf(c.treating() || c.Kind == auth.Administrative)
		},
	},
	{
		id: "6.RelatedPerson",
		sentence: fhir.Text{
			FR: "Un représentant est inscrit par le patient avec un second facteur, ou à l’ouverture par qui ouvre.",
			EN: "A representative is recorded by the patient with a second factor, or at opening by whoever opens."},
		source: "POLICY §6",
		on:     on(ActAddRelated),
		class:  Forbidden,
		judge: func(c Case) Effect {
			return permitIf(c.State == Active && c.holder() && c.Fresh || c.State == NoDossier && opens(c))
		},
	},
	{
		id: "5.opposition",
		sentence: fhir.Text{
			FR: "Le bris de glace est refusé si le patient s’y est opposé.",
			EN: "Break-glass is refused if the patient opposed it."},
		source: "DOMAIN §5.1; CSP L.1111-17 I",
		on:     on(ActEmergency),
		class:  Forbidden,
		judge:  func(c Case) Effect { return refuseIf(c.OpposedBTG) },
	},
	{
		id:     "5.opposition",
		source: "POLICY §5, §7",
		// Documents are left to L11: an author still finds their own (L09).
		on: keeping | on(ActReadConsent, ActReadRelated, ActReadTeam, ActSearchConsent, ActSearchRelated, ActSearchTeam,
			ActHistory, ActReopen, ActExplain),
		class: Forbidden,
		judge: func(c Case) Effect {
			return refuseIf(c.professional() && c.Mode == auth.BrisDeGlace && c.OpposedBTG)
		},
	},
	{
		id: "5.bris",
		sentence: fhir.Text{
			FR: "Un professionnel authentifié en personne, d’une profession que le paramètre admet, ouvre un accès d’urgence sur un dossier ouvert.",
			EN: "A professional authenticated in person, of a profession that the setting admits, opens an emergency access to an open dossier."},
		source: "POLICY §5; CSP L.1111-17 I",
		on:     on(ActEmergency),
		class:  Forbidden,
		judge: func(c Case) Effect {
			return permitIf(c.professional() && c.Professions && (!c.Student || c.Options.Students))
		},
	},
}

// mayName tells whether the caller is a physician who names or drops themself as
// médecin traitant.
func (c Case) mayName() bool {
	return c.professional() && c.Physician && !c.Student && c.Mode == auth.Normal && c.OnlyMe
}

// opens tells whether the caller is one of the staff who open dossiers (G01).
func opens(c Case) bool {
	switch c.Kind {
	case auth.Professional, auth.Establishment, auth.Administrative, auth.InsuranceFeeder:
		return true
	}
	return false
}
