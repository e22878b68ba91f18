package issuer_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/issuer"
	"opendmp/store"
)

const written = "Patient inconscient, accident de la route"

var samuPeer = issuer.Peer{Thumbprint: "samu", SAMU: true}

// regulates makes the person of Pro Santé Connect a regulator with the software of a SAMU.
func (p *identityProvider) regulates() {
	p.session["azp"], p.user["Acces_Regulation_Medicale"] = "psc-samu", "VRAI"
}

// What no dossier could make good is refused at the exchange, by the name of the
// parameter and its rule.
func TestAccessIsJudgedAtTheExchange(t *testing.T) {
	w := newWorld(t)
	emergency := func(reason string) url.Values {
		return exchangeForm("purpose_of_use", "bris_de_glace", "reason", reason)
	}
	for name, c := range map[string]struct {
		form url.Values
		told string // "" if it is granted
	}{
		"good":                     {emergency(written), ""},
		"the longest":              {emergency(strings.Repeat("a", 500)), ""},
		"no reason":                {emergency(""), "reason is missing"},
		"too short":                {emergency("urgence"), "reason is one line of 10 to 500"},
		"ten blanks":               {emergency("a          b"), "reason is one line of 10 to 500"},
		"ten dots":                 {emergency("............"), "reason is one line of 10 to 500"},
		"too long":                 {emergency(strings.Repeat("a", 501)), "reason is one line of 10 to 500"},
		"a control character":      {emergency(written + "\x07"), "reason is one line of 10 to 500"},
		"two lines":                {emergency(written + "\nPatient réveillé"), "reason is one line of 10 to 500"},
		"writing turned around":    {emergency(written + "\u202e"), "reason is one line of 10 to 500"},
		"a reason in normal mode":  {exchangeForm("reason", written), "reason goes with purpose_of_use=bris_de_glace only"},
		"secret":                   {exchangeForm("confidentiality_code", "INVISIBLE_REPRESENTANTS_LEGAUX"), ""},
		"secret in an emergency":   {exchangeForm("purpose_of_use", "bris_de_glace", "reason", written, "confidentiality_code", "INVISIBLE_REPRESENTANTS_LEGAUX"), ""},
		"a code that is none":      {exchangeForm("confidentiality_code", "R"), "confidentiality_code is INVISIBLE_REPRESENTANTS_LEGAUX"},
		"a purpose that is none":   {exchangeForm("purpose_of_use", "BTG"), "purpose_of_use is normal"},
		"a reason for a regulator": {exchangeForm("purpose_of_use", "centre_15", "reason", written), "reason goes with"},
		"a secret regulator":       {exchangeForm("purpose_of_use", "centre_15", "confidentiality_code", "INVISIBLE_REPRESENTANTS_LEGAUX"), "confidentiality_code does not go with"},
	} {
		w.psc.reset(w.now)
		res, err := w.Token(t.Context(), issuer.Request{Form: c.form, Peer: lps})
		if c.told == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var refused *issuer.Error
		if !errors.As(err, &refused) || refused.Code != "invalid_request" || !strings.HasPrefix(refused.Description, c.told) || res.AccessToken != "" {
			t.Errorf("%s: %v, want %q", name, err, c.told)
		}
		if err != nil && strings.Contains(err.Error(), "accident") {
			t.Errorf("%s: the answer repeats the reason", name)
		}
		if len(w.psc.asked) > 0 {
			t.Errorf("%s: Pro Santé Connect was asked about what could not be granted", name)
		}
	}
}

// POLICY §5: a token opens at most one grant. One that followed by itself would open
// another without a reason.
func TestEmergenciesAreNotRefreshed(t *testing.T) {
	w := newWorld(t)
	form := exchangeForm("purpose_of_use", "bris_de_glace", "reason", written)
	first, err := w.Token(t.Context(), issuer.Request{Form: form, Peer: lps})
	w.must(err)
	second, err := w.Token(t.Context(), issuer.Request{Form: form, Peer: lps})
	w.must(err)
	if first.Refresh != "" || second.Refresh != "" {
		t.Error("an emergency has a refresh token")
	}
	// Each exchange is a token of its own, in the history with its reason.
	a, b := w.claims(first.AccessToken), w.claims(second.AccessToken)
	if a.ID == b.ID || a.DMP.Reason != written || b.DMP.Reason != written {
		t.Errorf("%+v, %+v", a, b)
	}
	told := 0
	for _, e := range w.events() {
		if e.Reason == written && e.Mode == auth.BrisDeGlace && (e.TokenID == a.ID || e.TokenID == b.ID) {
			told++
		}
	}
	if told != 2 {
		t.Errorf("%d of two emergencies are in the history with their reason", told)
	}
	w.psc.regulates()
	res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm("client_id", "samu", "purpose_of_use", "centre_15"), Peer: samuPeer})
	w.must(err)
	if res.Refresh != "" {
		t.Error("a regulation has a refresh token")
	}
}

