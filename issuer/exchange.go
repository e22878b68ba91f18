package issuer

import (
	"context"
	"errors"
	"slices"
	"strings"

	"opendmp/auth"
	"opendmp/store"
)

// exchange grants a token for the professional of a Pro Santé Connect token (RFC 8693,
// ANS “Sécurisation transport API REST Pro Santé Connectée”). Beside the parameters of
// the RFC: situation_exercice and structure choose the practice, purpose_of_use (a mode
// of TRE_R248, normal if it is not there), reason and confidentiality_code say how it is
// accessed. An actor_token is refused rather than not looked at.
func (s *Server) exchange(ctx context.Context, r Request, p proof) (grant, error) {
	if s.c.Identity == nil || p.client.Kind == Establishment {
		return grant{}, refuse("unauthorized_client", "the client exchanges no tokens", nil)
	}
	form, err := r.several("subject_token", "subject_token_type", "requested_token_type", "actor_token", "audience", "resource",
		"situation_exercice", "structure", "purpose_of_use", "reason", "confidentiality_code")
	if err != nil {
		return grant{}, err
	}
	if err := checkExchange(form); err != nil {
		return grant{}, err
	}
	how, refused := accessOf(form, p.client.Kind == SAMU || r.Peer.SAMU)
	if refused != nil {
		return grant{}, refused
	}
	scope, err := s.narrow(r, p.client)
	if err != nil {
		return grant{}, err
	}
	who, err := s.identify(ctx, p.client, form["subject_token"])
	if err != nil {
		return grant{}, err
	}
	claims, refused := claimsOf(who, p.client, form, how)
	if refused != nil {
		return grant{}, refused
	}
	claims.Scope = &scope
	g := grant{claims: claims, life: tokenLife, exchanged: who.digest}
	if lasting(claims) {
		g.next = func(c auth.Claims) (string, store.StateEntry, error) { return s.newFamily(c, who.digest) }
	}
	return g, nil
}

func checkExchange(form map[string]string) error {
	switch {
	case form["subject_token"] == "" || len(form["subject_token"]) > auth.MaxTokenLength:
		return refuse("invalid_request", "subject_token is missing or too long", nil)
	case form["subject_token_type"] != typeAccessToken && form["subject_token_type"] != "urn:ietf:params:oauth:token-type:jwt":
		return refuse("invalid_request", "subject_token_type is access_token or jwt", nil)
	case form["requested_token_type"] != "" && form["requested_token_type"] != typeAccessToken:
		return refuse("invalid_request", "requested_token_type is access_token", nil)
	case form["actor_token"] != "":
		return refuse("invalid_request", "actor_token is not served: situation_exercice and structure are parameters", nil)
	case form["audience"] != "" || form["resource"] != "":
		return refuse("invalid_target", "tokens are for this server: neither audience nor resource", nil)
	}
	return nil
}

// identify returns the person of a token that was issued to this very software.
func (s *Server) identify(ctx context.Context, c Client, token string) (identified, error) {
	who, err := s.c.Identity.ask(ctx, token, s.c.Now())
	switch {
	case errors.Is(err, errIdentity):
		return who, refuse("invalid_grant", "the token of Pro Santé Connect is not good", err)
	case err != nil:
		return who, unavailable(err)
	case !slices.Contains(c.IdentityClients, who.session.issuedTo()):
		return who, refuse("invalid_grant", "the token of Pro Santé Connect is that of another client", nil)
	case !who.session.strong():
		return who, refuse("insufficient_user_authentication", "acr is missing or below eidas1", nil)
	}
	return who, nil
}

// claimsOf returns the claims of a professional in the practice that was chosen.
func claimsOf(who identified, c Client, form map[string]string, how access) (auth.Claims, *Error) {
	e, refused := who.user.chooseExercise(form["situation_exercice"])
	if refused != nil {
		return auth.Claims{}, refused
	}
	at, refused := e.choosePractice(form["structure"])
	if refused != nil {
		return auth.Claims{}, refused
	}
	if len(c.Structures) > 0 && !slices.ContainsFunc(at.structures, func(id string) bool { return slices.Contains(c.Structures, id) }) {
		return auth.Claims{}, refuse("access_denied", "the structure is not one of the client", nil)
	}
	kind, refused := kindOf(who.user, c, how.mode)
	if refused != nil {
		return auth.Claims{}, refused
	}
	if e.Category != "C" && e.Category != "M" && e.Category != "E" {
		return auth.Claims{}, refuse("access_denied", "the category of the exercise is not known", nil)
	}
	profession := auth.Coding{System: auth.SystemProfession, Code: e.Profession}
	claims := auth.Claims{
		Subject: who.session.Subject, Client: c.ID,
		Extensions: auth.Extensions{IUA: auth.IUA{
			SubjectName: who.user.name(e), Provider: "urn:oid:1.2.250.1.71.4.2.1|" + who.user.National,
			Role: []auth.Coding{profession}, Purpose: []auth.Coding{{System: auth.SystemAccessMode, Code: how.mode}},
		}},
		DMP: auth.DMP{
			Kind: kind.String(), Profession: &profession, Student: e.Category == "E", Structures: at.structures,
			Reason: how.reason, Confidentiality: how.confidentiality, Confirmed: who.session.AuthTime,
		},
	}
	if strings.HasPrefix(e.Skill, "S") || strings.HasPrefix(e.Skill, "C") {
		claims.DMP.Roles = []auth.Coding{{System: auth.SystemSkill, Code: e.Skill}}
	}
	if len(at.structures) > 0 {
		claims.Extensions.IUA.OrganizationID = at.structures[:1]
		if at.name != "" {
			claims.Extensions.IUA.Organization = []string{at.name}
		}
	}
	return claims, nil
}

// kindOf returns as what a professional calls in a mode: a regulator is one whom Pro Santé
// Connect says so, through the software of a SAMU.
func kindOf(u userInfo, c Client, mode string) (auth.Kind, *Error) {
	switch {
	case mode != modeSAMU:
		return auth.Professional, nil
	case c.Kind != SAMU || u.Regulation != "VRAI":
		return auth.Nobody, refuse("access_denied", "centre_15 is for regulators, through the software of a SAMU", nil)
	}
	return auth.Regulator, nil
}
