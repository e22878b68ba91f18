package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"opendmp/auth"
	"opendmp/sandbox"
)

// sandboxName is the issuer and the audience of the sandbox's tokens, wherever
// it listens.
const sandboxName = "urn:opendmp:sandbox"

// sandboxKey is the file of the key that signs them, in the folder of the sandbox.
const sandboxKey = "sandbox-key.pem"

func tokenCommand() *cobra.Command {
	var as, purpose, reason string
	c := &cobra.Command{
		Use:   "token --as PERSONA",
		Short: "Print an access token for a persona of the sandbox",
		Long: `Print an access token for a persona of the sandbox, valid for an hour, and
nothing else, so that it can stand in a command:

  curl -H "Authorization: Bearer $(bin/dmpd token --as medecin-martin)" …

It is signed with the key of the sandbox in --data, which dmpd serve --sandbox
made.`,
		Example: `  bin/dmpd token --as medecin-martin
  bin/dmpd token --as urgentiste-roche --purpose BTG --reason "Patiente inconsciente"`,
		Args: cobra.NoArgs,
	}
	data := dataFlag(c)
	c.Flags().StringVar(&as, "as", "", "persona (bin/dmpd sandbox personas lists them)")
	c.Flags().StringVar(&purpose, "purpose", "", "purpose of use: BTG or bris_de_glace, centre_15, TREAT, …; that of the persona if empty")
	c.Flags().StringVar(&reason, "reason", "", "written reason of 10 to 500 characters, for BTG and bris_de_glace")
	c.RunE = func(c *cobra.Command, _ []string) error {
		signer, err := sandboxSigner(*data, auth.LoadKey, &clock{})
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("no sandbox in %s: start it once with bin/dmpd serve --sandbox --data %s", *data, *data)
		}
		if err != nil {
			return err
		}
		token, err := personaToken(signer, as, purpose, reason)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(c.OutOrStdout(), token)
		return err
	}
	return c
}

// sandboxSigner returns the signer of a sandbox, with a key that load loads, or
// makes.
func sandboxSigner(data string, load func(path string) (*ecdsa.PrivateKey, error), now *clock) (*auth.Signer, error) {
	key, err := load(filepath.Join(data, sandboxKey))
	if err != nil {
		return nil, err
	}
	return auth.NewSigner(key, sandboxName, sandboxName, now.Now, rand.Reader)
}

// personaToken signs a token for a persona. Its error is a *badAsk where the
// persona, the purpose or the reason is at fault.
func personaToken(signer *auth.Signer, as, purpose, reason string) (string, error) {
	return boundToken(signer, as, purpose, reason, nil)
}

// boundToken is personaToken of a token that only the holder of a certificate or of a
// DPoP key can use; of nil it is one that anybody can.
func boundToken(signer *auth.Signer, as, purpose, reason string, to *auth.Confirmation) (string, error) {
	p, ok := sandbox.Lookup(as)
	if !ok {
		keys := strings.Join(personaKeys(), ", ")
		return "", refuseAsk("Champ « as » : un de "+keys+".", fmt.Sprintf("no persona %q; there are: %s", as, keys))
	}
	if err := checkAsk(p, purpose, reason); err != nil {
		return "", err
	}
	c := p.Claims(purpose, reason)
	if p.Kind == auth.Patient || p.Kind == auth.Representative {
		// Whoever asks for a token of the sandbox plays the log-in too, code included:
		// for ten minutes it is fresh enough to destroy (G04).
		c.DMP.Confirmed = signer.Now().Unix()
	}
	c.Confirmation = to
	return signer.Sign(c)
}

func personaKeys() []string {
	var keys []string
	for _, p := range sandbox.Personas() {
		keys = append(keys, p.Key)
	}
	return keys
}
