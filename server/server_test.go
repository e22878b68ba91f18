package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/server"
)

const (
	issuer = "https://dmp.test/oauth"
	base   = "http://dmp.test/fhir"
)

// world is a server on a real socket, its log and a token that it accepts.
type world struct {
	t     *testing.T
	url   string // of the server, without path
	token string
	log   *lines
	stop  context.CancelFunc
	ended chan error
}

// start serves until the test ends. change may be nil.
func start(t *testing.T, change func(*server.Config)) *world {
	t.Helper()
	signer, verifier := credentials(t)
	w := &world{t: t, log: &lines{}, token: tokenOf(t, signer), ended: make(chan error, 1)}
	c := server.Config{
		Service:  door(t),
		Verifier: verifier,
		Base:     base,
		Clear:    true,
		Logger:   slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	if change != nil {
		change(&c)
	}
	s, err := server.New(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go func() { w.ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-w.ended:
		case <-time.After(10 * time.Second):
			t.Error("the server does not stop")
		}
	})
	return w
}

func credentials(t testing.TB) (*auth.Signer, *auth.Verifier) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := auth.NewSigner(key, issuer, base, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.NewVerifier(auth.Config{Issuers: []auth.Issuer{signer.Trust()}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

// tokenOf returns the token of a physician.
func tokenOf(t *testing.T, s *auth.Signer) string {
	t.Helper()
	physician := auth.Coding{System: auth.SystemProfession, Code: "10"}
	token, err := s.Sign(auth.Claims{
		Subject: "medecin",
		Extensions: auth.Extensions{IUA: auth.IUA{
			SubjectName: marker,
			Provider:    "urn:oid:1.2.250.1.71.4.2.1|8889990000010",
			Purpose:     []auth.Coding{{System: auth.SystemActReason, Code: "TREAT"}},
		}},
		DMP: auth.DMP{Kind: "professional", Profession: &physician},
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// ask sends a request with the token and returns the answer and its body. Pairs
// are header names and values; an empty value removes the header.
func (w *world) ask(method, path, body string, pairs ...string) (*http.Response, string) {
	w.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, w.url+path, reader)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			r.Header.Del(pairs[i])
		}
	}
	res, err := client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res, string(got)
}

// refuses asks and checks that the answer is a refusal as every one must be.
func (w *world) refuses(status int, method, path, body string, pairs ...string) *http.Response {
	w.t.Helper()
	res, got := w.ask(method, path, body, pairs...)
	if res.StatusCode != status {
		w.t.Errorf("%s %.80s: status %d, want %d: %.200s", method, path, res.StatusCode, status, got)
	}
	if method != http.MethodHead && !strings.Contains(got, `"OperationOutcome"`) {
		w.t.Errorf("%s %.80s: no OperationOutcome: %.200s", method, path, got)
	}
	if c := res.Header.Get("Cache-Control"); c != "no-store" {
		w.t.Errorf("%s %.80s: Cache-Control %q", method, path, c)
	}
	if res.Header.Get("X-Request-Id") == "" {
		w.t.Errorf("%s %.80s: no X-Request-Id", method, path)
	}
	return res
}

// client makes a connection for each request, so that no test sees another's.
func client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true},
		Timeout:   10 * time.Second,
	}
}

// raw sends bytes on a connection of their own and returns the status line and
// the rest of what comes until the server closes.
func (w *world) raw(request string) (status, rest string) {
	w.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		w.t.Fatal(err)
	}
	r := bufio.NewReader(c)
	line, _ := r.ReadString('\n')
	all, _ := io.ReadAll(r)
	return strings.TrimSpace(line), string(all)
}

