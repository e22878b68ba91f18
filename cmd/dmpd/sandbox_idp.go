package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"opendmp/sandbox/idp"
)

// identityFlags are those of `dmpd sandbox-idp`.
type identityFlags struct {
	addr, pki, base string
	exposed         bool
	redirects       []string
}

func sandboxIDPCommand() *cobra.Command {
	var f identityFlags
	c := &cobra.Command{
		Use:   "sandbox-idp",
		Short: "Play Pro Santé Connect for the professionals of the sandbox",
		Long: `Play Pro Santé Connect for the professionals of the sandbox: an OpenID provider
with its paths and its claims, over TLS with the certificate of the test PKI (dmpd pki
init). A page asks whom to be, and asks for no proof: it answers to this machine only.

It prints the settings by which dmpd serve asks it about its tokens; --settings takes
them as they are. What it knows is in memory: a restart forgets every session.

docs/connexion.md has each flow with its curl lines.`,
		Example: `  dmpd pki init --out ./pki
  dmpd sandbox-idp --pki ./pki
  curl --cacert pki/ca-serveurs.pem https://localhost:8090/auth/realms/esante-wallet/.well-known/openid-configuration`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.serve(c.Context(), c.OutOrStdout()) },
	}
	flags := c.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8090", "address to listen on")
	flags.StringVar(&f.pki, "pki", "./pki", "`folder` of the test PKI: serveur.pem and serveur.key are taken, psc-secret is written")
	flags.StringVar(&f.base, "base", "", "`URL` by which it is reached, without path (https://localhost and the port)")
	flags.StringArrayVar(&f.redirects, "redirect", nil, "a redirect `URI` of your software; addresses of this machine need none; may be repeated")
	flags.BoolVar(&f.exposed, "expose-sandbox", false, "let it listen on an address that is not loopback: anyone who reaches it is anyone they like")
	return c
}

// serve runs the provider until ctx ends.
func (f identityFlags) serve(ctx context.Context, out io.Writer) error {
	local, err := loopback(f.addr)
	if err != nil {
		return err
	}
	if !local && !f.exposed {
		return fmt.Errorf("the sandbox lets whoever asks be anyone: %s is not a loopback address (--expose-sandbox if that is meant)", f.addr)
	}
	if err := f.check(); err != nil {
		return err
	}
	p, err := f.open()
	if err != nil {
		return err
	}
	if err := p.welcome(out); err != nil {
		return errors.Join(err, p.l.Close())
	}
	return p.serve(ctx)
}

// check refuses a base without TLS, and addresses that a browser must not be sent to with
// a code: of a script, of a file, in clear on a network, or of whoever asks.
func (f identityFlags) check() error {
	if u, err := url.Parse(f.base); f.base != "" && (err != nil || u.Scheme != "https" || u.User != nil) {
		return fmt.Errorf("base: %q is not an https URL: it is served under TLS, https://localhost:8090", f.base)
	}
	for _, redirect := range f.redirects {
		if !mayRedirect(redirect) {
			return fmt.Errorf("redirect: %q is not the whole https URL of your software, nor a scheme of its own with a dot in it, as com.example.lps:/retour (RFC 8252 §7.1)", redirect)
		}
	}
	return nil
}

func mayRedirect(redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || u.User != nil || strings.Contains(redirect, "#") || strings.ContainsAny(u.Host, "*") {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Hostname() != ""
	case "http":
		return ownMachine(u.Hostname())
	}
	return strings.Contains(u.Scheme, ".")
}

// identityProvider is a provider that listens.
type identityProvider struct {
	*idp.Provider
	l net.Listener
	// settings are those by which dmpd serve reaches it.
	settings identitySettings
	server   *http.Server
}

// open reads the certificate, listens, and writes the secret of dmpd serve into the
// folder of the test PKI.
func (f identityFlags) open() (_ *identityProvider, err error) {
	p := &identityProvider{}
	in := func(name string) string { return filepath.Join(f.pki, name) }
	cert, err := tls.LoadX509KeyPair(in("serveur.pem"), in("serveur.key"))
	if err != nil {
		return nil, fmt.Errorf("no certificate of a test PKI in %s (dmpd pki init --out %s makes one): %w", f.pki, f.pki, err)
	}
	if p.l, err = net.Listen("tcp", f.addr); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.l.Close()
		}
	}()
	base := f.base
	if base == "" {
		_, port, _ := net.SplitHostPort(p.l.Addr().String())
		base = "https://localhost:" + port
	}
	p.Provider, err = idp.New(idp.Config{Base: base, Host: ownHosts(base, f.exposed), Clients: idp.Clients(f.redirects...), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	p.server = &http.Server{
		Handler: p.Provider, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // handshakes that browsers break off
	}
	p.settings = identitySettings{
		Issuer: p.Issuer(), Introspection: p.Issuer() + idp.IntrospectionPath, UserInfo: p.Issuer() + idp.UserInfoPath,
		ClientID: idp.ClientServer, SecretFile: in("psc-secret"), CAFile: in("ca-serveurs.pem"),
	}
	return p, os.WriteFile(p.settings.SecretFile, []byte(idp.Secret+"\n"), 0o600)
}

// serve answers until ctx ends, or close is called.
func (p *identityProvider) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, p.close)
	defer stop()
	if err := p.server.ServeTLS(p.l, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// close ends every connection.
func (p *identityProvider) close() { p.server.Close() }

// lines are the settings of a provider as they stand in the settings file.
func (s identitySettings) lines() ([]byte, error) {
	type psc struct {
		Issuer        string `json:"issuer"`
		Introspection string `json:"introspection"`
		UserInfo      string `json:"userinfo"`
		ClientID      string `json:"client-id"`
		SecretFile    string `json:"secret-file"`
		CAFile        string `json:"ca-file"`
	}
	return json.MarshalIndent(map[string]psc{"psc": psc(s)}, "", "  ")
}

// welcome tells what there is, and what to give to dmpd serve.
func (p *identityProvider) welcome(out io.Writer) error {
	lines, err := p.settings.lines()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `OpenDMP %s, fournisseur d’identité du bac à sable : il joue Pro Santé Connect

  émetteur      %s
  découverte    %[2]s%s
  logiciels     %s, %s (secret : %s)
  nouvelle clé  curl --cacert %s -X POST %s

Réglages pour dmpd serve (--settings) :

%s

Ctrl-C pour arrêter.
`, version(), p.Issuer(), idp.DiscoveryPath, idp.ClientSoftware, idp.ClientSAMU, idp.Secret,
		p.settings.CAFile, p.Issuer()[:len(p.Issuer())-len(idp.RealmPath)]+idp.RotatePath, lines)
	return err
}
