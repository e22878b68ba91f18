package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// rootCommand is the command line. It is made anew for each run: it holds flags.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dmpd",
		Short: "OpenDMP, an open shared medical record (dossier médical partagé) over FHIR R4",
		Long: `OpenDMP is an open implementation of the French shared medical record (DMP,
dossier médical partagé) over HL7 FHIR R4.

To try it, with invented people and records:

  dmpd serve --sandbox
  curl -H "Authorization: Bearer $(dmpd token --as medecin-martin)" \
    'http://127.0.0.1:8080/fhir/DocumentReference?patient.identifier=urn:oid:1.2.250.1.213.1.4.10%7C285047511200116'

No hosting certificate comes with the program: no real data before an operator
has one (hébergeur de données de santé, L.1111-8 CSP).`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	people := sandboxCommand()
	people.AddCommand(sandboxLoadCommand(), sandboxClientsCommand())
	root.AddCommand(serveCommand(), sandboxIDPCommand(), initCommand(), migrateCommand(), copyCommand(), tokenCommand(), clientCommand(), people, demoCommand(), benchCommand(), purgeCommand(), pkiCommand(), matrixCommand(), explainCommand(), versionCommand())
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "dmpd", version())
			return err
		},
	}
}

// dataFlag adds the flag that every command about a server's folder has.
func dataFlag(c *cobra.Command) *string {
	return c.Flags().String("data", "./var", "folder of keys and store")
}
