package idp_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"html"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/sandbox/idp"
)

var update = flag.Bool("update", false, "write the golden files")

type object = map[string]any

// world is a provider on a socket, with a clock of the test's.
type world struct {
	*idp.Provider
	t    *testing.T
	base string // URL of the issuer
	mu   sync.Mutex
	now  time.Time
	http *http.Client
}

func (w *world) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	s := httptest.NewUnstartedServer(nil)
	var err error
	w.Provider, err = idp.New(idp.Config{
		Base: "http://" + s.Listener.Addr().String(), Clients: idp.Clients("https://lps.exemple.test/retour", "lps:/retour"), Now: w.clock, Rand: rand.Reader,
	})
	w.must(err)
	s.Config.Handler = w.Provider
	s.Start()
	t.Cleanup(s.Close)
	w.base = w.Issuer()
	w.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(w.http.CloseIdleConnections)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// reply is an answer, read.
type reply struct {
	*http.Response
	body []byte
}

func (r reply) json() object {
	var o object
	_ = json.Unmarshal(r.body, &o)
	return o
}

func (w *world) do(method, target string, form url.Values, header ...string) reply {
	w.t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	w.must(err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	res, err := w.http.Do(r)
	w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	return reply{res, body}
}

const (
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	callback = "http://127.0.0.1:5173/retour"
)

// query is a good request, changed by pairs; "" drops a parameter.
func (w *world) query(pairs ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {idp.ClientSoftware}, "redirect_uri": {callback}, "scope": {"openid scope_all"},
		"state": {"état"}, "nonce": {"n-0S6"}, "acr_values": {"eidas1"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	for pair := range slices.Chunk(pairs, 2) {
		q.Set(pair[0], pair[1])
		if pair[1] == "" {
			q.Del(pair[0])
		}
	}
	return w.base + idp.AuthorizePath + "?" + q.Encode()
}

// code logs a persona in.
func (w *world) code(persona string, pairs ...string) string {
	w.t.Helper()
	got := w.do(http.MethodPost, w.query(pairs...), url.Values{"personne": {persona}})
	back, err := got.Location()
	if err != nil || got.StatusCode != http.StatusSeeOther || back.Query().Get("state") != "état" || back.Query().Get("iss") != w.base {
		w.t.Fatalf("%d, back to %v: %v", got.StatusCode, back, err)
	}
	return back.Query().Get("code")
}

// redeem is a request for the tokens of a code.
func (w *world) redeem(code string, pairs ...string) reply {
	w.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
		"client_id": {idp.ClientSoftware}, "client_secret": {idp.Secret},
	}
	for pair := range slices.Chunk(pairs, 2) {
		form.Set(pair[0], pair[1])
	}
	return w.do(http.MethodPost, w.base+idp.TokenPath, form)
}

func (w *world) tokens(persona string) object {
	w.t.Helper()
	got := w.redeem(w.code(persona))
	if got.StatusCode != http.StatusOK {
		w.t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	return got.json()
}

func (w *world) introspect(token any) object {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodPost, w.base+idp.IntrospectionPath, strings.NewReader(url.Values{"token": {token.(string)}}.Encode()))
	w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(idp.ClientServer, idp.Secret)
	res, err := w.http.Do(r)
	w.must(err)
	defer res.Body.Close()
	var o object
	w.must(json.NewDecoder(res.Body).Decode(&o))
	return o
}

func (w *world) userInfo(token any) reply {
	return w.do(http.MethodGet, w.base+idp.UserInfoPath, nil, "Authorization", "Bearer "+token.(string))
}

// verified returns the claims of a token whose signature is that of a key of the set.
func (w *world) verified(token any) (claims object, ok bool) {
	w.t.Helper()
	parts := strings.Split(token.(string), ".")
	if len(parts) != 3 {
		w.t.Fatal("no JWT:", token)
	}
	var header struct{ Alg, Kid string }
	w.must(json.Unmarshal(decoded(parts[0]), &header))
	w.must(json.Unmarshal(decoded(parts[1]), &claims))
	for _, k := range w.do(http.MethodGet, w.base+idp.KeysPath, nil).json()["keys"].([]any) {
		k := k.(object)
		if k["kid"] != header.Kid || header.Alg != "RS256" {
			continue
		}
		key := &rsa.PublicKey{N: new(big.Int).SetBytes(decoded(k["n"].(string))), E: int(new(big.Int).SetBytes(decoded(k["e"].(string))).Int64())}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		return claims, rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], decoded(parts[2])) == nil
	}
	return claims, false
}

func decoded(s string) []byte { b, _ := base64.RawURLEncoding.DecodeString(s); return b }

