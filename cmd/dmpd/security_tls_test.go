package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/sandbox"
	"opendmp/server"
)

// fort is a server under TLS, with a record of nobody: what is attacked is who gets
// in. Its clock is the test's, and its tokens are those of a real service: bound.
type fort struct {
	t      *testing.T
	pki    testPKI
	clock  *clock
	secure *secure
	signer *auth.Signer
	log    *lockedBuffer
}

func fortify(t *testing.T, change func(*tlsSettings, *plan)) *fort {
	t.Helper()
	f := &fort{t: t, pki: newPKI(t), log: &lockedBuffer{}}
	data := t.TempDir()
	p, signer, err := sandboxPlan(settings{Data: data, Sandbox: true}, "http://127.0.0.1/fhir", slog.New(slog.NewJSONHandler(f.log, nil)))
	check(t, err)
	f.signer, f.clock = signer, p.clock
	p.issuers = []auth.Issuer{signer.TrustBound()}
	s := f.pki.settings()
	if change != nil {
		change(&s, &p)
	}
	check(t, s.check())
	check(t, prepare(t.Context(), data, p.engine))
	f.secure, err = s.open(p.clock.Now, true, p.log)
	check(t, err)
	i, err := assemble(t.Context(), p)
	check(t, err)
	i.protect(f.secure)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return f
}

// address returns where a face listens.
func (f *fort) address(name string) string {
	f.t.Helper()
	for _, face := range f.secure.faces {
		if face.name == name {
			return face.l.Addr().String()
		}
	}
	f.t.Fatal("no face", name)
	return ""
}

// visitor is a client with its own connections, which it counts.
type visitor struct {
	t     *testing.T
	c     *http.Client
	base  string
	dials *atomic.Int64
	token string
}

// visit returns a client of a face; no certificate if certs is empty.
func (f *fort) visit(face string, certs ...tls.Certificate) *visitor {
	f.t.Helper()
	v := &visitor{t: f.t, base: "https://" + f.address(face), dials: &atomic.Int64{}}
	v.c = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: f.pki.roots(), Certificates: certs},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			v.dials.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	}}
	f.t.Cleanup(v.c.CloseIdleConnections)
	return v
}

func (v *visitor) transport() *http.Transport { return v.c.Transport.(*http.Transport) }

// search asks for documents; the record is of nobody, so that who gets in reads 404
// or an empty list, and never 401.
const anySearch = "/fhir/DocumentReference?patient.identifier=urn:oid:1.2.250.1.213.1.4.10%7C285047511200116"

func (v *visitor) get(path string, header ...string) (*http.Response, error) {
	v.t.Helper()
	r, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	check(v.t, err)
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := v.c.Do(r)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res, err
}

// is demands a status.
func (v *visitor) is(status int, path string, header ...string) *http.Response {
	v.t.Helper()
	res, err := v.get(path, header...)
	check(v.t, err)
	if res.StatusCode != status {
		v.t.Fatalf("%s: %d, want %d", path, res.StatusCode, status)
	}
	return res
}

// letIn demands that a search passes the door.
func (v *visitor) letIn(path string, header ...string) {
	v.t.Helper()
	res, err := v.get(path, header...)
	check(v.t, err)
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode >= 500 {
		v.t.Fatalf("%s: %d", path, res.StatusCode)
	}
}

// alerted demands that the server ends the handshake by an alert. A client of TLS 1.3
// sees it when it reads, and writes nothing here that could cross it.
func (v *visitor) alerted(what string) {
	v.t.Helper()
	c := v.transport().TLSClientConfig.Clone()
	c.ServerName = "127.0.0.1"
	raw, err := net.DialTimeout("tcp", strings.TrimPrefix(v.base, "https://"), 10*time.Second)
	check(v.t, err)
	defer raw.Close()
	check(v.t, raw.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = tls.Client(raw, c).Read(make([]byte, 1))
	if err == nil || !strings.Contains(err.Error(), "remote error: tls") {
		v.t.Errorf("%s: %v, want an alert", what, err)
	}
}

// holding gives the token of a persona, bound to a certificate.
func (v *visitor) holding(f *fort, persona string, bound *x509.Certificate) *visitor {
	v.t.Helper()
	p, ok := sandbox.Lookup(persona)
	if !ok {
		v.t.Fatal("no", persona)
	}
	c := p.Claims("", "")
	if bound != nil {
		c.Confirmation = &auth.Confirmation{Certificate: server.Thumbprint(bound)}
	}
	var err error
	v.token, err = f.signer.Sign(c)
	check(v.t, err)
	return v
}

// forge issues a certificate by a CA with a template of the test's.
func (f *fort) forge(ca string, change func(*x509.Certificate)) tls.Certificate {
	f.t.Helper()
	return issued(f.t, f.pki.authority(ca), change)
}

func issued(t *testing.T, a sandbox.Authority, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		RawSubject: rawSubject(t, organisation("1750000001")...),
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.Cert, &key.PublicKey, a.Key)
	check(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// attribute is one of a subject; those of an RDN stand together.
func attribute(value string, oid ...int) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: oid, Value: value}
}

