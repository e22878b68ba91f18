package idp

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"opendmp/sandbox"
)

// ask shows the page on which one chooses whom to be.
func (p *Provider) ask(r *http.Request) answer {
	asked, refused := p.request(r)
	if refused != nil {
		return *refused
	}
	return pageAnswer(http.StatusOK, chooser, page{Client: asked.client.ID, Query: r.URL.RawQuery, People: people()})
}

// choose takes the choice of that page, a form with the field personne, and goes back
// to the client with a code. The parameters of the request are still in the query, so
// that a command line can choose without asking for the page first.
func (p *Provider) choose(r *http.Request) answer {
	if err := r.ParseForm(); err != nil {
		return wrong("le formulaire n’est pas lisible")
	}
	asked, refused := p.request(r)
	if refused != nil {
		return *refused
	}
	if r.PostForm.Has("refus") {
		return asked.back("error", "access_denied", "error_description", "the person declined")
	}
	who, ok := sandbox.Lookup(r.PostForm.Get("personne"))
	if !ok || who.Exercises() == nil {
		return pageAnswer(http.StatusBadRequest, chooser, page{
			Client: asked.client.ID, Query: r.URL.RawQuery, People: people(), Wrong: "Choisissez une personne de la liste.",
		})
	}
	value, err := p.newCode(&session{
		persona: who, client: asked.client.ID, nonce: asked.nonce, scope: asked.scope, began: p.c.Now(),
	}, asked.redirect, asked.challenge)
	switch {
	case err != nil:
		return asked.back("error", "server_error")
	case value == "":
		return asked.back("error", "temporarily_unavailable")
	}
	return asked.back("code", value)
}

// authorization is a request of the code flow that was checked.
type authorization struct {
	issuer              string
	client              Client
	redirect            string
	state, nonce, scope string
	challenge           string
}

// challengeForm is an S256 challenge: base64url of 32 bytes (RFC 7636 §4.2).
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// request reads the request in the query. What is wrong with the client or with its
// redirect URI is told to the person, never sent to an address that nobody registered;
// what is wrong otherwise goes back to the client.
func (p *Provider) request(r *http.Request) (authorization, *answer) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return authorization{}, stop(wrong("les paramètres ne sont pas lisibles"))
	}
	if name := twice(query); name != "" {
		return authorization{}, stop(wrong("le paramètre " + name + " est donné deux fois"))
	}
	c, ok := p.client(query.Get("client_id"))
	if !ok || !c.Logs {
		return authorization{}, stop(wrong("le logiciel (client_id) n’est pas enregistré"))
	}
	a := authorization{
		issuer: p.issuer, client: c, redirect: query.Get("redirect_uri"), state: query.Get("state"), nonce: query.Get("nonce"), scope: query.Get("scope"),
		challenge: query.Get("code_challenge"),
	}
	if !c.accepts(a.redirect) {
		return authorization{}, stop(wrong("l’adresse de retour (redirect_uri) n’est ni enregistrée ni sur cette machine"))
	}
	if code, description := a.check(query); code != "" {
		return authorization{}, stop(a.back("error", code, "error_description", description))
	}
	return a, nil
}

// check returns the error of OAuth of a request, "" if there is none.
func (a authorization) check(query url.Values) (code, description string) {
	scopes := strings.Fields(a.scope)
	acr := strings.Fields(query.Get("acr_values"))
	switch {
	case query.Get("response_type") != "code":
		return "unsupported_response_type", "response_type is code"
	case query.Get("response_mode") != "" && query.Get("response_mode") != "query":
		return "invalid_request", "response_mode is query"
	case a.state == "" || a.nonce == "":
		return "invalid_request", "state and nonce are needed"
	case query.Get("code_challenge_method") != "S256" || !challengeForm.MatchString(a.challenge):
		return "invalid_request", "PKCE is needed: code_challenge with code_challenge_method S256"
	case !slices.Contains(scopes, "openid") || !slices.Contains(scopes, "scope_all"):
		return "invalid_scope", "scope is openid scope_all"
	case !slices.Contains(acr, levelOfAssurance):
		return "invalid_request", "acr_values is " + levelOfAssurance
	case query.Get("prompt") == "none":
		return "login_required", "nobody is logged in: each request asks"
	}
	return "", ""
}

// back goes back to the client with pairs of a parameter and its value, with its state,
// and with the issuer (RFC 9207).
func (a authorization) back(pairs ...string) answer {
	u, err := url.Parse(a.redirect)
	if err != nil {
		return wrong("l’adresse de retour n’est pas lisible")
	}
	query := u.Query()
	query.Set("iss", a.issuer)
	for pair := range slices.Chunk(pairs, 2) {
		query.Set(pair[0], pair[1])
	}
	if a.state != "" {
		query.Set("state", a.state)
	}
	u.RawQuery = query.Encode()
	return answer{status: http.StatusSeeOther, location: u.String()}
}

func stop(a answer) *answer { return &a }

// wrong tells the person what keeps them from going on.
func wrong(sentence string) answer {
	return pageAnswer(http.StatusBadRequest, refusalPage, page{Wrong: sentence})
}
