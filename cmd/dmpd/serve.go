package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/policy"
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
missing:

  base         the URL that clients are told, https://dmp.example.org/fhir
  issuer       who signs the access tokens (iss), character by character
  audience     for whom they are (aud), likewise
  issuer-keys  folder of the issuer's public keys, PEM, named after their kid: <kid>.pem
  matrix       folder of the habilitation matrix, AAAA-MM-JJ.csv

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
			if err := s.check(); err != nil {
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
	f.String("issuer", "", "issuer of the access tokens")
	f.String("audience", "", "audience of the access tokens")
	f.String("issuer-keys", "", "folder of the issuer's public keys")
	f.String("matrix", "", "folder of the habilitation matrix")
	f.String("matrix-unknown", "", "a cell that the matrix leaves open: refuse to start, or deny (refuse)")
	f.String("ouverture", "", "sur-demande, or automatique: the health insurance opens for all, six weeks after its letter (sur-demande)")
	f.String("annonce-rappel", "", "after how long the patient is told that something is hidden from them still (P14D)")
	f.String("annonce-fin", "", "after how long what is hidden from the patient is visible by itself (P1M)")
	f.String("echeances", "", "how often a server looks for what falls due by itself (1m)")
	f.Bool("sandbox-feeder", true, "the health insurance of the sandbox feeds the dossiers that are opened")
	f.String("controle-profils", "", "what a write does that does not keep to a profile that it claims: avertir, refuser or ignorer (avertir)")
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
	i, err := assemble(ctx, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "OpenDMP %s on %s, known as %s\n", version(), l.Addr(), p.base)
	return i.serve(ctx, l)
}

// serve answers on l until ctx ends, then closes the store.
func (i *instance) serve(ctx context.Context, l net.Listener) error {
	working, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { i.collector.run(working) })
	for _, run := range i.more {
		work.Go(func() { run(working) })
	}
	err := i.server.Serve(ctx, l)
	stop()
	work.Wait()
	if closing := i.close(); err == nil {
		err = closing
	}
	return err
}

// realPlan is the plan of a real service.
func realPlan(s settings, log *slog.Logger) (plan, error) {
	keys, err := publicKeys(s.IssuerKeys)
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
	rules := policy.DefaultSettings()
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
	c := &clock{}
	e, err := engineOf(s.Store, s.Data, c)
	if err != nil {
		return plan{}, err
	}
	return plan{
		data: s.Data, engine: e, base: s.Base, clock: c, log: log, insKey: level, cda: header, profiles: claims, due: due,
		settings: rules, matrix: os.DirFS(s.Matrix), whole: s.MatrixUnknown != "deny",
		issuers: []auth.Issuer{{
			Issuer: s.Issuer, Audience: s.Audience, Keys: keys,
			Algorithms: []string{"ES256", "ES384", "PS256", "RS256", "EdDSA"},
		}},
	}, nil
}
