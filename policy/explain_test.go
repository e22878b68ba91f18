package policy

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"opendmp/auth"
	"opendmp/fhir"
)

// The patient, who represents them and their médecins traitants are told, of what
// they read themselves; to everybody else there is no such document.
func TestExplainIsNoOracle(t *testing.T) {
	e := sandboxEngine(t, nil)
	for _, name := range []string{"alix", "basile", "claire", "david", "emma"} {
		rec := castDossier(t, name).record()
		askers := append(slices.Sorted(maps.Keys(castPersons)), "patient-alix", "patient-david", "patient-emma", "representative-lambert", "personne")
		for _, who := range askers {
			v := e.view(cast(t, who), rec, noon)
			s := v.Situation()
			for i := range rec.Len() + 1 {
				x, d := v.Explain(i)
				document := rec.Subject(i).Facts.typ == typeDocument
				may := document && v.Read(i).Allowed() && (s.Patient || s.Representative || s.MedecinTraitant)
				if d.Allowed() != may || x.Ok() != may || !may && d.Refusal() != Hidden {
					t.Errorf("%s: %s explained %v by %q, want %v", who, rec.Subject(i).Ref, d.Allowed(), d.Rules(), may)
				}
				if may && (len(d.Rules()) != 1 || d.Rules()[0] != "G13") {
					t.Errorf("%s: %s explained by %q", who, rec.Subject(i).Ref, d.Rules())
				}
			}
		}
	}
	if x, d := (*View)(nil).Explain(0); x.Ok() || d.Allowed() {
		t.Error("the nil View explains")
	}
}

// found is how a caller finds themself in an explanation, as its comment says.
func (x Explanation) found(e *Engine, k caller, typ, class auth.Coding) (Extent, bool) {
	k = e.registry.placed(k)
	cell := e.matrix.Cell(k.profession, k.roles, typ, class, noon)
	fits := func(r Reader) bool {
		return r.Cell == Unknown || (r.Cell == Allow) == (cell == Allow)
	}
	one := func(ok func(Reader) bool) (Extent, bool) {
		for _, r := range x.Readers {
			if fits(r) && ok(r) {
				return r.Decision.Extent(), true
			}
		}
		return None, false
	}
	is := func(q Quality) (Extent, bool) { return one(func(r Reader) bool { return r.Quality == q }) }
	switch {
	case k.kind == auth.Patient || k.kind == auth.Representative:
		if extent, ok := one(func(r Reader) bool {
			return r.Quality == TheRepresentative && r.Person == k.id || r.Quality == ThePatient && k.kind == auth.Patient && k.holderOf(x)
		}); ok {
			return extent, true
		}
		return is(OtherPatient)
	case k.kind == auth.Operator:
		return is(TheOperator)
	case k.kind == auth.Administrative || k.kind == auth.Establishment || k.kind == auth.InsuranceFeeder:
		for _, q := range []Quality{AuthorAdministration, AuthorEstablishment} {
			if q == AuthorAdministration && k.kind != auth.Administrative {
				continue
			}
			if extent, ok := one(func(r Reader) bool { return r.Quality == q && k.actsIn([]fhir.Ident{r.Structure}) }); ok {
				return extent, true
			}
		}
		if extent, ok := is(AuthorFeeder); ok && k.kind == auth.InsuranceFeeder {
			return extent, true
		}
		return is(OtherSystem)
	}
	way := OtherProfessional
	switch {
	case k.kind == auth.Regulator:
		way = RegulatorMode
	case k.occupational:
		way = OccupationalPhysician
	}
	carer := func(r Reader) bool {
		if way == OtherProfessional {
			return r.Quality >= TreatingPhysician && r.Quality <= DepositorStructure || r.Quality == way
		}
		return r.Quality == way
	}
	in := func(r Reader) bool { return k.actsIn([]fhir.Ident{r.Structure}) }
	if extent, ok := one(func(r Reader) bool { return carer(r) && r.Person == k.id && in(r) }); ok {
		return extent, true
	}
	person, p := one(func(r Reader) bool { return carer(r) && r.Person == k.id && r.Structure.IsZero() })
	structure, s := one(func(r Reader) bool { return carer(r) && r.Person.IsZero() && in(r) })
	if p || s {
		return max(person, structure), true
	}
	return one(func(r Reader) bool { return r.Quality == way && r.Person.IsZero() && r.Structure.IsZero() })
}

// holderOf tells whether a patient is that of the explanation, whose dossiers in
// these tests are named after them.
func (k caller) holderOf(x Explanation) bool {
	for name, p := range castPatients {
		if k.id == ident(fhir.SystemINSTest, p.ins) {
			return strings.HasPrefix(x.Ref, "DocumentReference/"+name)
		}
	}
	return false
}