// lines is a log that a test reads while the server writes it.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// await returns the log once it holds a text: the line of a request is written
// after its answer.
func (l *lines) await(t *testing.T, text string) string {
	t.Helper()
	for range 200 {
		if s := l.String(); strings.Contains(s, text) {
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the log does not hold %q:\n%s", text, l)
	return ""
}

// answering is a route that answers as the test says.
func answering(method, path string, f func(*http.Request) dossier.Answer) func(*server.Config) {
	return func(c *server.Config) {
		c.Extra = append(c.Extra, server.Route{Method: method, Path: path, Handle: f})
	}
}

func ok(*http.Request) dossier.Answer {
	return dossier.Public(http.StatusOK, "application/json", []byte(`{}`))
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	_, verifier := credentials(t)
	whole := server.Config{Service: door(t), Verifier: verifier, Base: base}
	cases := map[string]func(*server.Config){
		"service":       func(c *server.Config) { c.Service = nil },
		"verifier":      func(c *server.Config) { c.Verifier = nil },
		"base":          func(c *server.Config) { c.Base = "" },
		"relative base": func(c *server.Config) { c.Base = "/fhir" },
		"no path":       func(c *server.Config) { c.Base = "http://dmp.test/" },
		"query":         func(c *server.Config) { c.Base = "http://dmp.test/fhir?a=b" },
	}
	for name, change := range cases {
		c := whole
		change(&c)
		if _, err := server.New(c); err == nil {
			t.Errorf("without %s: accepted", name)
		}
	}
	if _, err := server.New(whole); err != nil {
		t.Error(err)
	}
}

func TestHealthSaysNothingMore(t *testing.T) {
	sick := false
	w := start(t, func(c *server.Config) { c.Healthy = func(context.Context) bool { return !sick } })
	if res, body := w.ask("GET", "/health", "", "Authorization", ""); res.StatusCode != 200 || body != `{"status":"ok"}` {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	sick = true
	if res, body := w.ask("GET", "/health", "", "Authorization", ""); res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || body != `{"status":"unavailable"}` {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestMetadataIsPublic(t *testing.T) {
	w := start(t, nil)
	res, body := w.ask("GET", "/fhir/metadata", "", "Authorization", "")
	if res.StatusCode != 200 || !strings.Contains(body, "CapabilityStatement") {
		t.Errorf("%d %.100s", res.StatusCode, body)
	}
	if res, body := w.ask("HEAD", "/fhir/metadata", "", "Authorization", ""); res.StatusCode != 200 || body != "" || res.ContentLength <= 0 {
		t.Errorf("HEAD: %d %q, length %d", res.StatusCode, body, res.ContentLength)
	}
	w.refuses(400, "GET", "/fhir/metadata?who=me", "", "Authorization", "")
	w.refuses(406, "GET", "/fhir/metadata", "", "Authorization", "", "Accept", "text/html")
}

func TestNothingIsServedElsewhere(t *testing.T) {
	w := start(t, nil)
	for _, path := range []string{
		"/", "/admin", "/metrics", "/debug/pprof/", "/fhirx", "/health/", "/sandbox/token", "/sandbox/ids",
		"/fhir//Patient", "/fhir/Patient/", "/fhir/Patient//1", "/fhir/%2e%2e/health", "/fhir/../health", "/fhir/./metadata",
		"/fhir/%4detadata", "/%66hir/metadata", "/fhir/Patient%2f1", "/fhir/Patient/1%00", "/fhir/Patient;jsessionid=1",
		"/fhir/Patient%5c1", "/fhir/patient", "/fhir/Nothing", "/fhir/Patient/$nothing", "/fhir/metadata/x",
	} {
		status, rest := w.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + w.token + "\r\n\r\n")
		if !strings.HasPrefix(status, "HTTP/1.1 404") {
			t.Errorf("%s: %s", path, status)
		}
		if !strings.Contains(rest, `"OperationOutcome"`) {
			t.Errorf("%s: no OperationOutcome: %.200s", path, rest)
		}
	}
}

func TestMethods(t *testing.T) {
	w := start(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"POST", "/fhir/metadata", 405},
		{"PUT", "/fhir/AuditEvent/1", 405},
		{"OPTIONS", "/fhir/Patient/1", 405},
		{"TRACE", "/fhir/Patient/1", 405},
		{"BREW", "/fhir/Patient/1", 405},
		{"POST", "/health", 405},
	} {
		w.refuses(c.status, c.method, c.path, "")
	}
	// A method in a header or a parameter changes nothing.
	w.refuses(405, "POST", "/fhir/metadata", "", "X-HTTP-Method-Override", "GET")
	w.refuses(400, "GET", "/fhir/metadata?_method=DELETE", "")
}

func TestCredentials(t *testing.T) {
	w := start(t, nil)
	path := "/fhir/Patient/1"
	for name, value := range map[string]string{
		"none":        "",
		"other":       "Basic dXNlcjpwYXNz",
		"no token":    "Bearer",
		"empty token": "Bearer ",
		"garbage":     "Bearer abc",
		"altered":     "Bearer " + w.token[:len(w.token)-4] + "AAAA",
		"huge":        "Bearer " + strings.Repeat("a", 12<<10),
	} {
		res := w.refuses(401, "GET", path, "", "Authorization", value)
		if !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: WWW-Authenticate %q", name, res.Header.Get("WWW-Authenticate"))
		}
	}
	status, _ := w.raw(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\nAuthorization: Bearer %s\r\n\r\n", path, w.token, w.token))
	if !strings.HasPrefix(status, "HTTP/1.1 401") {
		t.Errorf("two credentials: %s", status)
	}
	// Who asks is told before what is wrong with the question.
	w.refuses(401, "GET", "/fhir/Patient?nonsense=1", "", "Authorization", "")
	if res, _ := w.ask("GET", path, ""); res.StatusCode == 401 {
		t.Error("a good token is refused")
	}
}

func TestTokenInURLIsRefused(t *testing.T) {
	w := start(t, answering("GET", "/extra", ok))
	for _, path := range []string{
		"/fhir/Patient/1?access_token=" + w.token,
		"/fhir/Patient/1?a=b&Access_Token=x",
		"/fhir/Patient/1?acc%65ss_token=x",
		"/fhir/metadata?access_token=x",
		"/extra?access_token=x",
	} {
		w.refuses(401, "GET", path, "", "Authorization", "")
		w.refuses(400, "GET", path, "")
	}
	_, body := w.ask("POST", "/fhir/DocumentReference/_search", "access_token="+w.token,
		"Content-Type", "application/x-www-form-urlencoded", "Accept-Language", "en")
	if !strings.Contains(body, "should be revoked") {
		t.Errorf("in a form: %s", body)
	}
	if strings.Contains(w.log.String(), w.token) {
		t.Error("a token is in the log")
	}
}

func TestMediaTypes(t *testing.T) {
	w := start(t, nil)
	bundle := `{"resourceType":"Bundle","type":"transaction"}`
	for _, kind := range []string{"", "text/plain", "application/xml; charset=latin1", "application/fhir+xml; fhirVersion=3.0", "application/fhir+json; charset=latin1",
		"application/fhir+json; fhirVersion=3.0", "application/json-patch+json", "nonsense/", "application/x-www-form-urlencoded"} {
		w.refuses(415, "POST", "/fhir", bundle, "Content-Type", kind)
	}
	for _, kind := range []string{"application/json", "application/fhir+json;charset=UTF-8", "application/fhir+json; fhirVersion=4.0"} {
		if res, _ := w.ask("POST", "/fhir", bundle, "Content-Type", kind); res.StatusCode == 415 {
			t.Errorf("%s: refused", kind)
		}
	}
	for _, coding := range []string{"gzip", "br", "zstd", "deflate", "gzip, gzip"} {
		w.refuses(415, "POST", "/fhir", bundle, "Content-Encoding", coding)
	}
	w.refuses(415, "PATCH", "/fhir/DocumentReference/1", "[]", "Content-Type", "application/merge-patch+json")
	w.refuses(415, "POST", "/fhir/DocumentReference/_search", "_id=1", "Content-Type", "application/json")
	w.refuses(415, "POST", "/fhir/DocumentReference/_search", "_id=1", "Content-Type", "application/x-www-form-urlencoded; charset=latin1")
	w.refuses(400, "GET", "/fhir/Patient/1", "{}")
}

func TestAccept(t *testing.T) {
	w := start(t, nil)
	for accept, status := range map[string]int{
		"application/fhir+json":                  200,
		"application/json":                       200,
		"*/*":                                    200,
		"application/*":                          200,
		"text/html, */*;q=0.1":                   200,
		"application/fhir+json; fhirVersion=4.0": 200,
		"application/fhir+json; fhirVersion=5.0": 406,
		"application/fhir+xml":                   200,
		"application/fhir+xml; fhirVersion=3.0":  406,
		"text/html":                              406,
		"application/fhir+json;q=0":              406,
		"application/fhir+json;q=0, */*;q=0.1":   200,
		"nonsense":                               406,
	} {
		if res, _ := w.ask("GET", "/fhir/metadata", "", "Accept", accept); res.StatusCode != status {
			t.Errorf("Accept: %s: %d, want %d", accept, res.StatusCode, status)
		}
	}
	for format, status := range map[string]int{
		"json": 200, "application/fhir%2Bjson": 200, "application/fhir+json": 200, "xml": 200, "application/fhir%2Bxml": 200, "application/xml": 200, "html": 406,
	} {
		if res, _ := w.ask("GET", "/fhir/metadata?_format="+format, "", "Accept", "application/fhir+xml"); res.StatusCode != status {
			t.Errorf("_format=%s: %d, want %d", format, res.StatusCode, status)
		}
	}
}

// A refusal that no handler made is in the format of the client too.
func TestPanicInXML(t *testing.T) {
	w := start(t, answering("GET", "/extra", func(*http.Request) dossier.Answer { panic("x") }))
	res, body := w.ask("GET", "/extra", "", "Accept", "application/fhir+xml")
	if res.StatusCode != 500 || res.Header.Get("Content-Type") != fhir.FormatXML.MediaType() || !strings.Contains(body, "<OperationOutcome xmlns=") {
		t.Errorf("%d %s: %s", res.StatusCode, res.Header.Get("Content-Type"), body)
	}
}

func TestRequestIDs(t *testing.T) {
	w := start(t, nil)
	for given, kept := range map[string]bool{
		"abc-123":                              true,
		"3f2504e0-4f89-11d3-9a0c-0305e82c3301": true,
		strings.Repeat("a", 64):                true,
		strings.Repeat("a", 65):                false,
		"a b":                                  false,
		"a\"b":                                 false,
		"${jndi:ldap}":                         false,
	} {
		res, _ := w.ask("GET", "/health", "", "X-Request-Id", given)
		got := res.Header.Get("X-Request-Id")
		if (got == given) != kept {
			t.Errorf("%q: answered %q, want kept %v", given, got, kept)
		}
		if len(got) < 3 {
			t.Errorf("%q: answered %q", given, got)
		}
	}
}

func TestLanguage(t *testing.T) {
	w := start(t, answering("GET", "/x", ok))
	_, fr := w.ask("GET", "/fhir/Nothing", "")
	_, en := w.ask("GET", "/fhir/Nothing", "", "Accept-Language", "en-GB,fr;q=0.5")
	_, mixed := w.ask("GET", "/fhir/Nothing", "", "Accept-Language", "de, en;q=0.2, fr;q=0.3")
	if fr == en || fr != mixed {
		t.Errorf("fr %s\nen %s\nmixed %s", fr, en, mixed)
	}
}
