package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"opendmp/dossier"
	"opendmp/server"
)

func TestBodyLimits(t *testing.T) {
	w := start(t, func(c *server.Config) {
		c.Limits = server.Limits{MaxBundle: 200 << 10, MaxBody: 100 << 10}
	})
	size := func(n int) string { return strings.Repeat(" ", n) }
	cases := []struct {
		name, method, path, kind string
		body                     string
		large                    bool
	}{
		{"bundle", "POST", "/fhir", "application/fhir+json", size(200 << 10), false},
		{"bundle, one more", "POST", "/fhir", "application/fhir+json", size(200<<10 + 1), true},
		{"patch", "PATCH", "/fhir/DocumentReference/1", "application/json-patch+json", size(100 << 10), false},
		{"patch, one more", "PATCH", "/fhir/DocumentReference/1", "application/json-patch+json", size(100<<10 + 1), true},
		{"form, one more", "POST", "/fhir/DocumentReference/_search", "application/x-www-form-urlencoded", size(100<<10 + 1), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			res, _ := w.ask(c.method, c.path, c.body, "Content-Type", c.kind)
			if (res.StatusCode == 413) != c.large {
				t.Errorf("status %d", res.StatusCode)
			}
			chunked := w.askChunked(c.method, c.path, c.kind, c.body)
			if (chunked.StatusCode == 413) != c.large {
				t.Errorf("in pieces: status %d", chunked.StatusCode)
			}
		})
	}
}

