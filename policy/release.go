package policy

import (
	"slices"

	"opendmp/fhir"
)

// Release judges a resource by its own bytes and releases it, without the
// references to what the caller may not see. It must be the current version of a
// resource of the record, about the patient of the dossier; both its facts in the
// record and those of these bytes must let it out. Anything else is Hidden.
func (v *View) Release(r *fhir.Resource, o Origin) (Released[*fhir.Resource], Decision) {
	f, d := v.govern(r, o)
	if !d.Allowed() {
		return Released[*fhir.Resource]{}, d
	}
	return v.let(r, f, d)
}

// ReleaseOld releases an older version of a resource: it is governed by the
// current one, whose flags and status count, and trimmed as it stands.
func (v *View) ReleaseOld(current *fhir.Resource, o Origin, old *fhir.Resource) (Released[*fhir.Resource], Decision) {
	_, d := v.govern(current, o)
	if !d.Allowed() {
		return Released[*fhir.Resource]{}, d
	}
	f, err := FactsOf(old, o)
	if err != nil || old.Type() != current.Type() || old.ID() != current.ID() || !v.belongs(f) {
		return Released[*fhir.Resource]{}, refused(d)
	}
	switch f.typ {
	case typeList:
		d.extent = min(d.extent, v.entries(&f, 0))
	case typeProvenance:
		d.extent = min(d.extent, v.targets(&f))
	}
	return v.let(old, f, d)
}

// ReleaseContent releases the content that governor, the current version of a
// DocumentReference, names as ref in content.attachment.url: a "Binary/<id>" or
// "Bundle/<id>". The whole of the document must be readable, not the metadata
// only. What no document names is released to nobody.
func ReleaseContent[T any](v *View, governor *fhir.Resource, o Origin, ref string, content T) (Released[T], Decision) {
	f, d := v.govern(governor, o)
	names := func(url string) bool { return url == ref || relative(url) == relative(ref) }
	if d.Extent() != Full || f.typ != typeDocument || ref == "" || !slices.ContainsFunc(f.contents, names) {
		return Released[T]{}, refused(d)
	}
	return release(d, content), d
}

// refused turns a decision that is not enough into a refusal.
func refused(d Decision) Decision {
	d.extent, d.refusal = None, Hidden
	return d
}

// govern judges a resource of the record by its bytes.
func (v *View) govern(r *fhir.Resource, o Origin) (Facts, Decision) {
	if v.empty() || r == nil {
		return Facts{}, Decision{}
	}
	i, ok := v.rec.Index(r.Type() + "/" + r.ID())
	if !ok {
		return Facts{}, Decision{}
	}
	f, err := FactsOf(r, o)
	if err != nil || f.typ != v.rec.subjects[i].Facts.typ || !v.belongs(f) {
		return Facts{}, Decision{}
	}
	recorded, d := v.Read(i), v.read(&f, -1)
	if !recorded.Allowed() || !d.Allowed() {
		return f, And(recorded, d)
	}
	d.extent = min(d.extent, recorded.extent)
	return f, d
}

// belongs tells whether a resource of the record is about its patient.
func (v *View) belongs(f Facts) bool {
	switch f.typ {
	case typePatient:
		return slices.ContainsFunc(f.person.ins, func(id fhir.Ident) bool {
			return slices.Contains(v.rec.patientFacts().ins, id)
		})
	case typeProvenance:
		return true // it has a target in the record, or it is not read
	}
	return v.owns(f)
}

// let trims and releases what was decided to be readable.
func (v *View) let(r *fhir.Resource, f Facts, d Decision) (Released[*fhir.Resource], Decision) {
	if f.inline && d.extent != Full {
		return Released[*fhir.Resource]{}, refused(d) // content is not metadata
	}
	trimmed, err := v.trim(r)
	if err != nil {
		return Released[*fhir.Resource]{}, refused(d)
	}
	return release(d, trimmed), d
}
