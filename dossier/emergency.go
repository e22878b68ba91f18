package dossier

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"opendmp/audit"
	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/policy"
	"opendmp/store"
)

// Codes of the emergency (POLICY.md §5).
const (
	systemCircumstance = "urn:opendmp:circonstance-urgence"
	unableToConsent    = "hors-etat-de-consentir"
	systemConsentKind  = "urn:opendmp:consent-kind"
)

// emergency is what $bris-de-glace is given.
type emergency struct {
	subject      subject
	circumstance auth.Coding
	reason       string
}

// brisDeGlace opens a grant: this professional, this dossier, for a time. Who
// has one open already is answered with it.
func (c *call) brisDeGlace(ctx context.Context) (Answer, error) {
	r, err := c.parseBody("Parameters")
	if err != nil {
		return Answer{}, err
	}
	e, err := c.readEmergency(r)
	if err != nil {
		return Answer{}, err
	}
	return c.retry(ctx, func() (Answer, error) {
		d, v, err := c.placeOf(ctx, e.subject)
		if err != nil {
			return Answer{}, err
		}
		dec := v.Emergency(e.circumstance, e.reason)
		if !dec.Allowed() {
			return c.refuseEmergency(ctx, d, v, dec, e)
		}
		if open := c.openGrant(d, v); open != nil {
			return c.answerGrant(ctx, d, v, dec, open)
		}
		if c.tokenUsed(ctx) {
			return c.refuseEmergency(ctx, d, v, policy.Decision{}, e)
		}
		ch, row, err := c.putGrant(ctx, d, v, e)
		if err != nil {
			return Answer{}, err
		}
		receipt, err := ch.commit(ctx)
		if err != nil {
			return Answer{}, err
		}
		return c.granted(d, row, receipt), nil
	})
}

// granted answers what is needed to read on.
func (c *call) granted(d *loaded, row *row, receipt audit.Receipt) Answer {
	a := c.clinical(http.StatusOK, own(grantParameters(d, row)), receipt)
	a.mode = modeCode(auth.BrisDeGlace)
	return a
}

// openGrant returns the grant that the caller has open on d, nil if none.
func (c *call) openGrant(d *loaded, v *policy.View) *row {
	if v.Situation().GrantEnds.IsZero() {
		return nil
	}
	ref, _ := d.record.ActiveConsent(policy.AccesUrgence, c.p.ID())
	return d.find(ref)
}

func (c *call) answerGrant(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, open *row) (Answer, error) {
	receipt, err := c.record(ctx, d, c.events(d, dec, doExecute, []string{versionRef(open)}, v))
	if err != nil {
		return Answer{}, err
	}
	return c.granted(d, open, receipt), nil
}

// refuseEmergency answers one wording for opposed, blocked, closed and
// unauthorised; a missing reason and an unknown dossier say so.
func (c *call) refuseEmergency(ctx context.Context, d *loaded, v *policy.View, dec policy.Decision, e emergency) (Answer, error) {
	event := c.event(d, dec, doExecute, v)
	event.Reason = e.reason
	err := ErrForbidden
	switch {
	case dec.Refusal() == policy.Unprocessable:
		err = refusal(dec)
	case c.absent(d, v):
		err = c.noPatient(v)
	}
	event.Status = outcomeOf(err).status
	if _, auditErr := c.record(ctx, d, []audit.Event{event}); auditErr != nil {
		return Answer{}, auditErr
	}
	return Answer{}, err
}

func (c *call) readEmergency(r *fhir.Resource) (emergency, error) {
	var e emergency
	seen := make(map[string]bool)
	for p := range r.Get("parameter").Items() {
		name := p.Get("name").Text()
		if seen[name] {
			return e, invalid("invalid", "Parameters.parameter.name", "Paramètre donné deux fois.", "Parameter given twice.")
		}
		seen[name] = true
		switch name {
		case "identifier":
			i := p.Get("valueIdentifier")
			e.subject.idents = []fhir.Ident{{System: i.Get("system").Text(), Value: i.Get("value").Text()}}
		case "circonstance":
			e.circumstance = auth.Coding{System: p.At("valueCoding", "system").Text(), Code: p.At("valueCoding", "code").Text()}
		case "motif":
			e.reason = p.Get("valueString").Text()
		default:
			return e, invalid("not-supported", "Parameters.parameter.name", "Paramètre inconnu : identifier, circonstance et motif sont attendus.", "Unknown parameter: identifier, circonstance and motif are expected.")
		}
	}
	if c.r.ID != "" {
		e.subject.id = c.r.ID
	}
	if e.subject.id == "" && len(e.subject.idents) == 0 {
		return e, invalid("required", "Parameters.parameter", "L’INS du patient manque (paramètre identifier).", "The INS of the patient is missing (parameter identifier).")
	}
	return e, nil
}

