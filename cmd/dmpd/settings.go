package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"opendmp/dossier"
	"opendmp/policy"
)

// settings are those of `dmpd serve`. Each can stand in the settings file (JSON),
// in the environment (DMPD_INS_KEY for ins-key) or on the command line; the later
// wins.
type settings struct {
	Addr    string `koanf:"addr"`
	Data    string `koanf:"data"`
	Store   string `koanf:"store"`
	Base    string `koanf:"base"`
	Sandbox bool   `koanf:"sandbox"`
	Exposed bool   `koanf:"expose-sandbox"`

	Issuer     string `koanf:"issuer"`
	Audience   string `koanf:"audience"`
	IssuerKeys string `koanf:"issuer-keys"`
	IssuerJWKS string `koanf:"issuer-jwks"`
	IssuerCA   string `koanf:"issuer-jwks-ca"`
	// Issuers are further ones, with the same names: of the settings file only.
	Issuers []externalIssuer `koanf:"issuers"`
	Matrix  string           `koanf:"matrix"`
	// Clients is the file of the clients of the authorisation server; without it there
	// is none. Identity is the setting psc.
	Clients  string           `koanf:"clients"`
	Identity identitySettings `koanf:"psc"`
	INSKey   string           `koanf:"ins-key"`
	// CDA is what a CDA does whose header contradicts its metadata: "avertir", the
	// default, "refuser" or "ignorer".
	CDA string `koanf:"controle-cda"`
	// Claims is what a write does that does not keep to a profile that it claims, with
	// the same values.
	Claims string `koanf:"controle-profils"`
	// Codes is what a write does whose codes are of no value set of the DMP, with the
	// same values.
	Codes string `koanf:"controle-terminologie"`
	// Annuaire is the file of the directory of professionals and structures; none
	// without it.
	Annuaire string `koanf:"annuaire"`
	// MatrixUnknown is what a cell that the matrix leaves open means: "refuse", the
	// default, does not start; "deny" starts and denies.
	MatrixUnknown string `koanf:"matrix-unknown"`
	// AIR is the setting air of the rules: professionals for whom an establishment
	// vouches are admitted.
	AIR bool `koanf:"air"`
	// Opening is the setting ouverture of the rules: "sur-demande", the default, or
	// "automatique".
	Opening string `koanf:"ouverture"`
	// NoticeAfter and HiddenAtMost are annonce-rappel and annonce-fin of the rules, as
	// periods of ISO 8601; the defaults are P14D and P1M (E09).
	NoticeAfter  string `koanf:"annonce-rappel"`
	HiddenAtMost string `koanf:"annonce-fin"`
	// Due is how often a server looks for what falls due by itself: a duration
	// between 1s and 1h, 1m if it is not given.
	Due string `koanf:"echeances"`
	// Feeder runs the health insurance of the sandbox: it feeds the dossiers that are
	// opened.
	Feeder bool `koanf:"sandbox-feeder"`
	// TLS are the listeners under TLS.
	TLS tlsSettings `koanf:",squash"`
	// Establishments are those that are registered: of the settings file only.
	Establishments []establishment `koanf:"etablissements"`
}

const envPrefix = "DMPD_"

// readSettings merges the file, the environment and the flags. An unknown name
// in the file is an error: it could be a protection, misspelt.
func readSettings(file string, environ []string, flags *pflag.FlagSet) (settings, error) {
	k := koanf.New(".")
	defaults := map[string]any{"addr": "127.0.0.1:8080", "data": "./var", "sandbox-feeder": true}
	sources := []koanf.Provider{values(defaults), jsonFile(file), environment(environ), changed(flags)}
	for _, source := range sources {
		if err := k.Load(source, nil); err != nil {
			return settings{}, err
		}
	}
	var s settings
	err := k.UnmarshalWithConf("", &s, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: &s, TagName: "koanf", ErrorUnused: true, WeaklyTypedInput: true,
	}})
	if err != nil {
		return settings{}, fmt.Errorf("settings: %s", strings.Join(strings.Fields(err.Error()), " "))
	}
	return s, nil
}

// provider adapts a function to koanf.
type provider func() (map[string]any, error)

// Read implements koanf.Provider.
func (p provider) Read() (map[string]any, error) { return p() }

// ReadBytes implements koanf.Provider; no source needs a parser.
func (p provider) ReadBytes() ([]byte, error) { return nil, errors.ErrUnsupported }

func values(m map[string]any) provider {
	return func() (map[string]any, error) { return m, nil }
}

// jsonFile reads a settings file; none if the name is empty.
func jsonFile(name string) provider {
	return func() (map[string]any, error) {
		if name == "" {
			return nil, nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("settings file: %w", err)
		}
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			return nil, fmt.Errorf("settings file %s: %w", name, err)
		}
		if err := uniqueKeys(data); err != nil {
			return nil, fmt.Errorf("settings file %s: %w", name, err)
		}
		return m, nil
	}
}

// environment reads DMPD_… variables.
func environment(environ []string) provider {
	m := map[string]any{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if key, ours := strings.CutPrefix(name, envPrefix); ours {
			m[strings.ReplaceAll(strings.ToLower(key), "_", "-")] = value
		}
	}
	return values(m)
}

// changed reads the flags that were given.
func changed(flags *pflag.FlagSet) provider {
	m := map[string]any{}
	flags.Visit(func(f *pflag.Flag) {
		if f.Name != "settings" {
			m[f.Name] = f.Value.String()
		}
	})
	return values(m)
}

// check refuses settings that no service should run with, without a look at the files
// that they name (ready).
func (s settings) check() error { return s.shape().err() }

