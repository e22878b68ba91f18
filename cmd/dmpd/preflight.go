package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/issuer"
	"opendmp/policy"
	"opendmp/server"
	"opendmp/vault"
)

// ready refuses settings with which a server must not start. For a real service it
// looks at each file that they name, and tells all that is wrong at once, each by the
// name of its setting and with what to do. It opens no store, asks no network and
// makes no file.
func (s settings) ready(now func() time.Time) error {
	found := s.shape()
	if !s.Sandbox {
		for _, look := range [...]func(*faults){s.inspectData, s.inspectIssuers, s.inspectClients, s.inspectDirectory} {
			look(&found)
		}
		s.inspectMatrix(now(), &found)
		s.TLS.inspect(now, s.Base, &found)
	}
	return found.err()
}

// inspectData looks for the keys and the store, and refuses those of a sandbox: its
// dossiers are invented, and its key signs tokens for whoever asks.
func (s settings) inspectData(f *faults) {
	if err := checkFolder(s.Data); err != nil {
		f.add(fmt.Errorf("%w: say where the keys and the store of this service are; one that never ran has them made once (dmpd init --data FOLDER)", err))
		return
	}
	const todo = "say where it is; only for a service that never ran, make it once (dmpd init)"
	_, err := vault.OpenDir(vaultDir(s.Data), false, rand.Reader)
	f.set("data", todo, err)
	if err == nil && (s.Store == "" || s.Store == "sqlite") {
		_, err = os.Stat(storeDir(s.Data))
		f.set("data", todo, err)
	}
}

// inspectIssuers reads the keys of who signs the tokens that are taken from elsewhere.
func (s settings) inspectIssuers(f *faults) {
	for _, i := range s.externalIssuers() {
		if i.Keys != "" {
			_, err := publicKeys(i.Keys)
			f.set("", "give a folder with the public keys of the issuer, <kid>.pem", err)
		}
		_, err := i.client()
		f.set("", "give the CAs of the certificate of issuer-jwks, PEM", err)
	}
}

// inspectMatrix reads the habilitation matrix, and looks for the table that holds now:
// before the first one nobody is allowed anything.
func (s settings) inspectMatrix(now time.Time, f *faults) {
	if s.Matrix == "" {
		return
	}
	matrix, err := policy.LoadMatrix(os.DirFS(s.Matrix))
	if err != nil {
		f.set("matrix", "the folder of the tables, AAAA-MM-JJ.csv (dmpd matrix import, dmpd matrix check)", fmt.Errorf("%s: %w", s.Matrix, err))
		return
	}
	f.add(openCells(matrix, s.MatrixUnknown != "deny"))
	if matrix.InForce(now) == nil {
		f.add(fmt.Errorf("matrix: no table of %s is in force yet, the first is %s, and until that day no professional would be given anything: put the one that holds today beside it (dmpd matrix import)", s.Matrix, firstTable(s.Matrix)))
	}
}

// firstTable returns the name of the earliest table of a folder: names sort by day.
func firstTable(folder string) string {
	names, err := fs.Glob(os.DirFS(folder), "*.csv")
	if err != nil || len(names) == 0 {
		return "none"
	}
	return slices.Min(names)
}

// openCells refuses a matrix with cells that nobody decided.
func openCells(matrix *policy.Matrix, whole bool) error {
	if open := matrix.Unknown(); whole && len(open) > 0 {
		return fmt.Errorf("matrix: %d cells are open, the first is %s: complete it, or set matrix-unknown to deny", len(open), open[0])
	}
	return nil
}

// inspectClients looks at the clients of the authorisation server, what it needs for
// them, and the establishments.
func (s settings) inspectClients(f *faults) {
	establishments, err := s.establishments()
	f.add(err)
	clients, err := readClients(s.Clients)
	if err != nil {
		f.set("", "it is a JSON array of the registered clients (docs/exploitation.md)", err)
	}
	if err == nil {
		_, err = registered(establishments, clients)
		f.add(err)
		f.add(regulators(s.TLS.SAMU, clients))
	}
	s.Identity.inspect(s.Clients != "", s.TLS.Test, clients, f)
	_, err = s.Identity.client(s.TLS.Test)
	f.add(err)
}

