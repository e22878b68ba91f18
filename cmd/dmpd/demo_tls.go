package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"opendmp/cmd/dmpd/internal/connect"
	"opendmp/sandbox"
	"opendmp/sandbox/idp"
)

// tlsDemo is what the story of connections is played on: a folder of its own with a
// test PKI, an identity provider and a server, both on sockets of their own.
type tlsDemo struct {
	folder   string
	pki      sandbox.PKI
	provider *identityProvider
	opened   *openedSandbox
}

func (d *tlsDemo) in(name string) string { return filepath.Join(d.folder, name) }

// playTLSDemo tells how software connects, and leaves nothing behind.
func playTLSDemo(ctx context.Context, out, progress io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "dmpd-demo-tls-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	d := &tlsDemo{folder: folder}
	stop, err := d.open(ctx, progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	who, err := readIDs(d.in("data"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "OpenDMP %s, se connecter par de vrais certificats et de vrais jetons (personnes inventées)\n", version())
	return connect.Tell(ctx, d.options(who, out))
}

// open makes and serves everything; stop ends it all.
func (d *tlsDemo) open(ctx context.Context, progress io.Writer) (stop func() error, err error) {
	d.pki = sandbox.PKI{Folder: d.in("pki"), Now: time.Now, Rand: rand.Reader}
	if err := d.pki.Init(); err != nil {
		return nil, err
	}
	if err := d.register(); err != nil {
		return nil, err
	}
	if d.provider, err = (identityFlags{addr: "127.0.0.1:0", pki: d.pki.Folder}).open(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, d.provider.l.Close())
	}
	s, err := d.settings()
	if err == nil {
		d.opened, err = openSandbox(ctx, s, l.Addr(), slog.New(slog.DiscardHandler), progress)
	}
	if err != nil {
		return nil, errors.Join(err, d.provider.l.Close(), l.Close())
	}
	serving, end := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- d.opened.serve(serving, l) }()
	go func() { ended <- d.provider.serve(serving) }()
	return func() error {
		end()
		return errors.Join(<-ended, <-ended)
	}, nil
}

// register writes the key of hopital-nord and the clients.
func (d *tlsDemo) register() error {
	keys, err := d.hospitalKey()
	if err != nil {
		return err
	}
	clients, err := sandboxClients(d.pki.Folder, keys)
	if err != nil {
		return err
	}
	text, err := json.Marshal(clients)
	if err != nil {
		return err
	}
	return os.WriteFile(d.in("clients.json"), text, 0o600)
}

const hospitalKID = "hopital-nord-1"

// hospitalKey makes the key of hopital-nord and returns its JWK set.
func (d *tlsDemo) hospitalKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(d.in("hopital.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "use": "sig", "kid": hospitalKID, "x": b64(point[1:33]), "y": b64(point[33:]),
	}}})
}

// settings are those of the server: every part of the real one that can be had on a
// laptop.
func (d *tlsDemo) settings() (settings, error) {
	in := func(name string) string { return filepath.Join(d.pki.Folder, name) }
	samu, err := readCertificate(in("org-samu-75.pem"))
	if err != nil {
		return settings{}, err
	}
	s := settings{
		Sandbox: true, Addr: "127.0.0.1:0", Data: d.in("data"), Clients: d.in("clients.json"), Identity: d.provider.settings,
		TLS: tlsSettings{
			Pro: "127.0.0.1:0", Patient: "127.0.0.1:0", Cert: in("serveur.pem"), Key: in("serveur.key"),
			Persons: in("ca-personnes.pem"), Organisations: in("ca-organisations.pem"),
			CRLs: []string{in("crl-personnes.pem"), in("crl-organisations.pem")}, SAMU: []string{samu.Subject.ToRDNSequence().String()},
		},
	}
	return s, s.check()
}

func (d *tlsDemo) options(who cast, out io.Writer) connect.Options {
	ins := who.options("", nil, out).INS
	return connect.Options{
		Pro: d.opened.tls.url("tls-pro"), Patient: d.opened.tls.url("tls-patient"), Identity: d.provider.Issuer(), Secret: idp.Secret,
		PKI: d.pki.Folder, HospitalKey: d.in("hopital.key"), HospitalKID: hospitalKID, INS: ins,
		Revoke: func(name string) error {
			if err := d.pki.Revoke(name); err != nil {
				return err
			}
			return d.opened.tls.reload()
		},
		StopIdentity: sync.OnceFunc(d.provider.close),
		Out:          out,
	}
}
