package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/policy"
	"opendmp/sandbox"
)

// inquiry is what `dmpd explain` is asked.
type inquiry struct {
	as, document, operator string
	data, store, settings  string
}

// readsNot is the exit code of an explanation that ends with: does not read.
const readsNot = 2

func explainCommand() *cobra.Command {
	var q inquiry
	c := &cobra.Command{
		Use:   "explain --as WHO --document ID",
		Short: "Tell whether somebody may read a document, and by which rules",
		Long: `Tell whether somebody may read a document now, and by which rules: the answer to
"why do I not see this letter?". Nothing of the document is shown, be it its type:
an operator sees no clinical content.

WHO is a persona of the sandbox (bin/dmpd sandbox personas lists them), or a JSON
file with the claims of an access token, as the issuer would sign them; times, jti,
iss and aud are not needed and not looked at. ID is that of the DocumentReference;
in the sandbox also the name of one of its documents, such as alix-masque.

The question goes through the door like any other. It is in the history of the
record before it is answered, with the name of --operator, and the patient sees
it. It needs the folder of keys, and for a real service the server's settings
(--settings), since the rules depend on them. It opens no emergency access: who has
none open does not read by one.

The embedded store is opened by one process at a time: stop the server first. The
patient and a médecin traitant need none of this: DocumentReference/ID/$expliquer
tells them who else reads a document that they read.

Exit 0 when the document is read, be it the metadata only; 2 when it is not; 1 when
the question could not be answered, which is said.`,
		Example: `  dmpd explain --as pharmacien-dubois --document alix-masque
  dmpd explain --as claims.json --document t4x… --settings /etc/dmpd.json --operator a.martin`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return q.answer(c.Context(), c.OutOrStdout()) },
	}
	f := c.Flags()
	f.StringVar(&q.as, "as", "", "persona of the sandbox, or a file of claims (.json)")
	f.StringVar(&q.document, "document", "", "id of the DocumentReference")
	f.StringVar(&q.operator, "operator", "", "who asks, as the history tells it (the account on this machine)")
	f.StringVar(&q.data, "data", "", "folder of the keys, and of the embedded store (./var, or that of the settings)")
	f.StringVar(&q.store, "store", "", "sqlite, or mongodb://… of a replica set (DMPD_STORE, the settings, or sqlite)")
	f.StringVar(&q.settings, "settings", "", "settings file of the server, JSON")
	for _, name := range []string{"as", "document"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // the flag was just made
		}
	}
	return c
}

// answer asks the door and prints what it says.
func (q inquiry) answer(ctx context.Context, out io.Writer) error {
	p, id, err := q.plan()
	if err != nil {
		return err
	}
	prove, err := newProver(p.clock)
	if err != nil {
		return err
	}
	claims, err := q.claims()
	if err != nil {
		return err
	}
	who, err := prove(ctx, claims)
	if err != nil {
		return fmt.Errorf("nobody could have these claims: %w", err)
	}
	operator, err := q.asking(ctx, prove)
	if err != nil {
		return err
	}
	var v dossier.Verdict
	err = p.throughDoor(ctx, func(door *dossier.Service) error {
		v, err = door.Verdict(ctx, operator, who, id)
		return err
	})
	switch {
	case errors.Is(err, dossier.ErrNotFound):
		return fmt.Errorf("no document %q: it never was, or it is deleted", id)
	case err != nil:
		return err
	}
	if err := printVerdict(out, v); err != nil {
		return err
	}
	if !v.Decision.Allowed() {
		return &exitError{code: readsNot}
	}
	return nil
}

// plan returns the plan of the server whose rules are asked, and the id of the
// document: a sandbox's folder says by itself that it is one.
func (q inquiry) plan() (p plan, id string, err error) {
	s, err := readSettings(q.settings, os.Environ(), &pflag.FlagSet{})
	if err != nil {
		return p, "", err
	}
	if q.data != "" {
		s.Data = q.data
	}
	if q.store != "" {
		s.Store = q.store
	}
	id = strings.TrimPrefix(q.document, "DocumentReference/")
	log := slog.New(slog.DiscardHandler)
	if exists(idsFile(s.Data)) {
		people, err := readIDs(s.Data)
		if err != nil {
			return p, "", err
		}
		for _, w := range people {
			if known, ok := w.Documents[id]; ok {
				id = known
			}
		}
		p, _, err = sandboxPlan(s, "urn:opendmp:explain", log)
		return p, id, err
	}
	if err := s.check(); err != nil {
		return p, "", err
	}
	p, err = realPlan(s, log)
	return p, id, err
}

