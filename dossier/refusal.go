package dossier

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/store"
)

// outcome is what one error becomes in HTTP.
type outcome struct {
	status int
	code   string // http://hl7.org/fhir/issue-type
	text   fhir.Text
}

// outcomes maps the sentinels, first match first. This file is the only place
// where an error becomes a status; whatever is not here is a defect and says
// nothing of itself.
var outcomes = []struct {
	err error
	outcome
}{
	{ErrUnauthenticated, outcome{http.StatusUnauthorized, "login", fhir.Text{
		FR: "Authentification requise : en-tête Authorization: Bearer suivi d’un jeton.",
		EN: "Authentication is required: header Authorization: Bearer and a token.",
	}}},
	{ErrBadToken, outcome{http.StatusUnauthorized, "login", fhir.Text{
		FR: "Jeton refusé : expiré, altéré, ou émis par un autre serveur. En demander un nouveau.",
		EN: "The token was refused: expired, altered, or issued by another server. Ask for a new one.",
	}}},
	{ErrMisplacedToken, outcome{http.StatusUnauthorized, "security", fhir.Text{
		FR: "Le jeton se donne dans l’en-tête Authorization, jamais dans une adresse ni un formulaire. Celui-ci est à révoquer.",
		EN: "The token goes into the Authorization header, never into a URL or a form. This one should be revoked.",
	}}},
	{ErrBadProof, outcome{http.StatusUnauthorized, "login", fhir.Text{
		FR: "Preuve de possession (DPoP) refusée : absente, trop ancienne, déjà utilisée, ou faite pour une autre requête, un autre jeton ou une autre clé. En signer une pour chaque requête.",
		EN: "The proof of possession (DPoP) was refused: missing, too old, used before, or made for another request, token or key. Sign one for each request.",
	}}},
	{ErrPatientsOnly, outcome{http.StatusUnauthorized, "login", fhir.Text{
		FR: "Cette adresse est celle des patients et de leurs représentants. Un professionnel ou une structure se connecte avec son certificat, à l’adresse des professionnels.",
		EN: "This is the address of patients and their representatives. A professional or a structure connects with a certificate, at the address of professionals.",
	}}},
	{ErrScope, outcome{http.StatusForbidden, "forbidden", fhir.Text{
		FR: "La portée (scope) du jeton ne couvre pas cette requête.",
		EN: "The scopes of the token do not cover this request.",
	}}},
	{ErrNotFound, outcome{http.StatusNotFound, "not-found", fhir.Text{
		FR: "Ressource introuvable.",
		EN: "Resource not found.",
	}}},
	{ErrForbidden, outcome{http.StatusForbidden, "forbidden", fhir.Text{
		FR: "Accès refusé.",
		EN: "Access denied.",
	}}},
	{ErrNoDossier, outcome{http.StatusUnprocessableEntity, "business-rule", fhir.Text{
		FR: "Ce dossier n’accepte pas d’écriture : il n’existe pas, il est fermé, ou l’identité ne correspond pas.",
		EN: "This record takes no writes: it does not exist, it is closed, or the identity does not match.",
	}}},
	{ErrPrecondition, outcome{http.StatusPreconditionFailed, "conflict", fhir.Text{
		FR: "La version en vigueur n’est pas celle attendue : relire la ressource, puis recommencer.",
		EN: "The version in force is not the expected one: read the resource again, then retry.",
	}}},
	{ErrSeveral, outcome{http.StatusPreconditionFailed, "multiple-matches", fhir.Text{
		FR: "Plusieurs ressources correspondent : préciser la recherche.",
		EN: "Several resources match: make the search more precise.",
	}}},
	{ErrConflict, outcome{http.StatusConflict, "conflict", fhir.Text{
		FR: "Cette source a déjà utilisé cet identifiant, pour un autre contenu ou d’autres métadonnées, pour une partie du lot ou un autre lot, ou pour un document supprimé : envoyer un nouvel identifiant, ou un remplacement (relatesTo).",
		EN: "This source has used this identifier before, for another content or other metadata, for a part of the bundle or another bundle, or for a document that was deleted: send a new identifier, or a replacement (relatesTo).",
	}}},
	{ErrTooLarge, outcome{http.StatusRequestEntityTooLarge, "too-long", fhir.Text{
		FR: "L’envoi dépasse la taille permise.",
		EN: "The request exceeds the size allowed.",
	}}},
	{ErrTogether, outcome{http.StatusRequestEntityTooLarge, "too-costly", fhir.Text{
		FR: "Ce lot rapporte déjà autant qu’un lot le peut : demander le reste à part.",
		EN: "This bundle brings as much as one bundle can: ask for the rest apart.",
	}}},
	{ErrMediaType, outcome{http.StatusUnsupportedMediaType, "not-supported", fhir.Text{
		FR: "Type de contenu non pris en charge : envoyer du application/fhir+json ou du application/fhir+xml.",
		EN: "Content type not supported: send application/fhir+json or application/fhir+xml.",
	}}},
	{ErrNotAcceptable, outcome{http.StatusNotAcceptable, "not-supported", fhir.Text{
		FR: "Aucun format accepté par le client n’est servi : demander application/fhir+json ou application/fhir+xml.",
		EN: "No format that the client accepts is served: ask for application/fhir+json or application/fhir+xml.",
	}}},
	{ErrTooCostly, outcome{http.StatusUnprocessableEntity, "too-costly", fhir.Text{
		FR: "Plus de vingt personnes correspondent ; aucune n’est montrée. Ajouter un trait (family, given, birthdate, gender), ou chercher par l’INS.",
		EN: "More than twenty people match; none is shown. Add a trait (family, given, birthdate, gender), or search by the INS.",
	}}},
	{ErrTooMany, outcome{http.StatusTooManyRequests, "throttled", fhir.Text{
		FR: "Trop de demandes ou de réponses : attendre, ou préciser la recherche.",
		EN: "Too many requests or results: wait, or narrow the search.",
	}}},
	{ErrCursor, outcome{http.StatusBadRequest, "value", fhir.Text{
		FR: "Lien de page invalide ou expiré : reprendre la recherche au début.",
		EN: "Page link invalid or expired: start the search again.",
	}}},
	{ErrElement, outcome{http.StatusMethodNotAllowed, "not-supported", fhir.Text{
		FR: "Cet élément ne se modifie pas.",
		EN: "This element cannot be changed.",
	}}},
	{ErrRule, outcome{http.StatusUnprocessableEntity, "business-rule", fhir.Text{
		FR: "Une règle refuse ce contenu.",
		EN: "A rule refuses this content.",
	}}},
	{fhir.ErrUnknownRoute, outcome{http.StatusNotFound, "not-found", fhir.Text{
		FR: "Adresse inconnue.",
		EN: "Unknown address.",
	}}},
	{fhir.ErrMethod, outcome{http.StatusMethodNotAllowed, "not-supported", fhir.Text{
		FR: "Cette méthode n’est pas proposée à cette adresse.",
		EN: "This method is not offered at this address.",
	}}},
	{fhir.ErrBadRequest, outcome{http.StatusBadRequest, "invalid", fhir.Text{
		FR: "Demande invalide.",
		EN: "Invalid request.",
	}}},
	{ErrUnavailable, unavailable},
	{store.ErrUnavailable, unavailable},
	{context.Canceled, unavailable},
	{context.DeadlineExceeded, unavailable},
}