// wantsGrant tells whether the token asks for bris_de_glace, carries a reason,
// and no grant is open yet.
func (c *call) wantsGrant(d *loaded, v *policy.View) bool {
	return c.p.Mode() == auth.BrisDeGlace && c.p.Reason() != "" && d.exists() && v.Situation().GrantEnds.IsZero()
}

// grantWouldShow tells whether a grant by token may be opened on d. A request that
// names the patient opens it. One that was led to d by something in it does so only
// where it would then be shown that: a grant that a hidden document opens would
// tell that the document is there.
func (c *call) grantWouldShow(d *loaded) (bool, error) {
	leads := c.leads(d)
	if leads == nil {
		return true, nil
	}
	r, err := fhir.Scan(c.grantJSON(d, "grant"))
	if err != nil {
		return false, err
	}
	facts, err := policy.FactsOf(r, c.newOrigin())
	if err != nil {
		return false, internal(err, "grant")
	}
	granted := newLoaded(d.id, d.header, d.ring, append(slices.Clone(d.rows), &row{typ: "Consent", id: "grant", facts: facts}))
	return slices.ContainsFunc(leads, c.policy.View(c.p, granted.record, c.at).Sees), nil
}

// leads returns what led the request to d, where it does not name the patient: the
// resource of its id, or those that its query gives the id or an identifier of. Nil
// where it names the patient.
func (c *call) leads(d *loaded) []string {
	q := c.r.Query
	switch {
	case c.r.Type == "Patient":
		return nil
	case c.r.ID != "":
		return []string{c.r.Type + "/" + c.r.ID}
	case q == nil, q.PatientID != "", !q.PatientIdent.IsZero():
		return nil
	}
	leads := []string{}
	for _, r := range d.rows {
		if r.typ == q.Type && (slices.Contains(q.IDs, r.id) || identifiedBy(r, q.Idents)) {
			leads = append(leads, r.ref())
		}
	}
	return leads
}

// grantByToken opens the grant that a token asks for, once per token (its jti
// is claimed), and looks again. Where the rules refuse, the caller is left with
// the view they have, which shows nothing more.
func (c *call) grantByToken(ctx context.Context, d *loaded, v *policy.View) (*loaded, *policy.View, error) {
	e := emergency{circumstance: auth.Coding{System: systemCircumstance, Code: unableToConsent}, reason: c.p.Reason()}
	if !v.Emergency(e.circumstance, e.reason).Allowed() {
		return d, v, nil
	}
	for range attempts {
		ch, _, err := c.putGrant(ctx, d, v, e)
		if err != nil {
			return nil, nil, err
		}
		_, err = ch.commit(ctx)
		if err != nil && !isConflict(err) {
			return nil, nil, err
		}
		if d, err = c.load(ctx, d.id); err != nil {
			return nil, nil, err
		}
		v = c.policy.View(c.p, d.record, c.at)
		if !c.wantsGrant(d, v) || c.tokenUsed(ctx) {
			return d, v, nil
		}
	}
	return nil, nil, ErrUnavailable
}

// tokenUsed tells whether the token opened a grant before.
func (c *call) tokenUsed(ctx context.Context) bool {
	_, err := c.store.State(ctx, grantToken, c.p.TokenID())
	return err == nil
}

// grantToken is the kind of state entries that claim a token for its one grant.
const grantToken = "grant-token"

