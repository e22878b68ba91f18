package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// world is a dossier of documents at random that refer to each other, with their
// bytes.
type world struct {
	dossier *dossier
	bytes   map[string]string // by reference
	origins map[string]Origin
}

func (w *world) put(t *testing.T, ref, json string, o Origin) {
	w.bytes[ref], w.origins[ref] = json, o
	w.dossier.add(t, ref, json, o)
}

func randomWorld(t *testing.T, r *rand.Rand) *world {
	t.Helper()
	w := &world{&dossier{state: Active, name: "alix"}, map[string]string{}, map[string]Origin{}}
	w.put(t, "Patient/alix", patientJSON("alix", true, "", "medecin-martin"), Origin{})
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for _, who := range []string{"medecin-durand", "pharmacien-dubois", "infirmier-moreau"} {
		w.put(t, "Consent/"+who, consentJSON("alix", Autorisation, who, "2026-11-22", "2026-11-22"), Origin{})
	}
	const documents = 8
	refer := func() string {
		n := r.IntN(documents + 2) // some are not there
		switch r.IntN(4) {
		case 0:
			return fmt.Sprintf(`{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3.d%d"}}`, n)
		case 1:
			return fmt.Sprintf(`{"reference":"https://dmp.example/fhir/DocumentReference/d%d/_history/1"}`, n)
		case 2:
			return fmt.Sprintf(`{"reference":"Binary/d%d-contenu"}`, n)
		}
		return fmt.Sprintf(`{"reference":"DocumentReference/d%d"}`, n)
	}
	refers := func(format string) string {
		var parts []string
		for range 1 + r.IntN(3) {
			parts = append(parts, fmt.Sprintf(format, refer()))
		}
		return strings.Join(parts, ",")
	}
	for i := range documents {
		spec := docSpec{id: fmt.Sprintf("d%d", i), typ: pick("11488-4", "68599-0", "57833-6", "EXPPAT_3"), author: pick("medecin-leroy", "medecin-durand", "hopital-nord"), days: r.IntN(40)}
		for _, l := range []string{"MASQUE_PS", "INVISIBLE_PATIENT"} {
			if r.IntN(3) == 0 {
				spec.labels = append(spec.labels, l)
			}
		}
		if r.IntN(2) == 0 {
			spec.extra += `"relatesTo":[` + refers(`{"code":"appends","target":%s}`) + `],`
		}
		if r.IntN(2) == 0 {
			spec.extra += `"context":{"related":[` + refers("%s") + `]},`
		}
		w.put(t, "DocumentReference/"+spec.id, spec.json("alix"), spec.origin(t))
	}
	for i := range 3 {
		w.put(t, fmt.Sprintf("List/l%d", i), fmt.Sprintf(`{"resourceType":"List","id":"l%d","status":"current","subject":{"reference":"Patient/alix"},"entry":[%s]}`,
			i, refers(`{"item":%s}`)), Origin{})
		w.put(t, fmt.Sprintf("Provenance/p%d", i), fmt.Sprintf(`{"resourceType":"Provenance","id":"p%d","target":[%s],"entity":[%s]}`,
			i, refers("%s"), refers(`{"role":"source","what":%s}`)), Origin{})
	}
	return w
}

// What a caller gets is the same whether or not there is what they do not see:
// decisions, bytes, and what is cut.
func TestTwoWorlds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	e := sandboxEngine(t, nil)
	compared, cut := 0, 0
	for range 150 {
		w := randomWorld(t, r)
		for _, who := range []string{"patient-alix", "medecin-martin", "medecin-durand", "pharmacien-dubois", "medecin-leroy", "hopital-nord", "urgentiste-roche"} {
			all := e.view(cast(t, who), w.dossier.record(), noon)
			var seen []Subject
			for i, s := range w.dossier.subjects {
				if all.Read(i).Allowed() || s.Facts.typ == typePatient || s.Facts.typ == typeConsent {
					seen = append(seen, s)
				}
			}
			less := e.view(cast(t, who), NewRecord(Active, seen), noon)
			for i, s := range seen {
				place, _ := all.rec.Index(s.Ref)
				if a, b := all.Read(place), less.Read(i); a != b {
					t.Fatalf("%s: %s: %v by %v, and %v by %v without what is hidden", who, s.Ref, a.Extent(), a.Rules(), b.Extent(), b.Rules())
				}
				res := parse(t, w.bytes[s.Ref])
				a, b := released(all.Release(res, w.origins[s.Ref])), released(less.Release(res, w.origins[s.Ref]))
				if a != b {
					t.Fatalf("%s: %s:\n%s\n%s", who, s.Ref, a, b)
				}
				compared++
				if a != w.bytes[s.Ref] {
					cut++
				}
				for i, hidden := range w.dossier.subjects {
					if hidden.Facts.typ == typeDocument && !all.Read(i).Allowed() && (strings.Contains(a, hidden.Ref+`"`) || strings.Contains(a, hidden.Ref+`/`)) {
						t.Fatalf("%s: %s names %s:\n%s", who, s.Ref, hidden.Ref, a)
					}
				}
			}
			if all.Search("DocumentReference", false) != less.Search("DocumentReference", false) {
				t.Fatalf("%s: the search tells", who)
			}
		}
	}
	if compared < 5000 || cut < 500 {
		t.Errorf("%d compared, %d cut: the worlds hardly differ", compared, cut)
	}
}
