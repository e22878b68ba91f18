package audit_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var server = audit.Server{URL: "https://dmp.example/fhir", Name: "OpenDMP"}

// Callers.
var (
	physician = audit.Event{
		Kind: auth.Professional, Actor: fhir.Ident{System: "urn:oid:1.2.250.1.71.4.2.1", Value: "899700218896"},
		ActorName:  "DOC0021889 KIT",
		Profession: auth.Coding{System: "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante", Code: "10"},
		Structure:  fhir.Ident{System: "urn:oid:1.2.250.1.71.4.2.2", Value: "10B0021889"}, StructureName: "CABINET KIT",
		Client: "lps-essai", TokenID: "0b8f6e0e-3f39-4f5f-9f3d-2f3a3f0f1c11", Purpose: "TREAT",
	}
	hospital = audit.Event{
		Kind: auth.Establishment, Actor: fhir.Ident{System: "urn:oid:1.2.250.1.71.4.2.2", Value: "1750000001"},
		Structure: fhir.Ident{System: "urn:oid:1.2.250.1.71.4.2.2", Value: "1750000001"}, StructureName: "HOPITAL D'ESSAI",
		Client: "CN=hopital-essai", TokenID: "d7b0", Purpose: "TREAT",
	}
	patient = audit.Event{
		Kind: auth.Patient, Actor: fhir.Ident{System: "urn:oid:1.2.250.1.213.1.4.10", Value: "279035121518989"},
		ActorName: "DE VINCI Ruth", Client: "portail", Purpose: "PATRQT",
	}
	nobody = audit.Event{}
)

// by completes what was done with who did it.
func by(who, what audit.Event) audit.Event {
	what.ID, what.Recorded = store.EventID{7, 7}, start
	what.Kind, what.Actor, what.ActorName, what.Profession = who.Kind, who.Actor, who.ActorName, who.Profession
	what.Structure, what.StructureName, what.Client, what.TokenID = who.Structure, who.StructureName, who.Client, who.TokenID
	if what.Purpose == "" {
		what.Purpose = who.Purpose
	}
	if what.RequestID == "" {
		what.RequestID = "76d148b6-586d-11ec-bf63-0242ac130002"
	}
	return what
}

const (
	balp = "IHE.BasicAudit."
	mhd  = "IHE.MHD."
)

