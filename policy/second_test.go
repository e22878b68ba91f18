package policy

import (
	"opendmp/auth"
	second "opendmp/policy/naive"
)

// The second reading knows no case. What follows says one in its words, and nothing
// else: no rule stands here. It is total: what the second reading has no word for
// is said as its zero value, or as what is gone.

var (
	kindsSaid = [auth.Operator + 2]second.Kind{
		auth.Patient: second.Patient, auth.Representative: second.Representative,
		auth.Professional: second.Professional, auth.Regulator: second.Regulator,
		auth.Establishment: second.Establishment, auth.Administrative: second.Administrative,
		auth.InsuranceFeeder: second.InsuranceFeeder, auth.Operator: second.Operator,
	}
	modesSaid          = [...]second.Mode{auth.Normal: second.Normal, auth.BrisDeGlace: second.BrisDeGlace, auth.Centre15: second.Centre15}
	authorisationsSaid = [...]second.Authorisation{NonExiste: second.NonExiste, Valide: second.Valide, Expire: second.Expire, Interdit: second.Interdit}
	dossiersSaid       = [...]second.Dossier{NoDossier: second.DossierAbsent, Active: second.DossierOpen, Closed: second.DossierClosed, Destroyed: second.DossierDestroyed}
	cellsSaid          = [...]second.Cell{Unknown: second.Unknown, Deny: second.Deny, Allow: second.Allow}
	groupsSaid         = [...]second.Group{UnknownType: second.UnknownType, Ordinary: second.Ordinary, FromPatient: second.FromPatient, Reimbursement: second.Reimbursement}
	statusesSaid       = [...]second.Status{NoStatus: second.Deleted, Current: second.Current, Superseded: second.Superseded, Deleted: second.Deleted, Inactive: second.Deleted}
)

// sayable tells whether the second reading has words for a case. Nobody but a
// professional is vouched for (POLICY §1), or an occupational physician: of others
// the engine refuses it, and a law holds that it widens nothing. No Consent names a
// team and a person.
func sayable(c *Case) bool {
	return (!c.Vouched && !c.Occupational || c.carer()) && !(c.ForTeam && c.ForMe)
}

// stateOf is the state that a case is.
func stateOf(c *Case) second.State {
	return second.State{
		Kind: kindsSaid[c.Kind], Mode: modesSaid[c.Mode], Holder: c.Holder,
		Physician: c.Physician, Student: c.Student, Occupational: c.Occupational, Vouched: c.Vouched,
		ExpressConsent: c.Personal && c.Authorisation == Valide, // there is one, and it is the caller's own
		Authorisation:  authorisationsSaid[c.Authorisation], Blocked: c.Blocked, MT: c.MT, Grant: c.Grant,
		OpposedBDG: c.OpposedBTG, OpposedC15: c.OpposedC15, OpposedFeeding: c.FeedOpposed,
		Dossier: dossiersSaid[c.State], Minor: c.Minor, Secret: c.Secret, MaskAll: c.MaskAll,
		AtPatientsRequest: true, // the professional answers for it: nothing of a request tells
		SecondFactor:      c.Fresh, TenYearsOver: c.Expired,
		Cell: cellsSaid[c.Cell], Group: groupsSaid[c.Group], Status: statusesSaid[c.Status],
		Masked: c.Masked, MaskedByPatient: c.MaskedPatient, HiddenFromPatient: c.Hidden, HiddenFromReps: c.HiddenReps,
		TermOver: c.Late, Mine: c.Mine, Deposited: c.Deposited,
	}
}

// settingsOf are the settings of a case.
func settingsOf(c *Case) second.Settings {
	return second.Settings{
		AIR: c.Options.AIR, OccupationalExpress: c.Options.OccupationalByConsent, StudentsCount: c.Options.Students,
		MaskAllSparesMT: c.Options.MaskAllSparesMT, FeedingNeedsAuthorisation: c.Options.FeedByAuthorisation,
		BlockForbidsFeeding: c.Options.BlockForbidsFeeding, HiddenAndMaskedTogether: c.Options.BothFlags,
		ClassMismatchRefused: c.Options.ClassMustFit, GrantToAnyProfession: c.Professions,
		OpenedForAll: c.Options.OpenAutomatically,
	}
}

// extentSaid is the extent that a decision is, in the words of the second reading.
func extentSaid(e Extent) second.Extent {
	return [...]second.Extent{None: second.Nothing, Metadata: second.MetadataOnly, Full: second.Everything}[e]
}
