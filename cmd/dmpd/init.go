package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"opendmp/auth"
)

func initCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "init",
		Short: "Make the keys and the empty store of a real service",
		Long: `Make the keys and the empty store of a real service, and stop.

This is a step of its own so that a server that is given a wrong folder refuses
to start rather than begin an empty record. Keep a copy of the keys apart from
the copies of the store: without them the store is noise, and together they are
the records.`,
		Args: cobra.NoArgs,
	}
	data := dataFlag(c)
	address := c.Flags().String("store", "", "sqlite, or mongodb://… of a replica set (DMPD_STORE, or sqlite)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if entries, err := os.ReadDir(*data); err == nil && len(entries) > 0 {
			return fmt.Errorf("%s is not empty", *data)
		}
		if *address == "" {
			*address = os.Getenv(envPrefix + "STORE")
		}
		e, err := engineOf(*address, *data, &clock{})
		if err != nil {
			return err
		}
		if err := prepare(c.Context(), *data, e); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), "made the keys in", vaultDir(*data), "and the store:", e)
		return nil
	}
	return c
}

// publicKeys reads the public keys of a folder, <kid>.pem, as auth.Issuer.Keys.
func publicKeys(folder string) (func(kid string) (crypto.PublicKey, bool), error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.pem"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("issuer-keys: no <kid>.pem in %s", folder)
	}
	keys := make(map[string]crypto.PublicKey, len(files))
	for _, name := range files {
		key, err := publicKey(name)
		if err != nil {
			return nil, fmt.Errorf("issuer-keys: %s: %w", name, err)
		}
		keys[strings.TrimSuffix(filepath.Base(name), ".pem")] = key
	}
	return func(kid string) (crypto.PublicKey, bool) {
		key, ok := keys[kid]
		return key, ok
	}, nil
}

func publicKey(name string) (crypto.PublicKey, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("not a PEM block PUBLIC KEY")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key, auth.CheckKey(key)
}
