// Package fhir handles FHIR R4 data (4.0.1) as bytes.
//
// It parses strictly, keeps what it received, and edits by splicing: nothing
// received is ever decoded into a struct and encoded again, so extensions,
// contained resources, decimals and white space come back as they were sent.
//
// The package promises that what Parse accepts is a well-formed resource of its
// type by the official definitions, and that every refusal names the element
// (FHIRPath) and the rule. It refuses whatever it does not know: an element, a
// parameter, a modifier or a code of a required binding that is not in its
// tables is an error and never ignored.
//
// XML is read into JSON before Parse and written from it (FromXML, ToXML), so that
// one parser judges both formats.
//
// The tables are Go data generated from the R4 StructureDefinitions and
// SearchParameters; the interaction table is the single source of the routes,
// the search and the capability statement.
package fhir