// shape finds what no service should run with. For the sandbox that is to be reached
// from elsewhere; for a real service it is to lack anything.
func (s settings) shape() (f faults) {
	s.words(&f)
	f = append(f, s.TLS.shape()...)
	if s.Sandbox {
		f.add(s.kept())
		f.add(s.ownTokens())
		return f
	}
	if s.Exposed {
		f.add(errors.New("expose-sandbox: this is no sandbox: remove the setting"))
	}
	if missing := s.missing(); len(missing) > 0 {
		f.add(fmt.Errorf("a real service needs: %s (as --%s, or in the file of --settings); to try OpenDMP: dmpd serve --sandbox",
			strings.Join(missing, ", "), missing[0]))
	}
	if local, err := loopback(s.Addr); err == nil && !local {
		f.add(fmt.Errorf("addr: %s is not a loopback address, and speaks in clear: give it 127.0.0.1:8080, and callers those under TLS (tls-pro, tls-patient, tls-mandataire)", s.Addr))
	}
	f.add(checkBase("base", s.Base, s.TLS.Test))
	f.add(s.checkPatientBase())
	f.add(s.checkIssuers())
	if s.MatrixUnknown != "" && s.MatrixUnknown != "refuse" && s.MatrixUnknown != "deny" {
		f.add(fmt.Errorf("matrix-unknown is refuse or deny, not %q", s.MatrixUnknown))
	}
	_, err := insKeyLevel(s.INSKey)
	f.add(err)
	return f
}

// words finds the settings that are not written as they must be.
func (s settings) words(f *faults) {
	_, err := loopback(s.Addr)
	f.add(err)
	_, err = openingOf(s.Opening)
	f.add(err)
	_, err = s.dueInterval()
	f.add(err)
	_, err = cdaLevel(s.CDA)
	f.add(err)
	_, err = claimsLevel(s.Claims)
	f.add(err)
	_, err = codesLevel(s.Codes)
	f.add(err)
	f.add(s.hiding(&policy.Settings{}))
	f.add(s.TLS.checkSAMU())
}

// kept refuses a sandbox that is to be reached from elsewhere, unless that is meant.
func (s settings) kept() error {
	if s.open() == "" || s.Exposed {
		return nil
	}
	return fmt.Errorf("the sandbox gives tokens to whoever asks: %s is not a loopback address (--expose-sandbox if that is meant)", s.open())
}

// ownTokens refuses issuers of a sandbox, which takes no tokens but its own: whoever
// named one believes otherwise.
func (s settings) ownTokens() error {
	if s.firstIssuer() == (externalIssuer{}) && len(s.Issuers) == 0 {
		return nil
	}
	return errors.New("issuer, audience, issuer-keys, issuer-jwks, issuer-jwks-ca and issuers: a sandbox takes its own tokens only: remove them")
}

// missing names the settings that a real service has no default for.
func (s settings) missing() []string {
	var names []string
	issuer := !s.ownOnly()
	for _, field := range []struct {
		name   string
		needed bool
		value  string
	}{
		{"base", true, s.Base},
		{"base-patient", s.TLS.Patient != "", s.TLS.PatientBase},
		{"issuer", issuer, s.Issuer},
		{"audience", issuer, s.Audience},
		{"issuer-keys (or issuer-jwks)", issuer, s.IssuerKeys + s.IssuerJWKS},
		{"matrix", true, s.Matrix},
	} {
		if field.needed && strings.TrimSpace(field.value) == "" {
			names = append(names, field.name)
		}
	}
	if !s.TLS.certified() {
		// Tokens are bound to a certificate: without one nobody could use theirs.
		names = append(names, "tls-pro")
	}
	return names
}

// open names the first address that a network can reach.
func (s settings) open() string {
	for _, addr := range []string{s.Addr, s.TLS.Pro, s.TLS.Patient, s.TLS.Proxy} {
		if local, err := loopback(addr); addr != "" && err == nil && !local {
			return addr
		}
	}
	return ""
}

// openingOf reads the setting ouverture.
func openingOf(s string) (policy.Opening, error) {
	switch s {
	case "", "sur-demande":
		return policy.OpenOnRequest, nil
	case "automatique":
		return policy.OpenAutomatically, nil
	}
	return policy.OpenOnRequest, fmt.Errorf("ouverture is sur-demande or automatique, not %q", s)
}

// loopback tells whether an address can be reached from this machine only.
func loopback(addr string) (bool, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("addr %q is not host:port", addr)
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback(), nil
}

// cdaLevel reads the setting controle-cda, claimsLevel controle-profils and codesLevel
// controle-terminologie.
func cdaLevel(s string) (dossier.Level, error)    { return checkLevel("controle-cda", s) }
func claimsLevel(s string) (dossier.Level, error) { return checkLevel("controle-profils", s) }
func codesLevel(s string) (dossier.Level, error)  { return checkLevel("controle-terminologie", s) }

// checkLevel reads a setting that says what a failed check does; it warns if it is
// not given.
func checkLevel(name, s string) (dossier.Level, error) {
	switch s {
	case "", "avertir":
		return dossier.Warns, nil
	case "refuser":
		return dossier.Refuses, nil
	case "ignorer":
		return dossier.Off, nil
	default:
		return dossier.Refuses, fmt.Errorf("%s is avertir, refuser or ignorer, not %q", name, s)
	}
}

// insKeyLevel reads the setting ins-key; error if it is not given.
func insKeyLevel(s string) (dossier.Level, error) {
	switch s {
	case "", "error":
		return dossier.Refuses, nil
	case "warning":
		return dossier.Warns, nil
	case "off":
		return dossier.Off, nil
	default:
		return dossier.Refuses, fmt.Errorf("ins-key is error, warning or off, not %q", s)
	}
}
