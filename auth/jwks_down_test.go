package auth

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// patience is what the tests give a bad identity provider; Guarded gives three seconds.
const patience = 150 * time.Millisecond

// tlsKeyHost is a keyHost under TLS, and a client that trusts it.
func tlsKeyHost(t *testing.T) (*keyHost, *http.Client) {
	t.Helper()
	p := &keyHost{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetches.Add(1)
		(*p.answer.Load())(w, r)
	}))
	p.Config.ErrorLog = quiet()
	p.StartTLS()
	t.Cleanup(p.Close)
	return p, p.Client()
}

// jsonOf answers with bytes that say they are JSON.
func jsonOf(data []byte, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = w.Write(data)
	}
}

// hang waits for the client to give up.
func hang(r *http.Request) { <-r.Context().Done() }

// flood writes 50 MB of JSON that does not end.
func flood(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"keys":["`))
	for chunk, sent := bytes.Repeat([]byte("a"), 32<<10), 0; sent < 50<<20; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// F-12: an identity provider that is down, slow or hostile costs a bounded time and
// little memory; the keys that it published serve for 24 hours and not a minute more.
func TestIdentityProviderDown(t *testing.T) {
	bomb := &bytes.Buffer{}
	z := gzip.NewWriter(bomb)
	for range 800 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 64<<10)) // 50 MB in 50 KB
	}
	_ = z.Close()
	other := setOfKeys(t, jwkOf(t, &newKey(t).PublicKey, object{"kid": "b"}))
	for name, answer := range map[string]http.HandlerFunc{
		"503":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"cut":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"silent": func(_ http.ResponseWriter, r *http.Request) { hang(r) },
		"slow after a beginning": func(w http.ResponseWriter, r *http.Request) {
			jsonOf([]byte(`{"keys":[`))(w, r)
			_ = http.NewResponseController(w).Flush()
			hang(r)
		},
		"HTML with 200": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(other)
		},
		"HTML that says it is JSON":      jsonOf([]byte("<html>maintenance</html>")),
		"empty set":                      jsonOf([]byte(`{"keys":[]}`)),
		"empty body":                     jsonOf(nil),
		"50 MB":                          flood,
		"50 MB in 50 KB":                 jsonOf(bomb.Bytes(), "Content-Encoding", "gzip"),
		"headers of 200 KB":              jsonOf(other, "X-Long", strings.Repeat("x", 200<<10)),
		"redirect":                       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"another set that is partly bad": jsonOf(setOfKeys(t, jwkOf(t, &newKey(t).PublicKey, object{"kid": "b"}), object{"kty": "oct", "kid": "c", "k": "c2VjcmV0"})),
	} {
		t.Run(name, func(t *testing.T) {
			host, client := tlsKeyHost(t)
			var now atomic.Int64
			set, err := NewKeySet(KeySetConfig{URL: host.URL, Client: client, Life: MaxKeySetLife, Now: func() time.Time {
				return instant.Add(time.Duration(now.Load()))
			}})
			if err != nil {
				t.Fatal(err)
			}
			host.serveKeys(setOfKeys(t, jwkOf(t, &newKey(t).PublicKey, object{"kid": "a"})))
			if _, ok := set.Key("a"); !ok {
				t.Fatal("the key is not found")
			}
			set.kept.Store(true) // as while Run runs
			host.serve(answer)
			set.client.Timeout = patience
			now.Store(int64(keySetAge))
			began, before := time.Now(), allocated()
			if err := set.renew(context.Background()); err == nil {
				t.Error("the answer is taken for a key set")
			}
			if took := time.Since(began); took > 20*patience {
				t.Errorf("it took %s", took)
			}
			if grown := allocated() - before; grown > 8<<20 {
				t.Errorf("%d bytes for an answer", grown)
			}
			fetches := host.fetches.Load()
			now.Store(int64(24*time.Hour - time.Second))
			if _, ok := set.Key("a"); !ok || host.fetches.Load() != fetches {
				t.Errorf("after 24 hours less a second: found %v, %d fetches", ok, host.fetches.Load()-fetches)
			}
			if _, ok := set.Key("b"); ok {
				t.Error("a key of the refused answer is found")
			}
			now.Store(int64(24 * time.Hour))
			if _, ok := set.Key("a"); ok {
				t.Error("after 24 hours the key still serves")
			}
			host.serveKeys(setOfKeys(t, jwkOf(t, &newKey(t).PublicKey, object{"kid": "a"})))
			set.client.Timeout = fetchTimeout
			now.Store(int64(24*time.Hour + betweenFetches))
			if _, ok := set.Key("a"); !ok {
				t.Error("it does not recover by itself")
			}
		})
	}
}

// What an answer says of its age changes nothing: neither a day nor no time at all.
func TestHostileMaxAge(t *testing.T) {
	for _, control := range []string{"max-age=315360000, immutable", "max-age=0, no-store", "max-age=-1", "max-age=99999999999999999999"} {
		host, client := tlsKeyHost(t)
		now := instant
		set, err := NewKeySet(KeySetConfig{URL: host.URL, Client: client, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		host.serve(jsonOf(setOfKeys(t, jwkOf(t, &newKey(t).PublicKey, object{"kid": "a"})), "Cache-Control", control))
		for i := range 20 {
			now = instant.Add(time.Duration(i) * 59 * time.Second) // to 18 min 41 s
			if _, ok := set.Key("a"); !ok {
				t.Fatal("the key is not found")
			}
		}
		if n := host.fetches.Load(); n != 2 {
			t.Errorf("%s: %d fetches in 19 minutes, want 2", control, n)
		}
	}
}

// While Run runs, requests fetch for no key that is there.
func TestRunFetchesAside(t *testing.T) {
	host, client := tlsKeyHost(t)
	set, err := NewKeySet(KeySetConfig{URL: host.URL, Client: client, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	host.serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	reports := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); set.Run(ctx, func(err error) { reports <- err }) }()
	if err := <-reports; err == nil || strings.Contains(err.Error(), "https://") {
		t.Errorf("reported %v", err)
	}
	stop()
	<-ended
	if host.fetches.Load() != 1 || !set.kept.Load() {
		t.Errorf("%d fetches", host.fetches.Load())
	}
}

// A host that is not the one of the configured CA is not believed.
func TestKeysOfAnotherCA(t *testing.T) {
	host, _ := tlsKeyHost(t)
	host.serveKeys(setOfKeys(t, jwkOf(t, &newKey(t).PublicKey, object{"kid": "a"})))
	strangers := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}
	for name, c := range map[string]*http.Client{"the system's": nil, "none": strangers} {
		set, err := NewKeySet(KeySetConfig{URL: host.URL, Client: c, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := set.Key("a"); ok || host.fetches.Load() != 0 {
			t.Errorf("roots %s: found %v after %d fetches", name, ok, host.fetches.Load())
		}
	}
}

func TestGuarded(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{0: fetchTimeout, time.Hour: fetchTimeout, -1: fetchTimeout, time.Second: time.Second} {
		if c := Guarded(&http.Client{Timeout: given}); c.Timeout != want {
			t.Errorf("%s becomes %s", given, c.Timeout)
		}
	}
	if http.DefaultTransport.(*http.Transport).MaxResponseHeaderBytes != 0 {
		t.Error("the transport of others was changed")
	}
	for _, life := range []time.Duration{-1, MaxKeySetLife + 1} {
		if _, err := NewKeySet(KeySetConfig{URL: "https://idp.example/jwks", Now: clock, Life: life}); err == nil {
			t.Error(fmt.Sprint("a life of ", life))
		}
	}
}

// allocated returns how many bytes were allocated until now, freed ones included.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
