package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/bench"
	"opendmp/cmd/dmpd/internal/ceiling"
)

// benchTimeout bounds a run whatever the machine.
const benchTimeout = 15 * time.Minute

func benchCommand() *cobra.Command {
	var o bench.Options
	c := &cobra.Command{
		Use:   "bench",
		Short: "Load records over HTTP and measure, with the ceiling of the machine beside",
		Long: `Start a server of its own on a temporary folder, load records over HTTP, and
measure pushes, searches and reads from one and from many connections: calls a
second, median and 99th percentile. Then do the same to a bare handler on the
same store engine, which answers as many bytes and makes the same durable
commits but knows no FHIR, no caller, no key and no rule: the ceiling.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if o.Program, err = os.Executable(); err != nil {
				return err
			}
			o.Out, o.Progress = c.OutOrStdout(), c.ErrOrStderr()
			o.Sign = func(data, persona string) (string, error) {
				signer, err := sandboxSigner(data, auth.LoadKey, &clock{})
				if err != nil {
					return "", err
				}
				return personaToken(signer, persona, "", "")
			}
			if o.CeilingStore, err = besideStore(o.Store); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), benchTimeout)
			defer cancel()
			return bench.Run(ctx, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Store, "store", "", "measure on this store: mongodb://…/NAME, with databases NAME and NAME_ceiling that are empty (the embedded one)")
	f.IntVar(&o.Patients, "patients", 1000, "records to load")
	f.IntVar(&o.Documents, "documents", 10, "documents in each")
	f.DurationVar(&o.Time, "time", 5*time.Second, "how long each kind of question is asked")
	f.IntVar(&o.Conns, "connections", 16, "the larger number of connections")
	c.AddCommand(ceilingCommand())
	return c
}

// besideStore is the store of the ceiling: a database beside that of the server.
func besideStore(uri string) (string, error) {
	if uri == "" {
		return "", nil
	}
	name := databaseOf(uri)
	if name == "" {
		return "", errors.New("store: the URI must name a database, which is empty")
	}
	return strings.Replace(uri, "/"+name, "/"+name+"_ceiling", 1), nil
}

// ceilingCommand is for the bench, which starts it as a child.
func ceilingCommand() *cobra.Command {
	var (
		data    string
		records int
		sizes   ceiling.Sizes
	)
	c := &cobra.Command{
		Use: "ceiling", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "http://%s\n", l.Addr())
			e, err := engineOf(os.Getenv(envPrefix+"STORE"), data, &clock{})
			if err != nil {
				return err
			}
			st, err := e.openOrMake(c.Context())
			if err != nil {
				return err
			}
			defer st.Close()
			return ceiling.Serve(c.Context(), st, l, records, sizes)
		},
	}
	f := c.Flags()
	f.StringVar(&data, "data", "", "folder of the store")
	f.IntVar(&records, "records", 1, "records that the pushes go to")
	f.IntVar(&sizes.Push, "push", 0, "size of the answer to a push")
	f.IntVar(&sizes.Search, "search", 0, "size of the answer to a search")
	f.IntVar(&sizes.Read, "read", 0, "size of the answer to a read")
	f.IntVar(&sizes.Raw, "raw", 0, "size of a document")
	return c
}
