package main

import (
	"strings"
	"testing"

	"opendmp/issuer"
)

// A client and the setting samu agree, unless nobody can tell.
func TestRegulators(t *testing.T) {
	thumbprint := strings.Repeat("A", 43)
	for name, c := range map[string]struct {
		samu       []string
		kind       string
		subjects   []string
		thumbprint []string
		refused    bool
	}{
		"by subject":                        {[]string{"CN=a;CN=b"}, issuer.SAMU, []string{"CN=b"}, nil, false},
		"by another spelling":               {[]string{"CN=a,O=Hôpital,C=FR"}, issuer.SAMU, []string{`CN=a,O=H\C3\B4pital,C=FR`}, nil, false},
		"software, by another spelling":     {[]string{`CN=a,O=H\C3\B4pital,C=FR`}, issuer.Software, []string{"CN=a,O=Hôpital,C=FR"}, nil, true},
		"by thumbprint":                     {[]string{thumbprint}, issuer.SAMU, nil, []string{thumbprint}, false},
		"of another subject":                {[]string{"CN=a"}, issuer.SAMU, []string{"CN=b"}, nil, true},
		"of another thumbprint":             {[]string{thumbprint}, issuer.SAMU, nil, []string{strings.Repeat("B", 42) + "A"}, true},
		"without the setting":               {nil, issuer.SAMU, []string{"CN=b"}, nil, true},
		"the certificate would tell":        {[]string{thumbprint}, issuer.SAMU, []string{"CN=b"}, nil, false},
		"the other certificate would":       {[]string{"CN=a"}, issuer.SAMU, nil, []string{thumbprint}, false},
		"software of a practice":            {[]string{"CN=a"}, issuer.Software, []string{"CN=b"}, nil, false},
		"software with that of the SAMU":    {[]string{"CN=a"}, issuer.Software, []string{"CN=b", "CN=a"}, nil, true},
		"a hospital that is a SAMU too":     {[]string{"CN=a"}, issuer.Establishment, []string{"CN=a"}, nil, false},
		"software with its thumbprint, too": {[]string{"CN=b", thumbprint}, issuer.Software, []string{"CN=a"}, []string{thumbprint}, true},
	} {
		client := issuer.Client{ID: "c", Kind: c.kind, Status: issuer.Active, Subjects: c.subjects, Thumbprints: c.thumbprint}
		if err := regulators(c.samu, []issuer.Client{client}); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
		client.Status = issuer.Revoked
		if err := regulators(c.samu, []issuer.Client{client}); err != nil {
			t.Errorf("%s, revoked: %v", name, err)
		}
	}
}
