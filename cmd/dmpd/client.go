package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"opendmp/issuer"
	"opendmp/policy"
)

func clientCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "client",
		Short: "Register, list and revoke the clients of the authorisation server",
		Long: `Register, list and revoke the clients of the authorisation server.

Clients stand in the file of the setting clients, or in the store, where these
commands put them. A client that is revoked here is revoked although the file has
it. With --settings these commands look at what the server looks at: its store, its
clients and its establishments.

A client takes effect at once, but what it says of its establishment (identifiers,
decision of the CME) enters the rules when a server starts. The embedded store is
held by a running server: stop it first.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(clientAddCommand(), clientListCommand(), clientRevokeCommand())
	return c
}

// book is what the commands work on: the clients of a server, and its establishments.
type book struct {
	*issuer.Registry
	establishments []policy.Establishment // of the settings
	noIdentity     bool                   // the settings are there, and have no psc
	regulators     func([]issuer.Client) error
}

// bookFlags adds the flags that say where the clients are, and returns what opens them:
// settings as `dmpd serve` reads them.
func bookFlags(c *cobra.Command) func(func(*book) error) error {
	file := c.Flags().String("settings", "", "settings file of the server, JSON")
	dataFlag(c)
	c.Flags().String("store", "", "sqlite, or mongodb://… of a replica set (sqlite); a URI with a password goes into DMPD_STORE or the settings file")
	c.Flags().String("clients", "", "file of the setting clients")
	return func(do func(*book) error) error {
		s, err := readSettings(*file, os.Environ(), c.Flags())
		if err != nil {
			return err
		}
		return inBook(c.Context(), s, func(b *book) error {
			b.noIdentity = *file != "" && s.Identity == (identitySettings{})
			b.regulators = func(clients []issuer.Client) error {
				if *file == "" {
					return nil // the setting samu is not known
				}
				return regulators(s.TLS.SAMU, clients)
			}
			return do(b)
		})
	}
}

// inBook runs a function on the clients of the store, and of a file if there is one.
func inBook(ctx context.Context, s settings, do func(*book) error) (err error) {
	establishments, err := s.establishments()
	if err != nil {
		return err
	}
	clients, err := readClients(s.Clients)
	if err != nil {
		return err
	}
	now := &clock{}
	e, err := engineOf(s.Store, s.Data, now)
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
	return do(&book{Registry: r, establishments: establishments})
}

// readClients reads a file of clients; none if there is no file.
func readClients(file string) ([]issuer.Client, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("clients: %w", err)
	}
	clients, err := issuer.ParseClients(text)
	if err != nil {
		return nil, fmt.Errorf("clients: %s: %w", file, err)
	}
	return clients, nil
}

// add registers clients, in order, and names each that is. Before the first it refuses
// them all where a server would not start with them.
func (b *book) add(ctx context.Context, clients []issuer.Client, out io.Writer) error {
	there, err := b.List(ctx)
	if err != nil {
		return err
	}
	if _, err := registered(b.establishments, append(there, clients...)); err != nil {
		return err
	}
	if b.noIdentity {
		if err := needIdentity(clients); err != nil {
			return err
		}
	}
	if err := b.regulators(clients); err != nil {
		return err
	}
	for _, client := range clients {
		if err := b.Add(ctx, client); err != nil {
			return err
		}
		fmt.Fprintln(out, client.ID)
	}
	return nil
}

func clientAddCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "add FILE",
		Short: "Register the clients of a file, a JSON array",
		Args:  cobra.ExactArgs(1),
	}
	open := bookFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		clients, err := readClients(args[0])
		if err != nil {
			return err
		}
		return open(func(b *book) error { return b.add(c.Context(), clients, c.OutOrStdout()) })
	}
	return c
}

func clientListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the clients, with the identifiers and the decision of each establishment", Args: cobra.NoArgs}
	open := bookFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return open(func(b *book) error {
			all, err := b.List(c.Context())
			for _, client := range all {
				printClient(c.OutOrStdout(), client)
			}
			return err
		})
	}
	return c
}

// printClient prints a line for a client, and one for what an establishment registers.
func printClient(out io.Writer, c issuer.Client) {
	fmt.Fprintf(out, "%-24s %-14s %-8s %s\n", c.ID, c.Kind, c.Status, c.Name)
	if c.Kind != issuer.Establishment {
		return
	}
	decision := "no decision of its CME: does not feed by itself"
	if c.Decision != "" {
		decision = c.DecisionDate + " " + c.Decision
	}
	fmt.Fprintf(out, "%-24s %s; %s\n", "", strings.Join(c.Structures, " "), decision)
}

func clientRevokeCommand() *cobra.Command {
	c := &cobra.Command{Use: "revoke CLIENT_ID", Short: "Revoke a client and its tokens", Args: cobra.ExactArgs(1)}
	open := bookFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return open(func(b *book) error { return b.Revoke(c.Context(), args[0]) })
	}
	return c
}
