package policy

import (
	"opendmp/auth"
	"opendmp/fhir"
)

// rulesOfTeams are what POLICY §6 says of care teams.
var rulesOfTeams = []rule{
	{
		id: "6.CareTeam",
		sentence: fhir.Text{
			FR: "Une équipe de soins est lue par le patient, son représentant et le médecin traitant ; un professionnel lit celles dont il est membre, lui ou sa structure. La composent le patient ou, à sa demande, un médecin traitant ou un professionnel VALIDE, qui n’y ajoutent que d’autres professionnels nommés ; un professionnel en retire à la demande du patient.",
			EN: "A care team is read by the patient, representative and médecin traitant; a professional reads those of which they or their structure are members. It is made up by the patient or, at the patient's request, by a médecin traitant or a professional with VALIDE, who add nobody but other named professionals; a professional removes members at the patient's request."},
		source: "CSP L.1110-12, R.1111-46, L.1111-17 II; POLICY §6 (choix)",
		on:     on(ActReadTeam, ActSearchTeam),
		judge: func(c Case) Effect {
			own := c.AboutMe || c.Act == ActSearchTeam && c.Authorisation == Valide
			return permitIf(c.holder() || c.professional() && (c.MT || own))
		},
	},
	{
		id:     "6.CareTeam",
		source: "POLICY §6 (choix)",
		// A representative reads every team: a secret session can change none.
		on:    on(ActTeam, ActNarrowTeam),
		class: Unprocessable,
		told: fhir.Text{
			FR: "Cette équipe de soins ne peut pas être enregistrée ou changée ainsi.",
			EN: "This care team cannot be recorded or changed this way."},
		judge: func(c Case) Effect { return refuseIf(c.BadChange || c.Secret) },
	},
	{
		id:     "6.CareTeam",
		source: "CSP L.1111-17 II; POLICY G05",
		on:     on(ActTeam),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "Un professionnel n’ajoute à une équipe de soins que d’autres professionnels nommés : ni lui-même, ni une structure.",
			EN: "A professional adds nobody to a care team but other named professionals: neither themself nor a structure."},
		judge: func(c Case) Effect {
			switch {
			case c.holder():
				return Permit
			case !c.treating() || c.Mode != auth.Normal:
				return Silent
			case c.ForMe || !c.ForPerson:
				return Refuse
			}
			return Permit
		},
	},
	{
		id:     "6.CareTeam",
		source: "POLICY G05",
		on:     on(ActNarrowTeam),
		judge: func(c Case) Effect {
			return permitIf(c.holder() || c.professional() && c.Mode == auth.Normal)
		},
	},
	{
		id:     "6.CareTeam",
		source: "CSP R.1111-46; POLICY §6",
		on:     on(ActConsent),
		class:  Unprocessable,
		told: fhir.Text{
			FR: "L’équipe de soins désignée n’est pas une équipe en vigueur de ce dossier.",
			EN: "The care team named is not one in use of this record."},
		judge: func(c Case) Effect { return refuseIf(c.NoTeam) },
	},
}
