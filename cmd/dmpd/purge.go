package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"opendmp/dossier"
	"opendmp/policy"
)

func purgeCommand() *cobra.Command {
	var address string
	var dryRun, confirm bool
	var o dossier.PurgeOptions
	c := &cobra.Command{
		Use:   "purge (--dry-run | --confirm)",
		Short: "Destroy the closed records whose ten years are over",
		Long: `Destroy the closed records whose ten years are over, in two steps: a run
announces the destruction, in the history of the record and to its patient, and a
run thirty days later or more destroys it. What is reactivated in between is left
alone. The first run of all only announces.

Run it every day. It refuses to go on, and ends with 1, when the clock went back
since the run before or is more than a week ahead of it, and when more records are
due than --most: look why before anything else. After a pause that has an
explanation, --after-gap lets one run through.

The embedded store is opened by one process at a time: stop the server first.`,
		Example: `  dmpd purge --dry-run
  dmpd purge --confirm`,
		Args: cobra.NoArgs,
	}
	data := dataFlag(c)
	f := c.Flags()
	f.StringVar(&address, "store", "", "sqlite, or mongodb://… of a replica set (DMPD_STORE, or sqlite)")
	f.BoolVar(&dryRun, "dry-run", false, "only say what is due")
	f.BoolVar(&confirm, "confirm", false, "announce and destroy")
	f.BoolVar(&o.AfterGap, "after-gap", false, "the run before was long ago, and the clock is right")
	f.IntVar(&o.Most, "most", 100, "how many records may be due")
	c.MarkFlagsOneRequired("dry-run", "confirm")
	c.MarkFlagsMutuallyExclusive("dry-run", "confirm")
	c.RunE = func(c *cobra.Command, _ []string) error {
		clock := &clock{}
		e, err := engineOf(orEnv(address, "STORE"), *data, clock)
		if err != nil {
			return err
		}
		o.Act = confirm
		p := plan{
			data: *data, engine: e, base: "urn:opendmp:purge", clock: clock, log: slog.New(slog.DiscardHandler),
			settings: policy.DefaultSettings(), matrix: policy.SandboxMatrix(), // nothing is read by it
		}
		return purge(c.Context(), p, o, c.OutOrStdout())
	}
	return c
}

// purge runs one purge and says what it did.
func purge(ctx context.Context, p plan, o dossier.PurgeOptions, out io.Writer) error {
	return p.throughDoor(ctx, func(door *dossier.Service) error {
		r, err := door.Purge(ctx, o)
		would := ""
		if !o.Act {
			would = "would be "
		}
		fmt.Fprintf(out, "%s: %d due; %sannounced %d, %sdestroyed %d; %d waiting\n",
			p.clock.Now().UTC().Format(time.RFC3339), r.Due, would, r.Announced, would, r.Destroyed, r.Waiting)
		return err
	})
}
