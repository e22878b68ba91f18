package auth

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"

	"opendmp/fhir"
)

// ErrKeySet: a key set that is not to be used. It is wrapped with the reason.
var ErrKeySet = errors.New("auth: key set refused")

const (
	maxKeySet      = 256 << 10 // bytes
	maxKeys        = 64
	maxHeaders     = 64 << 10 // bytes, of an answer
	fetchTimeout   = 3 * time.Second
	keySetAge      = 10 * time.Minute // after which a set is fetched again
	keySetLife     = time.Hour        // after which a set that cannot be fetched again is no longer used
	betweenFetches = time.Minute      // at least, whatever tokens name
	betweenLooks   = 15 * time.Second // of Run
)

// Keys are the public keys of one issuer by kid.
type Keys map[string]crypto.PublicKey

// Key returns the key of that kid, for Issuer.Keys.
func (k Keys) Key(kid string) (crypto.PublicKey, bool) {
	key, ok := k[kid]
	return key, ok
}

// ParseKeySet reads a JWK set (RFC 7517 §5). It refuses the whole set, with an error
// that wraps ErrKeySet, if it has no key for signatures, or one that is private,
// symmetric, an RSA key under 2048 bits, of an unknown type, without kid, or with
// that of another one. Keys with the use "enc" are left out: identity providers
// publish them in the same set.
func ParseKeySet(data []byte) (Keys, error) {
	if len(data) > maxKeySet {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrKeySet, maxKeySet)
	}
	// What jwx would read in one way and another reader in another is refused first.
	if _, err := fhir.Scan(data); err != nil {
		return nil, fmt.Errorf("%w: not strict JSON", ErrKeySet)
	}
	var shape struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &shape); err != nil || len(shape.Keys) == 0 || len(shape.Keys) > maxKeys {
		return nil, fmt.Errorf("%w: no keys, or more than %d", ErrKeySet, maxKeys)
	}
	keys := make(Keys, len(shape.Keys))
	for _, one := range shape.Keys {
		if err := keys.add(one); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKeySet, err)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: no key for signatures", ErrKeySet)
	}
	return keys, nil
}

func (k Keys) add(data []byte) error {
	key, err := jwk.ParseKey(data)
	if err != nil {
		return errors.New("a key does not parse")
	}
	public, err := publicKey(key)
	if err != nil {
		return err
	}
	switch use, stated := key.KeyUsage(); {
	case use == "enc":
		return nil
	case stated && use != "sig":
		return errors.New("a key has another use than sig")
	}
	kid, _ := key.KeyID()
	if kid == "" || len(kid) > maxKidLength {
		return errors.New("a key without kid, or with one that is too long")
	}
	if _, twice := k[kid]; twice {
		return errors.New("two keys of one kid")
	}
	k[kid] = public
	return nil
}

// publicKey returns the key of a JWK if it is public, asymmetric and passes CheckKey.
func publicKey(key jwk.Key) (crypto.PublicKey, error) {
	if private, err := jwk.IsPrivateKey(key); err != nil || private {
		return nil, errors.New("a key that is private or symmetric")
	}
	var raw any
	if err := jwk.Export(key, &raw); err != nil {
		return nil, errors.New("a key cannot be used")
	}
	return raw, checkKey(raw)
}

// MaxKeySetLife is the longest KeySetConfig.Life (SECURITY, F-12).
const MaxKeySetLife = 24 * time.Hour

// KeySetConfig says where the keys of one issuer are published. URL and Now are
// required.
type KeySetConfig struct {
	// URL is https, or http on a loopback address.
	URL string
	// Client is used as Guarded makes it; one with the roots of the system if nil.
	Client *http.Client
	// Life is how long the keys serve after they were fetched last, at most
	// MaxKeySetLife; an hour, as long as a token lives, if zero.
	Life time.Duration
	Now  func() time.Time
}

// KeySet keeps the keys that an issuer publishes. A set is fetched again after ten
// minutes, or earlier for a kid that it does not hold, but never more than once a
// minute: neither what tokens name nor what the answer says of its age (Cache-Control)
// changes that. A set that is refused or cannot be fetched leaves the old one in force
// for its life, and then nothing. It is safe for concurrent use.
type KeySet struct {
	url    string
	client *http.Client
	now    func() time.Time
	life   time.Duration
	kept   atomic.Bool // by Run: who asks for a key that is there never fetches

	fetch sync.Mutex // held while fetching
	mu    sync.RWMutex
	keys  Keys
	got   time.Time // when keys were fetched
	tried time.Time // when a fetch began last
}

// NewKeySet returns a KeySet, which fetches when it is first asked, or by Run.
func NewKeySet(c KeySetConfig) (*KeySet, error) {
	if c.Now == nil {
		return nil, errors.New("auth: key set without clock")
	}
	if c.Life == 0 {
		c.Life = keySetLife
	}
	if c.Life < 0 || c.Life > MaxKeySetLife {
		return nil, fmt.Errorf("auth: key set: a life of %s, at most %s", c.Life, MaxKeySetLife)
	}
	if err := CheckURL(c.URL); err != nil {
		return nil, fmt.Errorf("auth: key set: %w", err)
	}
	return &KeySet{url: c.URL, client: Guarded(c.Client), now: c.Now, life: c.Life}, nil
}