// putGrant builds the Consent of kind acces-urgence, the end of an earlier one,
// the claim of the token, the event, and the notice that the patient and the
// médecins traitants always get (R.1111-48).
func (c *call) putGrant(ctx context.Context, d *loaded, v *policy.View, e emergency) (*change, *row, error) {
	ch := c.newChange(d, v)
	r, err := fhir.Scan(c.grantJSON(d, c.newID()))
	if err != nil {
		return nil, nil, err
	}
	facts, err := policy.FactsOf(r, c.newOrigin())
	if err != nil {
		return nil, nil, internal(err, "grant")
	}
	if err := c.endConsent(ctx, ch, facts); err != nil {
		return nil, nil, err
	}
	row, err := ch.put(nil, &record{resource: r, origin: c.newOrigin(), push: ch.push})
	if err != nil {
		return nil, nil, internal(err, "grant")
	}
	ch.tx.State = append(ch.tx.State, store.StateEntry{
		Kind: grantToken, Key: c.p.TokenID(), Expires: c.p.Expires().Add(time.Hour),
	})
	event := c.event(d, v.Emergency(e.circumstance, e.reason), doExecute, v)
	event.Objects = []string{versionRef(row)}
	event.Mode, event.Reason, event.Interaction = auth.BrisDeGlace, e.reason, "$bris-de-glace"
	ch.events = append(ch.events, event)
	ch.notice("bris-de-glace")
	return ch, row, nil
}

// grantConsent is the Consent that only the door writes.
type grantConsent struct {
	ResourceType string           `json:"resourceType"`
	ID           string           `json:"id"`
	Meta         derivedMeta      `json:"meta"`
	Status       string           `json:"status"`
	Scope        concept          `json:"scope"`
	Category     []concept        `json:"category"`
	Patient      reference        `json:"patient"`
	DateTime     string           `json:"dateTime"`
	Performer    []actorReference `json:"performer"`
	Organization []actorReference `json:"organization"`
	Source       titled           `json:"sourceAttachment"`
	Policy       []policyURI      `json:"policy"`
	Provision    grantProvision   `json:"provision"`
}

type titled struct {
	Title string `json:"title"`
}

type policyURI struct {
	URI string `json:"uri"`
}

type actorReference struct {
	Type       string    `json:"type,omitempty"`
	Identifier idWithUse `json:"identifier"`
	Display    string    `json:"display,omitempty"`
}

type grantActor struct {
	Role      concept        `json:"role"`
	Reference actorReference `json:"reference"`
}

type grantPeriod struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type grantProvision struct {
	Type    string       `json:"type"`
	Period  grantPeriod  `json:"period"`
	Actor   []grantActor `json:"actor"`
	Purpose []coding     `json:"purpose"`
}

// grantJSON makes the Consent of a grant, from now for the time of the setting.
func (c *call) grantJSON(d *loaded, id string) []byte {
	who := actorReference{"Practitioner", idWithUse{System: c.p.ID().System, Value: c.p.ID().Value}, c.p.Name()}
	where := who
	if s := c.p.Structure(); !s.IsZero() {
		where = actorReference{"Organization", idWithUse{System: s.System, Value: s.Value}, c.p.StructureName()}
	}
	start, end := c.at, c.at.Add(c.policy.Settings().GrantDuration)
	body, err := json.Marshal(grantConsent{
		ResourceType: "Consent", ID: id,
		Meta: derivedMeta{
			VersionID: "1", LastUpdated: c.at.UTC().Format("2006-01-02T15:04:05.000Z"),
			Profile: []string{"https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentBasic"},
		},
		Status:    "active",
		Scope:     concept{[]coding{{"http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"}}},
		Category:  []concept{{[]coding{{"http://loinc.org", "59284-0"}, {systemConsentKind, "acces-urgence"}}}},
		Patient:   reference{"Patient/" + d.patient().id},
		DateTime:  start.Format(time.RFC3339),
		Performer: []actorReference{who}, Organization: []actorReference{where},
		Source: titled{"Bris de glace : accès en urgence, motif conservé dans l’historique"},
		Policy: []policyURI{{"urn:opendmp:politique:acces-urgence"}},
		Provision: grantProvision{
			Type: "permit", Period: grantPeriod{start.Format(time.RFC3339), end.Format(time.RFC3339)},
			Actor:   []grantActor{{concept{[]coding{{"http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"}}}, who}},
			Purpose: []coding{{"http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG"}},
		},
	})
	if err != nil {
		panic("dossier: a grant is always JSON")
	}
	return body
}

// grantParameters answers what is needed to read on: the patient, the Consent,
// and when the grant ends.
func grantParameters(d *loaded, row *row) []byte {
	_, end := row.facts.Period()
	b := []byte(`{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":"Patient/`)
	b = append(b, d.patient().id...)
	b = append(b, `"}},{"name":"consent","valueReference":{"reference":"`...)
	b = append(b, row.ref()...)
	b = append(b, `"}},{"name":"fin","valueInstant":"`...)
	b = end.UTC().AppendFormat(b, time.RFC3339)
	return append(b, `"}]}`...)
}
