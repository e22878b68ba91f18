package idp

import (
	"crypto/sha256"
	"io"
	"time"

	"opendmp/sandbox"
)

// Lives, as those of Pro Santé Connect (DOMAIN §5.5); a code lives as long as one of
// Keycloak.
const (
	codeLife    = time.Minute
	accessLife  = 2 * time.Minute
	refreshLife = 30 * time.Minute
	sessionLife = 4 * time.Hour
)

// maxKept is how many sessions are kept at most: the provider is in memory, and
// whoever reaches it can log in.
const maxKept = 10_000

// levelOfAssurance is the acr of every log-in.
const levelOfAssurance = "eidas1"

// session is a log-in of a persona through a client.
type session struct {
	id      string
	persona sandbox.Persona
	client  string
	nonce   string
	scope   string
	began   time.Time
}

// code is an authorisation code. One that served stays until it expires, so that its
// second use is seen.
type code struct {
	session   *session
	redirect  string
	challenge string
	expires   time.Time
	used      bool
}

// token is an access token, or a refresh token.
type token struct {
	session *session
	id      string
	refresh bool
	issued  time.Time
	expires time.Time
}

// random returns 128 random bits.
func (p *Provider) random() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(p.c.Rand, b); err != nil {
		return "", err
	}
	return encode(b), nil
}

// newCode begins a session and returns the code that stands for it; "" if there are too
// many.
func (p *Provider) newCode(s *session, redirect, challenge string) (string, error) {
	var err error
	if s.id, err = p.random(); err != nil {
		return "", err
	}
	value, err := p.random()
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	if len(p.sessions) >= maxKept {
		return "", nil
	}
	p.sessions[s.id] = s
	p.codes[value] = &code{session: s, redirect: redirect, challenge: challenge, expires: s.began.Add(codeLife)}
	return value, nil
}

// redeem takes a code of a client and returns what it stands for. A code that is used a
// second time ends the session (RFC 6749 §4.1.2).
func (p *Provider) redeem(value, client, redirect, verifier string) (*session, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.codes[value]
	switch {
	case !ok || c.session.client != client:
		return nil, false
	case c.used:
		p.end(c.session)
		return nil, false
	}
	c.used = true
	sum := sha256.Sum256([]byte(verifier))
	if c.redirect != redirect || c.challenge != encode(sum[:]) || !p.c.Now().Before(c.expires) {
		p.end(c.session)
		return nil, false
	}
	return c.session, true
}

// turn takes a refresh token of a client, which serves once.
func (p *Provider) turn(value, client string) (*session, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.tokens[value]
	if !ok || !t.refresh || t.session.client != client || !p.alive(t) {
		return nil, false
	}
	delete(p.tokens, value)
	return t.session, true
}

// keep keeps a token of a session.
func (p *Provider) keep(value string, t *token) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens[value] = t
}

// look returns a token that is in force.
func (p *Provider) look(value string) (*token, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.tokens[value]
	return t, ok && p.alive(t)
}

// alive tells whether a token is in force. Its session ends with four hours, whatever
// the token says.
func (p *Provider) alive(t *token) bool {
	now := p.c.Now()
	_, ok := p.sessions[t.session.id]
	return ok && now.Before(t.expires) && now.Before(t.session.began.Add(sessionLife))
}

// end ends a session with all that it was given.
func (p *Provider) end(s *session) {
	delete(p.sessions, s.id)
	for value, t := range p.tokens {
		if t.session == s {
			delete(p.tokens, value)
		}
	}
}

// sweep drops what has expired: a session that no code and no token stands for any more
// has been idle for longer than a refresh token lives.
func (p *Provider) sweep() {
	now, held := p.c.Now(), map[string]bool{}
	for value, c := range p.codes {
		if !now.Before(c.expires) {
			delete(p.codes, value)
			continue
		}
		held[c.session.id] = true
	}
	for value, t := range p.tokens {
		if !p.alive(t) {
			delete(p.tokens, value)
			continue
		}
		held[t.session.id] = true
	}
	for id := range p.sessions {
		if !held[id] {
			delete(p.sessions, id)
		}
	}
}
