package dossier_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"opendmp/dossier"
)

// together runs f n times at once and returns what each gave.
func together[T any](n int, f func(int) T) []T {
	out := make([]T, n)
	var ready, done sync.WaitGroup
	ready.Add(1)
	for i := range n {
		done.Go(func() {
			ready.Wait()
			out[i] = f(i)
		})
	}
	ready.Done()
	done.Wait()
	return out
}

// The same push many times at once creates one document, and all get its answer
// (P5).
func TestSamePushAtOnce(t *testing.T) {
	h := newHouse(t)
	patient := h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	for round := range 5 {
		body := strings.ReplaceAll(push, "99999.2", fmt.Sprintf("99999.%d", 50+round))
		answers := together(16, func(int) answer { return author.post("", body) })
		for _, a := range answers {
			if a.is(200).at("entry.1.response.location") != answers[0].at("entry.1.response.location") {
				t.Fatal("two answers to one push")
			}
		}
	}
	h.doctor("8899900000099", "1750000001").get("DocumentReference?patient="+patient).is(200).has("total", "5")
}

// Different pushes at once to one dossier are all there afterwards (P4).
func TestPushesAtOnce(t *testing.T) {
	h := newHouse(t)
	patient := h.openFor(published)
	author := h.doctor("899700218896", "1750000003")
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	const n = 16
	for _, a := range together(n, func(i int) answer {
		return author.post("", strings.ReplaceAll(push, "99999.2", fmt.Sprintf("99999.%d", 70+i)))
	}) {
		if s := a.Status(); s != 200 && s != 503 {
			t.Errorf("%d: %s", s, a.body)
		} else if s == 503 {
			t.Error("sixteen writers to one dossier wear out the attempts")
		}
	}
	h.doctor("8899900000099", "1750000001").get("DocumentReference?patient="+patient+"&_summary=count").is(200).has("total", "16")
}

// Of many changes of one version at once, one wins and the others are told.
func TestIfMatchAtOnce(t *testing.T) {
	s := newScene(t)
	me := s.me()
	first := func(r *dossier.Request) { r.IfMatch = `W/"1"` }
	won := 0
	for _, a := range together(16, func(i int) answer {
		body := label("MASQUE_PS")
		if i%2 == 0 {
			body = normal
		}
		return me.do("PATCH", "DocumentReference/"+s.doc, "application/json-patch+json", body, first)
	}) {
		switch a.Status() {
		case 200:
			won++
		case 412:
		default:
			t.Errorf("%d: %s", a.Status(), a.body)
		}
	}
	if won != 1 {
		t.Errorf("%d changes of version 1 were accepted", won)
	}
	me.get("DocumentReference/"+s.doc).is(200).has("meta.versionId", "2")
}

// One INS opens one dossier, however many open it at once.
func TestOpeningAtOnce(t *testing.T) {
	h := newHouse(t)
	who := h.doctor("8899900000011", "1750000001")
	body := opening(t, farid)
	answers := together(16, func(int) answer { return who.post("", body) })
	for _, a := range answers {
		if a.is(200).at("entry.0.response.location") != answers[0].at("entry.0.response.location") {
			t.Fatal("two dossiers of one INS")
		}
	}
}

// A grant that a token asks for is opened once, however many requests come with
// the token at once.
func TestGrantByTokenAtOnce(t *testing.T) {
	s := newScene(t)
	c := professional(roche, "10", "1750000002")
	c.ID = "token-at-once"
	c.Extensions.IUA.Purpose[0].Code = "bris_de_glace"
	c.DMP.Reason = "Patiente inconsciente, antécédents inconnus."
	who := s.as(c)
	for _, a := range together(16, func(int) answer { return who.get("DocumentReference/" + s.doc) }) {
		a.is(200)
	}
	s.me().get("Consent?patient="+s.patient+"&_summary=count").is(200).has("total", "4")
}
