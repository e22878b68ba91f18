package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/sandbox"
	"opendmp/server"
)

func sandboxCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Tell who is who in the sandbox",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	ids := &cobra.Command{
		Use:   "ids",
		Short: "Print as JSON who is who: identifiers, professions, structures, Patient and document ids",
		Args:  cobra.NoArgs,
	}
	data := dataFlag(ids)
	ids.RunE = func(c *cobra.Command, _ []string) error {
		b, err := os.ReadFile(idsFile(*data))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("no sandbox in %s: start it once with bin/dmpd serve --sandbox --data %s", *data, *data)
		}
		if err != nil {
			return err
		}
		_, err = c.OutOrStdout().Write(b)
		return err
	}
	personas := &cobra.Command{
		Use:   "personas",
		Short: "List the personas",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			printPersonas(c.OutOrStdout())
			return nil
		},
	}
	c.AddCommand(ids, personas)
	return c
}

// serveSandbox fills the folder if that was not done, then serves it.
func serveSandbox(ctx context.Context, s settings, l net.Listener, log *slog.Logger, out, errOut io.Writer) error {
	o, err := openSandbox(ctx, s, l.Addr(), log, errOut)
	if err != nil {
		return err
	}
	welcome(out, o.plan.base, sandboxBase(settings{}, l.Addr()), s.Data, o.tls.welcome())
	return o.serve(ctx, l)
}

// openedSandbox is a sandbox that is filled and put together, and not yet served.
type openedSandbox struct {
	*instance
	plan plan
	tls  *secure
}

// openSandbox fills the folder if that was not done, and puts the parts together. addr
// is where it will listen in clear; its listeners under TLS are open.
func openSandbox(ctx context.Context, s settings, addr net.Addr, log *slog.Logger, progress io.Writer) (_ *openedSandbox, err error) {
	if err := s.refuseTaken(ctx); err != nil {
		return nil, err
	}
	tls, err := s.TLS.open(time.Now, true, log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			tls.close()
		}
	}()
	bases := s.sandboxBases(tls, addr)
	if pro := tls.url("tls-pro"); s.Base == "" && s.Clients != "" && pro != "" {
		s.Base = pro + "/fhir" // the endpoints are under TLS, and say so
	}
	s.Base = sandboxBase(s, addr)
	p, signer, err := sandboxPlan(s, s.Base, log)
	if err != nil {
		return nil, err
	}
	p.bases = bases
	if err := load(ctx, p, signer, progress); err != nil {
		return nil, err
	}
	ids, err := os.ReadFile(idsFile(s.Data))
	if err != nil {
		return nil, err
	}
	pro, patient := ownHosts(s.Base, s.Exposed), ownHosts(s.TLS.PatientBase, s.Exposed)
	p.extra = sandboxRoutes(signer, ids, func(host string) bool { return pro(host) || patient(host) })
	if p.oauth, err = s.authority(p.clock); err != nil {
		return nil, err
	}
	if p, err = p.withDirectory(s, log); err != nil {
		return nil, err
	}
	i, err := assemble(ctx, p)
	if err != nil {
		return nil, err
	}
	i.protect(tls)
	if s.Feeder {
		i.more = append(i.more, newFeeder(i.door, p, signer).run)
	}
	return &openedSandbox{i, p, tls}, nil
}

// sandboxPlan is the plan of a sandbox.
func sandboxPlan(s settings, base string, log *slog.Logger) (plan, *auth.Signer, error) {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return plan{}, nil, err
	}
	c := &clock{}
	signer, err := sandboxSigner(s.Data, auth.LoadOrCreateKey, c)
	if err != nil {
		return plan{}, nil, err
	}
	level := dossier.Warns // the published examples have an INS with a wrong key
	if s.INSKey != "" {
		if level, err = insKeyLevel(s.INSKey); err != nil {
			return plan{}, nil, err
		}
	}
	header, err := cdaLevel(s.CDA)
	if err != nil {
		return plan{}, nil, err
	}
	claims, err := claimsLevel(s.Claims)
	if err != nil {
		return plan{}, nil, err
	}
	codes, err := codesLevel(s.Codes)
	if err != nil {
		return plan{}, nil, err
	}
	e, err := engineOf(s.Store, s.Data, c)
	if err != nil {
		return plan{}, nil, err
	}
	rules := sandboxRules()
	rules.AIR = s.AIR
	if rules.Opening, err = openingOf(s.Opening); err != nil {
		return plan{}, nil, err
	}
	if err := s.hiding(&rules); err != nil {
		return plan{}, nil, err
	}
	due, err := s.dueInterval()
	if err != nil {
		return plan{}, nil, err
	}
	return plan{
		data: s.Data, engine: e, base: base, clear: true, clock: c, log: log, insKey: level, cda: header, profiles: claims, codes: codes, due: due,
		settings: rules, matrix: policy.SandboxMatrix(), issuers: []auth.Issuer{signer.Trust()},
	}, signer, nil
}

// sandboxBase is the URL of the base: as set, or of the address.
func sandboxBase(s settings, addr net.Addr) string {
	if s.Base != "" {
		return s.Base
	}
	host, port, _ := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/fhir"
}

// sandboxBases are the bases of the listeners: as set, or of their addresses.
func (s settings) sandboxBases(tls *secure, clear net.Addr) server.Bases {
	b := server.Bases{Clear: sandboxBase(s, clear), Pro: s.Base, Patient: s.TLS.PatientBase}
	path := "/fhir"
	if u, err := url.Parse(b.Clear); err == nil {
		path = strings.TrimSuffix(u.Path, "/")
	}
	if pro := tls.url("tls-pro"); b.Pro == "" && pro != "" {
		b.Pro = pro + path
	}
	if patient := tls.url("tls-patient"); b.Patient == "" && patient != "" {
		b.Patient = patient + path
	}
	return b
}

