package main

import (
	"context"
	"errors"
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
database behind, and the next one refuses it: drop it first.`,
		Example: `  DMPD_STORE='mongodb://db1,db2,db3/opendmp?replicaSet=rs0' dmpd sandbox load --data ./var`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s.Store = orEnv(s.Store, "STORE")
			if err := s.refuseTaken(c.Context()); err != nil {
				return err
			}
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

// refuseRemains refuses to fill a MongoDB that holds records: they are sealed with
// keys that this load would replace, and nothing here drops a database. cut tells
// whether a load into it was cut short. The embedded store is not looked at: it is
// in the folder, and begun anew with it.
func (e engine) refuseRemains(ctx context.Context, cut bool) error {
	if e.uri == "" {
		return nil
	}
	empty, err := e.empty(ctx)
	if err != nil || empty {
		return err
	}
	if cut {
		return errors.New("the sandbox was not filled to its end, and what was written is still in its MongoDB database: to begin anew, drop that database (mongosh <its URI> --eval 'db.dropDatabase()') and run the same command again")
	}
	return errors.New("the MongoDB database holds records that are not of this folder: give the folder that has their keys (--data), or another database in the URI")
}
