package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"opendmp/cmd/dmpd/internal/transfer"
)

func copyCommand() *cobra.Command {
	var from, to string
	c := &cobra.Command{
		Use:   "copy",
		Short: "Copy a whole store to another engine, and verify it",
		Long: `Copy a whole store into an empty one, of the same engine or another, then read
both whole and compare counts and hashes.

STOP EVERY SERVER OF BOTH STORES FIRST, and start none before the end. The
embedded store refuses to be opened twice; a MongoDB cannot know.

A store is the data folder of a server (its store is in the folder "store") or a
mongodb:// URI. A URI with a password goes into DMPD_FROM or DMPD_TO. Only sealed
bytes are moved: keys are neither read nor copied, and the copy needs the same
folder of keys as its source.

A copy that was stopped goes on where it was when the same command is run again.
Until it has ended well, no server starts on the target. Exit 1 when the two
differ; the target must then be emptied and the copy begun again.`,
		Example: `  DMPD_TO='mongodb://user:…@db1,db2,db3/opendmp?replicaSet=rs0' dmpd copy --from ./var
  dmpd serve --data ./var --store mongodb://…   # the same keys, the new store`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			source, target, err := sides(orEnv(from, "FROM"), orEnv(to, "TO"))
			if err != nil {
				return err
			}
			return copyStore(c.Context(), source, target, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&from, "from", "", "store to copy: a data folder, or mongodb://… (DMPD_FROM)")
	c.Flags().StringVar(&to, "to", "", "store to fill: a data folder, or mongodb://… (DMPD_TO)")
	return c
}

func orEnv(flag, name string) string {
	if flag == "" {
		return os.Getenv(envPrefix + name)
	}
	return flag
}

// sides reads both addresses.
func sides(from, to string) (source, target engine, err error) {
	if from == "" || to == "" {
		return source, target, errors.New("copy needs --from and --to: a data folder or a mongodb:// URI each")
	}
	source, err1 := engineAt(from)
	target, err2 := engineAt(to)
	if err := errors.Join(err1, err2); err != nil {
		return source, target, err
	}
	if source.uri == target.uri && source.folder == target.folder {
		return source, target, errors.New("--from and --to are the same store")
	}
	return source, target, nil
}

// engineAt reads the address of a store: a URI, or a data folder.
func engineAt(address string) (engine, error) {
	if strings.Contains(address, "://") {
		return engineOf(address, "", &clock{})
	}
	data, err := filepath.Abs(address)
	if err != nil {
		return engine{}, err
	}
	return engineOf("sqlite", data, &clock{})
}

// copyStore copies and compares. The table of the comparison is printed also when
// the two differ.
func copyStore(ctx context.Context, source, target engine, out, progress io.Writer) (err error) {
	from, err := opened(source.open(ctx))
	if err != nil {
		return fmt.Errorf("the source: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := opened(target.openOrMake(ctx))
	if err != nil {
		return fmt.Errorf("the target: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()

	told, ended := bar("copying", progress)
	n, err := transfer.Copy(ctx, from, to, told)
	ended()
	if err != nil {
		return stopped(ctx, err)
	}
	fmt.Fprintf(out, "copied %d items from %s to %s\n\n", n, source, target)

	told, ended = bar("comparing", progress)
	report, err := transfer.Finish(ctx, from, to, told)
	ended()
	if len(report) > 0 {
		if err := printReport(out, report); err != nil {
			return err
		}
	}
	if err != nil {
		return stopped(ctx, err)
	}
	_, err = fmt.Fprintln(out, "\nboth sides are the same")
	return err
}

// opened demands of an opened store what a copy needs.
func opened(st io.Closer, err error) (transfer.Engine, error) {
	if err != nil {
		return nil, err
	}
	e, ok := st.(transfer.Engine)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T cannot be copied", st), st.Close())
	}
	return e, nil
}

// stopped says how to go on after a copy that was told to stop.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("stopped: run the same command again to go on")
	}
	return err
}

// bar is shown when something takes more than two seconds. It is drawn by whoever
// tells the progress, and by nobody else.
func bar(what string, out io.Writer) (told transfer.Progress, ended func()) {
	const steps = 1000
	b := progressbar.NewOptions(steps, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetVisibility(false))
	begun := time.Now()
	told = func(done float64) {
		if time.Since(begun) < 2*time.Second {
			return
		}
		progressbar.OptionSetVisibility(true)(b)
		_ = b.Set(int(done * steps)) // a bar that cannot be drawn stops no copy
	}
	return told, func() { _ = b.Finish() }
}

// printReport prints what both sides hold. The digest is cut: the whole was compared.
func printReport(out io.Writer, report transfer.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "part\tsource\ttarget\tbytes\tSHA-256 of source\tof target\t")
	for _, l := range report {
		verdict := ""
		if l.From != l.To {
			verdict = "DIFFERS"
		}
		fmt.Fprintf(w, "%v\t%d\t%d\t%d\t%.8x\t%.8x\t%s\n", l.Part, l.From.Items, l.To.Items, l.From.Bytes, l.From.Digest, l.To.Digest, verdict)
	}
	return w.Flush()
}