// url returns the URL of a listener, without path, by the name that the certificate of
// the test PKI has; "" if it is not open.
func (s *secure) url(name string) string {
	for _, f := range s.faces {
		if f.name == name {
			_, port, _ := net.SplitHostPort(f.l.Addr().String())
			return "https://localhost:" + port
		}
	}
	return ""
}

// sandboxRoutes are the routes that exist in the sandbox only. They answer whoever asks,
// and so only who asks for a host of ours: without a token of theirs the rest gives a page
// of another site nothing.
func sandboxRoutes(signer *auth.Signer, ids []byte, ours func(host string) bool) []server.Route {
	return []server.Route{
		{Method: http.MethodGet, Path: "/sandbox/ids", Handle: func(r *http.Request) dossier.Answer {
			if !ours(r.Host) {
				return misdirected()
			}
			return dossier.Public(http.StatusOK, "application/json", ids)
		}},
		{Method: http.MethodPost, Path: tokenPath, HandleFrom: func(r *http.Request, from server.From) dossier.Answer {
			if !ours(r.Host) {
				return misdirected()
			}
			return tokenAnswer(signer, r, from)
		}},
	}
}

// ownHosts tells whether a request is for a host of a sandbox: this machine, or that of
// its base. A page of another site that has its own name lead to this machine (DNS
// rebinding) is so told apart. A sandbox that is exposed has any host.
func ownHosts(base string, exposed bool) func(host string) bool {
	known := ""
	if u, err := url.Parse(base); err == nil {
		known = strings.ToLower(u.Hostname())
	}
	return func(host string) bool {
		name := (&url.URL{Host: host}).Hostname()
		return exposed || ownMachine(name) || name != "" && strings.ToLower(name) == known
	}
}

// misdirected answers who asks for a host that is not ours (RFC 9110 §15.5.20).
func misdirected() dossier.Answer {
	return dossier.Public(http.StatusMisdirectedRequest, "application/json", []byte(`{"error":"misdirected_request"}`))
}

// tokenAnswer answers a request for a token with form fields as, purpose and reason.
// Who asks with a DPoP proof gets a token that is bound to its key, and who asks with a
// certificate one that is bound to that. Whether a proof was used before is not looked
// at: it would give nothing that whoever asks is not given.
func tokenAnswer(signer *auth.Signer, r *http.Request, from server.From) dossier.Answer {
	const lang = "fr"
	if err := r.ParseForm(); err != nil {
		return dossier.Refuse(dossier.ErrMediaType, lang)
	}
	bound, scheme, err := confirmationOf(r, from, signer.Now())
	if err != nil {
		return dossier.Refuse(dossier.ErrBadProof, lang)
	}
	token, err := boundToken(signer, r.PostForm.Get("as"), r.PostForm.Get("purpose"), r.PostForm.Get("reason"), bound)
	var bad *badAsk
	switch {
	case errors.As(err, &bad):
		return dossier.Refuse(&fhir.Invalid{Issues: []fhir.Issue{{Severity: fhir.Error, Code: "value", Text: bad.text}}}, lang)
	case err != nil:
		return dossier.Refuse(dossier.ErrInternal, lang)
	}
	body, err := json.Marshal(struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
	}{token, scheme, 3600})
	if err != nil {
		return dossier.Refuse(dossier.ErrInternal, lang)
	}
	return dossier.Public(http.StatusOK, "application/json", body)
}

// confirmationOf returns what the token of a request is bound to, nil for nothing, and the
// scheme by which it is sent (RFC 9449 §5).
func confirmationOf(r *http.Request, from server.From, now time.Time) (*auth.Confirmation, string, error) {
	switch proofs := r.Header.Values("DPoP"); {
	case len(proofs) > 1:
		return nil, "", auth.ErrProof
	case len(proofs) == 1:
		proof, err := auth.VerifyProof(proofs[0], r.Method, from.Origin()+tokenPath, "", now)
		return &auth.Confirmation{Key: proof.Key}, "DPoP", err
	case from.Peer.IsZero():
		return nil, "Bearer", nil
	}
	return &auth.Confirmation{Certificate: from.Peer.Thumbprint()}, "Bearer", nil
}

func idsFile(data string) string { return filepath.Join(data, "sandbox-ids.json") }

// welcome tells a newcomer what there is and how to begin; clear is the base of the
// listener without TLS, which asks for no certificate.
func welcome(out io.Writer, base, clear, data, faces string) {
	folder := ""
	if data != "./var" {
		folder = " --data " + data
	}
	fmt.Fprintf(out, `OpenDMP %s, bac à sable : personnes et dossiers inventés

  FHIR       %s
%s  jeton      bin/dmpd token --as medecin-martin%s
             curl -d as=medecin-martin %s/sandbox/token
  identités  bin/dmpd sandbox ids%s

`, version(), base, faces, folder, strings.TrimSuffix(clear, "/fhir"), folder)
	printPersonas(out)
	fmt.Fprintln(out, "\nCtrl-C pour arrêter.")
}

func printPersonas(out io.Writer) {
	for _, p := range sandbox.Personas() {
		fmt.Fprintf(out, "  %-22s %-17s %s\n", p.Key, p.KindFR(), p.Name())
	}
}
