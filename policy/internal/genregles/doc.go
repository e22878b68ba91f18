// Command genregles writes docs/regles.md: every rule as a jurist reads it, with
// its sentence, its source, the settings that touch it, its cases and a link to the
// code that applies it.
//
//	genregles ROOT          write ROOT/docs/regles.md
//	genregles -check ROOT   fail if it is not what would be written
//
// It reads the rules from the Go source of package policy, the norm from
// docs/POLICY.md and the cases from policy/testdata/regles, and promises that the
// three agree: it fails when a rule has no sentence, source or case, or is not in
// POLICY.md, and when POLICY.md has a rule that neither a row of the table nor a
// named test carries. It refuses to write half a page.
package main
