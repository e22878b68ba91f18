// Package opendmp is the module of OpenDMP, an open implementation of the French
// shared medical record (DMP, dossier médical partagé) over HL7 FHIR R4.
//
// It holds no code. Its tests read the sources of the whole module and keep what
// no single package can keep: who may import whom (imports_test.go), that only
// package emit writes responses (doors_test.go), and that no package can forge a
// proof of another (forge_test.go). Start reading at package dossier.
package opendmp
