package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"opendmp/issuer"
)

func clientCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "client",
		Short: "Register, list and revoke the clients of the authorisation server",
		Long: `Register, list and revoke the clients of the authorisation server.

Clients stand in the file of the setting clients, or in the store, where these
commands put them. A client that is revoked here is revoked although the file has
it. The embedded store is held by a running server: stop it first.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(clientAddCommand(), clientListCommand(), clientRevokeCommand())
	return c
}

// inRegistry runs a function on the clients of the store, and of a file if there is one.
func inRegistry(ctx context.Context, data, uri, file string, do func(*issuer.Registry) error) (err error) {
	now := &clock{}
	var clients []issuer.Client
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if clients, err = issuer.ParseClients(text); err != nil {
			return err
		}
	}
	e, err := engineOf(uri, data, now)
	if err != nil {
		return err
	}
	st, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	r, err := issuer.NewRegistry(ctx, clients, st, nil, now.Now)
	if err != nil {
		return err
	}
	return do(r)
}

// storeFlag adds the flag of the store, which the environment can give as well.
func storeFlag(c *cobra.Command) *string {
	return c.Flags().String("store", os.Getenv(envPrefix+"STORE"), "sqlite, or mongodb://… of a replica set (sqlite); DMPD_STORE")
}

func clientAddCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "add FILE",
		Short: "Register the clients of a file, a JSON array",
		Args:  cobra.ExactArgs(1),
	}
	data, uri := dataFlag(c), storeFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		text, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		clients, err := issuer.ParseClients(text)
		if err != nil {
			return err
		}
		return inRegistry(c.Context(), *data, *uri, "", func(r *issuer.Registry) error {
			for _, client := range clients {
				if err := r.Add(c.Context(), client); err != nil {
					return err
				}
				fmt.Fprintln(c.OutOrStdout(), client.ID)
			}
			return nil
		})
	}
	return c
}

func clientListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the clients", Args: cobra.NoArgs}
	data, uri := dataFlag(c), storeFlag(c)
	file := c.Flags().String("clients", "", "file of the setting clients")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return inRegistry(c.Context(), *data, *uri, *file, func(r *issuer.Registry) error {
			all, err := r.List(c.Context())
			for _, client := range all {
				fmt.Fprintf(c.OutOrStdout(), "%-24s %-14s %-8s %s\n", client.ID, client.Kind, client.Status, client.Name)
			}
			return err
		})
	}
	return c
}

func clientRevokeCommand() *cobra.Command {
	c := &cobra.Command{Use: "revoke CLIENT_ID", Short: "Revoke a client and its tokens", Args: cobra.ExactArgs(1)}
	data, uri := dataFlag(c), storeFlag(c)
	file := c.Flags().String("clients", "", "file of the setting clients")
	c.RunE = func(c *cobra.Command, args []string) error {
		return inRegistry(c.Context(), *data, *uri, *file, func(r *issuer.Registry) error {
			return r.Revoke(c.Context(), args[0])
		})
	}
	return c
}
