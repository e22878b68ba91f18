package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"opendmp/auth"
	"opendmp/sandbox"
)

// act is one request of the past of both worlds.
type act struct {
	at     time.Time
	as     string // persona
	secret bool   // in a secret session
	ask    ask
	expect int
	// key names what is created: a document as key, its submission set and
	// content as key/List and key/Binary.
	key string
	// about are the documents without which there is nothing to do: where they are
	// hidden, the act is of world B only.
	about []string
	// patient is whose record it is.
	patient string
	// tags tell what kind of act it is, for casts that leave kinds out of world A.
	tags []string
	// aside makes the body for a world without some documents; nil where it names
	// none but those of about.
	aside func(hidden map[string]bool) string
}

// claims returns the claims of who acts.
func (a act) claims() *auth.Claims {
	c := claimsOf(a.as, "", "")
	if a.secret {
		c.DMP.Confidentiality = "INVISIBLE_REPRESENTANTS_LEGAUX"
	}
	return c
}

// claimsOf returns the claims of a persona, nil of nobody.
func claimsOf(persona, purpose, reason string) *auth.Claims {
	p, ok := sandbox.Lookup(persona)
	if !ok {
		return nil
	}
	c := p.Claims(purpose, reason)
	return &c
}

// story is the past of the worlds: the script of the sandbox, and beside it what
// is hidden from somebody in every way there is.
type story struct {
	acts    []act
	patient map[string]string // of each document
	// more are pushes of the cast under other identifiers, by seed.
	more map[uint64]map[string]sandbox.Step
}

func newStory() (*story, error) {
	s := &story{patient: map[string]string{}, more: map[uint64]map[string]sandbox.Step{}}
	for _, d := range sandbox.Documents() {
		s.patient[d.Key] = d.Patient
	}
	for seed := uint64(1); seed <= 6; seed++ {
		steps, err := sandbox.Script(sandbox.Config{Now: worldsNow, Seed: seed, AuthorisedDays: 365})
		if err != nil {
			return nil, err
		}
		s.more[seed] = map[string]sandbox.Step{}
		for _, step := range steps {
			if key, ok := strings.CutPrefix(step.Note, "dépose "); ok {
				s.more[seed][key] = step
			}
			if seed == 1 {
				s.acts = append(s.acts, s.told(step))
			}
		}
	}
	s.alix()
	s.emma()
	s.david()
	slices.SortStableFunc(s.acts, func(a, b act) int { return a.at.Compare(b.at) })
	return s, nil
}

// told makes an act of a step of the sandbox.
func (s *story) told(step sandbox.Step) act {
	a := act{
		at: step.At, as: step.As, expect: step.Expect,
		ask: ask{method: step.Method, path: strings.TrimPrefix(step.Path, "/"), mime: step.ContentType, body: string(step.Body)},
	}
	switch key, what := "", step.Note; {
	case cut(what, "dépose ", &key):
		a.key, a.about, a.patient = key, []string{key}, s.patient[key]
	case cut(what, "ouvre le dossier de ", &key):
		a.key, a.patient = key, key
	case cut(what, "masque ", &key), cut(what, "archive ", &key):
		a.about, a.patient = []string{key}, s.patient[key]
	case cut(what, "autorise ", &key):
		a.patient, a.tags = step.As, []string{"consent:" + key}
	case cut(what, "bloque ", &key):
		a.patient, a.tags = step.As, []string{"consent:" + key}
	default:
		a.patient = step.As
	}
	if strings.Contains(step.Note, "médecin traitant") {
		a.tags = []string{"mt"}
	}
	return a
}

func cut(text, prefix string, rest *string) (ok bool) {
	*rest, ok = strings.CutPrefix(text, prefix)
	return ok
}

func (s *story) add(a act) { s.acts = append(s.acts, a) }

// push adds the push of a document of the cast once more, under a new key; edit
// may change its bundle.
func (s *story) push(seed uint64, key string, edit func(b *bundle)) *act {
	step := s.more[seed][key]
	a := s.told(step)
	name := fmt.Sprintf("%d-%s", seed, key)
	s.patient[name] = a.patient
	a.key, a.about, a.at = name, []string{name}, step.At.Add(time.Duration(seed)*7*time.Minute)
	b := bundle{}
	if err := json.Unmarshal(step.Body, &b.m); err != nil {
		panic(err)
	}
	if edit != nil {
		edit(&b)
	}
	a.ask.body = b.String()
	s.add(a)
	return &s.acts[len(s.acts)-1]
}

// bundle is a submission, to be changed.
type bundle struct{ m map[string]any }

func (b *bundle) String() string { return encodeJSON(b.m) }