// agree compares an explanation of each document with what each caller reads.
func agree(t *testing.T, e *Engine, rec *Record) (compared, read int) {
	t.Helper()
	v := e.view(cast(t, "medecin-martin"), rec, noon)
	all := slices.Sorted(maps.Keys(castPersons))
	for p := range castPatients {
		all = append(all, "patient-"+p)
	}
	all = append(all, "representative-lambert")
	for i := range rec.Len() {
		f := rec.Subject(i).Facts
		if f.typ != typeDocument {
			continue
		}
		x := v.explanation(i)
		for _, who := range all {
			k := cast(t, who)
			actual := e.view(k, rec, noon).Read(i)
			told, ok := x.found(e, k, f.docType, f.class)
			if !ok || told != actual.Extent() {
				t.Errorf("%s reads %s to the extent %d by %q, and is told %d (%v)", who, x.Ref, actual.Extent(), actual.Rules(), told, ok)
			}
			compared++
			if actual.Allowed() {
				read++
			}
		}
	}
	return compared, read
}

// What an explanation tells is what the rules decide: for everybody of the cast,
// on every document of theirs.
func TestExplanationAgrees(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"as the sandbox":           nil,
		"as a service":             func(s *Settings) { s.MaskAllSparesMT = false },
		"occupational by consent":  func(s *Settings) { s.Occupational = OccupationalByConsent },
		"nobody opens emergencies": func(s *Settings) { s.GrantProfessions = nil },
	} {
		t.Run(name, func(t *testing.T) {
			e := sandboxEngine(t, change)
			compared, read := 0, 0
			for _, name := range []string{"alix", "basile", "claire", "david", "emma"} {
				c, r := agree(t, e, everything4MT(t, name))
				compared, read = compared+c, read+r
			}
			if compared < 500 || read < 100 {
				t.Errorf("%d compared, %d of them read", compared, read)
			}
		})
	}
}

// everything4MT is a dossier of the cast of which medecin-martin is the médecin
// traitant, so that they may name all that its Consents name.
func everything4MT(t *testing.T, name string) *Record {
	t.Helper()
	d := castDossier(t, name)
	d.subjects[0] = Subject{"Patient/" + name, facts(t, patientJSON(name, d.state == Active, "", "medecin-martin"), Origin{})}
	return d.record()
}

// The same of dossiers at random, in which people have several qualities at once:
// authors, authorised or blocked, in structures that are, members of teams, with
// emergencies open, and with everything masked.
func TestExplanationAgreesOnAnything(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 22))
	e := sandboxEngine(t, func(s *Settings) { s.Occupational = OccupationalByConsent })
	persons := []string{"medecin-durand", "medecin-leroy", "pharmacien-dubois", "opticien-blanc", "medecin-travail-colin", "samu-garnier", "urgentiste-roche"}
	structures := []string{"hopital-nord", "cabinet-centre", "cabinet-sud", "samu-75", "service-sante-travail"}
	pick := func(of []string) string { return of[r.IntN(len(of))] }
	compared, read := 0, 0
	for range 120 {
		d := &dossier{state: Active, name: "alix"}
		d.add(t, "Patient/alix", patientJSON("alix", true, "", "medecin-martin", pick(persons)), Origin{})
		for range r.IntN(5) {
			d.consent(t, Autorisation, pick(slices.Concat(persons, structures)), "2026-11-22", "2026-11-22")
		}
		if r.IntN(2) == 0 {
			d.consent(t, Blocage, pick(slices.Concat(persons, structures)), "", "")
		}
		if r.IntN(3) == 0 {
			d.consent(t, AccesUrgence, pick(persons), "2026-11-22T11:30:00Z", "2026-11-22T12:30:00Z")
		}
		if r.IntN(4) == 0 {
			d.consent(t, []ConsentKind{MasquageTotal, OppositionBrisDeGlace, OppositionCentre15}[r.IntN(3)], "", "", "")
		}
		if r.IntN(3) == 0 {
			d.add(t, "CareTeam/equipe", teamJSON("active", "", participant(pick(persons), "", ""), participant(pick(structures), "2026-01-01", "2026-12-31")), Origin{})
			d.subjects = append(d.subjects, Subject{"Consent/equipe", teamConsent(t, "2026-11-01", "2027-10-31")})
		}
		for n := range 4 {
			spec := docSpec{id: fmt.Sprintf("alix-%d", n), typ: pick([]string{"11488-4", "68599-0", "57833-6"}), author: pick(append(persons, "hopital-nord")), days: 3}
			for _, l := range []string{"MASQUE_PS", "INVISIBLE_PATIENT"} {
				if r.IntN(3) == 0 {
					spec.labels = append(spec.labels, l)
				}
			}
			d.subjects = append(d.subjects, spec.subject(t, "alix"))
		}
		c, got := agree(t, e, d.record())
		compared, read = compared+c, read+got
		if t.Failed() {
			for _, s := range d.subjects {
				t.Log(s.Ref, s.Facts.consent, s.Facts.persons, s.Facts.structures, s.Facts.flags)
			}
			return
		}
	}
	if compared < 10_000 || read < 1000 {
		t.Errorf("%d compared, %d of them read", compared, read)
	}
}

