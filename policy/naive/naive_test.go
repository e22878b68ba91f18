package naive

import "testing"

// The cast: one state each that reads, or is refused, for one plain reason.
var (
	patient   = State{Kind: Patient, Holder: true, Dossier: DossierOpen}
	parent    = State{Kind: Representative, Holder: true, Minor: true, Dossier: DossierOpen}
	treating  = State{Kind: Professional, Authorisation: Valide, Dossier: DossierOpen, Cell: Allow}
	stranger  = State{Kind: Professional, Dossier: DossierOpen, Cell: Allow}
	gp        = State{Kind: Professional, Physician: true, MT: true, Dossier: DossierOpen}
	regulator = State{Kind: Regulator, Mode: Centre15, Physician: true, Dossier: DossierOpen, Cell: Allow}
	rescuer   = State{Kind: Professional, Mode: BrisDeGlace, Physician: true, Grant: true, Dossier: DossierOpen, Cell: Allow}
	hospital  = State{Kind: Establishment, Dossier: DossierOpen, Cell: Allow}
	clerk     = State{Kind: Administrative, Dossier: DossierOpen, Cell: Allow}
	feeder    = State{Kind: InsuranceFeeder, Dossier: DossierOpen, Cell: Allow}
	operator  = State{Kind: Operator, Holder: true, MT: true, Mine: true, Authorisation: Valide, Dossier: DossierOpen, Cell: Allow}
	nobody    = State{Holder: true, MT: true, Mine: true, Authorisation: Valide, Dossier: DossierOpen, Cell: Allow}
)

// but returns the state with changes.
func (s State) but(changes ...func(*State)) State {
	for _, change := range changes {
		change(&s)
	}
	return s
}

func masked(s *State)         { s.Masked = true }
func allMasked(s *State)      { s.MaskAll = true }
func maskOfPatient(s *State)  { s.Masked, s.MaskedByPatient = true, true }
func hidden(s *State)         { s.HiddenFromPatient = true }
func hiddenFromReps(s *State) { s.HiddenFromReps = true }
func mine(s *State)           { s.Mine = true }
func deposited(s *State)      { s.Deposited = true }
func blockedCaller(s *State)  { s.Blocked = true }
func interdit(s *State)       { s.Authorisation = Interdit }
func expired(s *State)        { s.Authorisation = Expire }
func valid(s *State)          { s.Authorisation = Valide }
func denied(s *State)         { s.Cell = Deny }
func unknownCell(s *State)    { s.Cell = Unknown }
func unknownType(s *State)    { s.Group = UnknownType }
func ofPatient(s *State)      { s.Group = FromPatient }
func reimbursed(s *State)     { s.Group = Reimbursement }
func absent(s *State)         { s.Dossier = DossierAbsent }
func closed(s *State)         { s.Dossier = DossierClosed }
func destroyed(s *State)      { s.Dossier = DossierDestroyed }
func deleted(s *State)        { s.Status = Deleted }
func superseded(s *State)     { s.Status = Superseded }
func archived(s *State)       { s.Archived = true }
func elsewhere(s *State)      { s.Holder = false }
func minor(s *State)          { s.Minor = true }
func adult(s *State)          { s.Minor = false }
func secret(s *State)         { s.Minor, s.Secret = true, true }
func occupational(s *State)   { s.Occupational = true }
func express(s *State)        { s.ExpressConsent = true }
func vouched(s *State)        { s.Vouched = true }
func normalMode(s *State)     { s.Mode = Normal }
func brisDeGlace(s *State)    { s.Mode = BrisDeGlace }
func centre15(s *State)       { s.Mode = Centre15 }
func noGrant(s *State)        { s.Grant = false }
func granted(s *State)        { s.Grant = true }
func opposedBDG(s *State)     { s.OpposedBDG = true }
func opposedC15(s *State)     { s.OpposedC15 = true }
func opposedFeeding(s *State) { s.OpposedFeeding = true }
func asked(s *State)          { s.AtPatientsRequest = true }
func confirmed(s *State)      { s.SecondFactor = true }
func physician(s *State)      { s.Physician = true }
func mt(s *State)             { s.MT = true }
func student(s *State)        { s.Student = true }
func termOver(s *State)       { s.TermOver = true }
func tenYears(s *State)       { s.TenYearsOver = true }

// set returns the defaults with one change.
func set(change func(*Settings)) Settings {
	d := Defaults()
	if change != nil {
		change(&d)
	}
	return d
}

func air(d *Settings)           { d.AIR = true }
func expressOnly(d *Settings)   { d.OccupationalExpress = true }
func mtNotSpared(d *Settings)   { d.MaskAllSparesMT = false }
func feedingAsked(d *Settings)  { d.FeedingNeedsAuthorisation = true }
func blockFeeding(d *Settings)  { d.BlockForbidsFeeding = true }
func together(d *Settings)      { d.HiddenAndMaskedTogether = true }
func classRefused(d *Settings)  { d.ClassMismatchRefused = true }
func anyProfession(d *Settings) { d.GrantToAnyProfession = true }
func sandbox(d *Settings)       { d.StudentsCount = true }
func forAll(d *Settings)        { d.OpenedForAll = true }