func encodeJSON(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}

// of returns the resources of a type.
func (b *bundle) of(typ string) []map[string]any {
	var out []map[string]any
	for _, e := range b.m["entry"].([]any) {
		if r, ok := e.(map[string]any)["resource"].(map[string]any); ok && r["resourceType"] == typ {
			out = append(out, r)
		}
	}
	return out
}

type object = map[string]any

// relate adds relatesTo to the document.
func (b *bundle) relate(code string, keys ...string) {
	var all []any
	for _, key := range keys {
		all = append(all, object{"code": code, "target": object{"reference": "DocumentReference/{{" + key + "}}"}})
	}
	if len(all) > 0 {
		b.of("DocumentReference")[0]["relatesTo"] = all
	}
}

// related adds documents to context.related.
func (b *bundle) related(keys ...string) {
	var all []any
	for _, key := range keys {
		all = append(all, object{"reference": "DocumentReference/{{" + key + "}}"})
	}
	if len(all) > 0 {
		b.of("DocumentReference")[0]["context"].(object)["related"] = all
	}
}

const (
	mediaJSON  = "application/fhir+json"
	mediaPatch = "application/json-patch+json"
	visibility = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
	archivedAt = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
)

func labelled(code string) string {
	return `[{"op":"add","path":"/securityLabel/-","value":{"coding":[{"system":"` + visibility + `","code":"` + code + `"}]}}]`
}

const unlabelled = `[{"op":"remove","path":"/securityLabel/1"}]`

func archiving(yes bool) string {
	return fmt.Sprintf(`[{"op":"add","path":"/extension","value":[{"url":"%s","valueBoolean":%v}]}]`, archivedAt, yes)
}

// later adds a request about a document, some time after the document.
func (s *story) later(key, as string, wait time.Duration, expect int, a ask) *act {
	i := slices.IndexFunc(s.acts, func(a act) bool { return a.key == key })
	s.add(act{at: s.acts[i].at.Add(wait), as: as, ask: a, expect: expect, about: []string{key}, patient: s.acts[i].patient})
	return &s.acts[len(s.acts)-1]
}

func (s *story) patch(key, as string, wait time.Duration, body string) *act {
	return s.later(key, as, wait, http.StatusOK, ask{method: "PATCH", path: "DocumentReference/{{" + key + "}}", mime: mediaPatch, body: body})
}

// mask masks a document, back and forth.
func (s *story) mask(key, patient string) {
	s.patch(key, patient, time.Minute, labelled("MASQUE_PS"))
	s.patch(key, patient, 2*time.Minute, unlabelled)
	s.patch(key, patient, 3*time.Minute, labelled("MASQUE_PS"))
}

// cutting rebuilds a push for a world that lacks some of what it names.
func (s *story) cutting(seed uint64, key string, edit func(b *bundle, shown func(...string) []string)) {
	all := func(keys ...string) []string { return keys }
	a := s.push(seed, key, func(b *bundle) { edit(b, all) })
	a.at = worldsNow.Add(time.Duration(seed) * time.Minute) // after all that it names
	whole := s.more[seed][key]
	a.aside = func(hidden map[string]bool) string {
		b := bundle{}
		if err := json.Unmarshal(whole.Body, &b.m); err != nil {
			panic(err)
		}
		edit(&b, func(keys ...string) []string {
			return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return hidden[k] })
		})
		return b.String()
	}
}

