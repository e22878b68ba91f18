package dossier

import (
	"context"
	"slices"

	"opendmp/fhir"
	"opendmp/policy"
)

// systemVisibility is TRE_A07-StatutVisibiliteDocument.
const systemVisibility = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"

// replaced finds what a new document replaces. A target that the caller cannot
// see is as unknown.
func (c *call) replaced(ch *change, r *fhir.Resource) ([]*row, error) {
	var olds []*row
	for relation := range r.Get("relatesTo").Items() {
		if !relation.Get("code").Is("replaces") {
			continue
		}
		typ, id, ok := c.localRef(relation.At("target", "reference").Text())
		old := ch.d.find(typ + "/" + id)
		if !ok || typ != "DocumentReference" || old == nil || old.deleted || !ch.v.Sees(old.ref()) {
			return nil, unknownTarget("DocumentReference.relatesTo")
		}
		if old.facts.Status() != policy.Current {
			return nil, unprocessable("DocumentReference.relatesTo",
				"Le document à remplacer n’est plus en vigueur.", "The document to replace is not current.")
		}
		if slices.Contains(olds, old) || ch.changes(old) {
			return nil, twice("DocumentReference.relatesTo")
		}
		olds = append(olds, old)
	}
	return olds, nil
}

// admit judges a new document, stamped, and builds it into ch together with the
// end of what it replaces, whether or not the sender asked for that (E06).
func (c *call) admit(ctx context.Context, ch *change, r *fhir.Resource, rec record, idents []fhir.Ident) (*row, policy.Decision, error) {
	olds, err := c.replaced(ch, r)
	if err != nil {
		return nil, policy.Decision{}, err
	}
	facts, err := c.succeed(ch, r, &rec, olds)
	if err != nil {
		return nil, policy.Decision{}, asRule(err)
	}
	dec := ch.v.Add(facts)
	for _, old := range olds {
		dec = policy.And(dec, ch.v.Replace(old.facts, facts))
	}
	if !dec.Allowed() {
		return nil, dec, c.refusedAdd(ch.d, dec)
	}
	if err := c.inDossier(ch, rec.resource); err != nil {
		return nil, policy.Decision{}, err
	}
	now, err := ch.put(nil, &rec)
	if err != nil {
		return nil, policy.Decision{}, asRule(err)
	}
	c.claimDocument(ch, now.key, idents)
	return now, dec, c.supersede(ctx, ch, olds)
}

// succeed fills the resource and origin of a new document: it takes over the
// flags of what it replaces that its sender may not lift.
func (c *call) succeed(ch *change, r *fhir.Resource, rec *record, olds []*row) (policy.Facts, error) {
	fresh := c.newOrigin()
	facts, err := policy.FactsOf(r, fresh)
	if err != nil {
		return facts, err
	}
	origin := ch.v.NextOrigin(fresh, policy.Facts{}, facts)
	for _, old := range olds {
		if r, err = inheritFlags(r, ch.v.TakeOver(old.facts, facts)); err != nil {
			return facts, err
		}
		if facts, err = policy.FactsOf(r, fresh); err != nil {
			return facts, err
		}
		origin = mergeOrigins(origin, ch.v.ReplacementOrigin(fresh, old.facts, facts))
	}
	rec.resource, rec.origin = r, origin
	return policy.FactsOf(r, origin)
}

// mergeOrigins is the origin of what replaces several documents: a mask that the
// patient set on one of them stays the patient's, and the time of hiding counts
// from the earliest.
func mergeOrigins(a, b policy.Origin) policy.Origin {
	a.MaskedByPatient = a.MaskedByPatient || b.MaskedByPatient
	if a.HiddenSince.IsZero() || !b.HiddenSince.IsZero() && b.HiddenSince.Before(a.HiddenSince) {
		a.HiddenSince = b.HiddenSince
	}
	return a
}