// inspect looks for each part of the setting psc, and whether there is one at all where
// a client exchanges tokens. The provider of the sandbox is for who asks for it (test).
func (s identitySettings) inspect(served, test bool, clients []issuer.Client, f *faults) {
	if s == (identitySettings{}) {
		f.add(needIdentity(clients))
		return
	}
	if !served {
		f.add(errPSCWithoutClients)
	}
	var missing []string
	for _, part := range []struct{ name, value string }{
		{"issuer", s.Issuer}, {"introspection", s.Introspection}, {"userinfo", s.UserInfo}, {"client-id", s.ClientID}, {"secret-file", s.SecretFile},
	} {
		switch {
		case part.value == "":
			missing = append(missing, "psc."+part.name)
		case part.name != "client-id" && part.name != "secret-file":
			f.set("psc."+part.name, "write what Pro Santé Connect publishes", auth.CheckURL(part.value))
			f.add(s.elsewhere(part.name, part.value))
		}
	}
	if len(missing) > 0 {
		f.add(fmt.Errorf("psc needs: %s, as Pro Santé Connect gave them to you", strings.Join(missing, ", ")))
	}
	var secret string
	if s.SecretFile != "" {
		var err error
		secret, err = s.secret()
		f.add(err)
	}
	if !test {
		f.add(s.notOfSandbox(secret))
	}
}

var errPSCWithoutClients = errors.New("psc without clients: name the file of those that may exchange its tokens")

// needIdentity refuses clients whose tokens could not be exchanged.
func needIdentity(clients []issuer.Client) error {
	i := slices.IndexFunc(clients, func(c issuer.Client) bool { return c.Kind != issuer.Establishment && c.Status == issuer.Active })
	if i < 0 {
		return nil
	}
	return fmt.Errorf("psc is missing: the client %s exchanges tokens of Pro Santé Connect: give it issuer, introspection, userinfo, client-id and secret-file", clients[i].ID)
}

// secret reads the secret of psc, a file that nobody else may read.
func (s identitySettings) secret() (string, error) {
	const todo = "write the secret of psc.client-id into a file of mode 0600"
	info, err := os.Stat(s.SecretFile)
	if err != nil {
		return "", fmt.Errorf("psc.secret-file: %w: %s", err, todo)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("psc.secret-file: %s: mode %04o lets others read it: %s", s.SecretFile, info.Mode().Perm(), todo)
	}
	text, err := os.ReadFile(s.SecretFile)
	if err != nil {
		return "", fmt.Errorf("psc.secret-file: %w: %s", err, todo)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("psc.secret-file: %s is empty: %s", s.SecretFile, todo)
	}
	return secret, nil
}

// inspect reads the files of the listeners under TLS as open does, and refuses a list
// of revoked certificates that is out of date: every certificate of its CA would be
// answered 503. Where callers come without a proxy before it, its certificate is that of
// the host of base, and of that of base-patient.
func (s tlsSettings) inspect(now func() time.Time, base string, f *faults) {
	if s.Cert != "" && s.Key != "" {
		pair, err := server.LoadKeyPair(s.Cert, s.Key, now)
		f.set("tls-cert, tls-cle", "give the certificate of this server, valid now, and its key, mode 0600", err)
		if err == nil {
			f.add(s.notOfTest(pair))
			f.add(checkServer(pair.Leaf()))
			if s.Pro != "" { // callers of a proxy know the certificate of that
				f.add(checkHost(pair.Leaf(), "base", base))
			}
			if s.Patient != "" {
				f.add(checkHost(pair.Leaf(), "base-patient", s.PatientBase))
			}
		}
	}
	if !s.certified() {
		return
	}
	if !s.inspectCAs(f) {
		return
	}
	certs, err := s.certificates(now)
	if err != nil {
		f.set("ca-personnes, ca-organisations, crl", "give the CAs that issue the certificates themselves, and the list of each", err)
		return
	}
	f.set("crl", "fetch the current list of that CA (crl-delai says how long an old one serves)", certs.Stale())
}

// inspectCAs reads the files of the CAs, looks for those of their lists, and tells
// whether there are any and all can be read.
func (s tlsSettings) inspectCAs(f *faults) bool {
	before, lists := len(*f), listed(s.CRLs)
	for _, class := range []struct{ setting, file string }{{"ca-personnes", s.Persons}, {"ca-organisations", s.Organisations}} {
		_, err := readCAs(class.setting, class.file)
		f.set("", "give the CAs that issue the certificates of this class themselves, PEM", err)
	}
	for _, file := range lists {
		_, err := os.Stat(file)
		f.set("crl", "fetch the list of its CA there", err)
	}
	return len(*f) == before && len(lists) > 0 && s.Persons+s.Organisations != ""
}
