package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/sandbox"
)

// feedEvery is how often the health insurance of the sandbox looks for openings.
const feedEvery = 2 * time.Second

// feeder is the health insurance of the sandbox. What it is told of, it feeds
// through the door like anybody, with a token of its persona.
type feeder struct {
	door   *dossier.Service
	plan   plan
	signer *auth.Signer
}

func newFeeder(door *dossier.Service, p plan, signer *auth.Signer) feeder {
	return feeder{door, p, signer}
}

// run feeds what is opened until ctx ends.
func (f feeder) run(ctx context.Context) {
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		if n, err := f.door.TellOpenings(ctx, f.feed); err != nil && ctx.Err() == nil {
			f.plan.log.Warn("feeding", "error", err.Error())
		} else if n > 0 {
			f.plan.log.Info("fed", "dossiers", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// feed pushes the reimbursements of 24 months. The cast has its own, from its
// story.
func (f feeder) feed(ctx context.Context, o dossier.Opened) error {
	if slices.ContainsFunc(sandbox.Personas(), func(p sandbox.Persona) bool { return p.ID == o.INS && hasStory(p) }) {
		return nil
	}
	pushes, err := sandbox.Refunds(o.INS, o.At)
	if err != nil {
		return err
	}
	p, err := f.principal(ctx)
	if err != nil {
		return err
	}
	for _, body := range pushes {
		if err := f.push(ctx, p, body); err != nil {
			return err
		}
	}
	return nil
}

// hasStory tells whether the script of the sandbox fills the record of a patient.
func hasStory(p sandbox.Persona) bool {
	return slices.ContainsFunc(sandbox.Documents(), func(d sandbox.Document) bool { return d.Patient == p.Key })
}

func (f feeder) principal(ctx context.Context) (auth.Principal, error) {
	token, err := personaToken(f.signer, "assurance-maladie", "", "")
	if err != nil {
		return auth.Principal{}, err
	}
	verifier, err := auth.NewVerifier(auth.Config{Issuers: f.plan.issuers, Now: f.plan.clock.Now})
	if err != nil {
		return auth.Principal{}, err
	}
	return verifier.Verify(ctx, token)
}

// push pushes one bundle. A refusal is final: the dossier was closed meanwhile, or
// its patient opposed feeding.
func (f feeder) push(ctx context.Context, p auth.Principal, body []byte) error {
	line, err := fhir.Base(f.plan.base).ParsePath(http.MethodPost, "", "")
	if err != nil {
		return err
	}
	a := f.door.Do(ctx, p, dossier.Request{Request: line, Body: body, MediaType: "application/fhir+json", Lang: "fr", TraceID: "sandbox-feeder"})
	switch {
	case a.Status() >= http.StatusInternalServerError || a.Status() == http.StatusTooManyRequests:
		return fmt.Errorf("sandbox: the push of reimbursements was answered with %d", a.Status())
	case a.Status() >= http.StatusBadRequest:
		f.plan.log.Warn("a push of reimbursements was refused", slog.Int("status", a.Status()))
	}
	return nil
}
