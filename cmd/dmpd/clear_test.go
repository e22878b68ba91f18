package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opendmp/sandbox"
)

// markers are what must never stand in clear in a store or a log: identities of
// patients and words of their documents, also as base64 or hexadecimal.
func markers() []string {
	words := []string{
		"285047511200116", "162116938804233", "213035935031003", "123456789012345",
		"Compte rendu", "masqué", "inconsciente", "hors-etat-de-consentir", "+336", "exemple.test",
		"11502-2", "68599-0", "MASQUE_PS", "%PDF-", "ClinicalDocument",
	}
	for _, p := range sandbox.Personas() {
		if p.Patient != nil {
			words = append(words, p.Patient.BirthName, p.Patient.Given)
		}
	}
	return words
}

func forms(word string) [][]byte {
	return [][]byte{
		[]byte(word), []byte(strings.ToLower(word)),
		[]byte(base64.StdEncoding.EncodeToString([]byte(word))[:len(word)]), []byte(hex.EncodeToString([]byte(word))),
	}
}

// Nothing clinical and no identity stands in clear in the files of a server
// (DESIGN: dump it, search for markers, find none).
func TestNothingInClear(t *testing.T) {
	w := openWorld(t)
	w.as("urgentiste-roche").withPurpose("", "").get("DocumentReference?patient=" + w.patient("patient-alix"))
	files := 0
	err := filepath.WalkDir(shared.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == idsFile(shared.data) {
			return err // the list of the sandbox's ids is no part of a server
		}
		files++
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v", path, info.Mode())
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, word := range markers() {
			for _, form := range forms(word) {
				if bytes.Contains(content, form) {
					t.Errorf("%s holds %q in clear", filepath.Base(path), word)
				}
			}
		}
		return nil
	})
	if err != nil || files < 3 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// The log of a server names no patient, no query and no token.
func TestLogSaysNothing(t *testing.T) {
	w := openWorld(t)
	w.as("medecin-martin").get("DocumentReference?patient.identifier=" + w.people["patient-alix"].INS).is(200)
	w.as("medecin-martin").get("DocumentReference?patient.identifier=" + w.people["patient-alix"].INS + "&foo=bar").is(400)
	w.as("medecin-exemple").post("", []byte(`{"resourceType":"Patient","name":[{"family":"MERCIER"}]`)).is(400)
	log := w.log.String()
	if !strings.Contains(log, "/fhir/DocumentReference") {
		t.Fatalf("no request in the log: %.500s", log)
	}
	for _, word := range append(markers(), "Bearer", "eyJ", "identifier=", "99900000", w.patient("patient-alix")) {
		if strings.Contains(log, word) {
			t.Errorf("the log holds %q", word)
		}
	}
}
