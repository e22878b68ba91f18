package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"opendmp/cmd/dmpd/internal/demo"
)

func TestDemo(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var out bytes.Buffer
	if err := playDemo(context.Background(), &out, io.Discard); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"bris de glace", "404", "ROCHE", "comme prévu"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story does not hold %q", want)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// The story fails when the server is not as told: here, a world in which Alix's
// pharmacist asks for a document that is not masked.
func TestDemoFailsLoudly(t *testing.T) {
	w := openWorld(t)
	o := demo.Options{
		Base: w.base, Out: io.Discard,
		Token: func(persona string) (string, error) { return personaToken(w.signer, persona, "", "") },
		INS: func(patient string) string {
			_, value, _ := strings.Cut(w.people[patient].INS, "|")
			return value
		},
		ID: func(string) string { return w.people["patient-alix"].Documents["alix-biologie"] },
	}
	// Farid's record is opened in the first scene: a number of its own keeps the
	// shared world as it is.
	ins := o.INS
	o.INS = func(patient string) string {
		if patient == "patient-farid" {
			return "155126748203067"
		}
		return ins(patient)
	}
	err := demo.Tell(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "not as told") {
		t.Errorf("got %v", err)
	}
}