// The whole flow: a log-in, tokens, who it is, what the token stands for.
func TestFlow(t *testing.T) {
	w := open(t)
	got := w.tokens("medecin-durand")
	if got["token_type"] != "Bearer" || got["expires_in"] != 120.0 || got["refresh_expires_in"] != 1800.0 {
		t.Errorf("tokens %v", got)
	}
	identity, ok := w.verified(got["id_token"])
	sum := sha256.Sum256([]byte(got["access_token"].(string)))
	if !ok || identity["iss"] != w.base || identity["aud"] != idp.ClientSoftware || identity["nonce"] != "n-0S6" || identity["acr"] != "eidas1" ||
		identity["at_hash"] != base64.RawURLEncoding.EncodeToString(sum[:16]) {
		t.Errorf("ID token %v, verified %v", identity, ok)
	}
	if access, ok := w.verified(got["access_token"]); !ok || access["typ"] != "Bearer" || access["azp"] != idp.ClientSoftware {
		t.Errorf("access token %v, verified %v", access, ok)
	}
	about := w.introspect(got["access_token"])
	if about["active"] != true || about["SubjectNameID"] != "8899900000011" || about["iss"] != w.base || about["azp"] != idp.ClientSoftware || about["acr"] != "eidas1" {
		t.Errorf("introspection %v", about)
	}
	if about := w.introspect(got["refresh_token"]); about["active"] != true || about["SubjectNameID"] != nil || about["typ"] != "Refresh" {
		t.Errorf("introspection of a refresh token %v", about)
	}
	who := w.userInfo(got["access_token"]).json()
	if who["sub"] != about["sub"] || who["sub"] != identity["sub"] {
		t.Errorf("the subjects differ: %v", who["sub"])
	}
	if got := w.userInfo(got["refresh_token"]); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo of a refresh token: %d", got.StatusCode)
	}
}

// The claims about each kind of person, in the shapes of Pro Santé Connect.
func TestGoldenUserInfo(t *testing.T) {
	w := open(t)
	for _, persona := range []string{"medecin-durand", "urgentiste-roche", "samu-garnier", "etudiant-simon", "pharmacien-dubois"} {
		var o object
		w.must(json.Unmarshal(w.userInfo(w.tokens(persona)["access_token"]).body, &o))
		got, err := json.MarshalIndent(o, "", "  ")
		w.must(err)
		golden(t, "userinfo-"+persona+".json", append(got, '\n'))
	}
}

// What a client asks wrongly goes back to it, and to nobody else.
func TestRequestsThatAreRefused(t *testing.T) {
	w := open(t)
	for name, c := range map[string]struct {
		change []string
		code   string // sent back; "": told to the person
	}{
		"unknown client":           {[]string{"client_id", "x"}, ""},
		"a client without log-ins": {[]string{"client_id", idp.ClientServer}, ""},
		"an address elsewhere":     {[]string{"redirect_uri", "https://evil.example/retour"}, ""},
		"one that looks like ours": {[]string{"redirect_uri", "http://localhost.evil.example/"}, ""},
		"one with a user":          {[]string{"redirect_uri", "http://127.0.0.1@evil.example/"}, ""},
		"one with a fragment":      {[]string{"redirect_uri", callback + "#x"}, ""},
		"none":                     {[]string{"redirect_uri", ""}, ""},
		"a script":                 {[]string{"redirect_uri", "javascript:alert(1)"}, ""},
		"implicit":                 {[]string{"response_type", "token"}, "unsupported_response_type"},
		"fragment":                 {[]string{"response_mode", "fragment"}, "invalid_request"},
		"no state":                 {[]string{"state", ""}, "invalid_request"},
		"no nonce":                 {[]string{"nonce", ""}, "invalid_request"},
		"no PKCE":                  {[]string{"code_challenge", ""}, "invalid_request"},
		"plain PKCE":               {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"no scope_all":             {[]string{"scope", "openid"}, "invalid_scope"},
		"no acr_values":            {[]string{"acr_values", ""}, "invalid_request"},
		"silent":                   {[]string{"prompt", "none"}, "login_required"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			got := w.do(method, w.query(c.change...), url.Values{"personne": {"medecin-martin"}})
			back, err := got.Location()
			switch {
			case c.code == "" && (got.StatusCode != http.StatusBadRequest || err == nil || !strings.Contains(string(got.body), "Connexion impossible")):
				t.Errorf("%s %s: %d to %v", method, name, got.StatusCode, back)
			case c.code != "" && (err != nil || back.Query().Get("error") != c.code || back.Query().Get("code") != "" || !strings.HasPrefix(back.String(), callback)):
				t.Errorf("%s %s: %d to %v", method, name, got.StatusCode, back)
			}
		}
	}
	if got := w.do(http.MethodGet, w.query()+"&state=2", nil); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a parameter twice: %d", got.StatusCode)
	}
	for _, registered := range []string{"https://lps.exemple.test/retour", "lps:/retour", "http://localhost:1/x?y=z", "http://[::1]:8/"} {
		if w.code("medecin-martin", "redirect_uri", registered) == "" {
			t.Errorf("%s is refused", registered)
		}
	}
}