var unavailable = outcome{http.StatusServiceUnavailable, "transient", fhir.Text{
	FR: "Service momentanément indisponible : recommencer dans quelques secondes.",
	EN: "Service unavailable for the moment: try again in a few seconds.",
}}

var defect = outcome{http.StatusInternalServerError, "exception", fhir.Text{
	FR: "Erreur interne : l’équipe d’exploitation la retrouvera par l’identifiant de la demande.",
	EN: "Internal error: the operators will find it by the request id.",
}}

// Refuse turns an error into a public answer: an OperationOutcome in lang ("fr"
// or "en") that names no hidden thing.
func Refuse(err error, lang string) Answer {
	o := outcomeOf(err)
	a := Public(o.status, fhirJSON, fhir.OutcomeJSON(lang, issuesOf(err, o)))
	switch o.status {
	case http.StatusUnauthorized:
		a.auth = challenge(err)
	case http.StatusForbidden:
		if errors.Is(err, ErrScope) {
			a.auth = `Bearer realm="dmp", error="insufficient_scope"`
		}
	case http.StatusTooManyRequests:
		a.retry = time.Minute
	case http.StatusMethodNotAllowed:
		var route *fhir.RouteError
		if errors.As(err, &route) {
			a.allow = strings.Join(route.Allow, ", ")
		}
	}
	return a
}

// challenge returns the WWW-Authenticate of a 401: both ways to present a token, each
// with what was wrong with it (RFC 6750 §3.1, RFC 9449 §7.1 and §7.2).
func challenge(err error) string {
	bearer, dpop := `Bearer realm="dmp"`, `DPoP realm="dmp"`
	algs := `, algs="` + strings.Join(auth.ProofAlgorithms(), " ") + `"`
	switch {
	case errors.Is(err, ErrBadProof):
		return dpop + `, error="invalid_dpop_proof"` + algs
	case errors.Is(err, ErrBadToken):
		return bearer + `, error="invalid_token", ` + dpop + `, error="invalid_token"` + algs
	}
	return bearer + ", " + dpop + algs
}

func outcomeOf(err error) outcome {
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.outcome
		}
	}
	var bad *fhir.Invalid
	if errors.As(err, &bad) {
		return outcome{status: http.StatusBadRequest, code: "invalid"}
	}
	return defect
}

// issuesOf returns what the error itself says for the client, or the sentence
// of its class. A defect never speaks for itself.
func issuesOf(err error, o outcome) []fhir.Issue {
	if o.status >= http.StatusInternalServerError || o.status == http.StatusUnauthorized || o.status == http.StatusNotFound && errors.Is(err, ErrNotFound) {
		return []fhir.Issue{{Severity: fhir.Error, Code: o.code, Text: o.text}}
	}
	var bad *fhir.Invalid
	if errors.As(err, &bad) && len(bad.Issues) > 0 {
		return bad.Issues
	}
	var r *refused
	if errors.As(err, &r) && r.text != (fhir.Text{}) {
		return []fhir.Issue{{Severity: fhir.Error, Code: o.code, Text: r.text, Expression: r.expr}}
	}
	return []fhir.Issue{{Severity: fhir.Error, Code: o.code, Text: o.text}}
}
