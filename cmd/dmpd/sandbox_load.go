package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
)

// sandboxLoadCommand is for several servers on one database: each would fill it.
func sandboxLoadCommand() *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use:   "load",
		Short: "Fill a sandbox as dmpd serve --sandbox does at its first start, and stop",
		Long: `Fill a sandbox as dmpd serve --sandbox does at its first start, and stop. A
sandbox that is filled is left alone.

This is for several servers on one MongoDB: fill it once, then start them with the
same folder of keys, which they only read. A load that was cut short leaves its
database behind: drop it before the next one.`,
		Example: `  DMPD_STORE='mongodb://db1,db2,db3/opendmp?replicaSet=rs0' dmpd sandbox load --data ./var`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s.Store = orEnv(s.Store, "STORE")
			p, signer, err := sandboxPlan(s, s.Base, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			if err := load(c.Context(), p, signer, c.ErrOrStderr()); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "the sandbox is filled:", p.engine)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&s.Data, "data", "./var", "folder of keys and store")
	f.StringVar(&s.Store, "store", "", "sqlite, or mongodb://… of a replica set (DMPD_STORE, or sqlite)")
	f.StringVar(&s.Base, "base", "http://127.0.0.1:8080/fhir", "URL of the FHIR base that the servers will have")
	return c
}
