package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opendmp/dossier"
	"opendmp/sandbox"
)

// filledSandbox is a sandbox that nobody serves.
func filledSandbox(t *testing.T) (data, store string) {
	t.Helper()
	data = t.TempDir()
	store = testStore(data)
	p, signer, err := sandboxPlan(settings{Data: data, Store: store}, "http://127.0.0.1:1/fhir", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := load(t.Context(), p, signer, io.Discard); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dropStore(t, store) })
	return data, store
}

// The operator is told what a client of the same person is answered, for everybody
// of the sandbox and every document of theirs; the command says it in words, with
// an exit code, and the patient sees that it was asked.
func TestExplainCommand(t *testing.T) {
	data, store := filledSandbox(t)
	explain := func(args ...string) (string, int) {
		t.Helper()
		out, err := command(t, append([]string{"explain", "--data", data, "--store", store, "--operator", "a.operatrice"}, args...)...)
		if err != nil && err.Error() != "" {
			out += err.Error()
		}
		return out, exitCode(err)
	}
	claims, err := json.Marshal(mustLookup(t, "medecin-durand").Claims("", ""))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "claims.json")
	bad := filepath.Join(t.TempDir(), "bad.json")
	for name, b := range map[string][]byte{file: claims, bad: []byte(`{"sub":"x","opendmp":{"kind":"professional","secret":true}}`)} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		as, document string
		code         int
		says         []string
	}{
		{"medecin-martin", "alix-masque", 0, []string{"Dr Hélène MARTIN lit ce document en entier : ", "L06a", "reads   whole", "CSP L.1111-16"}},
		{"pharmacien-dubois", "alix-masque", readsNot, []string{"Nadia DUBOIS ne lit pas ce document : ce document est masqué aux professionnels (L08).", "reads   nothing"}},
		{"medecin-leroy", "alix-masque", 0, []string{"que les métadonnées", "L09", "status  NON_EXISTE"}},
		{"patient-alix", "alix-annonce", readsNot, []string{"invisible au patient (L04)"}},
		{file, "alix-masque", readsNot, []string{"Dr Marc DURAND ne lit pas ce document"}},
		{bad, "alix-masque", 1, []string{"secret"}},
		{"nobody", "alix-masque", 1, []string{"patient-alix"}},
		{"medecin-martin", "inconnu", 1, []string{`no document "inconnu"`}},
	} {
		out, code := explain("--as", c.as, "--document", c.document)
		if code != c.code {
			t.Errorf("%s, %s: exit %d, want %d\n%s", c.as, c.document, code, c.code, out)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s, %s: %q is not in\n%s", c.as, c.document, want, out)
			}
		}
		if strings.Contains(out, "Compte rendu") || strings.Contains(out, "11488-4") {
			t.Errorf("%s, %s: tells of the document\n%s", c.as, c.document, out)
		}
	}
	if out, code := explain("--as", "medecin-martin", "--document", "alix-masque", "--operator", "two words\n"); code != 1 {
		t.Errorf("an operator of no name: exit %d\n%s", code, out)
	}
	verdicts := everyVerdict(t, data, store)

	w, stop, err := startWorld(data)
	if err != nil {
		t.Fatal(err)
	}
	w.t = t
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	history := string(w.as("patient-alix").get("AuditEvent?patient=" + w.patient("patient-alix") + "&_count=200").is(200).body)
	if !strings.Contains(history, "a.operatrice") {
		t.Error("the patient does not see who asked")
	}
	read := 0
	for about, allowed := range verdicts {
		status := w.as(about[0]).get("DocumentReference/" + about[1]).status
		if (status == 200) != allowed {
			t.Errorf("%s reads %s: %d, and the operator is told %v", about[0], about[1], status, allowed)
		}
		if allowed {
			read++
		}
	}
	if len(verdicts) < 300 || read < 50 {
		t.Errorf("%d verdicts, %d of them to read", len(verdicts), read)
	}
	explained(t, w)
}

// everyVerdict asks about everybody and every document, by one door.
func everyVerdict(t *testing.T, data, store string) map[[2]string]bool {
	t.Helper()
	p, _, err := sandboxPlan(settings{Data: data, Store: store}, "urn:test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	people, err := readIDs(data)
	if err != nil {
		t.Fatal(err)
	}
	prove, err := newProver(p.clock)
	if err != nil {
		t.Fatal(err)
	}
	operator, err := inquiry{operator: "a.operatrice"}.asking(t.Context(), prove)
	if err != nil {
		t.Fatal(err)
	}
	told := map[[2]string]bool{}
	err = p.throughDoor(t.Context(), func(door *dossier.Service) error {
		for _, persona := range sandbox.Personas() {
			who, err := prove(t.Context(), persona.Claims("", ""))
			if err != nil {
				return err
			}
			for _, w := range people {
				for _, id := range w.Documents {
					v, err := door.Verdict(t.Context(), operator, who, id)
					if err != nil {
						return err
					}
					told[[2]string{persona.Key, id}] = v.Decision.Allowed()
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return told
}

func mustLookup(t *testing.T, key string) sandbox.Persona {
	t.Helper()
	p, ok := sandbox.Lookup(key)
	if !ok {
		t.Fatalf("no persona %q", key)
	}
	return p
}

// explained asks $expliquer over HTTP: for those whom it is for, in both languages,
// and for those for whom there is no such document.
func explained(t *testing.T, w *world) {
	t.Helper()
	path := w.doc("alix-masque") + "/$expliquer"
	fr := w.as("patient-alix").get(path).is(200).has("parameter.0.valueReference.reference", w.doc("alix-masque"))
	for _, want := range []string{
		"Dr Hélène MARTIN, médecin traitant, lit ce document en entier : ",
		"Nadia DUBOIS, que le patient a autorisé, ne lit pas ce document : ce document est masqué aux professionnels (L08).",
		"Dr Sophie LEROY, auteur du document, ne lit de ce document que les métadonnées : ",
	} {
		if !strings.Contains(string(fr.body), want) {
			t.Errorf("%q is not in\n%.6000s", want, fr.body)
		}
	}
	if post := w.as("patient-alix").post(path, []byte(`{"resourceType":"Parameters"}`)).is(200); string(post.body) != string(fr.body) {
		t.Error("GET and POST differ")
	}
	if en := w.as("medecin-martin").with("Accept-Language", "en").get(path).is(200); !strings.Contains(string(en.body), "The patient reads this document whole") {
		t.Errorf("%.2000s", en.body)
	}
	for _, persona := range []string{"medecin-durand", "medecin-leroy", "pharmacien-dubois", "hopital-nord", "secretariat-nord", "operateur", "samu-garnier", "patient-basile"} {
		there := w.as(persona).get(path).is(404)
		absent := w.as(persona).get("DocumentReference/inconnu/$expliquer").is(404)
		if string(there.body) != string(absent.body) {
			t.Errorf("%s: %s, and of what is not there %s", persona, there.body, absent.body)
		}
	}
	w.as("patient-alix").get(w.doc("alix-annonce") + "/$expliquer").is(404)
}
