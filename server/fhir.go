package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/emit"
	"opendmp/fhir"
)

// largeBody is the size from which a body gets time beyond the read time-out.
const largeBody = 1 << 20

// fhir answers for everything under the base. Nothing of a body is read before
// the caller is known.
func (s *Server) fhir(x *exchange) dossier.Answer {
	if err := acceptable(x.r); err != nil {
		return x.refuse(err)
	}
	line, err := s.parseLine(x.r, x.r.URL.RawQuery)
	if errors.Is(err, fhir.ErrBadRequest) {
		// The path is known: the log may name it, and who asks is told first.
		line, _ = s.parseLine(x.r, "")
	} else if fhir.Misplaced(err) {
		return x.refuse(x.misplacedBody(err))
	} else if err != nil {
		return x.refuse(err)
	}
	x.route = s.template(line)
	if line.Interaction == fhir.Capabilities || line.Type == "OperationDefinition" {
		return x.published(line, err)
	}
	p, unproved := x.authenticate()
	if unproved != nil {
		return x.refuse(unproved)
	}
	if err != nil {
		return x.refuse(err)
	}
	return x.do(p, line)
}

// misplacedBody returns what is wrong with the body of a request that creates alone
// what only a transaction creates, and where nothing is, that it cannot be made here
// (fhir.Misplaced).
func (x *exchange) misplacedBody(method error) error {
	if _, err := x.authenticate(); err != nil {
		return err
	}
	if _, err := bodyOf(x.r.Header, fhir.Request{Interaction: fhir.Create}); err != nil {
		return err
	}
	body, err := x.body.read(x.r, x.s.limits.MaxBody)
	if err != nil {
		return err
	}
	if body, _, err = x.body.asJSON(x.r.Header, body, ""); err != nil {
		return err
	}
	if _, err := fhir.Parse(body); err != nil {
		return err
	}
	return method
}

func (s *Server) parseLine(r *http.Request, rawQuery string) (fhir.Request, error) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), s.path)
	return s.known.ParsePathAs(preferredHandling(r.Header), r.Method, strings.TrimPrefix(path, "/"), rawQuery)
}

// published answers what is public: who may not look up what is served cannot use
// it.
func (x *exchange) published(line fhir.Request, err error) dossier.Answer {
	if err == nil {
		_, err = negotiate(x.r, line)
	}
	if err != nil {
		return x.refuse(err)
	}
	return x.s.service.Published(dossier.Request{Request: line, Lang: x.lang, Base: x.from().Base})
}

// do reads the rest of the request and passes it through the door.
func (x *exchange) do(p auth.Principal, line fhir.Request) dossier.Answer {
	r, err := x.request(line)
	if err != nil {
		return x.refuse(err)
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), x.s.limits.HandleTimeout)
	defer cancel()
	return x.s.service.Do(ctx, p, r)
}

// request makes the request of the door from that of HTTP.
func (x *exchange) request(line fhir.Request) (dossier.Request, error) {
	raw, err := negotiate(x.r, line)
	if err != nil {
		return dossier.Request{}, err
	}
	h := x.r.Header
	r := dossier.Request{
		Request:         line,
		Raw:             raw,
		IfMatch:         h.Get("If-Match"),
		IfNoneMatch:     h.Get("If-None-Match"),
		IfModifiedSince: h.Get("If-Modified-Since"),
		IfNoneExist:     h.Get("If-None-Exist"),
		Return:          preferredReturn(h),
		Lang:            x.lang,
		Base:            x.from().Base,
		TraceID:         x.id,
	}
	return x.withBody(r)
}

// withBody adds the body, for the interactions that have one.
func (x *exchange) withBody(r dossier.Request) (dossier.Request, error) {
	if !hasBody(r.Request) {
		if x.r.ContentLength != 0 {
			return r, invalid("structure", "Cette requête n’a pas de corps.", "This request has no body.")
		}
		return r, nil
	}
	mime, err := bodyOf(x.r.Header, r.Request)
	if err != nil {
		return r, err
	}
	if x.r.ContentLength > largeBody {
		emit.GiveTime(x.c, x.r.ContentLength, x.s.limits.ReadTimeout, x.s.limits.WriteTimeout)
	}
	body, err := x.body.read(x.r, x.s.bodyLimit(r.Request))
	if err != nil {
		return r, err
	}
	if r.Form {
		return x.withForm(r, string(body))
	}
	r.Body, r.MediaType, err = x.body.asJSON(x.r.Header, body, mime)
	return r, err
}

// withForm adds the parameters of a POST to _search.
func (x *exchange) withForm(r dossier.Request, form string) (dossier.Request, error) {
	if tokenInQuery(form) {
		return r, errTokenInQuery(x.r.Header)
	}
	line, err := r.WithForm(form)
	if err != nil {
		return r, err
	}
	r.Request = line
	// A _format in the form counts as one in the URL.
	x.prefer(line.Format, line.Pretty)
	_, err = negotiate(x.r, line)
	return r, err
}

func (s *Server) bodyLimit(r fhir.Request) int64 {
	switch r.Interaction {
	case fhir.Transaction, fhir.Batch, fhir.Create, fhir.Update:
		return s.limits.MaxBundle
	case fhir.Operation:
		if r.Operation == "generate-metadata" { // it carries a document
			return s.limits.MaxBundle
		}
	}
	return s.limits.MaxBody
}

// template returns the route of an interaction as the log has it, without ids.
func (s *Server) template(r fhir.Request) string {
	t := s.path
	if r.Type != "" {
		t += "/" + r.Type
	}
	if r.ID != "" {
		t += "/[id]"
	}
	switch r.Interaction {
	case fhir.Capabilities:
		t += "/metadata"
	case fhir.VRead:
		t += "/_history/[vid]"
	case fhir.History:
		t += "/_history"
	case fhir.Operation:
		t += "/$" + r.Operation
	case fhir.Search:
		if r.Form {
			t += "/_search"
		}
	}
	return t
}

// acceptable refuses what no route takes: a compressed body, whose size nobody
// knows before it is too late, and a token in the URL.
func acceptable(r *http.Request) error {
	if e := r.Header.Values("Content-Encoding"); len(e) > 1 || len(e) == 1 && !strings.EqualFold(e[0], "identity") {
		return dossier.ErrMediaType
	}
	if tokenInQuery(r.URL.RawQuery) {
		return errTokenInQuery(r.Header)
	}
	return nil
}

// errTokenInQuery refuses a token outside the Authorization header. Alone it is a way to
// authenticate that is not served, and the answer is that to who does not authenticate
// (RFC 6750 §3); beside the header it is a second way at once, and an invalid request
// (§3.1).
func errTokenInQuery(h http.Header) error {
	if len(h.Values("Authorization")) == 0 {
		return dossier.ErrMisplacedToken
	}
	return invalid("security",
		"Le jeton se donne dans l’en-tête Authorization, jamais dans une adresse ni un formulaire. Celui-ci est à révoquer.",
		"The token goes into the Authorization header, never into a URL or a form. This one should be revoked.")
}

// invalid makes the error of a request that breaks a rule.
func invalid(code, fr, en string) error {
	return &fhir.Invalid{Issues: []fhir.Issue{{Severity: fhir.Error, Code: code, Text: fhir.Text{FR: fr, EN: en}}}}
}
