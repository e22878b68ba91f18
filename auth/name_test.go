package auth

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"
)

func TestSubjectsHaveOneForm(t *testing.T) {
	const nord = "CN=dmp.hopital-nord.test,OU=1750000001,O=Hôpital Nord,ST=Paris (75),C=FR"
	for text, want := range map[string]string{
		nord: nord,
		`CN=dmp.hopital-nord.test,OU=1750000001,O=H\C3\B4pital Nord,ST=Paris (75),C=FR`:                           nord,
		`CN=dmp.hopital-nord.test,OU=1750000001,O=H\c3\b4pital\20Nord,ST=Paris \2875\29,C=FR`:                     nord,
		"cn=dmp.hopital-nord.test,ou=1750000001,o=Hôpital Nord,S=Paris (75),c=FR":                                 nord,
		"2.5.4.3=dmp.hopital-nord.test,OU=1750000001,2.5.4.10=#0c0d48c3b4706974616c204e6f7264,ST=Paris (75),C=FR": nord,
		`CN=a\,b\2Bc,O=D\"E\\F\;\<\>\=,C=FR`:                                                                      `CN=a\,b\+c,O=D\"E\\F\;\<\>=,C=FR`,
		`CN=\#a,O=b#c,C=FR`:                                                                                       `CN=\#a,O=b#c,C=FR`,
		"OU=1750000001+CN=a,O=b,C=FR":                                                                             "OU=1750000001+CN=a,O=b,C=FR",
		"2.5.4.97=x,CN=a,O=b,C=FR":                                                                                "ORGANIZATIONIDENTIFIER=x,CN=a,O=b,C=FR",
		"1.2.3.4=x,CN=a,O=b,C=FR":                                                                                 "1.2.3.4=x,CN=a,O=b,C=FR",
		// The order of the RDNs is part of the name.
		"C=FR,O=b,CN=a": "C=FR,O=b,CN=a",
	} {
		got, err := CanonicalSubject(text)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
		if again, err := CanonicalSubject(got); err != nil || again != got {
			t.Errorf("%s: not the same a second time: %q, %v", text, again, err)
		}
	}
}

func TestSubjectsThatAreRefused(t *testing.T) {
	for _, text := range []string{
		"", "*", "CN=*", "CN=x", "CN=x,C=FR", "CN=x,O=y", "O=y,C=FR", "CN=x,O=y,C=DE", "CN=x,O=y,C=FR,", ",CN=x,O=y,C=FR", "CN=x,O=y,C=FR+",
		"CN=x,O=y,O=z,C=FR", "CN=x,O=y,C=FR,C=FR", "CN=,O=y,C=FR", "CN= x,O=y,C=FR", "CN=x ,O=y,C=FR", "CN=x, O=y, C=FR", "C = FR, O = y, CN = x",
		"subject=CN=x,O=y,C=FR", "XY=z,CN=x,O=y,C=FR", `CN="x",O=y,C=FR`, "CN=x;O=y;C=FR", `CN=x\,O=y,C=FR`, `CN=x\zz,O=y,C=FR`, `CN=x,O=y,C=FR\`,
		`CN=x\C3,O=y,C=FR`, `CN=x\00,O=y,C=FR`, "CN=#,O=y,C=FR", "CN=#0c,O=y,C=FR", "CN=#020101,O=y,C=FR", "CN=#0c0178ff,O=y,C=FR", "CN=#zz,O=y,C=FR",
		`CN=x\20,O=y,C=FR`, "CN=x\u202e,O=y,C=FR", "CN=" + strings.Repeat("x", 256) + ",O=y,C=FR", "CN=x>y,O=z,C=FR",
	} {
		if got, err := CanonicalSubject(text); !errors.Is(err, ErrSubject) {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
}

// What is registered and what a certificate says have one form, whatever the order in
// which the attributes of an RDN stand.
func TestSubjectOfACertificateIsCanonical(t *testing.T) {
	at := func(oid asn1.ObjectIdentifier, value string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: oid, Value: value}
	}
	raw, err := asn1.Marshal(pkix.RDNSequence{
		{at(asn1.ObjectIdentifier{2, 5, 4, 6}, "FR")},
		{at(asn1.ObjectIdentifier{2, 5, 4, 10}, "Hôpital, dit « Nord » + Sud")},
		{at(asn1.ObjectIdentifier{2, 5, 4, 11}, "1750000001"), at(asn1.ObjectIdentifier{2, 5, 4, 3}, "#nord")},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := readSubject(&x509.Certificate{RawSubject: raw})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		s.text,
		`CN=\#nord+OU=1750000001,O=H\C3\B4pital\, dit \C2\AB Nord \C2\BB \+ Sud,C=FR`, // OpenSSL
		`OU=1750000001+CN=\23nord,O=Hôpital\, dit « Nord » \2b Sud,C=FR`,
	} {
		if got, err := CanonicalSubject(text); err != nil || got != s.text {
			t.Errorf("%s: %q, %v, want %q", text, got, err, s.text)
		}
	}
	if other, err := CanonicalSubject(`C=FR,O=H\C3\B4pital\, dit \C2\AB Nord \C2\BB \+ Sud,CN=\#nord+OU=1750000001`); err != nil || other == s.text {
		t.Errorf("the order of the RDNs does not count: %q, %v", other, err)
	}
}

func FuzzSubject(f *testing.F) {
	for _, seed := range []string{`CN=x,O=H\C3\B4pital,C=FR`, "CN=#0c0178+OU=y,C=FR", `CN=\`, "*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := CanonicalSubject(text)
		if err != nil {
			return
		}
		if again, err := CanonicalSubject(got); err != nil || again != got {
			t.Errorf("%q: %q, then %q, %v", text, got, again, err)
		}
	})
}
