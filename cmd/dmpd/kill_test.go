package main

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// rounds is how often the server is killed. OPENDMP_KILL_ROUNDS runs more.
const rounds = 8

// acked is a push that was acknowledged: what was promised.
type acked struct{ doc, binary, list, content string }

// A server that is killed during pushes loses nothing that it acknowledged and
// leaves nothing partial (promises P1 and P2).
func TestKilledDuringPushes(t *testing.T) {
	data := t.TempDir()
	t.Cleanup(func() { dropStore(t, testStore(data)) })
	addr := freeAddr(t)
	n := rounds
	if s := os.Getenv("OPENDMP_KILL_ROUNDS"); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			t.Fatal(err)
		}
	}
	var ledger []acked
	for round := range n {
		store, forget := watchSessions(t, testStore(data))
		w, kill := startChildOn(t, data, addr, store)
		checkLedger(t, w, ledger)
		ledger = append(ledger, pushUntilKilled(w, round, kill)...)
		forget()
	}
	w, kill := startChild(t, data, addr)
	defer kill()
	checkLedger(t, w, ledger)
	checkWhole(t, w)
	if len(ledger) == 0 {
		t.Fatal("nothing was acknowledged: the test shows nothing")
	}
	t.Logf("%d rounds, %d pushes acknowledged", n, len(ledger))
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startChild runs the program in a process of its own and waits until it is
// healthy. kill ends it with SIGKILL.
func startChild(t *testing.T, data, addr string) (*world, func()) {
	t.Helper()
	return startChildOn(t, data, addr, testStore(data))
}

// startChildOn is startChild with another address of the store; "" is none.
func startChildOn(t *testing.T, data, addr, store string) (*world, func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "OPENDMP_TEST_RUN=serve --sandbox --addr "+addr+" --data "+data)
	if store != "" {
		cmd.Env = append(cmd.Env, envPrefix+"STORE="+store)
	}
	var errOut lockedBuffer
	cmd.Stderr = &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	kill := func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	t.Cleanup(kill)
	w := &world{t: t, base: "http://" + addr + "/fhir", log: &errOut}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if r, err := http.Get("http://" + addr + "/health"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			kill()
			t.Fatalf("the server did not start: %s", errOut.String())
		}
	}
	if err := w.meet(data); err != nil {
		t.Fatal(err)
	}
	return w, kill
}

// pushUntilKilled pushes from eight writers, kills the server at a random
// moment, and returns what was acknowledged before.
func pushUntilKilled(w *world, round int, kill func()) []acked {
	var mu sync.Mutex
	var got []acked
	var writers sync.WaitGroup
	stop := make(chan struct{})
	token, err := personaToken(w.signer, "hopital-nord", "", "")
	if err != nil {
		w.t.Fatal(err)
	}
	for writer := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				content := fmt.Sprintf("round %d writer %d push %d", round, writer, i)
				a, ok := pushOnce(w, token, content)
				if !ok {
					return
				}
				mu.Lock()
				got = append(got, a)
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Duration(10+rand.IntN(400)) * time.Millisecond)
	kill()
	close(stop)
	writers.Wait()
	return got
}