type rdn = pkix.RelativeDistinguishedNameSET

func organisation(ou string) []pkix.RelativeDistinguishedNameSET {
	return []rdn{
		{attribute("FR", 2, 5, 4, 6)}, {attribute("Hôpital Nord", 2, 5, 4, 10)}, {attribute(ou, 2, 5, 4, 11)}, {attribute("dmp.test", 2, 5, 4, 3)},
	}
}

func rawSubject(t *testing.T, rdns ...rdn) []byte {
	t.Helper()
	der, err := asn1.Marshal(pkix.RDNSequence(rdns))
	check(t, err)
	return der
}

func TestTC01ProWithoutCertificate(t *testing.T) {
	f := fortify(t, nil)
	f.visit("tls-pro").alerted("no certificate")
	card := f.pki.holder("cps-medecin-martin")
	f.visit("tls-pro", card).is(http.StatusOK, "/fhir/metadata")
	f.visit("tls-patient").is(http.StatusOK, "/fhir/metadata")
}

func TestTC02PrivateCAOfTheSameName(t *testing.T) {
	f := fortify(t, nil)
	private, err := sandbox.NewAuthority("organisations", time.Now(), rand.Reader)
	check(t, err)
	if !bytes.Equal(private.Cert.RawSubject, f.pki.authority("organisations").Cert.RawSubject) {
		t.Fatal("the names differ")
	}
	// A Go client holds back a certificate whose issuer the server does not name; this
	// one names the same.
	f.visit("tls-pro", issued(t, private, func(*x509.Certificate) {})).alerted("private CA")
	f.visit("tls-pro", f.forge("organisations", func(*x509.Certificate) {})).is(http.StatusOK, "/fhir/metadata")
}

func TestTC04CertificateOfAServer(t *testing.T) {
	f := fortify(t, nil)
	for name, usage := range map[string][]x509.ExtKeyUsage{
		"serverAuth": {x509.ExtKeyUsageServerAuth}, "emailProtection": {x509.ExtKeyUsageEmailProtection},
		"none": nil, "any": {x509.ExtKeyUsageAny},
	} {
		f.visit("tls-pro", f.forge("organisations", func(c *x509.Certificate) { c.ExtKeyUsage = usage })).alerted(name)
	}
	f.visit("tls-pro", f.forge("organisations", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })).alerted("no signature")
}

func TestTC05RevokedWhileTheConnectionIsOpen(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			f := fortify(t, nil)
			card := f.pki.holder("cps-medecin-martin")
			v := f.visit("tls-pro", card).holding(f, "medecin-martin", card.Leaf)
			if version == "HTTP/1.1" {
				v.transport().ForceAttemptHTTP2 = false
				v.transport().TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
			}
			v.letIn(anySearch)
			check(t, f.pki.at(time.Now).Revoke("cps-medecin-martin"))
			check(t, f.secure.reload())
			res := v.is(http.StatusUnauthorized, anySearch)
			if res.Proto != version || v.dials.Load() != 1 {
				t.Errorf("%s over %d connections", res.Proto, v.dials.Load())
			}
			if version == "HTTP/1.1" && !res.Close {
				t.Error("the connection stays open")
			}
			// The connection was closed: what comes next is a handshake, and refused.
			for range 50 {
				res, err := v.get(anySearch)
				if err != nil {
					return
				}
				if res.StatusCode != http.StatusUnauthorized {
					t.Fatalf("%d", res.StatusCode)
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Error("the connection stays open")
		})
	}
}

