package dossier

import (
	"encoding/hex"
	"slices"
	"time"

	"opendmp/policy"
	"opendmp/store"
)

// outbox is the kind of state entries that wait to be told to the patient and
// the médecins traitants. They name the dossier and an occasion, nothing else, and
// that under seal: an occasion may tell of what is hidden.
const outbox = "outbox"

// noticeLife is how long a notice waits for its delivery.
const noticeLife = 30 * 24 * time.Hour

// notice adds a message to the outbox, in the commit of what it tells.
func (ch *change) notice(occasion string) {
	ch.tx.State = append(ch.tx.State, ch.c.outboxEntry(ch.d.id, occasion, ch.c.at))
}

func (s *Service) outboxEntry(d store.Dossier, occasion string, at time.Time) store.StateEntry {
	id := s.random16()
	key := hex.EncodeToString(id[:])
	return store.StateEntry{
		Kind: outbox, Key: key, Value: s.sealState(outbox, key, append(slices.Clone(d[:]), occasion...)), Expires: at.Add(noticeLife),
	}
}

// tell adds the notices that a change of Consent or CareTeam owes the patient
// (G05, POLICY §6): every authorisation given or withdrawn by somebody else, and
// every change of whom one may hold for.
func (c *call) tell(ch *change) {
	if c.patientScoped() {
		return
	}
	for _, r := range ch.rows {
		if r.typ == "CareTeam" {
			ch.notice("equipe-de-soins")
			return
		}
		if r.typ == "Consent" && r.facts.ConsentKind() == policy.Autorisation {
			ch.notice("autorisation")
			return
		}
	}
}
