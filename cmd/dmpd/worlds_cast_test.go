package main

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/sandbox"
)

// caller is somebody for whom two worlds are made.
type caller struct {
	name            string
	as              string // persona; none is nobody
	purpose, reason string
	focus           string // the patient whom they ask about most
	// absent are the patients who have no record in world A: the caller may not
	// learn whether there is one.
	absent []string
	// history are the patients whose history the caller reads: what others did, and
	// what was deleted, is not hidden from them.
	history []string
	// knows tells that the caller sees the Patient, and with it who is médecin
	// traitant.
	knows bool
	// skip are acts of neither world: they would change what the caller may do.
	skip []string
	// keep are acts of both worlds, although the caller does not see them: they
	// keep the caller from seeing what differs.
	keep []string
	// hidden are some documents that must be hidden from the caller.
	hidden []string
}

func (c caller) structure() string {
	p, _ := sandbox.Lookup(c.as)
	return p.Structure
}

// deletedKey is the document that its author deleted.
const deletedKey = "4-alix-masque"

// sees tells whether an act is one of world A.
func (c caller) sees(a act, hidden map[string]bool) bool {
	if slices.Contains(c.absent, a.patient) {
		return false
	}
	if a.key != "" && slices.Contains(c.keep, a.key) {
		return true
	}
	for _, key := range a.about {
		if hidden[key] {
			return false
		}
	}
	if slices.Contains(c.history, a.patient) || c.as == a.patient {
		return true
	}
	for _, tag := range a.tags {
		about, isConsent := strings.CutPrefix(tag, "consent:")
		switch {
		case isConsent && (about == "" || about != c.as && about != c.structure()), tag == "looking", tag == "mt" && !c.knows:
			return false
		}
	}
	return true
}

// pair is the two worlds of a caller. B holds what A holds, and what the caller
// may not see.
type pair struct {
	t             testing.TB
	who           caller
	a, b          *side
	step          int
	now           time.Time
	hidden        map[string]bool // documents of world B only
	pool          *pool
	credentials   *auth.Claims // of the caller
	failed, count int
	statuses      map[int]int
	covered       map[string]bool // what was asked for
}

// openPair makes the worlds of a caller. What is hidden is found out by asking in
// world B: whatever document the caller gets a 404 for has never been in world A.
func openPair(t testing.TB, s *story, who caller) *pair {
	t.Helper()
	p := &pair{t: t, who: who, credentials: claimsOf(who.as, who.purpose, who.reason), now: worldsNow.Add(time.Hour), hidden: map[string]bool{}, statuses: map[int]int{}, covered: map[string]bool{}}
	var err error
	dir := t.TempDir()
	if p.b, err = openSide("B", filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if p.a, err = openSide("A", filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSides(t, p.a, p.b) })
	acts := slices.DeleteFunc(slices.Clone(s.acts), func(a act) bool { return slices.Contains(who.skip, a.key) })
	for i, a := range acts {
		if err := p.b.play(i, a, a.ask.body); err != nil {
			t.Fatalf("%s: world B: %v", who.name, err)
		}
	}
	p.step = len(acts)
	asks, answers := p.probe(s)
	for _, key := range who.hidden {
		if !p.hidden[key] {
			t.Errorf("%s: %s is not hidden", who.name, key)
		}
	}
	left := 0
	for i, a := range acts {
		if !who.sees(a, p.hidden) {
			left++
			continue
		}
		body := a.ask.body
		if a.aside != nil {
			body = a.aside(p.hidden)
		}
		if err := p.a.play(i, a, body); err != nil {
			t.Fatalf("%s: world A: %v", who.name, err)
		}
	}
	if left == 0 && len(who.absent) == 0 {
		t.Errorf("%s: the worlds do not differ", who.name)
	}
	for name, id := range p.b.names.known {
		if _, both := p.a.names.known[name]; !both {
			p.a.names.known[name] = id // unknown there
		}
	}
	p.replay(asks, answers)
	p.pool = newPool(s, p, acts)
	return p
}

// probe asks world B for every document as the caller, and notes what is hidden.
func (p *pair) probe(s *story) ([]ask, []raw) {
	var asks []ask
	var answers []raw
	for i, key := range sortedKeys(s.patient) {
		a := ask{method: http.MethodGet, path: "DocumentReference/{{" + key + "}}"}
		r, err := p.b.send(p.step+i, p.now.Add(time.Duration(i)*time.Second), p.claims(), a)
		if err != nil {
			p.t.Fatal(err)
		}
		told := key == deletedKey && slices.Contains(p.who.history, s.patient[key])
		p.hidden[key] = r.status >= http.StatusBadRequest && !told
		asks, answers = append(asks, a), append(answers, r)
	}
	return asks, answers
}

// replay asks world A what was asked of world B.
func (p *pair) replay(asks []ask, answers []raw) {
	for i, a := range asks {
		r, err := p.a.send(p.step, p.now, p.claims(), a)
		if err != nil {
			p.t.Fatal(err)
		}
		p.compare(a, r, answers[i])
	}
}

// play carries out an act, and keeps the ids of what it makes.
func (s *side) play(step int, a act, body string) error {
	asked := a.ask
	asked.body = body
	if strings.Contains(s.names.expand(asked.path+body), "{{") {
		return errors.New("an act names what is not there: " + a.key)
	}
	r, err := s.send(step, a.at, a.claims(), asked)
	if err != nil {
		return err
	}
	if r.status != a.expect {
		return fmt.Errorf("%s %s %s (%s): %d, want %d\n%.800s", a.as, a.ask.method, a.ask.path, a.key, r.status, a.expect, r.body)
	}
	s.names.learn(a.key, r)
	return nil
}

// claims are those of the caller; nil of nobody.
func (p *pair) claims() *auth.Claims { return p.credentials }

// ask asks both worlds the same and compares their answers.
func (p *pair) ask(a ask) got {
	var answers [2]raw
	var errs [2]error
	var both sync.WaitGroup
	for i, s := range [...]*side{p.a, p.b} {
		both.Go(func() { answers[i], errs[i] = s.send(p.step, p.now, p.claims(), a) })
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		p.t.Fatal(err)
	}
	return p.compare(a, answers[0], answers[1])
}

// compare fails the test where the answers of the worlds differ, and goes on to
// the next step.
func (p *pair) compare(asked ask, ra, rb raw) got {
	a, b := p.a.names.see(ra), p.b.names.see(rb)
	p.step++
	p.now = p.now.Add(time.Second)
	p.count++
	p.statuses[b.status]++
	p.note(asked)
	if a == b {
		return a
	}
	p.failed++
	if p.failed <= 3 {
		p.t.Errorf("%s, step %d: %s %s %.300s\nworld A: %s\nworld B: %s", p.who.name, p.step-1, asked.method, asked.path, asked.body,
			a.apart(b), b.apart(a))
	}
	if p.failed > 10 {
		p.t.Fatalf("%s: more than ten differences", p.who.name)
	}
	return a
}
