package dossier_test

import (
	"maps"
	"strings"
	"testing"

	"opendmp/dossier"
	"opendmp/store"
)

// remembering is a scene of two servers on one store, whose calls are counted, and
// a reader of the first one.
type remembering struct {
	*scene
	*counted
	t      *testing.T
	here   actor
	doors  []*dossier.Service
	search string
}

func newRemembering(t *testing.T, set ...func(*dossier.Config)) *remembering {
	c := &counted{}
	c.reset()
	var config dossier.Config
	set = append(set, func(c *dossier.Config) { config = *c })
	h := newHouseOver(t, func(s store.Store) store.Store { c.Store = s; return c }, set...)
	other, err := dossier.New(config)
	h.must(err)
	s := &scene{house: h, patient: h.openFor(published), author: h.doctor("899700218896", "1750000003")}
	pushDocX(h, s.author)
	r := &remembering{scene: s, counted: c, t: t, doors: []*dossier.Service{h.door, other}, search: "DocumentReference?patient=" + s.patient}
	r.here = s.reader()
	return r
}

// elsewhere is somebody at the other server, while f runs.
func (r *remembering) elsewhere(f func()) {
	r.house.door = r.doors[1]
	f()
	r.house.door = r.doors[0]
}

// callsOf asks and returns what the store was called for.
func (r *remembering) callsOf(who actor, path string, status int) map[string]int {
	r.t.Helper()
	r.reset()
	who.get(path).is(status)
	return maps.Clone(r.counted.calls)
}

func (r *remembering) costs(name string, who actor, path string, status int, want map[string]int) {
	r.t.Helper()
	if got := r.callsOf(who, path, status); !maps.Equal(got, want) {
		r.t.Errorf("%s: %v, want %v", name, got, want)
	}
}

var (
	cachedSearch = map[string]int{"Header": 1, "Commit": 1}
	lookedUp     = map[string]int{"Lookup": 1, "Header": 1, "Commit": 1}
	// of who is not let in, and where there is nothing
	refusedSearch = map[string]int{"Lookup": 1, "Header": 1, "Keys": 1, "Rows": 1, "Commit": 1}
)

