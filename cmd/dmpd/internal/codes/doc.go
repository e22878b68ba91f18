// Package codes finds the professions, roles, titles and document types of the
// matrix by what people write for them: a code, a label, or both.
//
// It never guesses. A name that is unknown, or that stands for two things, is an
// error that names the nearest known ones, for a person to choose.
package codes
