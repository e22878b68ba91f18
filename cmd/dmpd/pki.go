package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"opendmp/sandbox"
)

func pkiCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "pki",
		Short: "Make test certificates shaped like those of the IGC-Santé",
		Long: `Make test certificates shaped like those of the IGC-Santé: a CA for persons, one for
organisations, one for servers, a card for each professional of the sandbox, a
certificate for each structure, and the lists of revoked ones (CRL).

They prove nothing about anyone. A server refuses to start with them, unless it is a
sandbox or its settings say ca-de-test. A CRL is due after thirty days: dmpd pki
revoke without a name renews it.`,
		Example: `  dmpd pki init --out ./pki
  dmpd serve --sandbox --tls-pro 127.0.0.1:8443 --tls-cert pki/serveur.pem --tls-cle pki/serveur.key \
    --ca-personnes pki/ca-personnes.pem --ca-organisations pki/ca-organisations.pem \
    --crl 'pki/crl-personnes.pem;pki/crl-organisations.pem'
  curl --cacert pki/ca-serveurs.pem --cert pki/cps-medecin-martin.pem --key pki/cps-medecin-martin.key https://localhost:8443/health
  dmpd pki revoke --out ./pki cps-medecin-martin`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(pkiInitCommand(), pkiIssueCommand(), pkiRevokeCommand())
	return c
}

// pkiFlag adds the flag of the folder.
func pkiFlag(c *cobra.Command) func() sandbox.PKI {
	folder := c.Flags().String("out", "./pki", "folder of the test PKI")
	return func() sandbox.PKI { return sandbox.PKI{Folder: *folder, Now: time.Now, Rand: rand.Reader} }
}

func pkiInitCommand() *cobra.Command {
	c := &cobra.Command{Use: "init", Short: "Make the CAs, the certificates of the cast and the first CRLs", Args: cobra.NoArgs}
	pki := pkiFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		p := pki()
		if err := p.Init(); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.OutOrStdout(), "made the test PKI in", p.Folder)
		return err
	}
	return c
}

func pkiIssueCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "issue [persona or structure]",
		Short: "Issue a new certificate, in the place of the one that is there",
		Args:  cobra.MaximumNArgs(1),
	}
	pki := pkiFlag(c)
	names := c.Flags().StringSlice("server", nil, "names and addresses of a server, instead")
	c.RunE = func(c *cobra.Command, args []string) error {
		p, name := pki(), "serveur"
		var err error
		switch {
		case len(args) == 1 && len(*names) == 0:
			name, err = p.Issue(holderName(args[0]))
		case len(args) == 0 && len(*names) > 0:
			err = p.IssueServer(*names...)
		default:
			err = errors.New("either a persona or structure, or --server")
		}
		if err == nil {
			_, err = fmt.Fprintln(c.OutOrStdout(), "issued", name)
		}
		return err
	}
	return c
}

func pkiRevokeCommand() *cobra.Command {
	c := &cobra.Command{Use: "revoke [persona or structure]...", Short: "Revoke certificates, and renew the CRLs"}
	pki := pkiFlag(c)
	c.RunE = func(_ *cobra.Command, args []string) error {
		names := make([]string, len(args))
		for i, arg := range args {
			names[i] = certificateName(arg)
		}
		return pki().Revoke(names...)
	}
	return c
}

// certificateName returns the name of the files of a certificate by that of its holder, a
// persona or a structure; what is neither stays as it is.
func certificateName(holder string) string {
	if p, ok := sandbox.Lookup(holder); ok {
		if _, err := sandbox.CardHolder(p); err == nil {
			return "cps-" + holder
		}
	}
	if _, err := sandbox.OrganisationHolder(holder); err == nil {
		return "org-" + holder
	}
	return holder
}

// holderName is the inverse of certificateName.
func holderName(certificate string) string {
	for _, class := range []string{"cps-", "org-"} {
		if holder, ok := strings.CutPrefix(certificate, class); ok && certificateName(holder) == certificate {
			return holder
		}
	}
	return certificate
}
