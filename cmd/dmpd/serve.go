package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"opendmp/policy"
	"opendmp/server"
)

func serveCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: `Start the server.

With --sandbox it makes its own keys, fills its records with invented people
once, signs tokens for them, and answers to this machine only. Nothing else is
needed.

Without, it refuses to start until these settings are there, and says which are
missing (issuer, audience and issuer-keys together may be where clients is given:
then the tokens of our own authorisation server are the only ones):

  base         the URL that clients are told, https://dmp.example.org/fhir;
               with tls-patient also base-patient, the one for patients
  issuer       who signs the access tokens (iss), character by character
  audience     for whom they are (aud), likewise
  issuer-keys  folder of the issuer's public keys, PEM, named after their kid: <kid>.pem;
               or issuer-jwks, the URL of the key set that it publishes
  matrix       folder of the habilitation matrix, AAAA-MM-JJ.csv
  tls-pro      address for professionals and systems, who show a certificate; with
               tls-cert, tls-cle, ca-personnes or ca-organisations, and crl

Settings stand in a JSON file (--settings), in the environment (DMPD_BASE) or on
the command line; the later wins. The keys and the store must exist: dmpd init.`,
		Example: `  dmpd serve --sandbox
  dmpd serve --sandbox --addr 127.0.0.1:9090 --data /tmp/dmp
  dmpd serve --settings /etc/dmpd.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := readSettings(file, os.Environ(), c.Flags())
			if err != nil {
				return err
			}
			if err := s.ready((&clock{}).Now); err != nil {
				return err
			}
			return serve(c.Context(), s, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&file, "settings", "", "settings file, JSON")
	f.String("addr", "127.0.0.1:8080", "address to listen on")
	f.String("data", "./var", "folder of the keys, and of the embedded store")
	f.String("store", "", "sqlite, or mongodb://… of a replica set (sqlite); a URI with a password goes into DMPD_STORE or the settings file")
	f.Bool("sandbox", false, "invented people, tokens for whoever asks")
	f.Bool("expose-sandbox", false, "let the sandbox listen on an address that is not loopback: anyone who reaches it is anyone they like")
	f.String("base", "", "URL of the FHIR base, as clients are told")
	f.String("base-patient", "", "the same at tls-patient, as patients are told")
	f.String("issuer", "", "issuer of the access tokens")
	f.String("audience", "", "audience of the access tokens")
	f.String("issuer-keys", "", "folder of the issuer's public keys")
	f.String("issuer-jwks", "", "URL of the key set of the issuer, instead of issuer-keys")
	f.String("issuer-jwks-ca", "", "CAs of the certificate of that URL, PEM; those of the system without it")
	f.String("clients", "", "file of the clients of the authorisation server, JSON; none without it")
	f.String("annuaire", "", "file of the directory of professionals, PS_LibreAcces_Personne_activite_….txt; none without it")
	f.String("matrix", "", "folder of the habilitation matrix")
	f.String("matrix-unknown", "", "a cell that the matrix leaves open: refuse to start, or deny (refuse)")
	f.Bool("air", false, "admit professionals for whom an establishment vouches (authentification indirecte renforcée)")
	f.String("ouverture", "", "sur-demande, or automatique: the health insurance opens for all, six weeks after its letter (sur-demande)")
	f.String("annonce-rappel", "", "after how long the patient is told that something is hidden from them still (P14D)")
	f.String("annonce-fin", "", "after how long what is hidden from the patient is visible by itself (P1M)")
	f.String("echeances", "", "how often a server looks for what falls due by itself (1m)")
	f.String("tls-pro", "", "address for who shows a certificate: professionals, systems")
	f.String("tls-patient", "", "address for who shows none: patients")
	f.String("tls-mandataire", "", "address for proxies that pass certificates on (RFC 9440)")
	f.String("tls-cert", "", "certificate of the server, PEM, with those up to its CA behind it")
	f.String("tls-cle", "", "key of that certificate, PEM")
	f.String("ca-personnes", "", "CAs of the certificates of persons, PEM")
	f.String("ca-organisations", "", "CAs of the certificates of organisations, PEM")
	f.String("politiques-personnes", "", "OIDs of certificate policies, one of which persons need; several with ;")
	f.String("politiques-organisations", "", "the same for organisations")
	f.String("crl", "", "files of the lists of revoked certificates, one for each CA; several with ;")
	f.String("crl-delai", "", "how long a list serves after its nextUpdate (0s)")
	f.String("samu", "", "certificates of organisations that regulate emergencies: x5t#S256 or subject; several with ;")
	f.String("mandataires", "", "x5t#S256 of the certificates of the proxies; several with ;")
	f.String("tls-relecture", "", "how often certificate, key and lists are read anew (30s)")
	f.Bool("ca-de-test", false, "let the certificates of dmpd pki into a service")
	f.Bool("sandbox-feeder", true, "the health insurance of the sandbox feeds the dossiers that are opened")
	f.String("controle-profils", "", "what a write does that does not keep to a profile that it claims: avertir, refuser or ignorer (avertir)")
	f.String("controle-terminologie", "", "what a write does whose codes are of no value set of the DMP: avertir, refuser or ignorer (avertir)")
	f.String("ins-key", "", "what a wrong control key of an INS does: error, warning or off (error; the sandbox warns)")
	return c
}

// serve runs a server until ctx ends. It listens first, so that a port that is
// taken is said before anything is made.
func serve(ctx context.Context, s settings, out, errOut io.Writer) (err error) {
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			l.Close() // Serve closes it otherwise
		}
	}()
	log := slog.New(slog.NewJSONHandler(errOut, nil))
	if s.Sandbox {
		return serveSandbox(ctx, s, l, log, out, errOut)
	}
	p, err := realPlan(s, log)
	if err != nil {
		return err
	}
	if p, err = p.withDirectory(s, log); err != nil {
		return err
	}
	tls, err := s.TLS.open(p.clock.Now, false, log)
	if err != nil {
		return err
	}
	i, err := assemble(ctx, p)
	if err != nil {
		tls.close()
		return err
	}
	i.protect(tls)
	fmt.Fprintf(out, "OpenDMP %s on %s, known as %s\n%s", version(), l.Addr(), p.base, tls.welcome())
	return i.serve(ctx, l)
}

// protect adds the listeners under TLS.
func (i *instance) protect(s *secure) {
	i.faces = s.faces
	i.more = append(i.more, s.run)
}

// listen answers on l and on the faces until ctx ends, or one of them fails.
func (i *instance) listen(ctx context.Context, l net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1+len(i.faces))
	go func() { ended <- i.server.Serve(ctx, l) }()
	for _, f := range i.faces {
		go func() { ended <- i.server.ServeTLS(ctx, f.l, f.face) }()
	}
	var all error
	for range cap(ended) {
		all = errors.Join(all, <-ended)
		stop()
	}
	return all
}

// serve answers on l, and on the faces, until ctx ends, then closes the store.
func (i *instance) serve(ctx context.Context, l net.Listener) error {
	working, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { i.collector.run(working) })
	for _, run := range i.more {
		work.Go(func() { run(working) })
	}
	err := i.listen(ctx, l)
	stop()
	work.Wait()
	if closing := i.close(); err == nil {
		err = closing
	}
	return err
}

// realPlan is the plan of a real service.
func realPlan(s settings, log *slog.Logger) (plan, error) {
	if err := checkFolder(s.Data); err != nil {
		return plan{}, err
	}
	c := &clock{}
	issuers, work, err := s.issuers(c.Now, log)
	if err != nil {
		return plan{}, err
	}
	level, err := insKeyLevel(s.INSKey)
	if err != nil {
		return plan{}, err
	}
	header, err := cdaLevel(s.CDA)
	if err != nil {
		return plan{}, err
	}
	claims, err := claimsLevel(s.Claims)
	if err != nil {
		return plan{}, err
	}
	codes, err := codesLevel(s.Codes)
	if err != nil {
		return plan{}, err
	}
	rules := policy.DefaultSettings()
	rules.AIR = s.AIR
	if rules.Establishments, err = s.establishments(); err != nil {
		return plan{}, err
	}
	if rules.Opening, err = openingOf(s.Opening); err != nil {
		return plan{}, err
	}
	if err := s.hiding(&rules); err != nil {
		return plan{}, err
	}
	due, err := s.dueInterval()
	if err != nil {
		return plan{}, err
	}
	e, err := engineOf(s.Store, s.Data, c)
	if err != nil {
		return plan{}, err
	}
	oauth, err := s.authority(c)
	if err != nil {
		return plan{}, err
	}
	return plan{
		oauth: oauth,
		data:  s.Data, engine: e, base: s.Base, bases: server.Bases{Patient: s.TLS.PatientBase}, clock: c, log: log, insKey: level, cda: header, profiles: claims, codes: codes, due: due,
		settings: rules, matrix: os.DirFS(s.Matrix), whole: s.MatrixUnknown != "deny",
		issuers: issuers, work: work,
	}, nil
}
