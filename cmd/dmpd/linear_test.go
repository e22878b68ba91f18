package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// asked is one operation on the version of a document: a read, or a change that
// expects a version.
type asked struct {
	change bool
	expect int
}

// told is what came back.
type told struct {
	version int // of a read
	changed bool
}

// register is a document as its version: a change of version n makes n+1, and a
// change of another version is refused.
var register = porcupine.Model{
	Init: func() any { return 1 },
	Step: func(state, input, output any) (bool, any) {
		version, in, out := state.(int), input.(asked), output.(told)
		switch {
		case !in.change:
			return out.version == version, version
		case out.changed:
			return version == in.expect, version + 1
		}
		return version != in.expect, version
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
}

// The history of a dossier is linearizable: reads and changes of one document by
// many clients, over one server, or over two servers on one MongoDB, have an
// order in which each saw what the ones before it left.
func TestLinearizable(t *testing.T) {
	data := t.TempDir()
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	servers := []*world{}
	n := 1
	if testStore(data) != "" {
		n = 2
	}
	for range n {
		w, _ := startChild(t, data, freeAddr(t))
		servers = append(servers, w)
	}
	for round := range 3 {
		pushed := servers[0].as("hopital-nord").post("", []byte(hospitalPush(servers[0].people["patient-alix"].INS, fmt.Sprint("round ", round)))).is(200)
		doc := refOf(pushed.at("entry.1.response.location"))
		history := askAtOnce(t, servers, doc)
		if result := porcupine.CheckOperationsTimeout(register, history, time.Minute); result != porcupine.Ok {
			t.Fatalf("round %d: %v over %d operations", round, result, len(history))
		}
	}
}

// askAtOnce reads and changes a document from eight clients and returns what
// each asked and was told, and when.
func askAtOnce(t *testing.T, servers []*world, doc string) []porcupine.Operation {
	t.Helper()
	token, err := personaToken(servers[0].signer, "hopital-nord", "", "")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			seen := 1
			for range 25 {
				in := asked{change: rand.IntN(2) == 0, expect: seen}
				call := time.Since(began)
				out, err := askOnce(servers[rand.IntN(len(servers))], token, doc, in)
				back := time.Since(began)
				if err != nil {
					t.Error(err)
					return
				}
				if out.version > seen {
					seen = out.version
				}
				mu.Lock()
				history = append(history, porcupine.Operation{
					ClientId: client, Input: in, Call: int64(call), Output: out, Return: int64(back),
				})
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	return history
}

const touch = `[{"op":"%s","path":"/extension[url:'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived']/valueBoolean","value":%v}]`

func askOnce(w *world, token, doc string, in asked) (told, error) {
	method, body := http.MethodGet, ""
	if in.change {
		method, body = http.MethodPatch, fmt.Sprintf(touch, "replace", in.expect%2 == 0)
	}
	r, err := http.NewRequest(method, w.base+"/"+doc, strings.NewReader(body))
	if err != nil {
		return told{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if in.change {
		r.Header.Set("Content-Type", "application/json-patch+json")
		r.Header.Set("If-Match", fmt.Sprintf(`W/"%d"`, in.expect))
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return told{}, err
	}
	defer resp.Body.Close()
	version, _ := strconv.Atoi(strings.Trim(resp.Header.Get("ETag"), `W/"`))
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return told{version: version, changed: true}, nil
	case http.StatusPreconditionFailed:
		return told{}, nil
	}
	return told{}, fmt.Errorf("status %d", resp.StatusCode)
}
