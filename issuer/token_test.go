package issuer_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/issuer"
	"opendmp/store"
)

// A hospital with keys gets a token bound to its DPoP key, which serves with a proof.
func TestServiceByAssertion(t *testing.T) {
	w, key := newWorld(t), newKey(t)
	w.now = w.now.Add(time.Second) // after the opening of the journal
	res, err := w.Token(t.Context(), issuer.Request{Form: w.serviceForm(), Proof: w.proof(key, "POST", issuerURL+issuer.TokenPath, ""), ID: "req-1"})
	w.must(err)
	if res.TokenType != "DPoP" || res.ExpiresIn != 300 || res.Scope != "system/DocumentReference.crus system/Binary.r" || res.Refresh != "" {
		t.Errorf("%+v", res)
	}
	url := audience + "/DocumentReference"
	p, err := w.verifier.Present(t.Context(), auth.Presentation{
		Scheme: "DPoP", Token: res.AccessToken, Method: "GET", URL: url, Proof: w.proof(key, "GET", url, res.AccessToken),
	})
	w.must(err)
	if p.Kind() != auth.Establishment || p.Client() != "hopital" || len(p.Structures()) != 2 || !p.Within("DocumentReference", auth.MayCreate) ||
		p.Within("Patient", auth.MayRead) {
		t.Errorf("%+v", p)
	}
	if e := w.events()[0]; e.Interaction != audit.Token || !e.Allowed || e.Client != "hopital" || e.TokenID != p.TokenID() || e.RequestID != "req-1" {
		t.Errorf("event %+v", e)
	}
}