// A search by a caller who was let in before reads the header and records the event;
// the rows and the bodies that are new too when somebody else wrote.
func TestSearchFromMemory(t *testing.T) {
	r := newRemembering(t)
	r.elsewhere(func() { r.reader().get(r.search).is(200).has("total", "1") }) // what is known there is not known here
	r.doors[0], r.doors[1] = r.doors[1], r.doors[0]
	r.house.door = r.doors[0]
	r.costs("again", r.here, r.search, 200, cachedSearch)
	r.costs("counted", r.here, r.search+"&_summary=count", 200, cachedSearch)
	r.costs("lists", r.here, "List?patient="+r.patient, 200, map[string]int{"Header": 1, "Bodies": 1, "Commit": 1})
	r.costs("history", r.me(), "AuditEvent?patient="+r.patient, 200, map[string]int{"Lookup": 1, "Header": 1, "Events": 1, "Commit": 1})
	r.costs("history again", r.me(), "AuditEvent?patient="+r.patient, 200, map[string]int{"Header": 1, "Events": 1, "Commit": 1})
	status := "Patient?identifier=" + published.System + "|" + published.Value
	r.costs("TD0.2", r.here, status, 200, map[string]int{"Lookup": 1, "Header": 1, "Bodies": 1, "Commit": 1})
	r.costs("TD0.2 again", r.here, status, 200, cachedSearch)
	r.elsewhere(func() {
		r.author.post("", strings.ReplaceAll(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999.77")).is(200)
	})
	r.costs("changed elsewhere", r.here, r.search, 200, map[string]int{"Header": 1, "Rows": 1, "Bodies": 1, "Commit": 1})
	r.costs("and again", r.here, r.search, 200, cachedSearch)
}

// What one caller was let into spares another one nothing, in whatever role; nor does
// it spare who names the document.
func TestMemoryIsOfOneCaller(t *testing.T) {
	r := newRemembering(t)
	r.here.get(r.search).is(200)
	r.costs("the same", r.here, r.search, 200, cachedSearch)
	r.costs("a colleague", r.doctor("8899900000098", "1750000001"), r.search, 200, lookedUp)
	r.costs("in another place", r.doctor("8899900000099", "1750000004"), r.search, 403, refusedSearch)
	r.costs("the patient", r.me(), r.search, 200, lookedUp)
	stranger := r.doctor("8899900000097", "1750000004")
	for range 2 {
		r.costs("a stranger", stranger, r.search, 403, refusedSearch)
		r.costs("by id", r.here, "DocumentReference/doc-x-id", 200, lookedUp)
	}
}

// Whatever another server wrote holds at the next request of who is remembered here:
// the memory leads to a dossier, and to nothing that is in it.
func TestMemoryHidesNothing(t *testing.T) {
	destroy := func(r *remembering) {
		r.sure(published).post("Patient/"+r.patient+"/$detruire", parameters(confirmed(published.Value))).is(200)
	}
	for name, c := range map[string]struct {
		do     func(*remembering)
		status int
		total  string
	}{
		"masked": {func(r *remembering) { r.me().patch("DocumentReference/doc-x-id", label("MASQUE_PS")).is(200) }, 200, "0"},
		"blocked": {func(r *remembering) {
			r.me().post("Consent", strings.ReplaceAll(consent(t, "Consent-blocage.json", r.patient), "8899900000011", "8899900000099")).is(201)
		}, 403, ""},
		"closed":                     {func(r *remembering) { r.close() }, 403, ""},
		"destroyed":                  {destroy, 200, "0"},
		"destroyed, and opened anew": {func(r *remembering) { destroy(r); r.openFor(published) }, 200, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRemembering(t)
			byINS := "DocumentReference?patient.identifier=" + published.System + "|" + published.Value
			for range 2 {
				r.here.get(r.search).is(200).has("total", "1")
				r.here.get(byINS).is(200).has("total", "1")
			}
			r.elsewhere(func() { c.do(r) })
			for range 2 {
				found := r.here.get(byINS).is(c.status)
				if c.total != "" {
					found.has("total", c.total)
				}
				r.here.get("DocumentReference/doc-x-id").is(404)
			}
		})
	}
}

// An INS that the Patient gets at another server finds the dossier here, for who was
// told a moment ago that nobody has it, and so does the one before.
func TestMemoryFollowsTheINS(t *testing.T) {
	r := newRemembering(t)
	r.name(martin)
	by := func(value string) string {
		return "DocumentReference?patient.identifier=" + published.System + "|" + value
	}
	const corrected = "190073306330040"
	for range 2 {
		r.here.get(by(published.Value)).is(200).has("total", "1")
		r.here.get(by(corrected)).is(200).has("total", "0")
	}
	r.elsewhere(func() {
		r.doctor(martin, "1750000003").patch("Patient/"+r.patient, `[{"op":"add","path":"/identifier/0/use","value":"old"},
			{"op":"add","path":"/identifier/-","value":{"use":"official","system":"`+published.System+`","value":"`+corrected+`"}}]`).is(200)
	})
	for range 2 {
		r.here.get(by(published.Value)).is(200).has("total", "1")
		r.here.get(by(corrected)).is(200).has("total", "1")
	}
	r.costs("both are known", r.here, by(corrected), 200, cachedSearch)
}

// Who was let in once, and is now told that there is nothing, makes the store calls
// that are made where there never was anything: whichever server ended it, at the
// next request as at later ones.
func TestForgottenCostsWhatAbsentCosts(t *testing.T) {
	oppose := func(r *remembering, id string) { r.oppose(1, id) }
	destroy := func(r *remembering, id string) {
		r.sure(insNumber(1)).post("Patient/"+id+"/$detruire", parameters(confirmed(insNumber(1).Value))).is(200)
	}
	here := func(_ *remembering, f func()) { f() }
	for name, c := range map[string]struct {
		end   func(*remembering, string)
		where func(*remembering, func())
	}{
		"opposed":             {oppose, here},
		"opposed elsewhere":   {oppose, (*remembering).elsewhere},
		"destroyed":           {destroy, here},
		"destroyed elsewhere": {destroy, (*remembering).elsewhere},
	} {
		for kind, path := range map[string]string{"documents": "DocumentReference?patient=", "status": "Patient?_id="} {
			t.Run(name+" "+kind, func(t *testing.T) {
				r := newRemembering(t)
				id := r.openPerson(1, karim())
				samu := r.samu("centre_15")
				samu.get(path + id).is(200)
				if got := r.callsOf(samu, path+id, 200); got["Lookup"] != 0 {
					t.Fatalf("not remembered: %v", got)
				}
				c.where(r, func() { c.end(r, id) })
				for turn := range 3 {
					gone, absent := r.callsOf(samu, path+id, 200), r.callsOf(samu, path+"nobody", 200)
					if !maps.Equal(gone, absent) {
						t.Errorf("turn %d: %v, absent %v", turn, gone, absent)
					}
				}
			})
		}
	}
}

// Bodies are read anew each time when none may be kept, and when they do not fit.
func TestBodiesAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		bytes, reads int
	}{"none": {-1, 1}, "too small": {100, 1}, "room for all": {1 << 20, 0}, "default": {0, 0}} {
		t.Run(name, func(t *testing.T) {
			r := newRemembering(t, func(config *dossier.Config) { config.CacheBodies = c.bytes })
			r.here.get(r.search).is(200)
			if got := r.callsOf(r.here, r.search, 200); got["Bodies"] != c.reads {
				t.Errorf("%d reads of bodies, want %d", got["Bodies"], c.reads)
			}
		})
	}
}

// The keys of a dossier that is not in memory any more are read once.
func TestKeysAreKept(t *testing.T) {
	r := newRemembering(t, func(c *dossier.Config) { c.CacheRows = 1 })
	r.here.get(r.search).is(200)
	away := func() { r.openPerson(1, karim()) }
	away()
	r.costs("of who was let in", r.here, r.search, 200, map[string]int{"Header": 1, "Rows": 1, "Commit": 1})
	r.openPerson(2, karim())
	stranger := r.doctor("8899900000097", "1750000004")
	r.costs("of a stranger", stranger, r.search, 403, refusedSearch)
}