// A family that was kept before that rule is not refreshed either.
func TestFamiliesOfEmergenciesAreRefused(t *testing.T) {
	for _, mode := range []string{"bris_de_glace", "centre_15"} {
		w := newWorld(t)
		res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps})
		w.must(err)
		w.rewriteFamily(func(claims object) {
			iua := claims["extensions"].(object)["ihe_iua"].(object)
			iua["purpose_of_use"] = []any{object{"system": auth.SystemAccessMode, "code": mode}}
		})
		got, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(res.Refresh), Peer: lps})
		if code(err) != "invalid_grant" || !strings.Contains(err.Error(), "emergency") || got.AccessToken != "" {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

// rewriteFamily changes the claims of the one family in the store.
func (w *world) rewriteFamily(change func(claims object)) {
	w.t.Helper()
	const kind = "oauth-family"
	kept, err := w.store.StateList(w.t.Context(), kind, "", 2)
	w.must(err)
	if len(kept) != 1 {
		w.t.Fatalf("%d families", len(kept))
	}
	data, err := w.config.Vault.OpenCursor(string(kept[0].Value))
	w.must(err)
	var f object
	w.must(json.Unmarshal(data[len(kind)+1:], &f))
	change(f["claims"].(object))
	data, err = json.Marshal(f)
	w.must(err)
	kept[0].Value = []byte(w.config.Vault.SealCursor(append([]byte(kind+" "), data...)))
	w.must(w.store.Commit(w.t.Context(), store.Tx{Expect: store.Any, State: kept}))
}

// No parameter of access is silently left out where the grant takes none.
func TestAccessIsForExchangesOnly(t *testing.T) {
	w, key := newWorld(t), newKey(t)
	res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps})
	w.must(err)
	for _, p := range [][2]string{{"purpose_of_use", "centre_15"}, {"purpose_of_use", "bris_de_glace"}, {"reason", written}, {"confidentiality_code", "INVISIBLE_REPRESENTANTS_LEGAUX"}} {
		form := w.serviceForm()
		form.Set(p[0], p[1])
		_, err := w.Token(t.Context(), issuer.Request{Form: form, Proof: w.proof(key, "POST", issuerURL+issuer.TokenPath, "")})
		if code(err) != "invalid_request" || !strings.Contains(err.Error(), p[0]) {
			t.Errorf("client_credentials with %s: %v", p, err)
		}
		form = refreshForm(res.Refresh)
		form.Set(p[0], p[1])
		if _, err := w.Token(t.Context(), issuer.Request{Form: form, Peer: lps}); code(err) != "invalid_request" || !strings.Contains(err.Error(), p[0]) {
			t.Errorf("a refresh with %s: %v", p, err)
		}
	}
	if _, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(res.Refresh), Peer: lps}); err != nil {
		t.Errorf("a refresh after what was refused: %v", err)
	}
}

