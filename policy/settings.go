package policy

import (
	"errors"
	"fmt"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// ErrSettings is the error of settings that New does not accept.
var ErrSettings = errors.New("policy: settings not valid")

// Settings are the named settings of POLICY.md, each a decision where no source
// speaks. Take DefaultSettings and change what is to differ: New refuses the zero
// Settings.
type Settings struct {
	// Majority is the age in years at which a person is no longer a minor
	// (majorite). Between 1 and 30.
	Majority int

	// GrantDuration is how long a bris de glace holds. More than 0, a day at most.
	GrantDuration time.Duration
	// GrantProfessions may break the glass. Physicians by default.
	GrantProfessions []auth.Coding
	// SecondFactor is how long a second factor counts as fresh (G04).
	SecondFactor time.Duration

	// PersonalAuthorisation is how long, from its start, an authorisation of one
	// person may hold; zero is to the end of the day on which it starts, for one
	// consultation, as is always that which a professional records for themself
	// (G05). StructureAuthorisation is that of a structure or a care team.
	PersonalAuthorisation  Period
	StructureAuthorisation Period

	// NoticeAfter and HiddenAtMost are annonce-rappel and annonce-fin: when the
	// patient gets the neutral notice, and when what was hidden from them is
	// visible by itself, from the deposit (E09).
	NoticeAfter  Period
	HiddenAtMost Period
	// Retention is how long a closed dossier is kept (G03).
	Retention Period

	// AIR admits professionals for whom an establishment vouches.
	AIR bool
	// Occupational is whether an occupational physician acting as such may read.
	Occupational Occupational
	// Students count as their profession. For the sandbox only.
	Students bool
	// FeedByAuthorisation is alimentation-sur-autorisation.
	FeedByAuthorisation bool
	// BlockForbidsFeeding is blocage-interdit-alimentation.
	BlockForbidsFeeding bool
	// BothFlags is cumul-invisible-masque.
	BothFlags bool
	// ClassOfType is classe-du-type.
	ClassOfType ClassOfType
	// MaskAllSparesMT is masquage-total-mt.
	MaskAllSparesMT bool
	// InsuranceTypes is types-assurance-maladie, in canonical form.
	InsuranceTypes []auth.Coding
	// Opening is ouverture: whether dossiers are opened on request only.
	Opening Opening
	// OpeningNotice is how long, from the letter that informs the patient, they may
	// object before a dossier is opened automatically (L.1111-14): six weeks.
	OpeningNotice Period
	// Establishments is etablissements: those that are registered. One that is not
	// is known by the identifier of its credential alone, and does not feed.
	Establishments []Establishment
}

// Occupational is the setting occupational-physician.
type Occupational uint8

// Values of occupational-physician.
const (
	OccupationalOff       Occupational = iota // off: never reads
	OccupationalByConsent                     // consentement-expres
)

// ClassOfType is the setting classe-du-type.
type ClassOfType uint8

// Values of classe-du-type.
const (
	ClassWarns   ClassOfType = iota // avertir
	ClassRefuses                    // refuser
)

// Opening is the setting ouverture.
type Opening uint8

// Values of ouverture.
const (
	OpenOnRequest     Opening = iota // sur-demande
	OpenAutomatically                // automatique
)

// DefaultSettings returns the defaults of POLICY.md.
func DefaultSettings() Settings {
	return Settings{
		Majority:               18,
		GrantDuration:          60 * time.Minute,
		GrantProfessions:       []auth.Coding{{System: auth.SystemProfession, Code: "10"}},
		SecondFactor:           10 * time.Minute,
		StructureAuthorisation: Period{Years: 1},
		NoticeAfter:            Period{Days: 14},
		HiddenAtMost:           Period{Months: 1},
		Retention:              Period{Years: 10},
		OpeningNotice:          Period{Days: 42},
		MaskAllSparesMT:        true,
		InsuranceTypes: []auth.Coding{
			{System: fhir.SystemDocumentType, Code: "REMB"},
			{System: fhir.SystemDocumentType, Code: "ATTEST-DROITS-AM"},
			{System: fhir.SystemLOINC, Code: "96874-3"},
		},
	}
}

// check refuses settings that would switch a rule off without saying so.
func (s Settings) check() error {
	const day = 24 * time.Hour
	switch {
	case s.Majority < 1 || s.Majority > 30:
		return fmt.Errorf("%w: majority %d", ErrSettings, s.Majority)
	case s.GrantDuration <= 0 || s.GrantDuration > day:
		return fmt.Errorf("%w: grant of %v", ErrSettings, s.GrantDuration)
	case s.SecondFactor <= 0 || s.SecondFactor > day:
		return fmt.Errorf("%w: second factor of %v", ErrSettings, s.SecondFactor)
	case s.PersonalAuthorisation.negative() || !s.StructureAuthorisation.positive():
		return fmt.Errorf("%w: length of authorisations", ErrSettings)
	case !s.OpeningNotice.positive():
		return fmt.Errorf("%w: time to object to an opening", ErrSettings)
	case !s.NoticeAfter.positive() || !s.HiddenAtMost.positive() || !s.Retention.positive():
		return fmt.Errorf("%w: annonce-rappel, annonce-fin or retention", ErrSettings)
	case !s.noticeInTime():
		return fmt.Errorf("%w: annonce-rappel comes when annonce-fin is over: nobody would be told", ErrSettings)
	case s.Occupational > OccupationalByConsent || s.ClassOfType > ClassRefuses || s.Opening > OpenAutomatically:
		return fmt.Errorf("%w: a value is unknown", ErrSettings)
	}
	for _, t := range s.InsuranceTypes {
		if !isDocumentType(t) {
			return fmt.Errorf("%w: types-assurance-maladie: %s is no type of the DMP", ErrSettings, t.Code)
		}
	}
	return nil
}

// noticeInTime tells whether the patient is told before what is hidden is visible by
// itself, also of what is deposited in the shortest month.
func (s Settings) noticeInTime() bool {
	deposited := time.Date(2027, time.February, 1, 0, 0, 0, 0, fhir.Paris)
	return EndOfDay(s.NoticeAfter.After(deposited)).Before(s.HiddenAtMost.After(deposited))
}

func (s Settings) options() Options {
	return Options{
		AIR:                   s.AIR,
		OccupationalByConsent: s.Occupational == OccupationalByConsent,
		Students:              s.Students,
		FeedByAuthorisation:   s.FeedByAuthorisation,
		BlockForbidsFeeding:   s.BlockForbidsFeeding,
		BothFlags:             s.BothFlags,
		ClassMustFit:          s.ClassOfType == ClassRefuses,
		MaskAllSparesMT:       s.MaskAllSparesMT,
		OpenAutomatically:     s.Opening == OpenAutomatically,
	}
}

// Engine is the settings and the matrix: all that a decision needs beside the
// caller, the dossier and the instant. It is immutable and safe for concurrent
// use. The zero Engine, and nil, make Views that refuse.
type Engine struct {
	settings Settings
	options  Options
	matrix   *Matrix
	book     *book
	registry registry
}

// New makes an engine. The error wraps ErrSettings.
func New(s Settings, m *Matrix) (*Engine, error) {
	if m == nil {
		return nil, fmt.Errorf("%w: no matrix", ErrSettings)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	reg, err := register(s.Establishments)
	if err != nil {
		return nil, err
	}
	return &Engine{settings: s, options: s.options(), matrix: m, book: rulebook, registry: reg}, nil
}

// Settings returns the settings; zero of the zero Engine and of nil.
func (e *Engine) Settings() Settings {
	if e == nil {
		return Settings{}
	}
	return e.settings
}