func TestClientAuthentication(t *testing.T) {
	w, key := newWorld(t), newKey(t)
	est := issuer.Peer{Thumbprint: "est"}
	cases := []struct {
		name string
		bend func(url.Values)
		peer issuer.Peer
		want string
	}{
		{"assertion", func(url.Values) {}, issuer.Peer{}, ""},
		{"two assertions", func(f url.Values) { f.Add("client_assertion", "x") }, issuer.Peer{}, "invalid_request"},
		{"no assertion", func(f url.Values) { f.Del("client_assertion"); f.Set("client_id", "hopital") }, issuer.Peer{}, "invalid_client"},
		{"nobody", func(f url.Values) { f.Del("client_assertion") }, est, "invalid_client"},
		{"secret", func(f url.Values) { f.Set("client_secret", "x") }, issuer.Peer{}, "invalid_client"},
		{"other type", func(f url.Values) { f.Set("client_assertion_type", "saml") }, issuer.Peer{}, "invalid_client"},
		{"other client_id", func(f url.Values) { f.Set("client_id", "lps") }, issuer.Peer{}, "invalid_client"},
		{"unknown client", func(f url.Values) { f.Set("client_assertion", w.assertion("x")) }, issuer.Peer{}, "invalid_client"},
		{"client without keys", func(f url.Values) { f.Set("client_assertion", w.assertion("sans-cme")) }, issuer.Peer{Subject: "CN=nord,OU=1750000099,O=Hôpital Nord,C=FR", Thumbprint: "n"}, "invalid_client"},
		{"both", func(f url.Values) { f.Set("client_assertion", w.assertion("les-deux")) }, est, ""},
		{"both, assertion alone", func(f url.Values) { f.Set("client_assertion", w.assertion("les-deux")) }, issuer.Peer{}, "invalid_client"},
		{"both, other certificate", func(f url.Values) { f.Set("client_assertion", w.assertion("les-deux")) }, lps, "invalid_client"},
		{"both, certificate alone", func(f url.Values) { f.Del("client_assertion"); f.Set("client_id", "les-deux") }, est, "invalid_client"},
		{"revoked", func(f url.Values) { f.Del("client_assertion"); f.Set("client_id", "revoque") }, issuer.Peer{Thumbprint: "ancien"}, "invalid_client"},
		{"grant of a professional", func(f url.Values) { f.Del("client_assertion"); f.Set("client_id", "lps") }, lps, "unauthorized_client"},
		{"unknown grant", func(f url.Values) { f.Set("grant_type", "password") }, issuer.Peer{}, "unsupported_grant_type"},
		{"no grant", func(f url.Values) { f.Del("grant_type") }, issuer.Peer{}, "unsupported_grant_type"},
		{"scope of another context", func(f url.Values) { f.Set("scope", "user/*.rs") }, issuer.Peer{}, "invalid_scope"},
		{"malformed scope", func(f url.Values) { f.Set("scope", "system/*.sr") }, issuer.Peer{}, "invalid_scope"},
	}
	for _, c := range cases {
		form := w.serviceForm()
		c.bend(form)
		_, err := w.Token(t.Context(), issuer.Request{Form: form, Peer: c.peer, Proof: w.proof(key, "POST", issuerURL+issuer.TokenPath, "")})
		if code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := w.Token(t.Context(), issuer.Request{Form: w.serviceForm()}); code(err) != "invalid_request" {
		t.Errorf("nothing to bind to: %v", err)
	}
	if _, err := w.Token(t.Context(), issuer.Request{Form: w.serviceForm(), Proof: "x.y.z"}); code(err) != "invalid_dpop_proof" {
		t.Errorf("a proof that is none: %v", err)
	}
}

// An assertion serves once, and so does a proof.
func TestReplay(t *testing.T) {
	w, key := newWorld(t), newKey(t)
	form, proof := w.serviceForm(), w.proof(key, "POST", issuerURL+issuer.TokenPath, "")
	for i, want := range []string{"", "invalid_grant"} {
		if _, err := w.Token(t.Context(), issuer.Request{Form: form, Proof: w.proof(key, "POST", issuerURL+issuer.TokenPath, "")}); code(err) != want {
			t.Errorf("assertion, time %d: %v", i+1, err)
		}
		if _, err := w.Token(t.Context(), issuer.Request{Form: w.serviceForm(), Proof: proof}); code(err) != want {
			t.Errorf("proof, time %d: %v", i+1, err)
		}
	}
	// One that was refused for another cause is used up too.
	form = w.serviceForm()
	form.Set("scope", "user/*.rs")
	_, _ = w.Token(t.Context(), issuer.Request{Form: form, Proof: w.proof(key, "POST", issuerURL+issuer.TokenPath, "")})
	form.Del("scope")
	if _, err := w.Token(t.Context(), issuer.Request{Form: form, Proof: w.proof(key, "POST", issuerURL+issuer.TokenPath, "")}); code(err) != "invalid_grant" {
		t.Errorf("an assertion after its refusal: %v", err)
	}
}

// TK20: an establishment is given no more than is registered, and without the decision
// of its CME nothing to write.
func TestTK20ScopesOfEstablishments(t *testing.T) {
	w, key := newWorld(t), newKey(t)
	form := w.serviceForm()
	form.Set("scope", "system/*.cruds")
	res, err := w.Token(t.Context(), issuer.Request{Form: form, Proof: w.proof(key, "POST", issuerURL+issuer.TokenPath, "")})
	if err != nil || res.Scope != "system/DocumentReference.crus system/Binary.r" {
		t.Errorf("%q, %v", res.Scope, err)
	}
	north := issuer.Peer{Thumbprint: "n", Subject: "CN=nord,OU=1750000099,O=Hôpital Nord,C=FR"}
	form = url.Values{"grant_type": {issuer.GrantClient}, "client_id": {"sans-cme"}}
	res, err = w.Token(t.Context(), issuer.Request{Form: form, Peer: north})
	if err != nil || res.Scope != "system/DocumentReference.rs" || res.TokenType != "Bearer" || w.claims(res.AccessToken).Confirmation.Certificate != "n" {
		t.Errorf("without decision: %+v, %v", res, err)
	}
	form.Set("scope", "system/DocumentReference.c")
	if _, err = w.Token(t.Context(), issuer.Request{Form: form, Peer: north}); code(err) != "invalid_scope" {
		t.Errorf("to write without decision: %v", err)
	}
}

// A physician gets a token for the place that they chose.
func TestExchange(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(time.Second) // after the opening of the journal
	res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm("scope", "user/DocumentReference.rs"), Peer: lps})
	w.must(err)
	if res.TokenType != "Bearer" || res.ExpiresIn != 3600 || res.Scope != "user/DocumentReference.rs" || res.Refresh == "" || !strings.HasSuffix(res.Issued, ":access_token") {
		t.Errorf("%+v", res)
	}
	c := w.claims(res.AccessToken)
	iua := c.Extensions.IUA
	if iua.SubjectName != "Paul ROCHE" || iua.Provider != "urn:oid:1.2.250.1.71.4.2.1|899700218896" || !slices.Equal(iua.OrganizationID, []string{practiceA}) ||
		c.DMP.Kind != "professional" || c.DMP.Profession.Code != "10" || c.DMP.Student || c.Confirmation.Certificate != lps.Thumbprint ||
		string(c.Audience) != audience || c.ID == "" || c.DMP.Roles[0].Code != "SM54" || c.DMP.Confirmed == 0 {
		t.Errorf("%+v", c)
	}
	if e := w.events()[0]; e.Kind != auth.Professional || !strings.HasPrefix(e.Query, "userinfo sha256=") || e.Structure.Value != "1750000010" {
		t.Errorf("event %+v", e)
	}
}

func TestExchangeRefused(t *testing.T) {
	w := newWorld(t)
	other := exercise("60", "C", "", "1750000011")
	for _, c := range []struct {
		name string
		psc  func(p *identityProvider)
		form url.Values
		peer issuer.Peer
		want string
	}{
		{"TK12 no acr", func(p *identityProvider) { delete(p.session, "acr") }, exchangeForm(), lps, "insufficient_user_authentication"},
		{"TK12 acr 0", func(p *identityProvider) { p.session["acr"] = "0" }, exchangeForm(), lps, "insufficient_user_authentication"},
		{"TK14 no exercise", func(p *identityProvider) { p.exercises() }, exchangeForm("structure", ""), lps, "access_denied"},
		{"TK23 other client", func(p *identityProvider) { p.session["azp"] = "psc-other" }, exchangeForm(), lps, "invalid_grant"},
		{"TK23 no client", func(p *identityProvider) { delete(p.session, "azp") }, exchangeForm(), lps, "invalid_grant"},
		{"TK23 other certificate", nil, exchangeForm(), issuer.Peer{Thumbprint: "x", Subject: "CN=lps"}, "invalid_client"},
		{"TK23 no certificate", nil, exchangeForm(), issuer.Peer{}, "invalid_client"},
		{"TK24 inactive", func(p *identityProvider) { p.session = object{"active": false} }, exchangeForm(), lps, "invalid_grant"},
		{"TK24 unknown", nil, exchangeForm("subject_token", "stolen"), lps, "invalid_grant"},
		{"TK24 older than 2 min", func(p *identityProvider) { p.session["iat"] = w.now.Add(-3 * time.Minute).Unix() }, exchangeForm(), lps, "invalid_grant"},
		{"TK03 other issuer", func(p *identityProvider) { p.session["iss"] = p.URL + "/realms/esante-wallet/" }, exchangeForm(), lps, "invalid_grant"},
		{"TK08 ID token", func(p *identityProvider) { p.session["typ"] = "ID" }, exchangeForm(), lps, "invalid_grant"},
		{"TK08 refresh token", func(p *identityProvider) { p.session["typ"] = "Refresh" }, exchangeForm(), lps, "invalid_grant"},
		{"another person", func(p *identityProvider) { p.user["sub"] = "x" }, exchangeForm(), lps, "invalid_grant"},
		{"another national id", func(p *identityProvider) { p.user["SubjectNameID"] = "899700218897" }, exchangeForm(), lps, "invalid_grant"},
		{"several places", nil, exchangeForm("structure", ""), lps, "invalid_request"},
		{"a place that is not theirs", nil, exchangeForm("structure", hospital), lps, "invalid_request"},
		{"several exercises", func(p *identityProvider) {
			p.exercises(other, exercise("10", "C", "", "1750000010"))
		}, exchangeForm(), lps, "invalid_request"},
		{"an exercise that is not theirs", nil, exchangeForm("situation_exercice", "21C"), lps, "invalid_request"},
		{"unknown category", func(p *identityProvider) { p.exercises(exercise("10", "X", "", "1750000010")) }, exchangeForm(), lps, "access_denied"},
		{"deprecated profession", func(p *identityProvider) { p.exercises(exercise("35", "C", "", "1750000010")) }, exchangeForm(), lps, "invalid_grant"},
		{"centre_15 of a practice", func(p *identityProvider) { p.user["Acces_Regulation_Medicale"] = "VRAI" }, exchangeForm("purpose_of_use", "centre_15"), lps, "access_denied"},
		{"centre_15 without the right", func(p *identityProvider) { p.session["azp"] = "psc-samu" }, exchangeForm("purpose_of_use", "centre_15", "client_id", "samu"), issuer.Peer{Thumbprint: "samu"}, "access_denied"},
		{"structure of another client", func(p *identityProvider) { p.session["azp"] = "psc-samu" }, exchangeForm("structure", practiceB, "client_id", "samu", "purpose_of_use", "centre_15"), samuPeer, "access_denied"},
		{"purpose", nil, exchangeForm("purpose_of_use", "RESEARCH"), lps, "invalid_request"},
		{"actor_token", nil, exchangeForm("actor_token", "x"), lps, "invalid_request"},
		{"type", nil, exchangeForm("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"), lps, "invalid_request"},
		{"audience", nil, exchangeForm("audience", "https://other.test"), lps, "invalid_target"},
		{"no token", nil, exchangeForm("subject_token", ""), lps, "invalid_request"},
		{"scope", nil, exchangeForm("scope", "system/*.rs"), lps, "invalid_scope"},
		{"HTML", func(p *identityProvider) {
			p.broken = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }
		}, exchangeForm(), lps, "unavailable"},
		{"down", func(p *identityProvider) {
			p.broken = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
		}, exchangeForm(), lps, "unavailable"},
		{"a name twice", func(p *identityProvider) {
			p.broken = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"active":false,"active":true}`))
			}
		}, exchangeForm(), lps, "unavailable"},
	} {
		w.psc.reset(w.now)
		if c.psc != nil {
			c.psc(w.psc)
		}
		res, err := w.Token(t.Context(), issuer.Request{Form: c.form, Peer: c.peer})
		if !strings.Contains(code(err), c.want) || res.AccessToken != "" {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	w.now = w.now.Add(time.Second)
	w.psc.reset(w.now)
	_, _ = w.Token(t.Context(), issuer.Request{Form: exchangeForm("structure", hospital), Peer: lps})
	if e := w.events()[0]; e.Allowed || e.Client != "lps" || e.Interaction != audit.Token || !slices.Equal(e.Rules, []string{"invalid_request"}) {
		t.Errorf("a refusal in the history: %+v", e)
	}
}

// The practice is the one that was chosen, whatever its place in the token.
func TestPracticeIsChosen(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ situation, structure, profession, place string }{
		{"60C", "", "60", "1750000011"},
		{"10C", practiceB, "10", "1750000011"},
		{"10C", practiceA, "10", "1750000010"},
	} {
		w.psc.reset(w.now)
		w.psc.exercises(exercise("10", "C", "", "1750000010", "1750000011"), exercise("60", "C", "", "1750000011"))
		res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm("situation_exercice", c.situation, "structure", c.structure), Peer: lps})
		w.must(err)
		got := w.claims(res.AccessToken)
		if got.DMP.Profession.Code != c.profession || got.Extensions.IUA.OrganizationID[0] != "urn:oid:1.2.250.1.71.4.2.2|"+c.place {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	// TK14: a student is told as one; the policy refuses.
	w.psc.reset(w.now)
	w.psc.exercises(exercise("10", "E", "", "1750000010"))
	res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps})
	w.must(err)
	if !w.claims(res.AccessToken).DMP.Student {
		t.Error("a student is not told as one")
	}
	// A regulator, through the software of a SAMU.
	w.psc.reset(w.now)
	w.psc.session["azp"], w.psc.user["Acces_Regulation_Medicale"] = "psc-samu", "VRAI"
	res, err = w.Token(t.Context(), issuer.Request{Form: exchangeForm("client_id", "samu", "purpose_of_use", "centre_15"), Peer: issuer.Peer{Thumbprint: "samu"}})
	w.must(err)
	if c := w.claims(res.AccessToken); c.DMP.Kind != "regulator" || c.Extensions.IUA.Purpose[0].Code != "centre_15" {
		t.Errorf("%+v", c)
	}
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {issuer.GrantRefresh}, "client_id": {"lps"}, "refresh_token": {token}}
}

// A refresh token serves once, for its client and certificate; its second use ends the
// family and takes back the access tokens.
func TestRefresh(t *testing.T) {
	w := newWorld(t)
	first, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm("scope", "user/DocumentReference.rs"), Peer: lps})
	w.must(err)
	w.now = w.now.Add(30 * time.Minute)
	w.must(w.revocations.Refresh(t.Context()))
	stolen := lps
	stolen.Thumbprint = "thief"
	if _, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(first.Refresh), Peer: stolen}); code(err) != "invalid_grant" {
		t.Errorf("under another certificate: %v", err)
	}
	form := refreshForm(first.Refresh)
	form.Set("scope", "user/*.crus")
	second, err := w.Token(t.Context(), issuer.Request{Form: form, Peer: lps})
	w.must(err)
	if second.Scope != "user/DocumentReference.rs" || second.Refresh == first.Refresh || second.AccessToken == first.AccessToken {
		t.Errorf("%+v", second)
	}
	a, b := w.claims(first.AccessToken), w.claims(second.AccessToken)
	if a.ID == b.ID || b.DMP.Kind != "professional" || b.Expires != w.now.Add(time.Hour).Unix() {
		t.Errorf("%+v", b)
	}
	if _, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(first.Refresh), Peer: lps}); code(err) != "invalid_grant" {
		t.Errorf("the second time: %v", err)
	}
	if _, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(second.Refresh), Peer: lps}); code(err) != "invalid_grant" {
		t.Errorf("the family goes on: %v", err)
	}
	for _, c := range []auth.Claims{a, b} {
		if w.revocations.Revoked(c.ID, "lps") == nil {
			t.Errorf("token %s is in force", c.ID)
		}
	}
	for _, bad := range []string{"", "rt.", "rt.a.b", "x", first.AccessToken} {
		if _, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(bad), Peer: lps}); code(err) != "invalid_grant" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A family ends four hours after its exchange, whatever is refreshed.
func TestFamilyEnds(t *testing.T) {
	w := newWorld(t)
	res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps})
	w.must(err)
	begun := w.now
	for range 4 {
		w.now = w.now.Add(55 * time.Minute)
		res, err = w.Token(t.Context(), issuer.Request{Form: refreshForm(res.Refresh), Peer: lps})
		w.must(err)
	}
	if w.claims(res.AccessToken).Expires != begun.Add(4*time.Hour).Unix() {
		t.Errorf("a token outlives its family: %d", res.ExpiresIn)
	}
	w.now = begun.Add(4 * time.Hour)
	if _, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(res.Refresh), Peer: lps}); code(err) != "invalid_grant" {
		t.Error(err)
	}
}

// Nothing that the store keeps of a refresh token names the person or the token.
func TestRefreshIsSealed(t *testing.T) {
	w := newWorld(t)
	res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps})
	w.must(err)
	kept, err := w.store.StateList(t.Context(), "oauth-family", "", 10)
	w.must(err)
	if len(kept) != 1 {
		t.Fatalf("%d families", len(kept))
	}
	for _, mark := range []string{"899700218896", "ROCHE", res.Refresh, "lps"} {
		if strings.Contains(kept[0].Key+string(kept[0].Value), mark) {
			t.Errorf("the store shows %q", mark)
		}
	}
}

// TK26: a token is told about to the client that proved itself, and of its own only.
func TestTK26Introspection(t *testing.T) {
	w := newWorld(t)
	res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps})
	w.must(err)
	ask := func(client, token string, peer issuer.Peer) (issuer.Introspection, error) {
		return w.Introspect(t.Context(), issuer.Request{Form: url.Values{"client_id": {client}, "token": {token}}, Peer: peer})
	}
	if _, err := ask("lps", res.AccessToken, issuer.Peer{}); code(err) != "invalid_client" {
		t.Errorf("without authentication: %v", err)
	}
	if got, err := ask("lps", res.AccessToken, lps); err != nil || !got.Active || got.ClientID != "lps" || got.Scope != "user/*.crus" || got.Confirmation == nil {
		t.Errorf("own: %+v, %v", got, err)
	}
	for name, c := range map[string]struct{ client, token, peer string }{
		"of another": {"samu", res.AccessToken, "samu"}, "garbage": {"samu", "x.y.z", "samu"}, "refresh": {"samu", res.Refresh, "samu"},
	} {
		if got, err := ask(c.client, c.token, issuer.Peer{Thumbprint: c.peer}); err != nil || got != (issuer.Introspection{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	revoke := func(token string, client string, peer issuer.Peer) {
		t.Helper()
		w.must(w.Revoke(t.Context(), issuer.Request{Form: url.Values{"client_id": {client}, "token": {token}}, Peer: peer}))
	}
	revoke(res.AccessToken, "samu", issuer.Peer{Thumbprint: "samu"})
	if got, _ := ask("lps", res.AccessToken, lps); !got.Active {
		t.Error("another client took back the token")
	}
	revoke(res.AccessToken, "lps", lps)
	revoke(res.AccessToken, "lps", lps)
	if got, err := ask("lps", res.AccessToken, lps); err != nil || got.Active {
		t.Errorf("taken back: %+v, %v", got, err)
	}
	revoke(res.Refresh, "lps", lps)
	if _, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(res.Refresh), Peer: lps}); code(err) != "invalid_grant" {
		t.Errorf("refresh token taken back: %v", err)
	}
}

// A list of tokens taken back that cannot be read any more lets nobody in.
func TestRevocationsAge(t *testing.T) {
	w := newWorld(t)
	w.must(w.revocations.Revoked("j", "c"))
	w.now = w.now.Add(2 * time.Minute)
	if err := w.revocations.Revoked("j", "c"); err == nil {
		t.Error("an old list serves")
	}
	w.must(w.revocations.Refresh(t.Context()))
	w.must(w.revocations.Revoked("j", "c"))
}

func TestRegistry(t *testing.T) {
	w := newWorld(t)
	c := w.registered()[3]
	c.ID, c.IdentityClients = "lps2", []string{"psc-2"}
	w.must(w.clients.Add(t.Context(), c))
	for _, again := range []string{"lps2", "lps"} {
		c.ID = again
		if err := w.clients.Add(t.Context(), c); err == nil {
			t.Errorf("%s is registered twice", again)
		}
	}
	all, err := w.clients.List(t.Context())
	if err != nil || len(all) != 7 {
		t.Errorf("%d clients, %v", len(all), err)
	}
	for _, id := range []string{"lps2", "lps"} { // of the store, and of the file
		if _, ok, err := w.clients.Client(t.Context(), id); !ok || err != nil {
			t.Errorf("%s: %v, %v", id, ok, err)
		}
		w.must(w.clients.Revoke(t.Context(), id))
		if _, ok, err := w.clients.Client(t.Context(), id); ok || err != nil {
			t.Errorf("%s revoked: %v, %v", id, ok, err)
		}
		w.must(w.revocations.Refresh(t.Context()))
		if w.revocations.Revoked("any", id) == nil {
			t.Errorf("the tokens of %s are in force", id)
		}
	}
	if w.clients.Revoke(t.Context(), "nobody") == nil {
		t.Error("a client that is not registered was revoked")
	}
	w.must(w.store.Commit(t.Context(), store.Tx{Expect: store.Any, State: []store.StateEntry{{Kind: "oauth-client", Key: "x", Value: []byte(`{}`)}}}))
	if _, err := issuer.NewRegistry(t.Context(), nil, w.store, nil, w.clock); err == nil {
		t.Error("a start on a client that is not good")
	}
}

func TestMetadata(t *testing.T) {
	w := newWorld(t)
	m := w.Metadata(issuerURL)
	if m.Issuer != issuerURL || m.Token != issuerURL+"/oauth2/token" || !slices.Contains(m.Grants, issuer.GrantExchange) || !m.BoundTokens {
		t.Errorf("%+v", m)
	}
	if keys, err := w.Keys(); err != nil || strings.Contains(string(keys), `"d"`) {
		t.Errorf("%s, %v", keys, err)
	}
}