// CheckURL refuses a URL under which a secret or a key must not travel: other than
// https, but for a loopback address, or with user information or a fragment.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("%q is not an absolute URL", s)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%q is not an https URL", s)
}

// Guarded returns the client with a time-out of three seconds, or a shorter one of its
// own, for the whole of an answer, whose headers are bounded too, that follows no
// redirect: a key or the word of an identity provider comes from the place that is
// configured, or not at all. Nil means the roots of the system.
func Guarded(c *http.Client) *http.Client {
	if c == nil {
		c = http.DefaultClient
	}
	guarded := *c
	if guarded.Timeout <= 0 || guarded.Timeout > fetchTimeout {
		guarded.Timeout = fetchTimeout
	}
	if guarded.Transport == nil {
		guarded.Transport = http.DefaultTransport
	}
	if t, ok := guarded.Transport.(*http.Transport); ok {
		t = t.Clone()
		t.MaxResponseHeaderBytes = maxHeaders
		guarded.Transport = t
	}
	guarded.Jar = nil
	guarded.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &guarded
}

// Key returns the key of that kid, for Issuer.Keys.
func (s *KeySet) Key(kid string) (crypto.PublicKey, bool) {
	key, known, due := s.look(kid)
	if !due {
		return key, known
	}
	// One caller fetches. The others go on with the keys that there are, but wait for
	// a key that is not there.
	if known && !s.fetch.TryLock() {
		return key, true
	}
	if !known {
		s.fetch.Lock()
	}
	defer s.fetch.Unlock()
	if _, _, due := s.look(kid); due {
		_ = s.refresh(context.Background()) // the old set stays in force
	}
	key, known, _ = s.look(kid)
	return key, known
}

// Run fetches the set at once and then as often as it should be, until ctx ends, and
// reports each time that this fails. While it runs, a token whose key is there waits for
// no network, whatever the age of the set.
func (s *KeySet) Run(ctx context.Context, report func(error)) {
	s.kept.Store(true)
	tick := time.NewTicker(betweenLooks)
	defer tick.Stop()
	for {
		if err := s.renew(ctx); err != nil && ctx.Err() == nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// renew fetches the set if it is of an age and the last try was a while ago.
func (s *KeySet) renew(ctx context.Context) error {
	s.fetch.Lock()
	defer s.fetch.Unlock()
	s.mu.RLock()
	now := s.now()
	due := now.Sub(s.got) >= keySetAge && s.rested(now)
	s.mu.RUnlock()
	if !due {
		return nil
	}
	return s.refresh(ctx)
}

// rested tells whether a fetch may begin. The caller holds mu.
func (s *KeySet) rested(now time.Time) bool {
	return s.tried.IsZero() || now.Sub(s.tried) >= betweenFetches
}

// look returns the key, and whether the set may and should be fetched for it.
func (s *KeySet) look(kid string) (key crypto.PublicKey, known, due bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.now()
	age := now.Sub(s.got)
	if age < s.life {
		key, known = s.keys.Key(kid)
	}
	return key, known, s.rested(now) && (!known || age >= keySetAge && !s.kept.Load())
}

// refresh fetches the set and puts it in the place of the old one if it is good.
func (s *KeySet) refresh(ctx context.Context) error {
	s.mu.Lock()
	s.tried = s.now()
	s.mu.Unlock()
	data, err := FetchJSON(ctx, s.client, s.url)
	if err != nil {
		return err
	}
	keys, err := ParseKeySet(data)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.got = keys, s.now()
	return nil
}

// FetchJSON gets a JSON document of at most 256 KiB. Anything but a 200 with a JSON
// type is an error.
func FetchJSON(ctx context.Context, c *http.Client, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return ReadJSON(c, r)
}

// ReadJSON sends a request and reads its answer as FetchJSON does. Its errors do not
// quote the answer.
func ReadJSON(c *http.Client, r *http.Request) ([]byte, error) {
	r.Header.Set("Accept", "application/json")
	res, err := c.Do(r)
	if err != nil {
		return nil, fmt.Errorf("auth: %s does not answer", r.URL.Host)
	}
	defer res.Body.Close()
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return nil, fmt.Errorf("auth: %s answers no JSON (status %d)", r.URL.Host, res.StatusCode)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("auth: %s answers %d", r.URL.Host, res.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxKeySet+1))
	if err != nil || len(data) > maxKeySet {
		return nil, fmt.Errorf("auth: the answer of %s is cut or longer than %d bytes", r.URL.Host, maxKeySet)
	}
	return data, nil
}

// PublicKeySet returns the JWK set that others verify this signer's tokens with.
func (s *Signer) PublicKeySet() ([]byte, error) {
	key, err := jwk.Import(&s.key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("auth: key set: %w", err)
	}
	for name, value := range map[string]string{jwk.KeyIDKey: s.kid, jwk.KeyUsageKey: "sig", jwk.AlgorithmKey: "ES256"} {
		if err := key.Set(name, value); err != nil {
			return nil, fmt.Errorf("auth: key set: %w", err)
		}
	}
	return json.Marshal(map[string][]jwk.Key{"keys": {key}})
}