func TestTC07ResumptionAfterExpiryAndRevocation(t *testing.T) {
	f := fortify(t, nil)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, end := range map[string]func(tls.Certificate){
			"expiry": func(tls.Certificate) { f.clock.set(time.Now().Add(2 * time.Hour)) },
			"revocation": func(c tls.Certificate) {
				a := f.pki.authority("organisations")
				leaf, err := x509.ParseCertificate(c.Certificate[0])
				check(t, err)
				list, err := a.CRL(readCRL(t, f.pki.file("crl-organisations.pem")), time.Now(), leaf)
				check(t, err)
				check(t, os.WriteFile(f.pki.file("crl-organisations.pem"), pemOf("X509 CRL", list), 0o600))
				check(t, f.secure.reload())
			},
		} {
			t.Run(tls.VersionName(version)+" "+name, func(t *testing.T) {
				defer f.clock.release()
				cert := f.forge("organisations", func(*x509.Certificate) {})
				cache := tls.NewLRUClientSessionCache(1)
				visit := func() *visitor {
					v := f.visit("tls-pro", cert)
					v.transport().DisableKeepAlives = true
					v.transport().TLSClientConfig.ClientSessionCache = cache
					v.transport().TLSClientConfig.MaxVersion = version
					return v
				}
				visit().is(http.StatusOK, "/fhir/metadata")
				if res := visit().is(http.StatusOK, "/fhir/metadata"); !res.TLS.DidResume {
					t.Fatal("not resumed: the test proves nothing")
				}
				end(cert)
				visit().alerted("resumed after " + name)
			})
		}
	}
}

func TestTC08StaleCRL(t *testing.T) {
	f := fortify(t, func(s *tlsSettings, _ *plan) { s.Grace = "24h" })
	v := f.visit("tls-pro", f.pki.holder("org-hopital-nord"))
	v.is(http.StatusOK, "/fhir/metadata")
	day := 24 * time.Hour
	f.clock.set(time.Now().Add(30*day + 12*time.Hour))
	v.is(http.StatusOK, "/fhir/metadata") // in the grace
	f.clock.set(time.Now().Add(31*day + time.Hour))
	v.is(http.StatusServiceUnavailable, "/fhir/metadata")
	f.visit("tls-pro", f.pki.holder("cps-medecin-martin")).is(http.StatusServiceUnavailable, "/fhir/metadata")
	if err := f.secure.reload(); err == nil {
		t.Error("no alarm")
	}
	if !strings.Contains(f.log.String(), `"level":"ERROR","msg":"certificate refused"`) {
		t.Error("no error in the log")
	}
	f.visit("tls-patient").is(http.StatusOK, "/fhir/metadata")
	check(t, f.pki.at(f.clock.Now).Revoke())
	check(t, f.secure.reload())
	f.visit("tls-pro", f.pki.holder("org-hopital-nord")).is(http.StatusOK, "/fhir/metadata")
}

func TestTC10TwoCommonNames(t *testing.T) {
	f := fortify(t, nil)
	const mine, victim = "8899900000011", "8899900000010"
	names := rdn{attribute("DURAND", 2, 5, 4, 4), attribute("Marc", 2, 5, 4, 42)}
	c, cn := rdn{attribute("FR", 2, 5, 4, 6)}, func(id string) pkix.AttributeTypeAndValue { return attribute(id, 2, 5, 4, 3) }
	for name, test := range map[string]struct {
		subject []rdn
		status  int
	}{
		"one":                  {[]rdn{c, append(rdn{cn(mine)}, names...)}, http.StatusOK},
		"the victim last":      {[]rdn{c, append(rdn{cn(mine)}, names...), {cn(victim)}}, http.StatusUnauthorized},
		"the victim first":     {[]rdn{c, {cn(victim)}, append(rdn{cn(mine)}, names...)}, http.StatusUnauthorized},
		"both together":        {[]rdn{c, append(rdn{cn(mine), cn(victim)}, names...)}, http.StatusUnauthorized},
		"names that stand off": {[]rdn{c, names, {cn(mine)}}, http.StatusUnauthorized},
		"an OU":                {[]rdn{c, {attribute("1750000001", 2, 5, 4, 11)}, append(rdn{cn(mine)}, names...)}, http.StatusUnauthorized},
		"of a structure":       {organisation("1750000001"), http.StatusUnauthorized},
		"of no country":        {[]rdn{append(rdn{cn(mine)}, names...)}, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			cert := f.forge("personnes", func(c *x509.Certificate) { c.RawSubject = rawSubject(t, test.subject...) })
			f.visit("tls-pro", cert).is(test.status, "/fhir/metadata")
		})
	}
}

