package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/issuer"
	"opendmp/sandbox"
	"opendmp/sandbox/idp"
)

func sandboxClientsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "clients",
		Short: "Print clients of the authorisation server that go with a test PKI, as JSON",
		Long: `Print clients of the authorisation server that go with a test PKI, as the file that
the setting clients names:

  logiciel-exemple   practice software, by the certificate of Hôpital Nord, of either
                     cabinet or of the pharmacy
  samu-exemple       the software of SAMU 75
  hopital-nord       Hôpital Nord by its certificate and an assertion (--jwks)
  hopital-nord-tls   Hôpital Nord by its certificate alone
  hopital-sud        Hôpital Sud by its certificate alone`,
		Example: `  dmpd sandbox clients --pki ./pki --jwks hopital.jwks > clients.json`,
		Args:    cobra.NoArgs,
	}
	folder := c.Flags().String("pki", "./pki", "folder of the test PKI")
	jwks := c.Flags().String("jwks", "", "JWK set of the key by which hopital-nord signs; that client is left out without it")
	c.RunE = func(c *cobra.Command, _ []string) error {
		var keys []byte
		if *jwks != "" {
			var err error
			if keys, err = os.ReadFile(*jwks); err != nil {
				return err
			}
		}
		all, err := sandboxClients(*folder, keys)
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(all, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(c.OutOrStdout(), string(text))
		return err
	}
	return c
}

// sandboxClients returns clients for the certificates of a test PKI, and for a JWK set
// of hopital-nord if there is one.
func sandboxClients(pki string, keys json.RawMessage) ([]issuer.Client, error) {
	subjects := map[string]string{}
	for _, name := range []string{"hopital-nord", "hopital-sud", "cabinet-centre", "cabinet-sud", "officine-gare", "samu-75"} {
		cert, err := readCertificate(filepath.Join(pki, "org-"+name+".pem"))
		if err != nil {
			return nil, err
		}
		subjects[name] = cert.Subject.ToRDNSequence().String()
	}
	all := []issuer.Client{
		{
			ID: idp.ClientSoftware, Name: "Logiciel d’exemple", Kind: issuer.Software, Scope: "user/*.cruds", IdentityClients: []string{idp.ClientSoftware},
			Subjects: []string{subjects["hopital-nord"], subjects["cabinet-centre"], subjects["cabinet-sud"], subjects["officine-gare"]},
		},
		{
			ID: idp.ClientSAMU, Name: "Logiciel du SAMU 75", Kind: issuer.SAMU, Scope: "user/*.rs", IdentityClients: []string{idp.ClientSAMU},
			Subjects: []string{subjects["samu-75"]}, Structures: []string{auth.FormatIdent(fhir.Ident{System: fhir.SystemStructure, Value: "1750000008"})},
		},
		hospitalClient("hopital-nord-tls", "Hôpital Nord", subjects["hopital-nord"]),
		hospitalClient("hopital-sud", "Hôpital Sud", subjects["hopital-sud"]),
	}
	if keys != nil {
		signs := hospitalClient("hopital-nord", "Hôpital Nord", subjects["hopital-nord"])
		signs.KeySet = keys
		all = append(all, signs)
	}
	for i := range all {
		all[i].Status = issuer.Active
		if err := all[i].Check(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// hospitalClient is a hospital of the cast, with the decision that the sandbox registers.
func hospitalClient(id, name, subject string) issuer.Client {
	c := issuer.Client{ID: id, Name: name, Kind: issuer.Establishment, Subjects: []string{subject}, Scope: "system/*.cruds"}
	for _, e := range sandbox.Establishments() {
		if e.Name == name {
			c.Structures, c.Decision, c.DecisionDate = []string{auth.FormatIdent(e.ID)}, e.Decision, e.Date.Format(time.DateOnly)
		}
	}
	return c
}

func readCertificate(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM", file)
	}
	return x509.ParseCertificate(block.Bytes)
}