// Whoever asks is not told of what they may not see: the explanation is the same
// whether or not it is there.
func TestExplanationOfTwoWorlds(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	e := sandboxEngine(t, nil)
	compared := 0
	for range 40 {
		w := randomWorld(t, r)
		for _, who := range []string{"patient-alix", "medecin-martin"} {
			all := e.view(cast(t, who), w.dossier.record(), noon)
			var seen []Subject
			for i, s := range w.dossier.subjects {
				if all.Read(i).Allowed() {
					seen = append(seen, s)
				}
			}
			less := e.view(cast(t, who), NewRecord(Active, seen), noon)
			for i, s := range seen {
				if s.Facts.typ != typeDocument {
					continue
				}
				place, _ := all.rec.Index(s.Ref)
				a, _ := all.Explain(place)
				b, _ := less.Explain(i)
				if told(t, a) != told(t, b) {
					t.Fatalf("%s: %s:\n%s\n%s", who, s.Ref, told(t, a), told(t, b))
				}
				compared++
			}
		}
	}
	if compared < 300 {
		t.Errorf("only %d compared", compared)
	}
}

// told is an explanation in sentences.
func told(t *testing.T, released Released[Explanation]) string {
	t.Helper()
	x, ok := released.Value()
	if !ok {
		t.Fatal("no explanation")
	}
	var b strings.Builder
	for _, r := range x.Readers {
		s := r.Sentence(nil)
		fmt.Fprintf(&b, "%s | %s | %s\n", r.Quality, s.FR, s.EN)
	}
	return b.String()
}

// Every rule that may decide on reading has words for what it found, and no
// quality is without a code and a subject.
func TestExplanationsHaveWords(t *testing.T) {
	said := map[string][2]bool{}
	r := rand.New(rand.NewPCG(7, 8))
	for range 300_000 {
		c := randomCase(r)
		c.Act = ActRead
		d := rulebook.decide(c)
		for _, id := range d.Rules() {
			s := said[id]
			s[0], s[1] = s[0] || d.Allowed(), s[1] || !d.Allowed()
			said[id] = s
		}
	}
	if len(said) < 15 {
		t.Errorf("only %d rules decided", len(said))
	}
	for id, s := range said {
		if _, ok := permitting[id]; s[0] && !ok {
			t.Errorf("%s permits without words", id)
		}
		if _, ok := refusing[id]; s[1] && !ok {
			t.Errorf("%s refuses without words", id)
		}
	}
	codes := map[string]bool{}
	for q := ThePatient; q < qualities; q++ {
		if q.String() == "" || codes[q.String()] || subjects[q].name.FR == "" && subjects[q].aside.FR == "" {
			t.Errorf("quality %d: code %q, or nothing to say", q, q)
		}
		codes[q.String()] = true
	}
	if NoQuality.String() != "" || qualities.String() != "" {
		t.Error("what is no quality has a code")
	}
}

// The sentences of a document of the sandbox, for who reads them.
func TestSentences(t *testing.T) {
	e := sandboxEngine(t, nil)
	rec := castDossier(t, "alix").record()
	v := e.view(cast(t, "patient-alix"), rec, noon)
	names := map[fhir.Ident]string{cast(t, "medecin-martin").id: "Dr Hélène MARTIN", cast(t, "pharmacien-dubois").id: "Nadia DUBOIS", cast(t, "medecin-leroy").id: "Dr Sophie LEROY"}
	i, _ := rec.Index("DocumentReference/alix-masque")
	released, _ := v.Explain(i)
	x, _ := released.Value()
	var all []string
	for _, r := range x.Readers {
		all = append(all, r.Sentence(func(id fhir.Ident) string { return names[id] }).FR)
	}
	for _, want := range []string{
		"Le patient lit ce document en entier : le dossier est le sien (L03).",
		"Dr Hélène MARTIN, médecin traitant, lit ce document en entier : son autorisation est VALIDE (L06) ; un médecin traitant n’a besoin d’aucune autre autorisation (L06a).",
		"Dr Sophie LEROY, auteur du document, ne lit de ce document que les métadonnées : l’auteur garde l’accès aux métadonnées de ses documents (L09).",
		"Nadia DUBOIS, que le patient a autorisé, ne lit pas ce document : ce document est masqué aux professionnels (L08).",
		"Tout autre professionnel (Médecin), en bris de glace, ne lit pas ce document : ce document est masqué aux professionnels (L08).",
	} {
		if !slices.Contains(all, want) {
			t.Errorf("nobody says %q of\n%s", want, strings.Join(all, "\n"))
		}
	}
	i, _ = rec.Index("DocumentReference/alix-psy")
	d, s := e.view(cast(t, "medecin-durand"), rec, noon).Why(i, fhir.Text{FR: "Le Dr Marc DURAND", EN: "Dr Marc DURAND"})
	if !d.Allowed() || s.FR != "Le Dr Marc DURAND lit ce document en entier : son autorisation est VALIDE (L06) ; la matrice permet ce type de document à la profession (L07)." ||
		s.EN != "Dr Marc DURAND reads this document whole: their authorisation is VALIDE (L06); the matrix allows the profession this type of document (L07)." {
		t.Errorf("%q, %q", s.FR, s.EN)
	}
}