// Nobody is chosen who is no professional, and one may decline.
func TestChoice(t *testing.T) {
	w := open(t)
	for _, nobody := range []string{"", "patient-alix", "hopital-nord", "x"} {
		if got := w.do(http.MethodPost, w.query(), url.Values{"personne": {nobody}}); got.StatusCode != http.StatusBadRequest || !strings.Contains(string(got.body), "Choisissez") {
			t.Errorf("%q: %d", nobody, got.StatusCode)
		}
	}
	got := w.do(http.MethodPost, w.query(), url.Values{"refus": {"1"}})
	if back, err := got.Location(); err != nil || back.Query().Get("error") != "access_denied" || back.Query().Get("state") != "état" {
		t.Errorf("back to %v", back)
	}
}

// The page: the whole cast with their places, no script, nothing loaded, and what the
// query says is text.
func TestPage(t *testing.T) {
	w := open(t)
	got := w.do(http.MethodGet, w.query("state", `"><script>alert(1)</script>`), nil)
	text := string(got.body)
	if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "text/html; charset=utf-8" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
	for _, want := range []string{`lang="fr"`, `name="viewport"`, "Dr Marc DURAND", "Hôpital Nord · Cabinet Sud", "Hôpital Sud (civil) · Hôpital Nord (militaire)", "Médecin, étudiant", idp.ClientSoftware, `method="post"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, absent := range []string{"<script", "patient-alix", "http://", "https://"} {
		if strings.Contains(text, absent) {
			t.Errorf("the page has %q", absent)
		}
	}
	_, rest, _ := strings.Cut(text, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, base64.StdEncoding.EncodeToString(sum[:])) || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the policy %q does not let the style in", policy)
	}
	// What the form sends is the request again.
	action := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(text)
	if len(action) != 2 || strings.Contains(action[1], "<") {
		t.Fatalf("action %v", action)
	}
	sent := w.do(http.MethodPost, w.base+idp.AuthorizePath+html.UnescapeString(action[1]), url.Values{"personne": {"medecin-martin"}})
	if back, err := sent.Location(); err != nil || back.Query().Get("state") != `"><script>alert(1)</script>` || back.Query().Get("code") == "" {
		t.Errorf("%d back to %v", sent.StatusCode, back)
	}
}

// A code serves once, its client, its redirect URI and its verifier only, for a minute;
// a second use ends what the first one gave.
func TestCodes(t *testing.T) {
	w := open(t)
	for name, change := range map[string][]string{
		"another verifier":  {"code_verifier", "x"},
		"another address":   {"redirect_uri", callback + "/x"},
		"another client":    {"client_id", idp.ClientSAMU},
		"no such code":      {"code", "x"},
		"an unknown grant":  {"grant_type", "password"},
		"a refresh instead": {"grant_type", "refresh_token"},
	} {
		if got := w.redeem(w.code("medecin-martin"), change...); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.body)
		}
	}
	for name, change := range map[string][]string{"a wrong secret": {"client_secret", "x"}, "no such client": {"client_id", "x"}} {
		if got := w.redeem(w.code("medecin-martin"), change...); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.body)
		}
	}
	code := w.code("medecin-martin")
	first := w.redeem(code).json()
	if w.introspect(first["access_token"])["active"] != true {
		t.Fatal("a fresh token is not active")
	}
	if got := w.redeem(code); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a second time: %d", got.StatusCode)
	}
	if w.introspect(first["access_token"])["active"] != false || w.introspect(first["refresh_token"])["active"] != false {
		t.Error("a stolen code leaves its tokens active")
	}
	late := w.code("medecin-martin")
	w.pass(time.Minute)
	if got := w.redeem(late); got.StatusCode != http.StatusBadRequest {
		t.Errorf("after a minute: %d", got.StatusCode)
	}
}

