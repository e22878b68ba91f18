package connect

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// callback is where the software of the story would wait for the code. Nothing listens
// there: the redirect is read and not followed.
const callback = "http://127.0.0.1:5173/retour"

// identity is what a log-in gives.
type identity struct {
	Access   string `json:"access_token"`
	Refresh  string `json:"refresh_token"`
	Identity string `json:"id_token"`
	Expires  int    `json:"expires_in"`
}

// logIn logs a persona in through a client of the identity provider, by the code flow:
// the page, the choice on it, the code, the tokens.
func (s *stage) logIn(persona, client string) identity {
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	state := rand.Text()
	query := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "scope": {"openid scope_all"}, "acr_values": {"eidas1"},
		"state": {state}, "nonce": {rand.Text()}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	page := s.Identity + "/protocol/openid-connect/auth"
	s.as(persona).send(call{method: http.MethodPost, url: page + "?" + query.Encode(), form: url.Values{"personne": {persona}}, shown: "…/openid-connect/auth personne=" + persona})
	s.answers(http.StatusSeeOther, "retour au logiciel %s avec un code", client)
	code := s.code(state)
	s.as(client).send(call{method: http.MethodPost, url: s.Identity + "/protocol/openid-connect/token", shown: "…/openid-connect/token grant_type=authorization_code", form: url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}, "client_id": {client}, "client_secret": {s.Secret},
	}})
	var got identity
	s.read(&got)
	return got
}

// code returns that of the redirect, which must be ours.
func (s *stage) code(state string) string {
	if s.err != nil {
		return ""
	}
	back, err := url.Parse(s.header.Get("Location"))
	if err != nil {
		s.fail(err)
		return ""
	}
	s.check(strings.HasPrefix(back.String(), callback) && back.Query().Get("state") == state, "retour à %s", back)
	return back.Query().Get("code")
}

// known is what the story looks at in the userinfo.
type known struct {
	National   string `json:"SubjectNameID"`
	Regulation string `json:"Acces_Regulation_Medicale"`
	Pro        struct {
		Exercises []struct {
			Activities []struct {
				Name      string `json:"raisonSocialeSite"`
				Structure string `json:"ancienIdentifiantDeLaStructure"`
			} `json:"activities"`
		} `json:"exercices"`
	} `json:"SubjectRefPro"`
}

// whoIs asks the identity provider who the person of a token is.
func (s *stage) whoIs(token string) known {
	s.send(call{method: http.MethodGet, url: s.Identity + "/protocol/openid-connect/userinfo", token: token, shown: "…/openid-connect/userinfo"})
	var k known
	s.read(&k)
	return k
}

// places lists the structures that the userinfo names.
func (k known) places() (names []string) {
	for _, e := range k.Pro.Exercises {
		for _, a := range e.Activities {
			names = append(names, a.Name)
		}
	}
	return names
}