// resourceCases are all the kinds of events that the server writes. profile is
// the one that the resource must claim beside that of the token, "" for none.
var resourceCases = []struct {
	name, profile string
	event         audit.Event
}{
	{"read-patient", balp + "PatientRead", by(physician, audit.Event{Interaction: audit.Read, Patient: "p1", Objects: []string{"Patient/p1"}, Allowed: true, Rules: []string{"L06"}, Status: 200})},
	{"vread", balp + "PatientRead", by(patient, audit.Event{Interaction: audit.VRead, Patient: "p1", Objects: []string{"DocumentReference/x/_history/2"}, Allowed: true, Rules: []string{"L03"}, Status: 200})},
	{"read-with-query", balp + "PatientRead", by(patient, audit.Event{Interaction: audit.Read, Patient: "p1", Objects: []string{"DocumentReference/x"}, Query: "_format=json", Allowed: true, Status: 200})},
	{"history", "", by(patient, audit.Event{Interaction: audit.History, Patient: "p1", Objects: []string{"DocumentReference/x"}, Allowed: true, Status: 200})},
	{"search-consents", balp + "PatientQuery", by(patient, audit.Event{Interaction: audit.Search, Patient: "p1", Query: "Consent?patient=p1", Allowed: true, Status: 200})},
	{"search-ins", balp + "Query", by(physician, audit.Event{Interaction: audit.Search, Query: "Patient?identifier=urn:oid:1.2.250.1.213.1.4.10|279035121518989", Allowed: true, Status: 200})},
	{"search-events", balp + "PatientQuery", by(patient, audit.Event{Interaction: audit.Search, Patient: "p1", Query: "AuditEvent?patient=p1", Allowed: true, Rules: []string{"G09"}, Status: 200})},
	{"read-event", balp + "PatientRead", by(patient, audit.Event{Interaction: audit.Read, Patient: "p1", Objects: []string{"AuditEvent/" + strings.Repeat("a", 64)}, Allowed: true, Status: 200})},
	{"iti-65", mhd + "ProvideBundle.Audit.Recipient", by(hospital, audit.Event{Interaction: audit.ProvideDocumentBundle, Patient: "p1", Objects: []string{"List/s1/_history/1", "DocumentReference/d1/_history/1", "Binary/b1"}, Allowed: true, Rules: []string{"E01"}, Status: 200})},
	{"iti-65-refused", mhd + "ProvideBundle.Audit.Recipient", by(physician, audit.Event{Interaction: audit.ProvideDocumentBundle, Patient: "p1", Objects: []string{"List/s1"}, Rules: []string{"E14"}, Status: 422})},
	{"iti-66", mhd + "FindDocumentLists.Audit.Responder", by(physician, audit.Event{Interaction: audit.FindDocumentLists, Patient: "p1", Query: "List?patient=p1&code=submissionset", Allowed: true, Status: 200})},
	{"iti-67", mhd + "FindDocumentReferences.Audit.Responder", by(physician, audit.Event{Interaction: audit.FindDocumentReferences, Patient: "p1", Query: "DocumentReference?patient=p1&status=current", Allowed: true, Rules: []string{"L06"}, Status: 200})},
	{"iti-67-named", mhd + "FindDocumentReferences.Audit.Responder", by(physician, audit.Event{Interaction: audit.FindDocumentReferences, Patient: "p1", Query: "DocumentReference?identifier=urn:uuid:x", Objects: []string{"DocumentReference/d1"}, Allowed: true, Status: 200})},
	{"iti-67-centre-15", mhd + "FindDocumentReferences.Audit.Responder", by(physician, audit.Event{Interaction: audit.FindDocumentReferences, Patient: "p1", Query: "DocumentReference?patient=p1", Mode: auth.Centre15, Purpose: "ETREAT", Allowed: true, Status: 200})},
	{"iti-67-refused", "", by(physician, audit.Event{Interaction: audit.FindDocumentReferences, Patient: "p1", Query: "DocumentReference?patient=p1", Rules: []string{"L10"}, Status: 403})},
	{"iti-68", mhd + "RetrieveDocument.Audit.Responder", by(physician, audit.Event{Interaction: audit.RetrieveDocument, Patient: "p1", Objects: []string{"Binary/b1", "DocumentReference/d1/_history/1"}, Allowed: true, Rules: []string{"L06", "L07"}, Status: 200})},
	{"iti-68-bris-de-glace", mhd + "RetrieveDocument.Audit.Responder", by(physician, audit.Event{Interaction: audit.RetrieveDocument, Patient: "p1", Objects: []string{"Binary/b1"}, Mode: auth.BrisDeGlace, Purpose: "BTG", Reason: "Patient inconscient, accident de la route.", Allowed: true, Rules: []string{"L11"}, Status: 200})},
	{"iti-68-refused", "", by(physician, audit.Event{Interaction: audit.RetrieveDocument, Patient: "p1", Objects: []string{"Binary/b1"}, Rules: []string{"L07", "L08"}, Status: 404})},
	{"iti-105", mhd + "SimplifiedPublish.Audit.Recipient", by(patient, audit.Event{Interaction: audit.SimplifiedPublish, Patient: "p1", Objects: []string{"DocumentReference/d1/_history/1", "Binary/b1"}, Allowed: true, Status: 201})},
	{"iti-105-physician", mhd + "SimplifiedPublish.Audit.Recipient", by(physician, audit.Event{Interaction: audit.SimplifiedPublish, Patient: "p1", Objects: []string{"DocumentReference/d1/_history/1", "Binary/b1"}, Allowed: true, Status: 201})},
	{"iti-105-hospital", mhd + "SimplifiedPublish.Audit.Recipient", by(hospital, audit.Event{Interaction: audit.SimplifiedPublish, Patient: "p1", Objects: []string{"DocumentReference/d1/_history/1", "Binary/b1"}, Allowed: true, Status: 201})},
	{"iti-106", mhd + "GenerateMetadata.Audit.Recipient", by(physician, audit.Event{Interaction: audit.GenerateMetadata, Patient: "p1", Objects: []string{"DocumentReference/d1/_history/1"}, Allowed: true, Status: 200})},
	{"iti-67-hospital", mhd + "FindDocumentReferences.Audit.Responder", by(hospital, audit.Event{Interaction: audit.FindDocumentReferences, Patient: "p1", Query: "DocumentReference?identifier=urn:uuid:x", Allowed: true, Rules: []string{"L13"}, Status: 200})},
	{"delete-patient-document", balp + "PatientDelete", by(patient, audit.Event{Interaction: audit.Delete, Patient: "p1", Objects: []string{"DocumentReference/d2"}, Allowed: true, Status: 204})},
	{"iti-105-failed", "", by(physician, audit.Event{Interaction: audit.SimplifiedPublish, Patient: "p1", Objects: []string{"DocumentReference/d1"}, Allowed: true, Status: 503})},
	{"patch-document", balp + "PatientUpdate", by(patient, audit.Event{Interaction: audit.Patch, Patient: "p1", Objects: []string{"DocumentReference/d1/_history/3"}, Allowed: true, Rules: []string{"E08"}, Status: 200})},
	{"patch-patient", balp + "PatientUpdate", by(physician, audit.Event{Interaction: audit.Patch, Patient: "p1", Objects: []string{"Patient/p1/_history/4"}, Allowed: true, Rules: []string{"G11"}, Status: 200})},
	{"delete", balp + "PatientDelete", by(physician, audit.Event{Interaction: audit.Delete, Patient: "p1", Objects: []string{"DocumentReference/d1/_history/4"}, Allowed: true, Rules: []string{"E07"}, Status: 200})},
	{"create-consent", balp + "PatientCreate", by(patient, audit.Event{Interaction: audit.Create, Patient: "p1", Objects: []string{"Consent/c1/_history/1"}, Allowed: true, Rules: []string{"G06"}, Status: 201})},
	{"update-consent", balp + "PatientUpdate", by(patient, audit.Event{Interaction: audit.Update, Patient: "p1", Objects: []string{"Consent/c1/_history/2"}, Allowed: true, Status: 200})},
	{"open-dossier", "", by(hospital, audit.Event{Interaction: audit.Transaction, Action: audit.Creates, Patient: "p1", Objects: []string{"Patient/p1/_history/1", "Consent/c1/_history/1"}, Allowed: true, Rules: []string{"G01"}, Status: 200})},
	{"bris-de-glace", balp + "AuthZconsent", by(physician, audit.Event{Interaction: audit.BrisDeGlace, Patient: "p1", Objects: []string{"Consent/c9/_history/1"}, Mode: auth.BrisDeGlace, Purpose: "BTG", Reason: "Patient inconscient, accident de la route.", Allowed: true, Rules: []string{"L11"}, Status: 200})},
	{"bris-de-glace-opposed", balp + "AuthZconsent", by(physician, audit.Event{Interaction: audit.BrisDeGlace, Patient: "p1", Objects: []string{"Consent/c7"}, Mode: auth.BrisDeGlace, Purpose: "BTG", Reason: "Patient inconscient.", Rules: []string{"L11"}, Status: 403})},
	{"bris-de-glace-refused", "", by(physician, audit.Event{Interaction: audit.BrisDeGlace, Patient: "p1", Mode: auth.BrisDeGlace, Purpose: "BTG", Reason: "Patient inconscient.", Rules: []string{"L11"}, Status: 403})},
	{"operation", "", by(physician, audit.Event{Interaction: "$validate", Objects: []string{"DocumentReference/d1"}, Allowed: true, Status: 200})},
	{"absent-id", "", by(physician, audit.Event{Interaction: audit.Read, Objects: []string{"DocumentReference/absent"}, Status: 404})},
	{"unidentified", "", by(nobody, audit.Event{Interaction: audit.Read, Objects: []string{"DocumentReference/d1"}, Rules: []string{"L01"}, Status: 401})},
	{"login", "", by(patient, audit.Event{Interaction: audit.Login, Allowed: true})},
	{"login-refused", "", by(nobody, audit.Event{Interaction: audit.Login, Status: 401})},
	{"token", "", by(physician, audit.Event{Interaction: audit.Token, Allowed: true, Status: 200})},
	{"journal-opened", "", by(nobody, audit.Event{Interaction: audit.JournalOpened, Action: audit.Creates, Allowed: true})},
	{"odd-texts", "", by(audit.Event{Kind: auth.Professional, Actor: fhir.Ident{Value: "1"}, ActorName: " ", Client: "a\x00b"}, audit.Event{Interaction: "two  words", Objects: []string{"", "not a reference", "https://other.example/Binary/1"}, Reason: "\t"})},
}