// pushOnce pushes one document; ok is false when there was no answer of success.
func pushOnce(w *world, token, content string) (acked, bool) {
	r, err := http.NewRequest(http.MethodPost, w.base, strings.NewReader(hospitalPush(w.people["patient-alix"].INS, content)))
	if err != nil {
		return acked{}, false
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/fhir+json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return acked{}, false
	}
	defer resp.Body.Close()
	var b struct {
		Entry []struct{ Response struct{ Location string } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&b); err != nil || resp.StatusCode != http.StatusOK || len(b.Entry) != 3 {
		return acked{}, false
	}
	at := func(i int) string {
		ref, _, _ := strings.Cut(b.Entry[i].Response.Location, "/_history/")
		return ref
	}
	return acked{list: at(0), doc: at(1), binary: at(2), content: content}, true
}

// hospitalPush is an ITI-65 bundle of hospital North with one text document.
func hospitalPush(ins, content string) string {
	sum := sha1.Sum([]byte(content))
	hash := base64.StdEncoding.EncodeToString(sum[:])
	return strings.NewReplacer(
		"INS-HERE", ins, "SIZE-HERE", fmt.Sprint(len(content)), "HASH-HERE", hash,
		"DATA-HERE", base64.StdEncoding.EncodeToString([]byte(content)), "OID-HERE", fmt.Sprintf("urn:oid:2.25.%d", rand.Uint64()),
	).Replace(pushTemplate)
}

const pushTemplate = `{"resourceType":"Bundle","meta":{"profile":["https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Minimal.ProvideBundle"]},"type":"transaction","entry":[
{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":{"resourceType":"List","extension":[{"url":"https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId","valueIdentifier":{"value":"urn:oid:1.2.3.4"}}],"status":"current","mode":"working","code":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes","code":"submissionset"}]},"subject":{"reference":"Patient?identifier=INS-HERE"},"date":"2026-11-22T09:00:00+01:00","entry":[{"item":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000002"}}]},"request":{"method":"POST","url":"List"}},
{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000002","resource":{"resourceType":"DocumentReference","masterIdentifier":{"system":"urn:ietf:rfc:3986","value":"OID-HERE"},"status":"current","type":{"coding":[{"system":"http://loinc.org","code":"11502-2"}]},"subject":{"reference":"Patient?identifier=INS-HERE"},"date":"2026-11-22T09:00:00+01:00","author":[{"type":"Organization","identifier":{"system":"urn:oid:1.2.250.1.71.4.2.2","value":"1750000001"}}],"content":[{"attachment":{"contentType":"text/plain","url":"urn:uuid:00000000-0000-4000-8000-000000000003","size":SIZE-HERE,"hash":"HASH-HERE"}}]},"request":{"method":"POST","url":"DocumentReference"}},
{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000003","resource":{"resourceType":"Binary","contentType":"text/plain","data":"DATA-HERE"},"request":{"method":"POST","url":"Binary"}}]}`

// ledgerSample is how many pushes checkLedger looks at.
const ledgerSample = 60

// checkLedger requires that each acknowledged push, of the last ones, is there by
// read and by search, with its content.
func checkLedger(t *testing.T, w *world, ledger []acked) {
	t.Helper()
	w.t = t
	reader := w.as("medecin-martin")
	sample := ledger
	if len(sample) > ledgerSample {
		sample = sample[len(sample)-ledgerSample:]
	}
	for _, a := range sample {
		if got := reader.with("Accept", "text/plain").get(a.binary).is(200); string(got.body) != a.content {
			t.Fatalf("%s: %q, want %q", a.binary, got.body, a.content)
		}
		reader.get("DocumentReference?_id="+strings.TrimPrefix(a.doc, "DocumentReference/")).is(200).has("total", "1")
		reader.get(a.list).is(200).has("entry.0.item.reference", a.doc)
	}
}

// checkWhole requires that everything that is there is whole: each document has
// its content and its submission set.
func checkWhole(t *testing.T, w *world) {
	t.Helper()
	reader := w.as("medecin-martin")
	count := func(typ string) string {
		return reader.get(typ + "?patient=" + w.patient("patient-alix") + "&_summary=count").is(200).at("total")
	}
	docs, lists := count("DocumentReference"), count("List")
	// One submission set of the cast replaces a document: it adds one of each.
	if docs != lists {
		t.Errorf("%s documents, %s submission sets", docs, lists)
	}
	path := "DocumentReference?patient=" + w.patient("patient-alix") + "&_count=200"
	for path != "" {
		page := reader.get(path).is(200)
		for i := 0; ; i++ {
			url := page.at(fmt.Sprintf("entry.%d.resource.content.0.attachment.url", i))
			if url == "" {
				break
			}
			reader.get(url).is(200)
		}
		path = ""
		if page.at("link.1.relation") == "next" {
			path = page.at("link.1.url")
		}
	}
}
