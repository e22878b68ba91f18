// Package naive is a second reading of POLICY.md, for tests only: the engine must
// agree with it on every state.
//
// It was written from the text alone, by a reader who had not seen the engine. It
// imports nothing of this module and must never import the engine: two readings
// that share code share their mistakes.
//
// Each condition stands under the sentence it transcribes, quoted, with its rule
// id. It favours obviousness over speed: nothing is precomputed, rules are asked
// one after the other, and what no sentence grants is refused. Where the text can
// be read in two ways, a comment that begins with "Read as" says which was taken.
//
// It knows a profession and a type only as a matrix cell and a document group
// (POLICY.md §8), reads no clock, and leaves out what is a formality of the
// request rather than a right: motives, wordings, rates, the recording of events,
// the trimming of lists (L17).
package naive
