package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options of a telling.
type Options struct {
	// Pro and Patient are the URLs, without path, of the faces of the server that
	// require a client certificate and that take none.
	Pro, Patient string
	// Identity is the URL of the issuer that plays Pro Santé Connect, and Secret that of
	// its clients.
	Identity, Secret string
	// PKI is the folder of the test PKI.
	PKI string
	// HospitalKey is the PEM file of the key by which the client hopital-nord proves
	// itself, an ECDSA key on P-256 whose kid is HospitalKID.
	HospitalKey, HospitalKID string
	// INS returns the number of a patient of the sandbox.
	INS func(patient string) string
	// Revoke puts a certificate of the PKI on the list that the server reads, and has it
	// read.
	Revoke func(name string) error
	// StopIdentity stops the identity provider.
	StopIdentity func()
	// Out gets the story.
	Out io.Writer
}

// stage is where the story is played. Its first error stays, and nothing is played
// after it, so that a scene reads from top to bottom.
type stage struct {
	Options
	ctx     context.Context
	roots   *x509.CertPool
	clients map[string]*http.Client // by the name of their certificate
	err     error

	who    string // in the story
	status int
	header http.Header
	body   []byte
}

func newStage(ctx context.Context, o Options) (*stage, error) {
	pem, err := os.ReadFile(filepath.Join(o.PKI, "ca-serveurs.pem"))
	if err != nil {
		return nil, err
	}
	s := &stage{Options: o, ctx: ctx, roots: x509.NewCertPool(), clients: map[string]*http.Client{}}
	if !s.roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("connect: no CA in ca-serveurs.pem")
	}
	return s, nil
}

// close lets the connections go.
func (s *stage) close() {
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}