func TestRead(t *testing.T) {
	cases := []struct {
		name     string
		state    State
		settings func(*Settings)
		want     Extent
	}{
		{"L01 the zero principal", State{}, nil, Nothing},
		{"L01 an unidentified caller", nobody, nil, Nothing},
		{"the operator sees no clinical content", operator, nil, Nothing},

		{"L02 closed, the patient", patient.but(closed), nil, Nothing},
		{"L02 closed, a médecin traitant", gp.but(closed), nil, Nothing},
		{"L02 closed, its author", hospital.but(mine, closed), nil, Nothing},
		{"L02 destroyed", patient.but(destroyed), nil, Nothing},
		{"L02 no dossier", treating.but(absent), nil, Nothing},

		{"L03 the patient", patient, nil, Everything},
		{"L03 the patient of another dossier", patient.but(elsewhere), nil, Nothing},
		{"L03 masked is not masked to the patient", patient.but(masked, allMasked), nil, Everything},
		{"L03 hidden from representatives, the minor", patient.but(minor, hiddenFromReps), nil, Everything},
		{"L04 hidden from the patient", patient.but(hidden), nil, Nothing},
		{"L04 even their own", patient.but(hidden, mine, ofPatient), nil, Nothing},
		{"L05 a representative", parent, nil, Everything},
		{"L05 hidden from the patient", parent.but(hidden), nil, Nothing},
		{"L05 hidden from representatives", parent.but(hiddenFromReps), nil, Nothing},
		{"L05 hidden from any representative", parent.but(adult, hiddenFromReps), nil, Nothing},
		{"L05 representation ended", parent.but(elsewhere), nil, Nothing},

		{"L06 VALIDE", treating, nil, Everything},
		{"L06 NON_EXISTE", stranger, nil, Nothing},
		{"L06 EXPIRE", treating.but(expired), nil, Nothing},
		{"L06 a regulator in normal mode", regulator.but(normalMode, valid), nil, Nothing},
		{"L06a a médecin traitant", gp, nil, Everything},
		{"L06a and the matrix does not narrow", gp.but(denied), nil, Everything},
		{"L07 denied", treating.but(denied), nil, Nothing},
		{"L07 unknown", treating.but(unknownCell), nil, Nothing},
		{"L08 masked", treating.but(masked), nil, Nothing},
		{"L08 masked, its author", treating.but(masked, mine), nil, Everything},
		{"L08 masked, in the structure that deposited it", treating.but(masked, deposited), nil, Everything},
		{"L08 masked, a médecin traitant", gp.but(masked), nil, Everything},
		{"L08 deposited is no authorisation", stranger.but(deposited), nil, Nothing},
		{"hidden from the patient is not hidden from others", treating.but(hidden, hiddenFromReps), nil, Everything},

		{"L07 a student", treating.but(student), nil, Nothing},
		{"L07 a student, in the sandbox", treating.but(student), sandbox, Everything},
		{"L09 an author without VALIDE", stranger.but(mine), nil, MetadataOnly},
		{"L09 an author with VALIDE, whatever the matrix says", treating.but(mine, denied), nil, Everything},
		{"L09 a blocked author", treating.but(mine, blockedCaller), nil, Nothing},
		{"L09 a blocked establishment", hospital.but(mine, blockedCaller), nil, Nothing},

		{"L10 blocked", treating.but(blockedCaller), nil, Nothing},
		{"L10 INTERDIT", treating.but(interdit), nil, Nothing},
		{"L10 INTERDIT wins over the médecin traitant", gp.but(interdit), nil, Nothing},
		{"L10 blocked, emergency", rescuer.but(blockedCaller), nil, Nothing},
		{"L10 blocked, centre 15", regulator.but(blockedCaller), nil, Nothing},

		{"L11 an open grant", rescuer, nil, Everything},
		{"L11 no grant", rescuer.but(noGrant), nil, Nothing},
		{"L11 no grant, VALIDE", rescuer.but(noGrant, valid), nil, Nothing},
		{"L11 L07 still applies", rescuer.but(denied), nil, Nothing},
		{"L11 what the patient masked stays masked", rescuer.but(masked), nil, Nothing},
		{"L11 opposed", rescuer.but(opposedBDG), nil, Nothing},
		{"L11 the other opposition", rescuer.but(opposedC15), nil, Everything},
		{"L11 a grant is not VALIDE for the matrix", rescuer.but(mine, denied), nil, MetadataOnly},
		{"L11 a grant counts in its mode only", rescuer.but(normalMode), nil, Nothing},
		{"L11 oppositions change nothing in normal mode", treating.but(opposedBDG, opposedC15), nil, Everything},

		{"L12 a regulator", regulator, nil, Everything},
		{"L12 opposed", regulator.but(opposedC15), nil, Nothing},
		{"L12 opposed, its author", regulator.but(opposedC15, mine), nil, Nothing},
		{"L12 the other opposition", regulator.but(opposedBDG), nil, Everything},
		{"L12 L07 still applies", regulator.but(denied), nil, Nothing},
		{"L12 L08 still applies", regulator.but(masked), nil, Nothing},
		{"L12 nobody but a regulator", treating.but(centre15), nil, Nothing},
		{"L12 a grant is for bris_de_glace", regulator.but(brisDeGlace, granted), nil, Nothing},

		{"L13 an establishment, others'", hospital.but(valid), nil, Nothing},
		{"L13 an establishment, its own", hospital.but(mine, valid), nil, MetadataOnly},
		{"L13 administrative, others'", clerk, nil, Nothing},
		{"L13 administrative, its own", clerk.but(mine), nil, MetadataOnly},
		{"L13 feeder, others'", feeder, nil, Nothing},
		{"L13 feeder, its own", feeder.but(mine), nil, MetadataOnly},

		{"L14 off", treating.but(occupational, express), nil, Nothing},
		{"L14 off, its author", treating.but(occupational, express, mine), nil, Nothing},
		{"L14 express consent", treating.but(occupational, express), expressOnly, Everything},
		{"L14 never by structure or team", treating.but(occupational), expressOnly, Nothing},
		{"L14 never in an emergency mode", rescuer.but(occupational, express), expressOnly, Nothing},
		{"L14 expired", treating.but(occupational, express, expired), expressOnly, Nothing},

		{"AIR off", treating.but(vouched), nil, Nothing},
		{"AIR on", treating.but(vouched), air, Everything},
		{"AIR never in an emergency mode", rescuer.but(vouched), air, Nothing},
		{"AIR never in centre 15", regulator.but(vouched), air, Nothing},

		{"L15 deleted, the patient", patient.but(deleted), nil, Nothing},
		{"L15 deleted, its author", treating.but(mine, deleted), nil, Nothing},
		{"L15 superseded and archived", treating.but(superseded, archived), nil, Everything},

		{"L16 the patient", patient.but(unknownType), nil, Everything},
		{"L16 its author", treating.but(unknownType, mine), nil, Everything},
		{"L16 its author without VALIDE", stranger.but(unknownType, mine), nil, MetadataOnly},
		{"L16 another professional", treating.but(unknownType), nil, Nothing},
		{"L16 a médecin traitant", gp.but(unknownType), nil, Nothing},

		{"L18 counts as masked", treating.but(allMasked), nil, Nothing},
		{"L18 in an emergency too", rescuer.but(allMasked), nil, Nothing},
		{"L18 in centre 15 too", regulator.but(allMasked), nil, Nothing},
		{"L18 its author", treating.but(allMasked, mine), nil, Everything},
		{"L18 médecins traitants keep access", gp.but(allMasked), nil, Everything},
		{"L18 unless the setting says not", gp.but(allMasked), mtNotSpared, Nothing},
		{"L18 the setting is not for single masks", gp.but(masked), mtNotSpared, Everything},
	}
	for _, c := range cases {
		if got := Read(c.state, set(c.settings)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestSearchDocuments(t *testing.T) {
	cases := []struct {
		name         string
		state        State
		settings     func(*Settings)
		byIdentifier bool
		want         SearchAnswer
	}{
		{"no credentials", nobody, nil, false, Refused401},
		{"the operator", operator, nil, false, Refused403},
		{"the operator, no dossier", operator.but(absent), nil, false, Refused403},
		{"the patient", patient, nil, false, All},
		{"another dossier", patient.but(elsewhere), nil, false, Refused403},
		{"another dossier that does not exist", parent.but(elsewhere, absent), nil, false, Refused403},
		{"the patient, closed", patient.but(closed), nil, false, Refused403},
		{"a representative", parent, nil, false, All},
		{"no dossier", treating.but(absent), nil, false, RefusedAsAbsent},
		{"destroyed", hospital.but(destroyed), nil, false, RefusedAsAbsent},
		{"VALIDE", treating, nil, false, All},
		{"VALIDE, by identifier", treating, nil, true, All},
		{"no right", stranger, nil, false, Refused403},
		{"no right, by identifier", stranger, nil, true, OwnOnly},
		{"blocked", treating.but(blockedCaller), nil, true, Refused403},
		{"closed", treating.but(closed), nil, true, Refused403},
		{"a grant", rescuer, nil, false, All},
		{"opposed", rescuer.but(opposedBDG), nil, false, Refused403},
		{"opposed to centre 15, another caller", treating.but(opposedC15), nil, false, All},
		{"a regulator", regulator, nil, false, All},
		{"a regulator, opposed", regulator.but(opposedC15), nil, true, RefusedAsAbsent},
		{"a regulator, opposed and closed", regulator.but(opposedC15, closed), nil, false, RefusedAsAbsent},
		{"an establishment", hospital, nil, false, OwnOnly},
		{"administrative", clerk, nil, true, OwnOnly},
		{"administrative, by patient", clerk, nil, false, OwnOnly},
		{"feeder", feeder, nil, false, OwnOnly},
		{"an establishment, blocked", hospital.but(blockedCaller), nil, false, Refused403},
		{"feeder, closed", feeder.but(closed), nil, false, Refused403},
		{"occupational", treating.but(occupational), nil, true, Refused403},
		{"AIR off, no dossier", treating.but(vouched, absent), nil, false, Refused403},
		{"AIR on", treating.but(vouched), air, false, All},
	}
	for _, c := range cases {
		if got := SearchDocuments(c.state, set(c.settings), c.byIdentifier); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// right is a question that is answered by yes or no.
type right func(State, Settings) bool

func aboutMe(s State, d Settings) bool     { return ReadConsent(s, d, true) }
func aboutOthers(s State, d Settings) bool { return ReadConsent(s, d, false) }

func history(class EventClass) right {
	return func(s State, d Settings) bool { return ReadHistory(s, d, class) }
}

// sent is a document in order.
var sent = Addition{AuthorIsCaller: true, TypeKnown: true, ClassKnown: true, ClassGoesWithType: true}

func add(change func(*Addition)) right     { return sending(Add, change) }
func replace(change func(*Addition)) right { return sending(replaceAsIs, change) }

// replaceAsIs states no flag.
func replaceAsIs(s State, d Settings, a Addition) bool { return Replace(s, d, a, Labels{}) }

func nameMT(s State, d Settings) bool { return NameMT(s, d, true) }

func nameOthers(s State, d Settings) bool { return NameMT(s, d, false) }

func relabel(after Labels) right {
	return func(s State, d Settings) bool { return Relabel(s, d, after) }
}

func replaceStating(asked Labels) right {
	return func(s State, d Settings) bool { return Replace(s, d, sent, asked) }
}

func compose(persons bool) right {
	return func(s State, d Settings) bool { return ComposeTeam(s, d, persons) }
}

func related(opening bool) right {
	return func(s State, d Settings) bool { return AddRelatedPerson(s, d, opening) }
}

func searching(about bool) right {
	return func(s State, d Settings) bool {
		return SearchConsents(s, d, about) && SearchTeams(s, d, about)
	}
}

func sending(act func(State, Settings, Addition) bool, change func(*Addition)) right {
	a := sent
	if change != nil {
		change(&a)
	}
	return func(s State, d Settings) bool { return act(s, d, a) }
}

func opening(o Opening) right {
	return func(s State, d Settings) bool { return Open(s, d, o) }
}

func block(targetIsMT bool) right {
	return func(s State, d Settings) bool { return Block(s, d, targetIsMT) }
}

func oppose(o Opposition) right {
	return func(s State, d Settings) bool { return Oppose(s, d, o) && LiftOpposition(s, d, o) }
}

func newINS(n NewINS) right {
	return func(s State, d Settings) bool { return ChangeINS(s, d, n) }
}

func emergency(e Emergency) right {
	return func(s State, d Settings) bool { return EmergencyGrant(s, d, e) }
}

type question struct {
	name     string
	ask      right
	state    State
	settings func(*Settings)
	want     bool
}

func answer(t *testing.T, questions []question) {
	t.Helper()
	for _, q := range questions {
		if got := q.ask(q.state, set(q.settings)); got != q.want {
			t.Errorf("%s: %v, want %v", q.name, got, q.want)
		}
	}
}

func TestOtherResources(t *testing.T) {
	answer(t, []question{
		{"TD0.2, any professional", ReadStatus, stranger, nil, true},
		{"TD0.2, closed", ReadStatus, stranger.but(closed), nil, true},
		{"TD0.2, blocked", ReadStatus, stranger.but(interdit), nil, true},
		{"TD0.2, no dossier", ReadStatus, stranger.but(absent), nil, false},
		{"TD0.2, destroyed", ReadStatus, clerk.but(destroyed), nil, false},
		{"TD0.2, an establishment", ReadStatus, hospital, nil, true},
		{"TD0.2, administrative", ReadStatus, clerk, nil, true},
		{"TD0.2, feeder", ReadStatus, feeder, nil, true},
		{"TD0.2, a regulator, in normal mode", ReadStatus, regulator.but(normalMode), nil, true},
		{"TD0.2, unidentified", ReadStatus, nobody, nil, false},
		{"TD0.2, AIR off", ReadStatus, stranger.but(vouched), nil, false},
		{"TD0.2, a regulator", ReadStatus, regulator, nil, true},
		{"TD0.2, a regulator, opposed", ReadStatus, regulator.but(opposedC15), nil, false},

		{"Patient, who may read the dossier", ReadPatient, treating, nil, true},
		{"Patient, whatever the matrix", ReadPatient, treating.but(denied, masked), nil, true},
		{"Patient, a stranger", ReadPatient, stranger, nil, false},
		{"Patient, closed", ReadPatient, gp.but(closed), nil, false},
		{"Patient, blocked", ReadPatient, gp.but(blockedCaller), nil, false},
		{"Patient, a grant, blocked", ReadPatient, rescuer.but(blockedCaller), nil, false},
		{"Patient, an establishment", ReadPatient, hospital.but(mine), nil, false},
		{"Patient, the patient", ReadPatient, patient.but(closed), nil, true},
		{"Patient, of another", ReadPatient, patient.but(elsewhere), nil, false},
		{"Patient, destroyed", ReadPatient, patient.but(destroyed), nil, false},

		{"Consent, the patient", aboutOthers, patient, nil, true},
		{"Consent, a representative", aboutOthers, parent, nil, true},
		{"Consent, a médecin traitant", aboutOthers, gp, nil, true},
		{"Consent, a professional", aboutOthers, treating, nil, false},
		{"Consent, about oneself", aboutMe, stranger, nil, true},
		{"Consent, about oneself, blocked", aboutMe, stranger.but(blockedCaller), nil, false},
		{"Consent, about oneself, closed", aboutMe, treating.but(closed), nil, false},
		{"Consent, about oneself, opposed", aboutMe, rescuer.but(opposedBDG), nil, false},
		{"Consent, about oneself, in an emergency", aboutMe, rescuer, nil, true},
		{"Consent, about oneself, AIR off", aboutMe, stranger.but(vouched), nil, false},
		{"Consent, about oneself, opposed, normal mode", aboutMe, stranger.but(opposedBDG), nil, true},
		{"Consent, the patient, closed", aboutOthers, patient.but(closed), nil, true},
		{"Consent, destroyed", aboutOthers, patient.but(destroyed), nil, false},
		{"Consent, a regulator who is a médecin traitant", aboutOthers, regulator.but(mt), nil, false},
		{"Consent, an establishment", aboutMe, hospital, nil, false},

		{"history, the patient", history(EventOpen), patient, nil, true},
		{"history, withheld", history(EventWithheld), patient, nil, false},
		{"history, secret, the minor", history(EventSecret), patient, nil, true},
		{"history, a representative", history(EventOpen), parent, nil, true},
		{"history, withheld, a representative", history(EventWithheld), parent, nil, false},
		{"history, secret, a representative", history(EventSecret), parent, nil, false},
		{"history, a médecin traitant", history(EventWithheld), gp, nil, true},
		{"history, secret, a médecin traitant", history(EventSecret), gp, nil, true},
		{"history, an occupational physician", history(EventOpen), gp.but(occupational), nil, false},
		{"history, a médecin traitant, blocked", history(EventOpen), gp.but(blockedCaller), nil, false},
		{"history, VALIDE", history(EventOpen), treating, nil, false},
		{"history, closed", history(EventOpen), patient.but(closed), nil, true},
		{"history, destroyed", history(EventOpen), patient.but(destroyed), nil, false},

		{"G13 the patient", Explain, patient, nil, true},
		{"G13 the patient, hidden", Explain, patient.but(hidden), nil, false},
		{"G13 a médecin traitant", Explain, gp, nil, true},
		{"G13 VALIDE", Explain, treating, nil, false},
		{"RelatedPerson, the patient", ReadRelatedPerson, patient, nil, true},
		{"RelatedPerson, the patient, closed", ReadRelatedPerson, patient.but(closed), nil, true},
		{"RelatedPerson, destroyed", ReadRelatedPerson, patient.but(destroyed), nil, false},
		{"RelatedPerson, a médecin traitant", ReadRelatedPerson, gp, nil, true},
		{"RelatedPerson, closed", ReadRelatedPerson, gp.but(closed), nil, false},
		{"RelatedPerson, VALIDE", ReadRelatedPerson, treating, nil, false},
	})
}

func TestAdd(t *testing.T) {
	plain := add(nil)
	insured := add(func(a *Addition) { a.OfInsurance = true })
	answer(t, []question{
		{"E01 whether or not they may read it", plain, stranger.but(denied), nil, true},
		{"E01 an establishment", plain, hospital, nil, true},
		{"E16 superseded already", plain, stranger.but(superseded), nil, true},
		{"E16 deleted already", plain, stranger.but(deleted), nil, false},
		{"E01 administrative staff push for it", plain, clerk, nil, true},
		{"E01 a regulator is not named", plain, regulator, nil, false},
		{"E01 the operator is not named", plain, operator, nil, false},
		{"E01 unidentified", plain, nobody, nil, false},
		{"E01 the authorisation first", plain, stranger, feedingAsked, false},
		{"E01 the authorisation first, VALIDE", plain, treating, feedingAsked, true},
		{"E01 the authorisation first, an establishment that is blocked", plain, hospital.but(valid, blockedCaller), feedingAsked, true},
		{"E01 the authorisation first, INTERDIT", plain, gp.but(interdit), feedingAsked, false},
		{"E01 AIR off", plain, stranger.but(vouched), nil, false},
		{"E01 AIR on", plain, stranger.but(vouched), air, true},
		{"E01 automatic, not by an establishment", add(func(a *Addition) { a.Automatic = true }), treating, nil, true},
		{"E01 automatic, no decision", add(func(a *Addition) { a.Automatic = true }), hospital, nil, false},
		{"E01 automatic, decided", add(func(a *Addition) { a.Automatic, a.CMEDecided = true, true }), hospital, nil, true},
		{"E02 opposed", plain, treating.but(opposedFeeding), nil, false},
		{"E02 opposed, an establishment", plain, hospital.but(opposedFeeding), nil, false},
		{"E02 blocking closes reading", plain, treating.but(blockedCaller), nil, true},
		{"E02 and writing with the setting", plain, treating.but(blockedCaller), blockFeeding, false},
		{"E02 never an establishment's push", plain, hospital.but(blockedCaller), blockFeeding, true},
		{"E02 the setting, not blocked", plain, treating, blockFeeding, true},
		{"E02 the feeder, opposed", insured, feeder.but(opposedFeeding), nil, false},
		{"E02 the feeder, blocked", insured, feeder.but(blockedCaller), nil, true},
		{"E02 the feeder, blocked, with the setting", insured, feeder.but(blockedCaller), blockFeeding, false},
		{"E02 the feeder, not blocked, with the setting", insured, feeder, blockFeeding, true},
		{"E03 the author is another", add(func(a *Addition) { a.AuthorIsCaller = false }), treating, nil, false},
		{"E04 the patient, a patient document", plain, patient.but(ofPatient), nil, true},
		{"E04 the patient, another", plain, patient, nil, false},
		{"E04 the patient, another dossier", plain, patient.but(ofPatient, elsewhere), nil, false},
		{"E04 a professional, a patient document", plain, treating.but(ofPatient), nil, false},
		{"E04 a professional, REMB", plain, treating.but(reimbursed), nil, false},
		{"E04 the feeder, its types", insured, feeder.but(reimbursed), nil, true},
		{"E04 the feeder, another type", plain, feeder, nil, false},
		{"E05 unknown type", add(func(a *Addition) { a.TypeKnown = false }), treating, nil, false},
		{"E05 unknown class", add(func(a *Addition) { a.ClassKnown = false }), treating, nil, false},
		{"E05 a class of another type", add(func(a *Addition) { a.ClassGoesWithType = false }), treating, nil, true},
		{"E05 refused by the setting", add(func(a *Addition) { a.ClassGoesWithType = false }), treating, classRefused, false},
		{"E05 the setting, its own class", plain, treating, classRefused, true},
		{"E09 hidden from the patient", plain, treating.but(hidden), nil, true},
		{"E09 the patient can do neither", plain, patient.but(ofPatient, hidden), nil, false},
		{"E10 hidden and masked", plain, treating.but(hidden, masked), nil, false},
		{"E10 masked alone", plain, treating.but(masked), nil, true},
		{"E10 with the setting", plain, treating.but(hidden, masked), together, true},
		{"E11 only for a minor", plain, treating.but(hiddenFromReps), nil, false},
		{"E11 for a minor", plain, treating.but(hiddenFromReps, minor), nil, true},
		{"E11 by a representative", plain, parent.but(ofPatient, hiddenFromReps), nil, false},
		{"E04 by a representative", plain, parent.but(ofPatient), nil, true},
		{"E11 the only possibility of a secret session", plain, treating.but(secret), nil, false},
		{"E11 in a secret session", plain, treating.but(secret, hiddenFromReps), nil, true},
		{"E14 closed", plain, treating.but(closed), nil, false},
		{"E14 destroyed", plain, hospital.but(destroyed), nil, false},
	})
}

func TestChangeDocument(t *testing.T) {
	answer(t, []question{
		{"E06 an author", replace(nil), stranger.but(mine), nil, true},
		{"E06 not the author", replace(nil), gp, nil, false},
		{"E06 the flags of the old one", replaceStating(Labels{Masked: true}), stranger.but(mine, masked), nil, true},
		{"E06 a flag of its own", replaceStating(Labels{Masked: true}), stranger.but(mine), nil, false},
		{"E06 hidden from representatives, of age since", replaceStating(Labels{HiddenFromReps: true}), stranger.but(mine, hiddenFromReps), nil, true},
		{"E06 the patient, their own", replace(nil), patient.but(mine, ofPatient), nil, true},
		{"E06 already superseded", replace(nil), treating.but(mine, superseded), nil, false},
		{"E06 a blocked author (L09)", replace(nil), treating.but(mine, blockedCaller), nil, false},
		{"E06 opposed to feeding", replace(nil), treating.but(mine, opposedFeeding), nil, false},
		{"E06 in a secret session", replace(nil), treating.but(mine, secret), nil, false},
		{"E06 in a secret session, hidden", replace(nil), treating.but(mine, secret, hiddenFromReps), nil, true},

		{"E07 its author", Delete, stranger.but(mine), nil, true},
		{"E07 its establishment", Delete, hospital.but(mine), nil, true},
		{"E07 a médecin traitant", Delete, gp.but(asked), nil, false},
		{"E07 the patient, their own", Delete, patient.but(mine), nil, true},
		{"E07 the patient, a patient document of another author", Delete, patient.but(ofPatient), nil, false},
		{"E07 administrative staff", Delete, clerk.but(mine), nil, false},
		{"E16 the author", Supersede, stranger.but(mine), nil, true},
		{"E16 another", Supersede, treating, nil, false},
		{"E16 superseded already", Supersede, stranger.but(mine, superseded), nil, false},
		{"E07 the patient, another", Delete, patient, nil, false},
		{"E07 the patient, hidden", Delete, patient.but(ofPatient, hidden), nil, false},
		{"E07 a patient document, another caller", Delete, treating.but(ofPatient), nil, false},
		{"E07 closed", Delete, treating.but(mine, closed), nil, false},
		{"E07 deleted already", Delete, treating.but(mine, deleted), nil, false},

		{"E08 the patient masks", Mask, patient, nil, true},
		{"E08 a médecin traitant masks", Mask, gp, nil, true},
		{"E08 the author masks", Mask, stranger.but(mine), nil, true},
		{"E08 VALIDE at the patient's request", Mask, treating.but(asked), nil, true},
		{"E08 VALIDE of their own accord", Mask, treating, nil, false},
		{"E08 what one cannot see", Mask, treating.but(asked, denied), nil, false},
		{"E08 a grant is not VALIDE", Mask, rescuer.but(asked), nil, false},
		{"E10 masking what is hidden", Mask, treating.but(mine, hidden), nil, false},
		{"E10 with the setting", Mask, treating.but(mine, hidden), together, true},
		{"E08 the patient unmasks", Unmask, patient.but(maskOfPatient), nil, true},
		{"E08 a médecin traitant unmasks", Unmask, gp.but(maskOfPatient), nil, true},
		{"E08 the author unmasks", Unmask, stranger.but(mine, masked), nil, true},
		{"E08 the author, a mask of the patient", Unmask, treating.but(mine, maskOfPatient), nil, false},
		{"E08 the author, at the patient's request", Unmask, treating.but(mine, maskOfPatient, asked), nil, false},
		{"E08 the author is a médecin traitant", Unmask, gp.but(mine, maskOfPatient), nil, true},
		{"E08 the author is the patient", Unmask, patient.but(mine, maskOfPatient), nil, true},
		{"E15 masked and shown at once", relabel(Labels{Masked: true}), treating.but(hidden, asked), nil, true},
		{"E15 one difference is not allowed", relabel(Labels{Masked: true}), stranger.but(mine, hiddenFromReps, secret), nil, false},
		{"E15 nothing differs", relabel(Labels{}), treating, nil, true},
		{"E15 nothing differs, unseen", relabel(Labels{}), stranger, nil, false},
		{"E10 both at once", relabel(Labels{Masked: true, HiddenFromPatient: true}), treating.but(asked), nil, false},
		{"E10 both at once, by the setting", relabel(Labels{Masked: true, HiddenFromPatient: true}), treating.but(asked), together, true},
		{"E09 the month is over", Hide, treating.but(termOver), nil, false},
		{"E11 masking in a secret session", Mask, treating.but(secret, asked), nil, false},
		{"§1 administrative staff label nothing", Mask, clerk.but(mine), nil, false},
		{"E08 nobody unmasks what they cannot see", Unmask, treating.but(masked, asked), nil, false},
		{"E08 who deposited it, at the patient's request", Unmask, treating.but(masked, deposited, asked), nil, true},

		{"E09 the author hides", Hide, stranger.but(mine), nil, true},
		{"E09 a médecin traitant hides", Hide, gp, nil, true},
		{"E09 VALIDE", Hide, treating, nil, true},
		{"E09 VALIDE, what one cannot see", Hide, treating.but(denied), nil, false},
		{"E09 the patient", Hide, patient.but(mine, ofPatient), nil, false},
		{"E10 hiding what is masked", Hide, gp.but(masked), nil, false},
		{"E10 hiding what is masked, with the setting", Hide, gp.but(masked), together, true},
		{"E09 VALIDE shows", Show, treating.but(hidden), nil, true},
		{"E09 a stranger", Show, stranger.but(hidden), nil, false},
		{"E09 the patient shows", Show, patient.but(hidden), together, false},

		{"E11 for a minor", HideReps, treating.but(minor), nil, true},
		{"E11 only for a minor", HideReps, treating, nil, false},
		{"E11 the minor", HideReps, patient.but(minor), nil, true},
		{"E11 the minor, hidden", HideReps, patient.but(minor, hidden), nil, false},
		{"E11 the author", HideReps, stranger.but(minor, mine), nil, true},
		{"E11 a regulator", HideReps, regulator.but(minor), nil, false},
		{"E11 a representative", HideReps, parent.but(mine), nil, false},
		{"E11 a stranger", HideReps, stranger.but(minor), nil, false},
		{"E11 visible again", ShowReps, treating.but(minor, hiddenFromReps), nil, true},
		{"E11 visible again, no longer a minor", ShowReps, treating.but(hiddenFromReps), nil, true},
		{"E11 not in a secret session", ShowReps, treating.but(secret, hiddenFromReps), nil, false},
		{"E11 not a representative", ShowReps, parent.but(hiddenFromReps), nil, false},

		{"E12 the author", Archive, stranger.but(mine), nil, true},
		{"E12 a médecin traitant", Archive, gp, nil, true},
		{"E12 the patient", Archive, patient, nil, true},
		{"E12 the patient, hidden", Archive, patient.but(hidden), nil, false},
		{"E12 VALIDE", Archive, treating, nil, true},
		{"E12 VALIDE, masked", Archive, treating.but(masked), nil, false},
		{"E12 a regulator", Archive, regulator, nil, false},
		{"E12 a stranger", Archive, stranger, nil, false},
		{"E12 a blocked author", Archive, stranger.but(mine, blockedCaller), nil, false},
	})
}

func TestManage(t *testing.T) {
	inOrder := Opening{QualifiedIdentity: true, ConsentStated: true}
	stated := Emergency{CodedCircumstance: true, WrittenReason: true}
	answer(t, []question{
		{"G01 a professional", opening(inOrder), stranger.but(absent), nil, true},
		{"G01 an establishment", opening(inOrder), hospital.but(absent), nil, true},
		{"G01 administrative staff", opening(inOrder), clerk.but(absent), nil, true},
		{"G01 the health insurance", opening(inOrder), feeder.but(absent), nil, true},
		{"G01 the patient", opening(inOrder), patient.but(absent), nil, true},
		{"G01 another's INS", opening(inOrder), patient.but(absent, elsewhere), nil, false},
		{"G01 a regulator", opening(inOrder), regulator.but(absent), nil, false},
		{"G01 unidentified", opening(inOrder), nobody.but(absent, elsewhere), nil, false},
		{"G01 one dossier per INS", opening(inOrder), stranger, nil, false},
		{"G01 closed", opening(inOrder), stranger.but(closed), nil, false},
		{"G01 destroyed", opening(inOrder), stranger.but(destroyed), nil, true},
		{"G01 provisional identity", opening(Opening{ConsentStated: true}), stranger.but(absent), nil, false},
		{"G01 no consent", opening(Opening{QualifiedIdentity: true}), stranger.but(absent), nil, false},

		{"G02 the patient", Close, patient, nil, true},
		{"G02 VALIDE at the patient's request", Close, treating.but(asked), nil, true},
		{"G02 VALIDE of their own accord", Close, treating, nil, false},
		{"G02 a médecin traitant", Close, gp.but(asked), nil, true},
		{"G02 a stranger", Close, stranger.but(asked), nil, false},
		{"G02 an establishment", Close, hospital.but(valid, asked), nil, false},
		{"G02 closed already", Close, patient.but(closed), nil, false},

		{"G03 with renewed consent", Reactivate, stranger.but(closed, asked), nil, true},
		{"G03 without", Reactivate, treating.but(closed), nil, false},
		{"G03 blocked", Reactivate, stranger.but(closed, asked, blockedCaller), nil, false},
		{"G03 the patient reopens", Reactivate, patient.but(closed), nil, true},
		{"G03 open", Reactivate, patient, nil, false},
		{"G03 destroyed", Reactivate, stranger.but(destroyed, asked), nil, false},

		{"G04 the patient", Destroy, patient.but(confirmed), nil, true},
		{"G04 closed", Destroy, patient.but(confirmed, closed), nil, true},
		{"G04 no second factor", Destroy, patient, nil, false},
		{"G04 the representative of a minor", Destroy, parent.but(confirmed), nil, true},
		{"G04 another representative", Destroy, parent.but(confirmed, adult), nil, false},
		{"G04 a médecin traitant", Destroy, gp.but(confirmed, asked), nil, false},
		{"G04 twice", Destroy, patient.but(confirmed, destroyed), nil, false},

		{"G05 their own, on the spot", GiveAuthorisationToSelf, stranger.but(asked), nil, true},
		{"G05 never silently", GiveAuthorisationToSelf, stranger, nil, false},
		{"G05 their own, blocked", GiveAuthorisationToSelf, stranger.but(asked, interdit), nil, false},
		{"G05 their own, closed", GiveAuthorisationToSelf, stranger.but(asked, closed), nil, false},
		{"G05 an establishment", GiveAuthorisationToSelf, hospital.but(asked), nil, false},
		{"G05 by the patient", GiveAuthorisationToOther, patient, nil, true},
		{"G05 for a colleague", GiveAuthorisationToOther, treating.but(asked), nil, true},
		{"G05 for a colleague, silently", GiveAuthorisationToOther, treating, nil, false},
		{"G05 by the patient, closed", GiveAuthorisationToOther, patient.but(closed), nil, false},
		{"G05 withdrawn, closed", WithdrawAuthorisation, patient.but(closed), nil, false},
		{"G05 for a colleague, without VALIDE", GiveAuthorisationToOther, stranger.but(asked), nil, false},
		{"G05 withdrawn by the patient", WithdrawAuthorisation, patient, nil, true},
		{"G05 withdrawn at their request", WithdrawAuthorisation, stranger.but(asked), nil, true},
		{"G05 withdrawn silently", WithdrawAuthorisation, gp, nil, false},

		{"G06 the patient", block(false), patient, nil, true},
		{"G06 a médecin traitant", block(false), gp.but(asked), nil, true},
		{"G06 a médecin traitant, of their own accord", block(false), gp, nil, false},
		{"G06 another professional", block(false), treating.but(asked), nil, false},
		{"G06 a médecin traitant cannot be blocked", block(true), patient, nil, false},
		{"G06 unblocking", Unblock, patient, nil, true},
		{"G06 closed", block(false), gp.but(asked, closed), nil, false},
		{"G06 unblocking oneself", Unblock, treating.but(asked, blockedCaller), nil, false},

		{"G07 the patient", nameMT, patient, nil, true},
		{"G07 the physician", nameMT, stranger.but(physician, asked), nil, true},
		{"G07 without agreement", nameMT, stranger.but(physician), nil, false},
		{"G07 closed", nameMT, patient.but(closed), nil, false},
		{"G07 a regulator", nameMT, regulator.but(asked), nil, false},
		{"G07 not a physician", nameMT, treating.but(asked), nil, false},

		{"G08 the patient", oppose(ToBrisDeGlace), patient, nil, true},
		{"G08 a médecin traitant", oppose(ToCentre15), gp.but(asked), nil, true},
		{"G08 another professional", oppose(ToCentre15), treating.but(asked), nil, false},
		{"E02 the patient opposes feeding", oppose(ToFeeding), patient, nil, true},
		{"E02 nobody in their place", oppose(ToFeeding), gp.but(asked), nil, false},

		{"L18 the patient hides everything", MaskEverything, patient, nil, true},
		{"L18 nobody in their place", MaskEverything, gp.but(asked), nil, false},
		{"G10 the patient", Alerts, patient, nil, true},
		{"G10 closed", Alerts, patient.but(closed), nil, false},
		{"G10 a médecin traitant", Alerts, gp.but(asked), nil, false},

		{"G11 traits, VALIDE", ChangeTraits, treating, nil, true},
		{"G11 traits, a stranger", ChangeTraits, stranger, nil, false},
		{"G11 traits, a regulator who is a médecin traitant", ChangeTraits, regulator.but(mt), nil, false},
		{"G11 a new INS, VALIDE", newINS(NewINS{QualifiedIdentity: true}), treating, nil, false},
		{"G11 a new INS, a médecin traitant", newINS(NewINS{QualifiedIdentity: true}), gp, nil, true},
		{"G11 a new INS, the health insurance", newINS(NewINS{QualifiedIdentity: true}), feeder, nil, true},
		{"G11 a new INS, blocked", newINS(NewINS{QualifiedIdentity: true}), clerk.but(blockedCaller), nil, false},
		{"G12 death, VALIDE", RecordDeath, treating, nil, true},
		{"G12 death, the patient", RecordDeath, patient, nil, false},
		{"G07 somebody else", nameOthers, stranger.but(physician, asked), nil, false},
		{"G07 in an emergency", nameMT, rescuer.but(asked), nil, false},
		{"G07 a student", nameMT, stranger.but(physician, student, asked), nil, false},
		{"G07 an occupational physician", nameMT, stranger.but(physician, occupational, asked), nil, false},
		{"G05 their own, in an emergency", GiveAuthorisationToSelf, rescuer.but(asked), nil, false},
		{"G05 for a structure, the patient", GiveAuthorisationToStructure, patient, nil, true},
		{"G05 for a structure, VALIDE", GiveAuthorisationToStructure, treating.but(asked), nil, false},
		{"G05 for a team, VALIDE", GiveAuthorisationToTeam, treating.but(asked), nil, true},
		{"G05 for a team, silently", GiveAuthorisationToTeam, treating, nil, false},
		{"G05 for a team, the patient", GiveAuthorisationToTeam, patient, nil, true},
		{"G03 ten years over", Reactivate, patient.but(closed, tenYears), nil, false},
		{"G01 a representative", opening(inOrder), parent.but(absent), nil, false},
		{"G01 in a secret session", opening(inOrder), stranger.but(absent, secret), nil, false},
		{"G01 by letter", opening(Opening{QualifiedIdentity: true, SixWeeksOver: true}), feeder.but(absent), forAll, true},
		{"G01 by letter, on request", opening(Opening{QualifiedIdentity: true, SixWeeksOver: true}), feeder.but(absent), nil, false},
		{"G01 by letter, a professional", opening(Opening{QualifiedIdentity: true, SixWeeksOver: true}), stranger.but(absent), forAll, false},
		{"G01 by letter, too early", opening(Opening{QualifiedIdentity: true}), feeder.but(absent), forAll, false},
		{"§6 a team, the patient", compose(false), patient, nil, true},
		{"§6 a team, VALIDE", compose(true), treating.but(asked), nil, true},
		{"§6 a team, a structure", compose(false), treating.but(asked), nil, false},
		{"§6 a team, in an emergency", compose(true), rescuer.but(valid, asked), nil, false},
		{"§6 a team, in a secret session", compose(true), treating.but(asked, secret), nil, false},
		{"§6 a team, closed", compose(true), patient.but(closed), nil, false},
		{"§6 a team narrowed", NarrowTeam, stranger.but(asked), nil, true},
		{"§6 a team narrowed, in a secret session", NarrowTeam, stranger.but(asked, secret), nil, false},
		{"§6 a representative, by the patient", related(false), patient.but(confirmed), nil, true},
		{"§6 a representative, without a second factor", related(false), patient, nil, false},
		{"§6 a representative, staff, at opening", related(true), clerk.but(absent), nil, true},
		{"§6 a representative, a professional, at opening", related(true), stranger.but(absent), nil, true},
		{"§6 a representative, a regulator, at opening", related(true), regulator.but(absent), nil, false},
		{"§6 a representative, staff, later", related(false), clerk.but(confirmed), nil, false},
		{"§5 a student", emergency(stated), stranger.but(physician, student), nil, false},
		{"§5 a student, in the sandbox", emergency(stated), stranger.but(physician, student), sandbox, true},
		{"§5 traits, a regulator", SearchTraits, regulator, nil, true},
		{"§5 traits, in normal mode", SearchTraits, regulator.but(normalMode), nil, false},
		{"§5 traits, a professional", SearchTraits, treating.but(centre15), nil, false},
		{"§5 traits, an occupational physician", SearchTraits, regulator.but(occupational), nil, false},
		{"§5 traits, vouched for", SearchTraits, regulator.but(vouched), air, false},
		{"§6 search, VALIDE", searching(false), treating, nil, true},
		{"§6 search, about oneself", searching(true), stranger, nil, true},
		{"§6 search, no right", searching(false), stranger, nil, false},
		{"§6 search, closed", searching(true), treating.but(closed), nil, false},
		{"§6 search, opposed", searching(true), rescuer.but(valid, opposedBDG), nil, false},
		{"G11 traits, closed", ChangeTraits, clerk.but(closed), nil, false},
		{"G11 contact data, VALIDE", ChangeContact, treating, nil, true},
		{"G11 traits, administrative staff", ChangeTraits, clerk, nil, true},
		{"G11 traits, administrative staff, blocked", ChangeTraits, clerk.but(blockedCaller), nil, false},
		{"G11 traits, the patient", ChangeTraits, patient, nil, false},
		{"G11 traits, an establishment", ChangeTraits, hospital, nil, false},
		{"G11 contact data, the patient", ChangeContact, patient, nil, true},
		{"G11 contact data, a stranger", ChangeContact, stranger, nil, false},
		{"G11 a new INS", newINS(NewINS{QualifiedIdentity: true}), clerk, nil, true},
		{"G11 a new INS, provisional", newINS(NewINS{}), clerk, nil, false},
		{"G11 the INS of another", newINS(NewINS{QualifiedIdentity: true, OfAnotherPerson: true}), gp, nil, false},

		{"§5 a physician", emergency(stated), stranger.but(physician), nil, true},
		{"§5 no reason", emergency(Emergency{CodedCircumstance: true}), stranger.but(physician), nil, false},
		{"§5 no circumstance", emergency(Emergency{WrittenReason: true}), stranger.but(physician), nil, false},
		{"§5 a token opens one grant", emergency(Emergency{CodedCircumstance: true, WrittenReason: true, TokenUsed: true}), stranger.but(physician), nil, false},
		{"§5 another profession", emergency(stated), stranger, nil, false},
		{"§5 another profession, by the setting", emergency(stated), stranger, anyProfession, true},
		{"§5 opposed", emergency(stated), stranger.but(physician, opposedBDG), nil, false},
		{"§5 blocked", emergency(stated), stranger.but(physician, blockedCaller), nil, false},
		{"§5 closed", emergency(stated), stranger.but(physician, closed), nil, false},
		{"§5 unknown", emergency(stated), stranger.but(physician, absent), nil, false},
		{"§5 not in person", emergency(stated), stranger.but(physician, vouched), air, false},
		{"§5 an occupational physician", emergency(stated), stranger.but(physician, occupational, express), expressOnly, false},
		{"§5 an establishment", emergency(stated), hospital.but(physician), nil, false},
	})
}

func TestZeroStateRefuses(t *testing.T) {
	asks := map[string]right{
		"status": ReadStatus, "patient": ReadPatient, "consent": aboutMe,
		"history": history(EventOpen), "related": ReadRelatedPerson,
		"add": add(nil), "replace": replace(nil), "delete": Delete, "mask": Mask, "unmask": Unmask,
		"hide": Hide, "show": Show, "hide reps": HideReps, "show reps": ShowReps, "archive": Archive,
		"open": opening(Opening{true, true, true}), "close": Close, "reactivate": Reactivate, "destroy": Destroy,
		"self": GiveAuthorisationToSelf, "other": GiveAuthorisationToOther, "withdraw": WithdrawAuthorisation,
		"block": block(false), "unblock": Unblock, "name": nameMT, "oppose": oppose(ToBrisDeGlace),
		"mask all": MaskEverything, "alerts": Alerts, "traits": ChangeTraits, "contact": ChangeContact,
		"ins": newINS(NewINS{QualifiedIdentity: true}), "grant": emergency(Emergency{true, true, false}),
	}
	for name, ask := range asks {
		for _, s := range []State{{}, {Kind: Operator, Holder: true, Dossier: DossierOpen, SecondFactor: true, AtPatientsRequest: true, Minor: true}} {
			if ask(s, Defaults()) {
				t.Errorf("%s: granted to %+v", name, s)
			}
		}
	}
}
