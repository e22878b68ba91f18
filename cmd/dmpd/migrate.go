package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func migrateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Make or update the schema of a store, and stop",
		Long: `Make or update the schema and the indexes of a store, and stop. A server does
the same when it starts; on a large MongoDB it is better done before, once. It
also proves that the transactions of the deployment really roll back.

With --shard it also shards the collections of a MongoDB cluster, each by the key
that its promises rest on, and leaves alone what is sharded already. The user then
needs the privilege enableSharding on the database.`,
		Example: `  DMPD_STORE='mongodb://user:…@db1,db2,db3/opendmp?replicaSet=rs0' dmpd migrate
  DMPD_STORE='mongodb://user:…@router1,router2/opendmp' dmpd migrate --shard`,
		Args: cobra.NoArgs,
	}
	data := dataFlag(c)
	address := c.Flags().String("store", "", "sqlite, or mongodb://… of a replica set (DMPD_STORE, or sqlite)")
	shard := c.Flags().Bool("shard", false, "also shard the collections, of a cluster behind mongos")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *address == "" {
			*address = os.Getenv(envPrefix + "STORE")
		}
		e, err := engineOf(*address, *data, &clock{})
		if err != nil {
			return err
		}
		if *shard {
			if err := e.shard(c.Context()); err != nil {
				return err
			}
		}
		st, err := e.open(c.Context())
		if err != nil {
			return err
		}
		if err := st.Close(); err != nil {
			return errors.Join(errors.New("the schema is there, but the store did not close"), err)
		}
		fmt.Fprintln(c.OutOrStdout(), "up to date:", e)
		return nil
	}
	return c
}