// Two minutes, thirty, four hours.
func TestLives(t *testing.T) {
	w := open(t)
	got := w.tokens("medecin-martin")
	refresh := func() reply {
		return w.do(http.MethodPost, w.base+idp.TokenPath, url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {got["refresh_token"].(string)}, "client_id": {idp.ClientSoftware}, "client_secret": {idp.Secret},
		})
	}
	w.pass(2*time.Minute - time.Second)
	if w.introspect(got["access_token"])["active"] != true {
		t.Error("over before two minutes")
	}
	w.pass(time.Second)
	if w.introspect(got["access_token"])["active"] != false || w.userInfo(got["access_token"]).StatusCode != http.StatusUnauthorized {
		t.Error("active after two minutes")
	}
	got = refresh().json()
	for range 8 { // 8 × 29 min and 2 are less than four hours, one more is not
		w.pass(29 * time.Minute)
		next := refresh()
		if next.StatusCode != http.StatusOK {
			t.Fatalf("refresh: %d %s", next.StatusCode, next.body)
		}
		if old := refresh(); old.StatusCode != http.StatusBadRequest {
			t.Fatalf("a refresh token served twice: %d", old.StatusCode)
		}
		got = next.json()
	}
	w.pass(29 * time.Minute)
	if next := refresh(); next.StatusCode != http.StatusBadRequest {
		t.Errorf("after four hours: %d", next.StatusCode)
	}
	got = w.tokens("medecin-martin")
	w.pass(30 * time.Minute)
	if next := refresh(); next.StatusCode != http.StatusBadRequest {
		t.Errorf("idle for thirty minutes: %d", next.StatusCode)
	}
}

// A rotation leaves what was signed before verifiable, once.
func TestRotation(t *testing.T) {
	w := open(t)
	token := w.tokens("medecin-martin")["id_token"]
	for n, want := range []bool{true, false} {
		if got := w.do(http.MethodPost, strings.TrimSuffix(w.base, idp.RealmPath)+idp.RotatePath, url.Values{}); got.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", got.StatusCode, got.body)
		}
		if _, ok := w.verified(token); ok != want {
			t.Errorf("after rotation %d: verified %v", n+1, ok)
		}
		if _, ok := w.verified(w.tokens("medecin-martin")["id_token"]); !ok {
			t.Error("a new token is not verified")
		}
	}
	if keys := w.do(http.MethodGet, w.base+idp.KeysPath, nil).json()["keys"].([]any); len(keys) != 2 {
		t.Errorf("%d keys", len(keys))
	}
}

// All that discovery names is there.
func TestDiscovery(t *testing.T) {
	w := open(t)
	d := w.do(http.MethodGet, w.base+idp.DiscoveryPath, nil).json()
	if d["issuer"] != w.base {
		t.Errorf("issuer %v", d["issuer"])
	}
	for name, method := range map[string]string{
		"authorization_endpoint": http.MethodGet, "token_endpoint": http.MethodPost, "introspection_endpoint": http.MethodPost,
		"userinfo_endpoint": http.MethodGet, "jwks_uri": http.MethodGet,
	} {
		target, _ := d[name].(string)
		if got := w.do(method, target, url.Values{}); got.StatusCode == http.StatusNotFound || got.StatusCode == http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
	for _, path := range []string{"/", "/auth", idp.RealmPath} {
		if got := w.do(http.MethodGet, strings.TrimSuffix(w.base, idp.RealmPath)+path, nil); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
	if got := w.do(http.MethodDelete, w.base+idp.TokenPath, nil); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", got.StatusCode)
	}
	if got := w.do(http.MethodPost, w.base+idp.TokenPath, url.Values{"x": {strings.Repeat("x", 1<<17)}}); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a long form: %d", got.StatusCode)
	}
}

// A provider lacks nothing.
func TestNew(t *testing.T) {
	whole := idp.Config{Base: "https://localhost:8090", Clients: idp.Clients(), Now: time.Now, Rand: rand.Reader}
	for name, change := range map[string]func(*idp.Config){
		"no base": func(c *idp.Config) { c.Base = "" }, "a path": func(c *idp.Config) { c.Base += "/x" }, "no clock": func(c *idp.Config) { c.Now = nil },
		"no clients": func(c *idp.Config) { c.Clients = nil }, "no randomness": func(c *idp.Config) { c.Rand = nil }, "no scheme": func(c *idp.Config) { c.Base = "localhost" },
	} {
		c := whole
		change(&c)
		if _, err := idp.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// golden holds something to a file, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != string(got) {
		t.Errorf("%s: %v\n%s", name, err, got)
	}
}

// The key set is one that our own reader of key sets takes, with its guards.
func TestKeySetIsRead(t *testing.T) {
	w := open(t)
	for range 2 {
		if keys, err := auth.ParseKeySet(w.do(http.MethodGet, w.base+idp.KeysPath, nil).body); err != nil || len(keys) == 0 {
			t.Errorf("%d keys: %v", len(keys), err)
		}
		_, err := w.Rotate()
		w.must(err)
	}
}