// over returns the client that shows a certificate, "" for none. Its connections stay
// open from one request to the next.
func (s *stage) over(certificate string) (*http.Client, error) {
	if c, ok := s.clients[certificate]; ok {
		return c, nil
	}
	config, err := s.showing(certificate)
	if err != nil {
		return nil, err
	}
	s.clients[certificate] = &http.Client{
		Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s.clients[certificate], nil
}

// showing is TLS with a certificate, "" for none.
func (s *stage) showing(certificate string) (*tls.Config, error) {
	config := &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	if certificate == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(s.PKI, certificate+".pem"), filepath.Join(s.PKI, certificate+".key"))
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// knock opens a connection, sends nothing, and returns what the server answers the
// certificate with: under TLS 1.3 that comes after the handshake, and what is sent
// meanwhile could lose it.
func (s *stage) knock(certificate string) error {
	config, err := s.showing(certificate)
	if err != nil {
		return err
	}
	at, err := url.Parse(s.Pro)
	if err != nil {
		return err
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(s.ctx, "tcp", at.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// call is a request.
type call struct {
	method, url string
	certificate string // "" for none
	token       string // "" for none
	form        url.Values
	body        []byte // FHIR
	shown       string
}

// scene begins a scene.
func (s *stage) scene(title string) {
	if s.err == nil {
		fmt.Fprintf(s.Out, "\n%s\n", title)
	}
}

// as says who acts from here on.
func (s *stage) as(who string) *stage {
	if s.err == nil {
		s.who = who
	}
	return s
}

// send sends a request and shows it.
func (s *stage) send(c call) *stage {
	if s.err != nil {
		return s
	}
	s.line(s.who, "%s %s", c.method, c.shown)
	client, err := s.over(c.certificate)
	if err != nil {
		return s.fail(err)
	}
	r, err := c.request(s.ctx)
	if err != nil {
		return s.fail(err)
	}
	res, err := client.Do(r)
	if err != nil {
		return s.fail(err)
	}
	defer res.Body.Close()
	s.status, s.header = res.StatusCode, res.Header
	if s.body, err = io.ReadAll(res.Body); err != nil {
		return s.fail(err)
	}
	return s
}

func (c call) request(ctx context.Context) (*http.Request, error) {
	text, kind := string(c.body), "application/fhir+json"
	if c.form != nil {
		text, kind = c.form.Encode(), "application/x-www-form-urlencoded"
	}
	r, err := http.NewRequestWithContext(ctx, c.method, c.url, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	if text != "" {
		r.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r, nil
}

// fhir asks the server for something of a record, with a token, over a certificate; over
// none it is the face of the patients that is asked.
func (s *stage) fhir(certificate, token, path string) *stage {
	return s.send(call{method: http.MethodGet, url: s.face(certificate) + "/fhir/" + path, certificate: certificate, token: token,
		shown: s.shown("/fhir/"+path, certificate)})
}

// push posts a bundle.
func (s *stage) push(certificate, token string, bundle []byte) *stage {
	return s.send(call{method: http.MethodPost, url: s.face(certificate) + "/fhir", certificate: certificate, token: token, body: bundle,
		shown: s.shown("/fhir", certificate)})
}

// oauth posts a form of pairs to an endpoint of the authorisation server. A value may
// be long: the names are shown, and the values that say something.
func (s *stage) oauth(certificate, path string, pairs ...string) *stage {
	form := url.Values{}
	var said []string
	for pair := range slices.Chunk(pairs, 2) {
		form.Set(pair[0], pair[1])
		if slices.Contains([]string{"grant_type", "structure", "purpose_of_use", "client_id"}, pair[0]) {
			said = append(said, pair[0]+"="+strings.TrimPrefix(pair[1], "urn:ietf:params:oauth:grant-type:"))
		}
	}
	return s.send(call{method: http.MethodPost, url: s.face(certificate) + path, certificate: certificate, form: form,
		shown: s.shown(strings.TrimSpace(path+" "+strings.Join(said, " ")), certificate)})
}

func (s *stage) face(certificate string) string {
	if certificate == "" {
		return s.Patient
	}
	return s.Pro
}

// shown is a path as a reader likes it, with the certificate.
func (s *stage) shown(path, certificate string) string {
	if plain, err := url.QueryUnescape(path); err == nil {
		path = plain
	}
	if certificate == "" {
		return path + "  (sans certificat)"
	}
	return path + "  (" + certificate + ")"
}

// answers checks the status and tells what it means.
func (s *stage) answers(status int, sentence string, args ...any) *stage {
	if s.err != nil {
		return s
	}
	if s.status != status {
		return s.fail(fmt.Errorf("réponse %d au lieu de %d : %.400s", s.status, status, s.body))
	}
	s.line("", "%d  %s", s.status, fmt.Sprintf(sentence, args...))
	return s
}

// refuses checks that an endpoint refused with a code of OAuth.
func (s *stage) refuses(status int, code, sentence string) *stage {
	var o struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	s.read(&o)
	s.check(o.Error == code, "refusé par %s au lieu de %s : %s", o.Error, code, o.Description)
	return s.answers(status, "%s : %s", code, sentence)
}

// tell adds a line to the story.
func (s *stage) tell(sentence string, args ...any) {
	if s.err == nil {
		s.line("", "     %s", fmt.Sprintf(sentence, args...))
	}
}

// check holds the story against something that must be.
func (s *stage) check(holds bool, otherwise string, args ...any) {
	if s.err == nil && !holds {
		s.fail(fmt.Errorf(otherwise, args...))
	}
}

func (s *stage) fail(err error) *stage {
	s.err = err
	return s
}

// read reads the last answer.
func (s *stage) read(into any) {
	if s.err == nil {
		if err := json.Unmarshal(s.body, into); err != nil {
			s.fail(fmt.Errorf("%w : %.200s", err, s.body))
		}
	}
}

func (s *stage) line(who, format string, args ...any) {
	fmt.Fprintf(s.Out, "  %-18s %s\n", who, fmt.Sprintf(format, args...))
}