// claims are those of --as.
func (q inquiry) claims() (auth.Claims, error) {
	if !strings.HasSuffix(q.as, ".json") {
		p, ok := sandbox.Lookup(q.as)
		if !ok {
			return auth.Claims{}, fmt.Errorf("no persona %q, and no file of claims (.json); there are: %s", q.as, strings.Join(personaKeys(), ", "))
		}
		return p.Claims("", ""), nil
	}
	data, err := os.ReadFile(q.as)
	if err != nil {
		return auth.Claims{}, err
	}
	var c auth.Claims
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields() // a claim misspelt would be a restriction forgotten
	if err := d.Decode(&c); err != nil {
		return auth.Claims{}, fmt.Errorf("%s: %w", q.as, err)
	}
	if c.Subject == "" {
		c.Subject = "explain"
	}
	c.IssuedAt, c.NotBefore, c.Expires, c.ID = 0, 0, 0, ""
	return c, nil
}

// asking is the operator, by their name.
func (q inquiry) asking(ctx context.Context, prove prover) (auth.Principal, error) {
	name := q.operator
	if name == "" {
		account, err := user.Current()
		if err != nil {
			return auth.Principal{}, fmt.Errorf("who asks? --operator: %w", err)
		}
		name = account.Username
	}
	c := auth.Claims{Subject: "operator", Client: "dmpd-explain", DMP: auth.DMP{Kind: auth.Operator.String()}}
	c.Extensions.IUA = auth.IUA{
		SubjectName: name, PersonID: auth.SystemAccount + "|" + strings.ReplaceAll(name, " ", "."),
		Purpose: []auth.Coding{{System: auth.SystemActReason, Code: "HSYSADMIN"}},
	}
	p, err := prove(ctx, c)
	if err != nil {
		return p, fmt.Errorf("--operator %q: letters, digits and . _ - without spaces: %w", name, err)
	}
	return p, nil
}

// prover makes Principals of claims by the one way there is: a token, verified.
type prover func(ctx context.Context, c auth.Claims) (auth.Principal, error)

// newProver makes a prover under a key that nobody else has or keeps.
func newProver(now *clock) (prover, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	const here = "urn:opendmp:explain"
	signer, err := auth.NewSigner(key, here, here, now.Now, rand.Reader)
	if err != nil {
		return nil, err
	}
	verifier, err := auth.NewVerifier(auth.Config{Issuers: []auth.Issuer{signer.Trust()}, Now: now.Now})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, c auth.Claims) (auth.Principal, error) {
		token, err := signer.Sign(c)
		if err != nil {
			return auth.Principal{}, err
		}
		return verifier.Verify(ctx, token)
	}, nil
}

// printVerdict prints the sentence in both languages, the situation, and each rule
// that decided with its own sentence and its source.
func printVerdict(out io.Writer, v dossier.Verdict) error {
	extent := map[policy.Extent]string{policy.None: "nothing", policy.Metadata: "metadata", policy.Full: "whole"}[v.Decision.Extent()]
	ids := v.Decision.Rules()
	fmt.Fprintf(out, "%s\n%s\n\n", v.Sentence.FR, v.Sentence.EN)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "reads\t%s\n", extent)
	fmt.Fprintf(w, "rules\t%s\n", strings.Join(ids, " "))
	fmt.Fprintf(w, "status\t%s\n", v.Situation.Authorisation)
	fmt.Fprintf(w, "mode\t%s\n", modeName(v.Situation.Mode))
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range policy.Rules() {
		for _, id := range ids {
			if r.ID == id {
				fmt.Fprintf(out, "\n%s  %s\n%*s  %s\n", id, r.Sentence.FR, len(id), "", r.Source)
			}
		}
	}
	return nil
}

func modeName(m auth.Mode) string {
	switch m {
	case auth.BrisDeGlace:
		return "bris_de_glace"
	case auth.Centre15:
		return "centre_15"
	}
	return "normal"
}
