package policy

import (
	"fmt"
	"testing"

	"opendmp/auth"
	second "opendmp/policy/naive"
)

// readingSpaces are the quotient of POLICY §8 for reading a document: every state
// in which professions and types are but a cell and a group.
func readingSpaces() []space {
	base := usual()
	base.Act = ActRead
	carers := some("Kind", auth.Professional, auth.Regulator)
	others := some("Kind", auth.Nobody, auth.Patient, auth.Representative, auth.Establishment, auth.Administrative, auth.InsuranceFeeder, auth.Operator, auth.Operator+1)
	flags := fields("Blocked", "MT", "Grant", "OpposedBTG", "OpposedC15", "MaskAll", "Masked", "Mine", "Deposited")
	return []space{
		// Whoever has a column in the matrix, on the settings by default.
		{base, append([]axis{carers, field("State"), field("Status"), field("Group"), field("Mode"), field("Authorisation"), field("Cell"),
			field("Hidden"), field("HiddenReps")}, flags...)},
		// The same in an open dossier, with what the settings concern.
		{base, append([]axis{carers, some("Group", UnknownType, Ordinary), vouching, studying, working, field("Options.MaskAllSparesMT"),
			field("Mode"), field("Authorisation"), field("Cell")}, flags...)},
		// Everybody else.
		{base, append([]axis{others, vouching, field("State"), field("Status"), field("Group")}, fields("Holder", "Blocked", "MaskAll", "Masked", "Hidden", "HiddenReps", "Mine")...)},
		// The same in an open dossier, with all that concerns professionals alone.
		{base, append([]axis{others, field("Group"), field("Mode"), field("Authorisation"), field("Cell"), field("Holder"), field("Hidden"), field("HiddenReps")}, flags...)},
	}
}

// Values that settings concern, each with the setting at both of its own.
var (
	vouching = axis{
		func(c *Case) { c.Vouched, c.Options.AIR = false, false },
		func(c *Case) { c.Vouched, c.Options.AIR = true, false },
		func(c *Case) { c.Vouched, c.Options.AIR = true, true },
	}
	studying = axis{
		func(c *Case) { c.Student, c.Options.Students = false, false },
		func(c *Case) { c.Student, c.Options.Students = true, false },
		func(c *Case) { c.Student, c.Options.Students = true, true },
	}
	working = axis{
		func(c *Case) { c.Occupational, c.Personal, c.Options.OccupationalByConsent = false, false, false },
		func(c *Case) { c.Occupational, c.Personal, c.Options.OccupationalByConsent = true, true, false },
		func(c *Case) { c.Occupational, c.Personal, c.Options.OccupationalByConsent = true, false, true },
		func(c *Case) { c.Occupational, c.Personal, c.Options.OccupationalByConsent = true, true, true },
	}
)

// readAlike tells whether both readings read a document alike.
func readAlike(c Case, e Extent) bool {
	return !sayable(&c) || second.Read(stateOf(&c), settingsOf(&c)) == extentSaid(e)
}

// finding is what a part of the proof found.
type finding struct {
	table    *golden
	disagree []Case
	broken   map[string]Case // by law
}

const fewest = 3 // of a part's faults are kept

func proveReading(part space) finding {
	f := finding{table: newGolden(), broken: map[string]Case{}}
	of := func(c Case) Extent { return rulebook.decide(c).Extent() }
	for c := range part.each {
		d := rulebook.decide(c)
		f.table.add(&c, d)
		if !readAlike(c, d.Extent()) && len(f.disagree) < fewest {
			f.disagree = append(f.disagree, c)
		}
		for _, l := range readingLaws {
			if l.broken(c, d.Extent(), of) {
				f.broken[l.name] = c
			}
		}
	}
	return f
}

// Every state of reading a document: both readings agree, all laws hold, and the
// whole table is golden.
func TestProofOfReading(t *testing.T) {
	var parts []space
	for _, s := range readingSpaces() {
		parts = append(parts, s.split(1<<15)...)
	}
	table, broken := newGolden(), map[string]bool{}
	complain := complaints{t: t, seen: map[string]bool{},
		wrong: func(c Case) bool { return !readAlike(c, rulebook.decide(c).Extent()) },
		say: func(c Case) string {
			d := rulebook.decide(c)
			return fmt.Sprintf("extent %d by %q, the second reading says %d", d.Extent(), d.Rules(), second.Read(stateOf(&c), settingsOf(&c)))
		}}
	for _, f := range spread(len(parts), func(i int) finding { return proveReading(parts[i]) }) {
		table.join(f.table)
		complain.about(f.disagree)
		for law, c := range f.broken {
			if !broken[law] {
				broken[law] = true
				d := rulebook.decide(c)
				t.Errorf("%s: %s: %d by %q", law, inWords(c), d.Extent(), d.Rules())
			}
		}
	}
	if table.n < 10_000_000 {
		t.Errorf("only %d states", table.n)
	}
	sameAsGolden(t, "testdata/golden/lecture.txt", fmt.Sprintf(
		"# Toutes les décisions de lecture d’un document : %d cas.\n# Après un changement voulu : go test ./policy -update\nsha256 %s\n%s",
		table.n, table.sum(), table.summary([3]string{Full: "entier", Metadata: "métadonnées", None: "rien"}, func([3]int) bool { return true })))
}