// alix is what her record has besides the sandbox: everything once more and
// masked, replaced while masked, hidden from her and replaced, named by documents
// and submission sets that others see.
func (s *story) alix() {
	const alix = "patient-alix"
	for _, key := range []string{"alix-psy", "alix-vaccins", "alix-masque", "alix-remb", "alix-cr-consultation", "alix-biologie", "alix-ordonnance", "alix-lettre-sortie-ancienne"} {
		s.push(2, key, nil)
		s.mask("2-"+key, alix)
	}
	// Replaced while masked: the successor is masked too.
	s.push(3, "alix-masque", func(b *bundle) { b.relate("replaces", "2-alix-masque") })
	s.push(3, "alix-ordonnance", func(b *bundle) { b.relate("replaces", "2-alix-ordonnance") })
	s.push(3, "alix-cr-consultation", func(b *bundle) { b.relate("replaces", "2-alix-cr-consultation") })
	// Hidden from her, archived back and forth, and replaced.
	s.push(2, "alix-annonce", nil)
	s.patch("2-alix-annonce", "medecin-durand", time.Minute, archiving(true))
	s.patch("2-alix-annonce", "medecin-durand", 2*time.Minute, archiving(false))
	s.push(3, "alix-annonce", func(b *bundle) { b.relate("replaces", "2-alix-annonce") })
	s.later("3-alix-annonce", "medecin-durand", time.Minute, 200, get("DocumentReference/{{3-alix-annonce}}/_history"))
	s.later("3-alix-annonce", "medecin-durand", 2*time.Minute, 200, get("DocumentReference/{{2-alix-annonce}}/_history/1"))
	for i, path := range []string{"Binary/{{3-alix-annonce/Binary}}", "List/{{3-alix-annonce/List}}", "DocumentReference?patient=Patient/{{patient-alix}}&_id={{3-alix-annonce}}"} {
		s.later("3-alix-annonce", "medecin-martin", time.Duration(20+i)*time.Minute, 200, get(path)).tags = []string{"looking"}
	}
	s.later("3-alix-annonce", "pharmacien-dubois", 5*time.Minute, 404, get("DocumentReference/{{3-alix-annonce}}"))
	s.later("3-alix-annonce", "medecin-durand", 6*time.Minute, 405, ask{method: "PATCH", path: "DocumentReference/{{3-alix-annonce}}", mime: mediaPatch, body: `[{"op":"remove","path":"/type"}]`})
	// Deleted: gone for everyone, but for the history.
	s.push(4, "alix-masque", nil)
	s.later("4-alix-masque", "medecin-leroy", time.Minute, 204, ask{method: "DELETE", path: "DocumentReference/{{4-alix-masque}}"})
	// What others see names what they do not, and submission sets hold both.
	s.cutting(5, "alix-cr-consultation", func(b *bundle, shown func(...string) []string) {
		b.relate("appends", shown("2-alix-masque", "alix-biologie", "2-alix-annonce")...)
		b.related(shown("alix-ordonnance", "3-alix-masque", "alix-annonce", "2-alix-psy")...)
	})
	s.cutting(6, "alix-cr-consultation", func(b *bundle, shown func(...string) []string) {
		b.relate("appends", shown("3-alix-annonce", "2-alix-biologie")...)
		b.related(shown("2-alix-ordonnance", "3-alix-annonce")...)
	})
	s.search(alix, "medecin-durand", "medecin-martin")
	// Decisions about others, one of them taken back.
	s.decide(alix, "bloc-roux", "blocage", "sage-femme-roux", "")
	s.decide(alix, "bloc-petit", "blocage", "infirmier-moreau", "")
	s.decide(alix, "non-centre-15", "opposition-centre-15", "", "ETREAT")
	s.decide(alix, "non-bris-de-glace", "opposition-bris-de-glace", "", "BTG")
	s.decide(alix, "non-faure", "opposition-alimentation", "dentiste-faure", "")
	s.decide(alix, "oui-nord", "autorisation", "hopital-nord", "TREAT")
	s.add(act{
		at: worldsNow.Add(35 * time.Minute), as: "urgentiste-roche", expect: 200, patient: alix, tags: []string{"consent:urgentiste-roche"},
		key: "acces-urgence", ask: ask{method: "POST", path: "Patient/{{patient-alix}}/$bris-de-glace", mime: mediaJSON, body: brisDeGlace("")},
	})
}

// brisDeGlace is the body of the operation, by id or by INS.
func brisDeGlace(ins string) string {
	parameters := []any{
		object{"name": "circonstance", "valueCoding": object{"system": "urn:opendmp:circonstance-urgence", "code": "hors-etat-de-consentir"}},
		object{"name": "motif", "valueString": "Patiente inconsciente aux urgences"},
	}
	if system, value, ok := strings.Cut(ins, "|"); ok {
		parameters = append(parameters, object{"name": "identifier", "valueIdentifier": object{"system": system, "value": value}})
	}
	return encodeJSON(object{"resourceType": "Parameters", "parameter": parameters})
}

// search lets others look around: what they find of the hidden is told apart.
func (s *story) search(patient string, others ...string) {
	for i, as := range others {
		for j, path := range []string{"DocumentReference?patient=Patient/{{%s}}", "List?patient=Patient/{{%s}}", "Patient/{{%s}}"} {
			s.add(act{
				at: worldsNow.Add(time.Duration(10*i+j+1) * time.Minute), as: as, expect: 200,
				ask: ask{method: "GET", path: fmt.Sprintf(path, patient)}, patient: patient, tags: []string{"looking"},
			})
		}
	}
}

