// Package directory knows the professionals and the structures of the country, so
// that a patient who blocks or authorises somebody by name gets their identifier,
// and so that who is named médecin traitant is known to be a physician.
//
// It has the shape of the national directory (Annuaire Santé): a professional
// (Practitioner) has practices (PractitionerRole), each of one profession, perhaps
// in a structure (Organization).
//
//	Directory   what the door asks; a driver implements it
//	Index       a directory in memory: of the sandbox, and of a file
//	File        the public extraction of the Annuaire Santé, read again when it changes
//
// It promises that an answer is bounded, that it comes from one whole file and never
// from half of an old and half of a new one, and that a line which cannot be read
// refuses the file and is named by its number.
//
// It refuses to keep what nobody is found by here: telephone numbers and addresses of
// e-mail are not taken from the file. It decides nothing, and it holds nothing of a
// patient.
package directory