// inheritFlags adds to a document the flags that it does not have.
func inheritFlags(r *fhir.Resource, flags policy.Flags) (*fhir.Resource, error) {
	for _, f := range []struct {
		set  bool
		code string
	}{
		{flags.Masque, "MASQUE_PS"},
		{flags.InvisiblePatient, "INVISIBLE_PATIENT"},
		{flags.InvisibleRepresentants, "INVISIBLE_REPRESENTANTS_LEGAUX"},
	} {
		if !f.set || hasLabel(r, f.code) {
			continue
		}
		var err error
		if r, err = addLabel(r, f.code); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func hasLabel(r *fhir.Resource, code string) bool {
	for c := range r.Root().All("securityLabel", "coding") {
		if _, have := fhir.CanonicalCoding(c.Get("system").Text(), c.Get("code").Text()); have == code {
			return true
		}
	}
	return false
}

func addLabel(r *fhir.Resource, code string) (*fhir.Resource, error) {
	concept := []byte(`{"coding":[{"system":"` + systemVisibility + `","code":"` + code + `"}]}`)
	labels := r.Get("securityLabel")
	if !labels.Exists() {
		return r.Splice([]fhir.Edit{fhir.InsertMember(r.Root(), "securityLabel", append(append([]byte("["), concept...), ']'))})
	}
	return r.Splice([]fhir.Edit{fhir.AppendItem(labels, concept)})
}

// supersede builds the superseded version of what a new document replaces.
func (c *call) supersede(ctx context.Context, ch *change, olds []*row) error {
	for _, old := range olds {
		rec, err := c.body(ctx, ch.d.id, ch.d.ring, old.key, old.version)
		if err != nil {
			return err
		}
		if rec.resource, err = c.next(old, rec.resource, "superseded"); err != nil {
			return err
		}
		if _, err := ch.put(old, rec); err != nil {
			return asRule(err)
		}
	}
	return nil
}

// next stamps the next version of a resource, with another status unless "".
func (c *call) next(old *row, r *fhir.Resource, status string) (*fhir.Resource, error) {
	return fhir.Stamp(r, fhir.Stamped{ID: old.id, Version: old.version + 1, Updated: c.at, Status: status})
}

// putPatches applies the PATCH entries of a submission: each makes a document
// superseded. One that the bundle replaces is superseded already.
func (c *call) putPatches(ctx context.Context, ch *change, sub *submission) (policy.Decision, error) {
	for _, e := range sub.patches {
		typ, id, ok := c.localRef(e.URL)
		old := ch.d.find(typ + "/" + id)
		if !ok || old == nil || old.deleted || !ch.v.Sees(old.ref()) {
			return policy.Decision{}, unknownTarget("Bundle.entry.request.url")
		}
		if e.IfMatch != "" && !matchesTag(e.IfMatch, old.version) {
			return policy.Decision{}, ErrPrecondition
		}
		patch, err := entryPatch(e)
		if err != nil {
			return policy.Decision{}, err
		}
		if ch.changes(old) {
			if patchesTo(patch, "superseded") {
				continue
			}
			return policy.Decision{}, twice("Bundle.entry.request.url")
		}
		if dec, err := c.patchRow(ctx, ch, old, patch); err != nil {
			return dec, err
		}
	}
	return policy.Decision{}, nil
}

// twice refuses a second change of one document in one bundle.
func twice(expression string) error {
	return unprocessable(expression, "Le lot change deux fois le même document.", "The bundle changes one document twice.")
}

// changes tells whether the change has a new version of old already.
func (ch *change) changes(old *row) bool {
	for _, r := range ch.rows {
		if r.key == old.key {
			return true
		}
	}
	return false
}

func entryPatch(e *fhir.Entry) (fhir.PatchSet, error) {
	if e.Resource.Type() == "Binary" {
		data, err := decodeBase64(e.Resource.Get("data").Text())
		if err != nil {
			return fhir.PatchSet{}, invalid("value", "Binary.data", "Le contenu n’est pas en base64.", "The data is not base64.")
		}
		return fhir.ParsePatch(data)
	}
	return fhir.ParsePatchParameters(e.Resource)
}

// patchesTo tells whether a patch does nothing but set the status.
func patchesTo(p fhir.PatchSet, status string) bool {
	elements := p.Elements()
	return len(elements) == 1 && elements[0] == "status" && len(p.Operations) == 1 && string(p.Operations[0].Value) == `"`+status+`"`
}