// emma is a minor: documents and a session hidden from her mother.
func (s *story) emma() {
	s.push(2, "emma-consultation", nil)
	a := s.push(3, "emma-consultation", func(b *bundle) { b.relate("replaces", "2-emma-consultation") })
	a.secret = true
	s.push(4, "emma-consultation", func(b *bundle) { // one that her mother sees
		doc := b.of("DocumentReference")[0]
		doc["securityLabel"] = doc["securityLabel"].([]any)[:1]
	})
	emma := func(wait time.Duration, expect int, method, path string) {
		s.later("3-emma-consultation", "patient-emma", wait, expect, ask{method: method, path: path}).secret = true
	}
	emma(time.Minute, 200, "GET", "DocumentReference/{{3-emma-consultation}}")
	emma(2*time.Minute, 200, "GET", "Binary/{{3-emma-consultation/Binary}}")
	emma(3*time.Minute, 200, "GET", "DocumentReference?patient=Patient/{{patient-emma}}")
	emma(4*time.Minute, 200, "GET", "AuditEvent?patient=Patient/{{patient-emma}}")
	s.later("3-emma-consultation", "patient-emma", 5*time.Minute, 200, ask{method: "GET", path: "DocumentReference/{{2-emma-consultation}}/_history"})
}

// david has documents since he blocked somebody.
func (s *story) david() {
	const key = "alix-masque" // laid out for somebody else; its INS is changed
	alix, david := claimsOf("patient-alix", "", "").Extensions.IUA.PersonID, claimsOf("patient-david", "", "").Extensions.IUA.PersonID
	_, from, _ := strings.Cut(alix, "|")
	_, to, _ := strings.Cut(david, "|")
	for seed := uint64(5); seed <= 6; seed++ {
		a := s.push(seed, key, func(b *bundle) {
			for _, typ := range []string{"DocumentReference", "List"} {
				r := b.of(typ)[0]
				contained := r["contained"].([]any)
				r["contained"] = slices.DeleteFunc(contained, func(c any) bool { return c.(object)["resourceType"] == "Patient" })
				if context, ok := r["context"].(object); ok {
					delete(context, "sourcePatientInfo")
				}
			}
		})
		a.ask.body = strings.ReplaceAll(a.ask.body, from, to)
		a.patient = "patient-david"
		s.patient[a.key] = a.patient
	}
}

// consent is a Consent of a kind, about an actor; empty for none.
func consentBody(patient, kind, actorType, actor, purpose, status string) string {
	c := object{
		"resourceType": "Consent", "status": status,
		"meta":             object{"profile": []any{"https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentBasic"}},
		"scope":            object{"coding": []any{object{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}}},
		"category":         []any{object{"coding": []any{object{"system": "http://loinc.org", "code": "59284-0"}, object{"system": "urn:opendmp:consent-kind", "code": kind}}}},
		"patient":          object{"reference": "Patient/{{" + patient + "}}"},
		"dateTime":         worldsNow.Format(time.RFC3339),
		"performer":        []any{object{"reference": "Patient/{{" + patient + "}}"}},
		"organization":     []any{object{"display": "Espace du patient"}},
		"sourceAttachment": object{"title": "Décision de la patiente"},
		"policy":           []any{object{"uri": "urn:opendmp:politique:" + kind}},
	}
	provision := object{"type": "deny"}
	if kind == "autorisation" {
		provision["type"] = "permit"
		day := worldsNow.Format(time.DateOnly)
		provision["period"] = object{"start": day, "end": worldsNow.AddDate(0, 6, 0).Format(time.DateOnly)}
	}
	if purpose != "" {
		provision["purpose"] = []any{object{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": purpose}}
	}
	if actor != "" {
		system, value, _ := strings.Cut(actor, "|")
		provision["actor"] = []any{object{
			"role":      object{"coding": []any{object{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}}},
			"reference": object{"type": actorType, "identifier": object{"system": system, "value": value}},
		}}
	}
	c["provision"] = provision
	return encodeJSON(c)
}

// decide adds a decision of a patient, about a persona or about nobody.
func (s *story) decide(patient, key, kind, actor, purpose string) {
	who := ""
	if actor != "" {
		who = identOf(actor)
	}
	s.add(act{
		at: worldsNow.Add(40*time.Minute + time.Duration(len(s.acts))*time.Second), as: patient, expect: 201,
		key: key, patient: patient, tags: []string{"consent:" + actor},
		ask: ask{method: "POST", path: "Consent", mime: mediaJSON, body: consentBody(patient, kind, typeOfActor(actor), who, purpose, "active")},
	})
}

// identOf returns who a persona is, as system|value.
func identOf(persona string) string {
	p, _ := sandbox.Lookup(persona)
	return auth.FormatIdent(p.ID)
}

func typeOfActor(persona string) string {
	if p, _ := sandbox.Lookup(persona); p.Kind == auth.Establishment {
		return "Organization"
	}
	return "Practitioner"
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }
