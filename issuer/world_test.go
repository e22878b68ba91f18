package issuer_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/issuer"
	"opendmp/store"
	"opendmp/store/sqlite"
	"opendmp/vault"
)

const (
	issuerURL = "https://dmp.test"
	audience  = "https://dmp.test/fhir"
	hospital  = "urn:oid:1.2.250.1.71.4.2.2|1750000002"
	hospital2 = "urn:oid:1.2.250.1.71.4.2.2|1750000099"
	practiceA = "urn:oid:1.2.250.1.71.4.2.2|1750000010"
	practiceB = "urn:oid:1.2.250.1.71.4.2.2|1750000011"
)

type object = map[string]any

// world is an authorisation server over a real store, its clients and a Pro Santé
// Connect of its own.
type world struct {
	*issuer.Server
	config      issuer.Config
	t           *testing.T
	now         time.Time
	store       store.Store
	audit       *audit.Log
	verifier    *auth.Verifier
	clients     *issuer.Registry
	revocations *issuer.Revocations
	psc         *identityProvider
	key         *ecdsa.PrivateKey // of the client hopital
	serial      int
}

func (w *world) clock() time.Time { return w.now }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// publicJWK is the JWK of a public key.
func publicJWK(t testing.TB, k *ecdsa.PrivateKey) object {
	t.Helper()
	point, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return object{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), key: newKey(t), psc: newIdentityProvider(t)}
	dir := t.TempDir()
	keys, err := vault.OpenDir(filepath.Join(dir, "keys"), true, rand.Reader)
	w.must(err)
	w.store, err = sqlite.Open(t.Context(), filepath.Join(dir, "data"), sqlite.Options{Now: w.clock})
	w.must(err)
	t.Cleanup(func() { w.must(w.store.Close()) })
	w.audit = audit.New(w.store, keys, w.clock, rand.Reader)
	w.must(w.audit.OpenJournal(t.Context()))
	signer, err := auth.NewSigner(newKey(t), issuerURL, audience, w.clock, rand.Reader)
	w.must(err)
	w.revocations, err = issuer.NewRevocations(t.Context(), w.store, w.clock)
	w.must(err)
	w.verifier, err = auth.NewVerifier(auth.Config{
		Issuers: []auth.Issuer{signer.TrustBound()}, Now: w.clock, Replay: issuer.Replay(w.store), Revoked: w.revocations.Revoked,
	})
	w.must(err)
	w.clients, err = issuer.NewRegistry(t.Context(), w.registered(), w.store, nil, w.clock)
	w.must(err)
	identity, err := issuer.NewIdentity(issuer.IdentityConfig{
		Issuer: w.psc.URL + "/realms/esante-wallet", Introspection: w.psc.URL + "/introspect", UserInfo: w.psc.URL + "/userinfo",
		ClientID: "opendmp", Secret: "s3cret",
	})
	w.must(err)
	w.config = issuer.Config{
		Issuer: issuerURL, Signer: signer, Verifier: w.verifier, Clients: w.clients, Revocations: w.revocations, Identity: identity,
		Store: w.store, Vault: keys, Audit: w.audit, Now: w.clock, Rand: rand.Reader,
	}
	w.Server, err = issuer.New(w.config)
	w.must(err)
	w.psc.reset(w.now)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// registered are the clients of the file.
func (w *world) registered() []issuer.Client {
	w.t.Helper()
	jwk := publicJWK(w.t, w.key)
	jwk["kid"], jwk["use"] = "k1", "sig"
	set, err := json.Marshal(object{"keys": []any{jwk}})
	w.must(err)
	clients := []issuer.Client{
		{
			ID: "hopital", Name: "Hôpital Sud", Kind: issuer.Establishment, KeySet: set, Scope: "system/DocumentReference.crus system/Binary.r",
			Structures: []string{hospital, hospital2}, Decision: "CME-2026-03", DecisionDate: "2026-03-01", Status: issuer.Active,
		},
		{
			ID: "sans-cme", Name: "Clinique Nord", Kind: issuer.Establishment, Subjects: []string{"CN=nord,OU=1750000099,O=H\\C3\\B4pital Nord,C=FR"}, Scope: "system/DocumentReference.crus",
			Structures: []string{hospital2}, Status: issuer.Active,
		},
		{
			ID: "les-deux", Name: "Hôpital Est", Kind: issuer.Establishment, KeySet: set, Thumbprints: []string{"est"}, Scope: "system/*.rs",
			Structures: []string{hospital2}, Status: issuer.Active,
		},
		{
			ID: "lps", Name: "LogiCab", Kind: issuer.Software, Subjects: []string{"CN=lps,OU=3750000001,O=LogiCab,C=FR"}, Scope: "user/*.crus",
			IdentityClients: []string{"psc-lps"}, Status: issuer.Active,
		},
		{
			ID: "samu", Name: "SAMU 75", Kind: issuer.SAMU, Thumbprints: []string{"samu"}, Scope: "user/*.rs", Structures: []string{practiceA},
			IdentityClients: []string{"psc-samu"}, Status: issuer.Active,
		},
		{
			ID: "revoque", Name: "Ancien", Kind: issuer.Software, Thumbprints: []string{"ancien"}, Scope: "user/*.rs",
			IdentityClients: []string{"psc-lps"}, Status: issuer.Revoked,
		},
	}
	data, err := json.Marshal(clients)
	w.must(err)
	clients, err = issuer.ParseClients(data)
	w.must(err)
	return clients
}

// lps is the certificate of the client lps.
var lps = issuer.Peer{Thumbprint: "lps-2026", Subject: "CN=lps,OU=3750000001,O=LogiCab,C=FR"}

// sign signs a JWT with ES256.
func (w *world) sign(k *ecdsa.PrivateKey, header, payload object) string {
	w.t.Helper()
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims(payload))
	maps.Copy(t.Header, header)
	s, err := t.SignedString(k)
	w.must(err)
	return s
}

// assertion is a new good assertion of a client with the key of hopital.
func (w *world) assertion(client string) string {
	w.serial++
	return w.sign(w.key, object{"kid": "k1"}, object{
		"iss": client, "sub": client, "aud": issuerURL + issuer.TokenPath, "jti": fmt.Sprint("a", w.serial), "exp": w.now.Add(time.Minute).Unix(),
	})
}

// proof is a new good DPoP proof of a key; for the token endpoint without a token.
func (w *world) proof(k *ecdsa.PrivateKey, method, url, token string) string {
	w.serial++
	claims := object{"jti": fmt.Sprint("p", w.serial), "htm": method, "htu": url, "iat": w.now.Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return w.sign(k, object{"typ": "dpop+jwt", "jwk": publicJWK(w.t, k)}, claims)
}

// serviceForm is a good client_credentials request of hopital.
func (w *world) serviceForm() url.Values {
	return url.Values{
		"grant_type": {issuer.GrantClient}, "client_assertion": {w.assertion("hopital")},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
}

// exchangeForm is a good exchange of lps.
func exchangeForm(pairs ...string) url.Values {
	form := url.Values{
		"grant_type": {issuer.GrantExchange}, "client_id": {"lps"}, "subject_token": {"psc-token"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "structure": {practiceA},
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			form.Del(pairs[i])
		}
	}
	return form
}

// code returns the code of a refusal, "" of none.
func code(err error) string {
	var refused *issuer.Error
	switch {
	case errors.As(err, &refused):
		return refused.Code
	case errors.Is(err, issuer.ErrUnavailable):
		return "unavailable"
	case err != nil:
		return err.Error()
	}
	return ""
}

// claims returns the payload of a token.
func (w *world) claims(token string) auth.Claims {
	w.t.Helper()
	c, err := w.verifier.Read(token)
	w.must(err)
	return c
}

// events returns the newest events of the journal.
func (w *world) events() []audit.Event {
	w.t.Helper()
	events, err := w.audit.Read(context.Background(), w.audit.Journal(), store.Cursor{}, 10)
	w.must(err)
	return events
}

// identityProvider answers as Pro Santé Connect does, with what a test puts into it.
type identityProvider struct {
	*httptest.Server
	session, user object
	asked         []string
	broken        http.HandlerFunc
}

func newIdentityProvider(t *testing.T) *identityProvider {
	p := &identityProvider{}
	p.Server = httptest.NewServer(http.HandlerFunc(p.answer))
	t.Cleanup(p.Close)
	return p
}

func (p *identityProvider) answer(w http.ResponseWriter, r *http.Request) {
	p.asked = append(p.asked, r.URL.Path)
	if p.broken != nil {
		p.broken(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	id, secret, _ := r.BasicAuth()
	switch {
	case r.URL.Path == "/introspect" && r.Method == http.MethodPost && id == "opendmp" && secret == "s3cret" && r.FormValue("token") == "psc-token":
		_ = json.NewEncoder(w).Encode(p.session)
	case r.URL.Path == "/introspect":
		_ = json.NewEncoder(w).Encode(object{"active": false})
	case r.URL.Path == "/userinfo" && r.Header.Get("Authorization") == "Bearer psc-token":
		_ = json.NewEncoder(w).Encode(p.user)
	default:
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// reset makes the session and the userinfo of a physician with two places.
func (p *identityProvider) reset(now time.Time) {
	p.asked, p.broken = nil, nil
	p.session = object{
		"active": true, "iss": p.URL + "/realms/esante-wallet", "sub": "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700218896", "typ": "Bearer",
		"azp": "psc-lps", "acr": "eidas1", "SubjectNameID": "899700218896", "iat": now.Add(-30 * time.Second).Unix(),
		"exp": now.Add(90 * time.Second).Unix(), "auth_time": now.Add(-time.Minute).Unix(), "scope": "openid scope_all",
	}
	p.user = object{
		"sub": p.session["sub"], "preferred_username": "899700218896", "given_name": "Paul", "family_name": "ROCHE",
		"SubjectNameID": "899700218896", "SubjectRole": []any{"10^1.2.250.1.213.1.1.5.5"}, "Secteur_Activite": "SA07^1.2.250.1.71.4.2.4",
		"Acces_Regulation_Medicale": "FAUX", "Mode_Acces_Raison": "", "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
		"UITVersion": "1.0", "authMode": "CARD", "otherIds": []any{object{"identifiant": "899700218896", "origine": "RPPS", "qualite": 1}},
		"SubjectRefPro": object{"codeCivilite": "M", "exercices": []any{exercise("10", "C", "SM54", "1750000010", "1750000011")}},
	}
}

// exercise is one exercice with a place for each Struct_IdNat.
func exercise(profession, category, skill string, structures ...string) object {
	var places []any
	for _, s := range structures {
		places = append(places, object{
			"codeModeExercice": "L", "codeSecteurDactivite": "SA07", "codeRole": "", "raisonSocialeSite": "CABINET " + s,
			"numeroFinessSite": s[1:], "ancienIdentifiantDeLaStructure": s, "numeroSiretSite": "",
		})
	}
	return object{
		"codeProfession": profession, "codeCategorieProfessionnelle": category, "codeTypeSavoirFaire": "S", "codeSavoirFaire": skill,
		"nomDexercice": "ROCHE", "prenomDexercice": "Paul", "activities": places,
	}
}

func (p *identityProvider) exercises(all ...any) { p.user["SubjectRefPro"] = object{"exercices": all} }
