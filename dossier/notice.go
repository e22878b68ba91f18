package dossier

import (
	"encoding/hex"
	"time"

	"opendmp/policy"
	"opendmp/store"
)

// outbox is the kind of state entries that wait to be told to the patient and
// the médecins traitants. They name the dossier and an occasion, nothing else.
const outbox = "outbox"

// noticeLife is how long a notice waits for its delivery.
const noticeLife = 30 * 24 * time.Hour

// notice adds a message to the outbox, in the commit of what it tells.
func (ch *change) notice(occasion string) {
	id := ch.c.random16()
	ch.tx.State = append(ch.tx.State, store.StateEntry{
		Kind: outbox, Key: hex.EncodeToString(id[:]),
		Value:   append(append([]byte{}, ch.d.id[:]...), occasion...),
		Expires: ch.c.at.Add(noticeLife),
	})
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