// askChunked sends a body without its length.
func (w *world) askChunked(method, path, kind, body string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequest(method, w.url+path, struct{ io.Reader }{strings.NewReader(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Content-Type", kind)
	res, err := client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func TestBodyWithoutEnd(t *testing.T) {
	w := start(t, func(c *server.Config) { c.Limits = server.Limits{MaxBundle: 256 << 10} })
	r, err := http.NewRequest("POST", w.url+"/fhir", endless{})
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Content-Type", "application/fhir+json")
	res, err := client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 413 {
		t.Errorf("status %d, want 413", res.StatusCode)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A body is refused before any of it is read when its caller is not known.
func TestBodyIsNotReadForNobody(t *testing.T) {
	w := start(t, nil)
	status, _ := w.raw("POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: 1000000\r\n\r\n{")
	if !strings.HasPrefix(status, "HTTP/1.1 401") {
		t.Errorf("got %q", status)
	}
}

func TestBodiesShareABudget(t *testing.T) {
	w := start(t, func(c *server.Config) {
		c.Limits = server.Limits{MaxBundle: 1 << 20, MaxBodies: 1 << 20}
	})
	body := strings.Repeat(" ", 100<<10)
	refused := func() bool {
		r, err := http.NewRequest("POST", w.url+"/fhir", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+w.token)
		r.Header.Set("Content-Type", "application/fhir+json")
		res, err := client().Do(r)
		if err != nil {
			return false // the answer came before the body was sent, and broke the sending
		}
		res.Body.Close()
		if res.StatusCode == 503 && res.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
		return res.StatusCode == 503
	}
	// A client that declares much and sends little holds the budget: …
	var held net.Conn
	hold := func() {
		held = w.dial()
		fmt.Fprintf(held, "POST /fhir HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n{", w.token, 1<<20)
	}
	hold()
	// A body of the probe may take its part first: the holder is then refused
	// itself, and asks again.
	if !eventually(func() bool {
		if refused() {
			return true
		}
		held.Close()
		hold()
		return false
	}) {
		t.Fatal("the budget is not held")
	}
	if res := w.askChunked("POST", "/fhir", "application/fhir+json", body); res.StatusCode != 503 {
		t.Errorf("in pieces: status %d", res.StatusCode)
	}
	// … small requests pass, …
	if res, _ := w.ask("POST", "/fhir", "{}"); res.StatusCode == 503 {
		t.Error("a small request is refused")
	}
	// … and whoever goes away, or is cut by the read time-out, gives it back.
	held.Close()
	if !eventually(func() bool { return !refused() }) {
		t.Error("the budget does not come back")
	}
}

func (w *world) dial() net.Conn {
	w.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// eventually waits until something holds.
func eventually(holds func() bool) bool {
	for range 150 {
		if holds() {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

func TestRequestsInFlightAreCapped(t *testing.T) {
	hold, held := make(chan struct{}), make(chan struct{}, 2)
	w := start(t, func(c *server.Config) {
		c.Limits.MaxRequests = 2
		answering("GET", "/hold", func(r *http.Request) dossier.Answer {
			held <- struct{}{}
			<-hold
			return ok(r)
		})(c)
	})
	done := make(chan int, 2)
	for range 2 {
		go func() {
			res, err := client().Get(w.url + "/hold")
			if err != nil {
				done <- 0
				return
			}
			res.Body.Close()
			done <- res.StatusCode
		}()
		<-held
	}
	res := w.refuses(503, "GET", "/fhir/metadata", "")
	if res.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	close(hold)
	for range 2 {
		if status := <-done; status != 200 {
			t.Errorf("a request that was let in: %d", status)
		}
	}
	if res, _ := w.ask("GET", "/fhir/metadata", ""); res.StatusCode != 200 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
}

func TestSlowClientsAreCut(t *testing.T) {
	const header = "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Slow: "
	const body = "POST /fhir HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n" +
		"Content-Type: application/fhir+json\r\nContent-Length: 1000\r\n\r\n{"
	for name, c := range map[string]struct {
		limits  server.Limits
		request string
	}{
		"header": {server.Limits{HeaderTimeout: 200 * time.Millisecond}, header},
		"body":   {server.Limits{ReadTimeout: 200 * time.Millisecond}, body},
		"idle":   {server.Limits{IdleTimeout: 200 * time.Millisecond}, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, func(config *server.Config) { config.Limits = c.limits })
			began := time.Now()
			status, _ := w.raw(strings.Replace(c.request, "%s", w.token, 1))
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("cut after %v", took)
			}
			if strings.Contains(status, " 200 ") != (name == "idle") {
				t.Errorf("answered %q", status)
			}
		})
	}
}

func TestHeaderLimit(t *testing.T) {
	w := start(t, nil)
	status, _ := w.raw("GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("a", 32<<10) + "\r\n\r\n")
	if !strings.HasPrefix(status, "HTTP/1.1 431") {
		t.Errorf("got %q", status)
	}
}

// TestSmuggling sends what a proxy and a server may read differently.
func TestSmuggling(t *testing.T) {
	w := start(t, nil)
	const hidden = "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n"
	head := "POST /fhir HTTP/1.1\r\nHost: x\r\nAccept-Language: en\r\nAuthorization: Bearer " + w.token + "\r\nContent-Type: application/fhir+json\r\n"
	cases := map[string]string{
		"length then encoding":  head + "Content-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + hidden,
		"encoding then length":  head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + hidden,
		"after another request": hidden + head + "transfer-encoding: chunked\r\nCONTENT-LENGTH: 4\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + hidden,
		"two lengths":           head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + hidden,
		"unknown encoding":      head + "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + hidden,
		"two encodings":         head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
	}
	for name, request := range cases {
		t.Run(name, func(t *testing.T) {
			status, rest := w.raw(request)
			served := strings.Count(status+rest, "CapabilityStatement\"")
			if before := strings.Count(request[:len(request)-len(hidden)], hidden); served > before {
				t.Errorf("the hidden request was served: %s %.300s", status, rest)
			}
			if !strings.Contains(status+rest, "HTTP/1.1 400") && !strings.Contains(status+rest, "HTTP/1.1 501") {
				t.Errorf("not refused: %s %.300s", status, rest)
			}
			sent := strings.ToLower(request)
			twice := strings.Contains(sent, "content-length") && strings.Contains(sent, "transfer-encoding")
			if twice && !strings.Contains(rest, "stated twice") {
				t.Errorf("refused for another reason: %s %.300s", status, rest)
			}
		})
	}
	t.Run("a connection ends after a body in pieces", func(t *testing.T) {
		_, rest := w.raw(head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + hidden)
		if strings.Contains(rest, "CapabilityStatement") {
			t.Error("a further request was served")
		}
	})
	t.Run("ordinary requests share a connection", func(t *testing.T) {
		last := strings.Replace(hidden, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
		_, rest := w.raw(hidden + head + "Content-Length: 2\r\n\r\n{}" + hidden + last)
		if n := strings.Count(rest, "HTTP/1.1 200"); n < 2 {
			t.Errorf("%d answers follow the first: %.400s", n, rest)
		}
	})
}

func TestPanicIsA500WithoutDetail(t *testing.T) {
	w := start(t, answering("GET", "/panic", func(*http.Request) dossier.Answer { panic("the cause " + marker) }))
	w.refuses(500, "GET", "/panic", "")
	_, body := w.ask("GET", "/panic", "", "Accept-Language", "en")
	if strings.Contains(body, "cause") || strings.Contains(body, ".go") {
		t.Errorf("the cause is told: %s", body)
	}
	log := w.log.await(t, `"panic"`)
	if strings.Contains(log, marker) {
		t.Error("the text of the panic is in the log")
	}
	if !strings.Contains(log, "TestPanicIsA500WithoutDetail") {
		t.Error("the place of the panic is not in the log")
	}
	if res, _ := w.ask("GET", "/health", ""); res.StatusCode != 200 {
		t.Error("the server does not go on")
	}
}

// marker stands for an identity, a content, a secret.
const marker = "MARQUEUR-7f3a"

func TestNothingOfARequestIsLogged(t *testing.T) {
	w := start(t, answering("POST", "/extra", ok))
	form := "application/x-www-form-urlencoded"
	w.ask("GET", "/fhir/Patient?identifier="+marker, "")
	w.ask("GET", "/fhir/Patient/"+marker, "")
	w.ask("GET", "/fhir/"+marker, "")
	w.ask("GET", "/"+marker, "")
	w.ask(marker, "/fhir/Patient", "")
	w.ask("POST", "/fhir", marker)
	w.ask("POST", "/fhir/DocumentReference/_search", "identifier="+marker, "Content-Type", form)
	w.ask("POST", "/extra", "as="+marker, "Content-Type", form)
	w.ask("GET", "/fhir/Patient/1", "", "Authorization", "Bearer "+marker, "Accept", marker, "User-Agent", marker)
	w.ask("GET", "/fhir/Patient/1", "", "X-Request-Id", marker+"\u2028", "Accept-Language", marker, "Referer", marker)
	w.raw("GET /" + marker + " HTTP/9.9\r\n\r\n")
	w.raw("GET / HTTP/1.1\r\nHost: x\r\n" + marker + " : x\r\n\r\n")
	log := w.log.await(t, `"route":"/extra"`)
	if strings.Contains(log, marker) {
		t.Errorf("something of a request is in the log:\n%s", log)
	}
	if strings.Contains(log, w.token) {
		t.Error("a token is in the log")
	}
	for _, want := range []string{`"route":"/fhir/Patient/[id]"`, `"caller":"professional"`, `"status":404`, `"method":"GET"`, `"duration":`, `"request":`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not hold %s", want)
		}
	}
}

func TestStopDrains(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	w := start(t, answering("GET", "/slow", func(r *http.Request) dossier.Answer {
		close(started)
		<-finish
		return ok(r)
	}))
	answered := make(chan int, 1)
	go func() {
		res, err := client().Get(w.url + "/slow")
		if err != nil {
			answered <- 0
			return
		}
		res.Body.Close()
		answered <- res.StatusCode
	}()
	<-started
	w.stop()
	refused := func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	}
	if !eventually(refused) {
		t.Error("still accepting")
	}
	select {
	case err := <-w.ended:
		t.Fatalf("ended with a request running: %v", err)
	default:
	}
	close(finish)
	if status := <-answered; status != 200 {
		t.Errorf("the running request: %d", status)
	}
	if err := <-w.ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	w.ended <- nil
}

func TestStopCutsWhatDoesNotEnd(t *testing.T) {
	started, never := make(chan struct{}), make(chan struct{})
	w := start(t, func(c *server.Config) {
		c.Limits.DrainTimeout = 100 * time.Millisecond
		answering("GET", "/stuck", func(r *http.Request) dossier.Answer {
			close(started)
			<-never
			return ok(r)
		})(c)
	})
	go func() {
		if res, err := client().Get(w.url + "/stuck"); err == nil {
			res.Body.Close()
		}
	}()
	<-started
	w.stop()
	if err := <-w.ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
	close(never)
	w.ended <- nil
}
