// Package sheet reads the habilitation matrix from what a spreadsheet exports: CSV,
// in the encodings and with the separators that spreadsheets use, in the wide form
// of the official table (a row for each document type, a column for each profession)
// or in the long form of the matrix files.
//
// It refuses rather than guesses. A code, a label or a word that it does not know,
// a row or a column that stands twice, and a cell that is not there are each named,
// with the line and the column of the spreadsheet; all of them at once.
package sheet