func BenchmarkResource(b *testing.B) {
	for b.Loop() {
		if _, err := resourceCases[0].event.Resource(store.Dossier{1}, server); err != nil {
			b.Fatal(err)
		}
	}
}

func TestResourceGolden(t *testing.T) {
	for _, c := range resourceCases {
		t.Run(c.name, func(t *testing.T) {
			raw, err := c.event.Resource(store.Dossier{1}, server)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := json.Indent(&got, raw, "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			path := filepath.Join("testdata", "auditevent", c.name+".json")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("differs from %s (-update rewrites it):\n%s", path, got.Bytes())
			}
		})
	}
}

// TestResourceProfile says which profile each event claims. That it satisfies it
// was checked with independent validators (testdata/auditevent/README.md).
func TestResourceProfile(t *testing.T) {
	for _, c := range resourceCases {
		raw, err := c.event.Resource(store.Dossier{1}, server)
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			Meta struct{ Profile []string }
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		var got string
		for _, p := range r.Meta.Profile {
			if !strings.HasSuffix(p, "OAUTHaccessTokenUse.Minimal") {
				got += p[strings.LastIndexByte(p, '/')+1:]
			}
		}
		if got != c.profile {
			t.Errorf("%s claims %q, want %q", c.name, got, c.profile)
		}
	}
}

// TestResourceIsFHIR holds every event against the server's own strict parser.
func TestResourceIsFHIR(t *testing.T) {
	for _, c := range resourceCases {
		for _, s := range []audit.Server{server, {}} {
			raw, err := c.event.Resource(store.Dossier{1}, s)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fhir.Parse(raw); err != nil {
				t.Errorf("%s, server %q: %v", c.name, s.URL, err)
			}
		}
	}
}