// POLICY §1: who calls from a SAMU is a regulator and nobody else, by the registration of
// the software or by that of the certificate.
func TestSAMUIsForRegulatorsOnly(t *testing.T) {
	w := newWorld(t)
	ofSAMU := lps
	ofSAMU.SAMU = true
	for name, c := range map[string]struct {
		client, purpose, reason string
		peer                    issuer.Peer
		want                    string
	}{
		"regulation":                    {"samu", "centre_15", "", samuPeer, ""},
		"no purpose":                    {"samu", "", "", samuPeer, "invalid_request"},
		"normal":                        {"samu", "normal", "", samuPeer, "invalid_request"},
		"an emergency":                  {"samu", "bris_de_glace", written, samuPeer, "invalid_request"},
		"normal, by the software alone": {"samu", "normal", "", issuer.Peer{Thumbprint: "samu"}, "invalid_request"},
		"normal, by the certificate":    {"lps", "", "", ofSAMU, "invalid_request"},
		"another software":              {"lps", "", "", lps, ""},
	} {
		w.psc.reset(w.now)
		if c.client == "samu" {
			w.psc.regulates()
		}
		form := exchangeForm("client_id", c.client, "purpose_of_use", c.purpose, "reason", c.reason)
		_, err := w.Token(t.Context(), issuer.Request{Form: form, Peer: c.peer})
		if code(err) != c.want || err != nil && !strings.Contains(err.Error(), "purpose_of_use is centre_15") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// docs/connexion.md §3: any identifier of a place of the exercise names it, in any of the
// systems of its register.
func TestStructureByAnyIdentifier(t *testing.T) {
	w := newWorld(t)
	const national = "urn:oid:1.2.250.1.71.4.2.2|"
	for named, want := range map[string]string{
		practiceB: practiceB,
		"https://finess.esante.gouv.fr|750000011":           practiceB,
		"http://finess.sante.gouv.fr|750000011":             practiceB,
		"https://finess.esante.gouv.fr|750000012":           national + "1750000012",
		"https://sirene.fr|26750045200011":                  national + "326750045200011",
		"http://sirene.fr|267500452":                        national + "2267500452",
		national + "326750045200011":                        national + "326750045200011",
		"https://finess.esante.gouv.fr|750000099":           "",
		"https://sirene.fr|750000011":                       "", // the number of another register
		"750000011":                                         "",
		"urn:oid:1.2.3|750000011":                           "",
		"https://finess.esante.gouv.fr|75000001":            "",
		"https://finess.esante.gouv.fr|750000011|750000011": "",
	} {
		w.psc.reset(w.now)
		both := exercise("10", "C", "SM54", "1750000010", "1750000011")
		place := both["activities"].([]any)[1].(object)
		place["numeroFinessetablissementJuridique"], place["numeroSiretSite"], place["numeroSirenSite"] = "750000012", "26750045200011", "267500452"
		w.psc.exercises(both)
		res, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm("structure", named), Peer: lps})
		if want == "" {
			if code(err) != "invalid_request" || !strings.Contains(err.Error(), "structure") {
				t.Errorf("%s: %v", named, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", named, err)
			continue
		}
		c := w.claims(res.AccessToken)
		if c.Extensions.IUA.OrganizationID[0] != want || c.Extensions.IUA.Organization[0] != "CABINET 1750000011" || len(c.DMP.Structures) != 4 {
			t.Errorf("%s: %+v", named, c)
		}
	}
}

// RFC 7009 §2.1: a refresh token takes its access tokens with it; an access token that is
// taken back leaves the refresh token.
func TestWhatARevocationEnds(t *testing.T) {
	w := newWorld(t)
	revoke := func(token string) {
		t.Helper()
		w.must(w.Revoke(t.Context(), issuer.Request{Form: url.Values{"client_id": {"lps"}, "token": {token}}, Peer: lps}))
	}
	first, err := w.Token(t.Context(), issuer.Request{Form: exchangeForm(), Peer: lps})
	w.must(err)
	w.now = w.now.Add(10 * time.Second)
	second, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(first.Refresh), Peer: lps})
	w.must(err)
	revoke(second.AccessToken)
	if w.revocations.Revoked(w.claims(second.AccessToken).ID, "lps") == nil || w.revocations.Revoked(w.claims(first.AccessToken).ID, "lps") != nil {
		t.Error("one access token taken back is that one")
	}
	third, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(second.Refresh), Peer: lps})
	w.must(err)
	revoke(third.Refresh)
	for i, res := range []issuer.TokenResponse{first, second, third} {
		if w.revocations.Revoked(w.claims(res.AccessToken).ID, "lps") == nil {
			t.Errorf("access token %d outlives its refresh token", i+1)
		}
	}
	if _, err := w.Token(t.Context(), issuer.Request{Form: refreshForm(third.Refresh), Peer: lps}); code(err) != "invalid_grant" {
		t.Errorf("the refresh token serves: %v", err)
	}
}
