package issuer_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/issuer"
)

// patience is what the test gives Pro Santé Connect; three seconds otherwise.
const patience = 200 * time.Millisecond

func jsonBytes(data []byte, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = w.Write(data)
	}
}

// hang reads the request and waits for the client to give up.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// F-12: while Pro Santé Connect is down, slow or answers anything else, whether when it is
// asked about a token or about its person, nothing is issued, within a bounded time and
// with little memory; what was issued before serves until its end; and it recovers.
func TestIdentityProviderDown(t *testing.T) {
	bomb := &bytes.Buffer{}
	z := gzip.NewWriter(bomb)
	for range 800 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 64<<10)) // 50 MB in 50 KB
	}
	_ = z.Close()
	w := newWorld(t)
	host := httptest.NewUnstartedServer(http.HandlerFunc(w.psc.answer))
	host.Config.ErrorLog = log.New(io.Discard, "", 0)
	host.StartTLS()
	t.Cleanup(host.Close)
	ask := func(timeout time.Duration) (issuer.TokenResponse, error) {
		t.Helper()
		client := host.Client()
		client.Timeout = timeout
		c, err := w.config, error(nil)
		c.Identity, err = issuer.NewIdentity(issuer.IdentityConfig{
			Issuer: w.psc.URL + "/realms/esante-wallet", Introspection: host.URL + "/introspect", UserInfo: host.URL + "/userinfo",
			ClientID: "opendmp", Secret: "s3cret", Client: client,
		})
		w.must(err)
		s, err := issuer.New(c)
		w.must(err)
		return s.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps})
	}
	before, err := ask(0)
	w.must(err)
	serves := func(token string) bool {
		c, err := w.verifier.Read(token)
		return err == nil && c.DMP.Kind == "professional"
	}

	for name, answer := range map[string]http.HandlerFunc{
		"503":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"cut":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"silent": hang,
		"slow after a beginning": func(w http.ResponseWriter, r *http.Request) {
			jsonBytes([]byte(`{"active":`))(w, r)
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		},
		"HTML with 200": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>maintenance</html>"))
		},
		"HTML that says it is JSON": jsonBytes([]byte("<html>maintenance</html>")),
		"nothing":                   jsonBytes(nil),
		"null":                      jsonBytes([]byte("null")),
		"a list":                    jsonBytes([]byte(`[{"active":true}]`)),
		"50 MB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"active":true,"x":"`))
			for chunk, sent := bytes.Repeat([]byte("a"), 32<<10), 0; sent < 50<<20; sent += len(chunk) {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		},
		"50 MB in 50 KB": jsonBytes(bomb.Bytes(), "Content-Encoding", "gzip"),
		"long headers":   jsonBytes([]byte("{}"), "X-Long", strings.Repeat("x", 200<<10)),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/userinfo", http.StatusTemporaryRedirect)
		},
	} {
		for _, step := range []string{"/introspect", "/userinfo"} {
			t.Run(name+" at "+step, func(t *testing.T) {
				w.psc.reset(w.now)
				session := w.psc.session
				w.psc.broken = func(out http.ResponseWriter, r *http.Request) {
					if r.URL.Path == step {
						answer(out, r)
						return
					}
					out.Header().Set("Content-Type", "application/json")
					_ = json.NewEncoder(out).Encode(session)
				}
				began, allocs := time.Now(), allocated()
				res, err := ask(patience)
				if got := code(err); got != "unavailable" && got != "invalid_grant" || res.AccessToken != "" {
					t.Errorf("%v, issued %v", err, res.AccessToken != "")
				}
				if took := time.Since(began); took > 20*patience {
					t.Errorf("it took %s", took)
				}
				if grown := allocated() - allocs; grown > 8<<20 {
					t.Errorf("%d bytes for an answer", grown)
				}
				if !serves(before.AccessToken) {
					t.Error("a token that was issued before does not serve")
				}
			})
		}
	}
	w.psc.reset(w.now)
	if res, err := ask(0); err != nil || !serves(res.AccessToken) {
		t.Errorf("it does not recover: %v", err)
	}
	w.now = w.now.Add(time.Hour + time.Minute)
	if serves(before.AccessToken) {
		t.Error("a token serves after its end")
	}
}

// The provider that another CA vouches for is not asked anything.
func TestIdentityProviderOfAnotherCA(t *testing.T) {
	w := newWorld(t)
	host := httptest.NewUnstartedServer(http.HandlerFunc(w.psc.answer))
	host.Config.ErrorLog = log.New(io.Discard, "", 0)
	host.StartTLS()
	t.Cleanup(host.Close)
	c, err := w.config, error(nil)
	c.Identity, err = issuer.NewIdentity(issuer.IdentityConfig{
		Issuer: host.URL, Introspection: host.URL + "/introspect", UserInfo: host.URL + "/userinfo", ClientID: "opendmp", Secret: "s3cret",
	})
	w.must(err)
	s, err := issuer.New(c)
	w.must(err)
	if _, err := s.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps}); code(err) != "unavailable" || len(w.psc.asked) != 0 {
		t.Errorf("%v after %v", err, w.psc.asked)
	}
	for _, u := range []string{"", "http://psc.example/introspect", "ftp://psc.example/"} {
		if _, err := issuer.NewIdentity(issuer.IdentityConfig{Issuer: "https://psc.example", Introspection: u, UserInfo: u, ClientID: "x"}); err == nil {
			t.Errorf("%q is asked", u)
		}
	}
	if err := auth.CheckURL("https://psc.example/introspect"); err != nil {
		t.Error(err)
	}
}

// allocated returns how many bytes were allocated until now, freed ones included.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
