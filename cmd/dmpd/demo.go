package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/cmd/dmpd/internal/demo"
)

func demoCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Tell the whole story in the terminal, on a server of its own",
		Long: `Start a sandbox on a free port and a temporary folder, and play the story of a
shared medical record on it, in French: a push, a search, a masked document, an
emergency, an opposition, the history. Each request and its answer is a line.
It fails if any step is not as told, and leaves nothing behind.

With --tls it tells how software connects instead: with certificates of a test PKI,
through an identity provider that plays Pro Santé Connect, token by token.`,
		Args: cobra.NoArgs,
	}
	secure := c.Flags().Bool("tls", false, "how software connects: certificates, tokens, revocation, outages")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *secure {
			return playTLSDemo(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
		}
		return playDemo(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
	}
	return c
}

func playDemo(ctx context.Context, out, progress io.Writer) (err error) {
	data, err := os.MkdirTemp("", "dmpd-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p, signer, err := sandboxPlan(settings{Data: data}, sandboxBase(settings{}, l.Addr()), slog.New(slog.DiscardHandler))
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := load(ctx, p, signer, progress); err != nil {
		return errors.Join(err, l.Close())
	}
	i, err := assemble(ctx, p)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- i.serve(serving, l) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	who, err := readIDs(data)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "OpenDMP %s, une histoire de dossier partagé (personnes inventées)\n", version())
	return demo.Tell(ctx, who.options(p.base, signer, out))
}

// cast is the ids file, as the story needs it.
type cast []who

func readIDs(data string) (cast, error) {
	b, err := os.ReadFile(idsFile(data))
	if err != nil {
		return nil, err
	}
	var c cast
	return c, json.Unmarshal(b, &c)
}

func (c cast) options(base string, signer *auth.Signer, out io.Writer) demo.Options {
	documents, numbers := map[string]string{}, map[string]string{}
	for _, w := range c {
		_, numbers[w.Persona], _ = strings.Cut(w.INS, "|")
		for key, id := range w.Documents {
			documents[key] = id
		}
	}
	return demo.Options{
		Base: base, Out: out,
		Token: func(persona string) (string, error) { return personaToken(signer, persona, "", "") },
		ID:    func(document string) string { return documents[document] },
		INS:   func(patient string) string { return numbers[patient] },
	}
}