func TestTC11IdentifiersThatLookAlike(t *testing.T) {
	f := fortify(t, nil)
	for name, ou := range map[string]string{
		"a Cyrillic letter": "17500000О1", "a space behind": "1750000001 ", "a space before": " 1750000001",
		"a NUL": "1750000001\x00", "digits of another script": "175000000١", "a zero-width space": "1750000001\u200b",
		"another prefix": "9750000001", "too short": "175000001", "in lower case": "12a0000001",
	} {
		t.Run(name, func(t *testing.T) {
			cert := f.forge("organisations", func(c *x509.Certificate) { c.RawSubject = rawSubject(t, organisation(ou)...) })
			f.visit("tls-pro", cert).is(http.StatusUnauthorized, "/fhir/metadata")
		})
	}
}

// clientCert writes a certificate as RFC 9440 does.
func clientCert(der []byte) string { return ":" + base64.StdEncoding.EncodeToString(der) + ":" }

func TestTC13ForgedClientCert(t *testing.T) {
	f := fortify(t, nil)
	victim := f.pki.holder("cps-medecin-martin")
	headers := []string{
		"Client-Cert", clientCert(victim.Leaf.Raw), "Client-Cert-Chain", clientCert(victim.Leaf.Raw),
		"X-SSL-Client-Cert", string(pemOf("CERTIFICATE", victim.Leaf.Raw)[:20]), "X-SSL-Client-Verify", "SUCCESS",
		"X-Forwarded-Client-Cert", "Hash=" + server.Thumbprint(victim.Leaf),
	}
	f.visit("tls-patient").holding(f, "medecin-martin", victim.Leaf).is(http.StatusUnauthorized, anySearch, headers...)
	other := f.pki.holder("cps-medecin-durand")
	f.visit("tls-pro", other).holding(f, "medecin-martin", victim.Leaf).is(http.StatusUnauthorized, anySearch, headers...)
	f.visit("tls-pro", victim).holding(f, "medecin-martin", victim.Leaf).letIn(anySearch)
}

func TestClientCertOfAProxy(t *testing.T) {
	var proxy tls.Certificate
	f := fortify(t, func(s *tlsSettings, _ *plan) {
		proxy = proxyCertificate(t)
		leaf, err := x509.ParseCertificate(proxy.Certificate[0])
		check(t, err)
		s.Proxy, s.Proxies = "127.0.0.1:0", []string{server.Thumbprint(leaf)}
	})
	card, other := f.pki.holder("cps-medecin-martin"), f.pki.holder("cps-medecin-durand")
	behind := func() *visitor {
		return f.visit("tls-mandataire", proxy).holding(f, "medecin-martin", card.Leaf)
	}
	behind().letIn(anySearch, "Client-Cert", clientCert(card.Leaf.Raw))
	behind().is(http.StatusUnauthorized, anySearch)
	behind().is(http.StatusUnauthorized, anySearch, "Client-Cert", clientCert(other.Leaf.Raw))
	behind().is(http.StatusOK, "/fhir/metadata")
	for _, text := range []string{"", ":", "::", "AAAA", ":AAAA:", clientCert(card.Leaf.Raw) + ", " + clientCert(card.Leaf.Raw), strings.Trim(clientCert(card.Leaf.Raw), ":")} {
		behind().is(http.StatusUnauthorized, anySearch, "Client-Cert", text)
	}
	check(t, f.pki.at(time.Now).Revoke("cps-medecin-martin"))
	check(t, f.secure.reload())
	behind().is(http.StatusUnauthorized, anySearch, "Client-Cert", clientCert(card.Leaf.Raw))
	// Nobody else is believed: not a card, not another certificate of the same name.
	f.visit("tls-mandataire").alerted("no certificate")
	f.visit("tls-mandataire", other).alerted("a card")
	f.visit("tls-mandataire", proxyCertificate(t)).alerted("another proxy")
}

// proxyCertificate is one of a proxy, signed by itself.
func proxyCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mandataire"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTC14OldProtocols(t *testing.T) {
	f := fortify(t, nil)
	card := f.pki.holder("cps-medecin-martin")
	for _, face := range []string{"tls-pro", "tls-patient"} {
		for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
			v := f.visit(face, card)
			v.transport().TLSClientConfig.MinVersion, v.transport().TLSClientConfig.MaxVersion = version, version
			v.alerted(face + " " + tls.VersionName(version))
		}
		for _, suite := range append(tls.InsecureCipherSuites(), tls.CipherSuites()...) {
			if suite.SupportedVersions[0] == tls.VersionTLS13 || strings.Contains(suite.Name, "ECDHE_ECDSA") && (strings.Contains(suite.Name, "GCM") || strings.Contains(suite.Name, "POLY1305")) {
				continue
			}
			v := f.visit(face, card)
			v.transport().TLSClientConfig.CipherSuites, v.transport().TLSClientConfig.MaxVersion = []uint16{suite.ID}, tls.VersionTLS12
			v.alerted(face + " " + suite.Name)
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			v := f.visit(face, card)
			v.transport().TLSClientConfig.MaxVersion = version
			v.is(http.StatusOK, "/fhir/metadata")
		}
	}
}

