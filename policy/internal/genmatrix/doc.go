// Command genmatrix writes the tables of the habilitation matrix and the list of
// document types from a folder of terminology (testdata/terminology).
//
//	genmatrix TERMINOLOGY-FOLDER POLICY-FOLDER
//
// It writes, in the policy folder,
//
//	doctypes_gen.go                 the document types of the DMP, as Go
//	matrix_columns_gen.go           what can be a column, with its French label, as Go
//	matrix/2023-10-30.csv           what public texts say of the arrêté of 26 October 2023; the rest unknown
//	matrix/sandbox/2024-01-01.csv   the same, completed by synthetic cells
//
// A cell with a public source is never overridden by a synthetic one. The same
// input gives the same bytes.
package main
