// Package definitions reads the conformance resources that the tables of package fhir
// are generated from: StructureDefinitions, ValueSets and CodeSystems as JSON, one
// file each, named after their type as in the packages of FHIR.
//
// It keeps what the generators need and drops the rest, and has what they write alike.
// It reads files that it is
// given and looks nothing up; nothing of it is in the server.
package definitions