func TestTK17TokensAreBound(t *testing.T) {
	var samu *x509.Certificate
	f := fortify(t, func(s *tlsSettings, _ *plan) {
		s.SAMU = []string{`CN=dmp.samu-75.test,OU=1750000008,O=SAMU\2075,ST=Paris \2875\29,C=FR`} // as OpenSSL may write it
	})
	samu = f.pki.holder("org-samu-75").Leaf
	for name, c := range map[string]struct {
		holder, persona string
		bound           *x509.Certificate
		in              bool
	}{
		"card":                       {"cps-medecin-martin", "medecin-martin", f.pki.holder("cps-medecin-martin").Leaf, true},
		"bearer":                     {"cps-medecin-martin", "medecin-martin", nil, false},
		"stolen":                     {"cps-medecin-durand", "medecin-martin", f.pki.holder("cps-medecin-martin").Leaf, false},
		"of another":                 {"cps-medecin-durand", "medecin-martin", f.pki.holder("cps-medecin-durand").Leaf, false},
		"by the system of a place":   {"org-cabinet-centre", "medecin-martin", f.pki.holder("org-cabinet-centre").Leaf, true},
		"hospital":                   {"org-hopital-nord", "hopital-nord", f.pki.holder("org-hopital-nord").Leaf, true},
		"another hospital":           {"org-hopital-sud", "hopital-nord", f.pki.holder("org-hopital-sud").Leaf, false},
		"regulator":                  {"org-samu-75", "samu-garnier", samu, true},
		"regulator by card":          {"cps-samu-garnier", "samu-garnier", f.pki.holder("cps-samu-garnier").Leaf, false},
		"regulator of a hospital":    {"org-hopital-nord", "samu-garnier", f.pki.holder("org-hopital-nord").Leaf, false},
		"a SAMU with another's duty": {"org-samu-75", "hopital-nord", samu, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := f.visit("tls-pro", f.pki.holder(c.holder)).holding(f, c.persona, c.bound)
			if c.in {
				v.letIn(anySearch)
			} else {
				v.is(http.StatusUnauthorized, anySearch)
			}
		})
	}
	f.visit("tls-patient").holding(f, "patient-alix", nil).is(http.StatusUnauthorized, anySearch)
}

// A new certificate of the server is shown to new connections; open ones live on. A
// file that is broken changes nothing.
func TestServerCertificateIsReplaced(t *testing.T) {
	f := fortify(t, func(s *tlsSettings, _ *plan) { s.Reread = "1s" })
	serial := func(res *http.Response) string { return res.TLS.PeerCertificates[0].SerialNumber.String() }
	old := f.visit("tls-patient")
	before := serial(old.is(http.StatusOK, "/health"))
	check(t, f.pki.at(time.Now).IssueServer("localhost", "127.0.0.1"))
	deadline := time.Now().Add(10 * time.Second)
	for serial(f.visit("tls-patient").is(http.StatusOK, "/health")) == before {
		if time.Now().After(deadline) {
			t.Fatal("the certificate is not read anew")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if got := serial(old.is(http.StatusOK, "/health")); got != before || old.dials.Load() != 1 {
		t.Error("the open connection was given up")
	}
	check(t, os.WriteFile(f.pki.file("serveur.pem"), []byte("broken"), 0o600))
	if err := f.secure.reload(); err == nil {
		t.Error("no alarm")
	}
	f.visit("tls-patient").is(http.StatusOK, "/health")
}

func TestConnectionsGrowOld(t *testing.T) {
	f := fortify(t, func(_ *tlsSettings, p *plan) { p.limits.MaxConnectionAge = time.Nanosecond })
	v := f.visit("tls-patient")
	v.transport().ForceAttemptHTTP2 = false
	v.transport().TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	for n := int64(1); n <= 3; n++ {
		if res := v.is(http.StatusOK, "/health"); !res.Close || v.dials.Load() != n {
			t.Errorf("request %d: close %v, %d connections", n, res.Close, v.dials.Load())
		}
	}
}
