// Package policy decides who may do what with a dossier, and releases what may
// leave it. It is POLICY.md in Go: each rule is one small function with the id,
// the sentence and the source that POLICY.md gives it.
//
// It promises that
//   - nothing comes out of it but as a Released, which only this package can make
//     and which is judged from the very bytes that it carries;
//   - all rules run, a refusal wins, silence refuses, and the Decision names the
//     rules that decided;
//   - a rule sees an argument, Case, of enumerations and booleans only. The whole
//     table of its values can be, and is, enumerated by tests;
//   - it is pure: no clock, no I/O, no randomness, no context. One View is the
//     situation of one caller on one dossier at one instant, given by its maker.
//
// It refuses whatever it cannot read: the zero Principal, the zero View, the zero
// Decision and the zero Released all refuse; a resource whose facts cannot be
// taken is released to nobody.
//
// # How a decision is made
//
//	resource bytes ─ FactsOf ─▶ Facts ─┐
//	                                   ├─ NewRecord ─▶ Record   (cached; facts and periods only)
//	consents, patient, representatives ┘
//	Principal + Record + instant ─ Engine.View ─▶ View          (the situation)
//	View + Facts ─▶ Case ─ rules ─▶ Decision
//	View + bytes ─ Release ─▶ Released                          (facts taken again, references trimmed)
//
// # How it is shown to be right
//
// testdata/regles holds, rule by rule, cases for and against, for a jurist to
// read; each row of the table of rules is dropped and inverted in turn, each check
// in it changed, each class of cell taken for another, and a case must fail.
// testdata/scenes tells the sandbox's stories. Package naive is a second reading of
// POLICY.md, written from the text alone: both agree on every state of reading, on
// every act and on all that is near them. Laws, such as that a mask never widens
// access, are checked on the same states, and those tables are golden. Two worlds, with and without what a caller may not see, must look the
// same to them.
package policy
