package dossier_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"opendmp/dossier"
	"opendmp/policy"
	"opendmp/store"
)

const updated = "dossier-mis-a-jour"

// noticeOf is when the patient is told of what was deposited at opened: the
// midnight in Paris that ends the day in which fourteen days are over.
var noticeOf = time.Date(2026, 12, 6, 23, 0, 0, 0, time.UTC)

// at moves the clock.
func (h *house) at(now time.Time) { h.now = now }

// remind runs a run and requires its report.
func (h *house) remind(want dossier.Reminded) {
	h.t.Helper()
	got, err := h.door.Remind(h.t.Context(), 0)
	if err != nil || got != want {
		h.t.Fatalf("%v: %+v, %v, want %+v", h.now, got, err, want)
	}
}

// owed requires the notices that wait: so many, all neutral.
func (h *house) owed(n int) {
	h.t.Helper()
	if told := h.told(); told != strings.TrimSuffix(strings.Repeat(updated+" ", n), " ") {
		h.t.Fatalf("%v: told %q, want %d", h.now, told, n)
	}
}

// pushHidden pushes a document that is hidden from the patient and returns its
// reference.
func (s *scene) pushHidden(number string) string {
	s.t.Helper()
	return reference(s.author.post("", hiddenPush(s.t, number)).is(200), 1)
}

// hiddenPush is a push of one document that is hidden from the patient.
func hiddenPush(t testing.TB, number string) string {
	return labelled(t, number, "INVISIBLE_PATIENT")
}

// labelled is a push of one document with a visibility.
func labelled(t testing.TB, number, code string) string {
	return strings.NewReplacer(
		"99999.2", "99999."+number,
		"http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
		`"code": "N",`, `"code": "`+code+`",`,
	).Replace(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"))
}

// reference is that of what an entry of a push created: "DocumentReference/…".
func reference(pushed answer, entry int) string {
	parts := strings.Split(pushed.at("entry."+strconv.Itoa(entry)+".response.location"), "/")
	return parts[0] + "/" + parts[1]
}

// history is the history as somebody reads it.
func (s *scene) history(who actor) string {
	s.t.Helper()
	return string(who.get("AuditEvent?patient=" + s.patient + "&_count=200").is(200).body)
}

// Hidden at its deposit or later, a document is told of once, at its instant; the
// patient's history is silent about it until it is visible, and then says when.
func TestRemind(t *testing.T) {
	for name, hide := range map[string]func(*scene) string{
		"pushed hidden": func(s *scene) string { return s.pushHidden("7") },
		"hidden by PATCH": func(s *scene) string {
			s.at(opened.AddDate(0, 0, 3))
			s.author.patch("DocumentReference/"+s.doc, label("INVISIBLE_PATIENT")).is(200)
			return "DocumentReference/" + s.doc
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.name(martin)
			doc := hide(s)
			s.remind(dossier.Reminded{})
			s.at(noticeOf.Add(-time.Microsecond))
			s.remind(dossier.Reminded{})
			s.owed(0)
			s.at(noticeOf)
			before := s.history(s.me())
			s.remind(dossier.Reminded{Told: 1})
			s.remind(dossier.Reminded{})
			s.owed(1)
			if after := s.history(s.me()); strings.Contains(after, "mise-a-jour-annoncee") || strings.Contains(after, doc+"/") && !strings.Contains(before, doc+"/") {
				t.Error("the history tells the patient of the document")
			}
			if !strings.Contains(s.history(s.doctor(martin, "1750000003")), "mise-a-jour-annoncee") {
				t.Error("the médecin traitant does not read that the patient was told")
			}
			s.at(opened.AddDate(0, 1, 0))
			s.me().get(doc).is(200)
			s.remind(dossier.Reminded{})
			s.owed(1) // nothing more is told at the end
			shown := s.history(s.me())
			if !strings.Contains(shown, "mise-a-jour-annoncee") || !strings.Contains(shown, `"recorded":"2026-12-06T23:00:00`) {
				t.Error("the patient does not read later that and when they were told")
			}
		})
	}
}

// What is not hidden any more when the day comes is not told of, and no event says
// that it was looked at.
func TestRemindJudgesAgain(t *testing.T) {
	for name, then := range map[string]func(*scene, string){
		"made visible": func(s *scene, doc string) { s.author.patch(doc, normal).is(200) },
		"deleted":      func(s *scene, doc string) { s.author.do("DELETE", doc, "", "").is(204) },
		"entered in error": func(s *scene, doc string) {
			s.author.patch(doc, `[{"op":"replace","path":"/status","value":"entered-in-error"}]`).is(200)
		},
		"visible by itself":  func(s *scene, _ string) { s.at(opened.AddDate(0, 1, 0)) },
		"the server was off": func(s *scene, _ string) { s.at(opened.AddDate(3, 0, 0)) },
		"dossier destroyed": func(s *scene, _ string) {
			s.sure(published).post("Patient/"+s.patient+"/$detruire", parameters(confirmed(published.Value))).is(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.name(martin)
			doc := s.pushHidden("7")
			then(s, doc)
			if s.now.Before(noticeOf) {
				s.at(noticeOf)
			}
			s.remind(dossier.Reminded{Over: 1})
			s.remind(dossier.Reminded{})
			s.owed(0)
			if name != "dossier destroyed" && strings.Contains(s.history(s.doctor(martin, "1750000003")), "mise-a-jour-annoncee") {
				t.Error("the history says that the patient was told")
			}
		})
	}
}

// What is hidden, shown and hidden again before the day is told of once; what is
// hidden when the day is over, at the end of the day on which it was.
func TestRemindOfWhatIsHiddenAgain(t *testing.T) {
	s := newScene(t)
	doc := s.pushHidden("7")
	for range 3 {
		s.author.patch(doc, normal).is(200)
		s.author.patch(doc, label("INVISIBLE_PATIENT")).is(200)
	}
	s.at(noticeOf)
	s.remind(dossier.Reminded{Told: 1})
	s.author.patch(doc, normal).is(200)
	s.at(opened.AddDate(0, 0, 20))
	s.author.patch(doc, label("INVISIBLE_PATIENT")).is(200)
	s.remind(dossier.Reminded{})
	s.at(time.Date(2026, 12, 12, 23, 0, 0, 0, time.UTC).Add(-time.Microsecond))
	s.remind(dossier.Reminded{})
	s.at(time.Date(2026, 12, 12, 23, 0, 0, 0, time.UTC))
	s.remind(dossier.Reminded{Told: 1})
	s.owed(2)
}

// Replacing goes on with the hiding: it is told of at the time of the first, and
// not again.
func TestRemindOfReplacements(t *testing.T) {
	s := newScene(t)
	old := s.pushHidden("7")
	replace := func(old, number string) string {
		push := strings.Replace(strings.ReplaceAll(fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999."+number), `"status": "current",
        "type"`, `"status": "current", "relatesTo": [{"code":"replaces","target":{"reference":"`+old+`"}}], "type"`, 1)
		return reference(s.author.post("", push).is(200), 1)
	}
	s.at(opened.AddDate(0, 0, 5))
	now := replace(old, "8")
	s.me().get(now).is(404)
	s.at(noticeOf)
	s.remind(dossier.Reminded{Told: 1, Covered: 1}) // the old one is hidden still
	s.at(opened.AddDate(0, 0, 20))
	s.me().get(replace(now, "9")).is(404)
	s.at(opened.AddDate(0, 0, 25))
	s.remind(dossier.Reminded{})
	s.owed(1)
}

// However many documents are hidden, a patient gets one notice a day: two would
// count them. After a pause too, when the days have come all at once.
func TestRemindOncePerDay(t *testing.T) {
	s := newScene(t)
	for i := range 3 {
		s.at(opened.Add(time.Duration(i) * time.Hour))
		s.pushHidden(fmt.Sprint(10 + i))
	}
	s.at(opened.AddDate(0, 0, 1))
	s.pushHidden("20")
	s.at(noticeOf)
	s.remind(dossier.Reminded{Told: 1, Covered: 2})
	s.owed(1)
	s.at(noticeOf.AddDate(0, 0, 1))
	s.remind(dossier.Reminded{Told: 1})
	s.owed(2)

	off := newScene(t)
	for i := range 4 {
		off.at(opened.AddDate(0, 0, i))
		off.pushHidden(fmt.Sprint(30 + i))
	}
	off.at(opened.AddDate(0, 0, 22))
	off.remind(dossier.Reminded{Told: 1, Covered: 3})
	off.owed(1)
}

// Other dossiers are told of on the same day.
func TestRemindEachDossier(t *testing.T) {
	s := newScene(t)
	s.pushHidden("7")
	s.openFor(farid)
	other := &scene{house: s.house, author: s.author}
	push := fixture(t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json")
	hidden := strings.NewReplacer("99999.2", "99999.60", published.Value, farid.Value, published.System, farid.System).Replace(push)
	doc := reference(other.author.post("", hidden).is(200), 1)
	other.author.patch(doc, label("INVISIBLE_PATIENT")).is(200)
	s.at(noticeOf)
	s.remind(dossier.Reminded{Told: 2})
	s.owed(2)
}

// A closed dossier is not told of; if it is opened again in time, it is.
func TestRemindOfClosed(t *testing.T) {
	s := newScene(t)
	s.pushHidden("7")
	s.close()
	s.at(noticeOf)
	s.remind(dossier.Reminded{Moved: 1})
	s.remind(dossier.Reminded{})
	s.at(noticeOf.AddDate(0, 0, 1))
	s.remind(dossier.Reminded{Moved: 1})
	s.owed(0)
	s.me().post("Patient/"+s.patient+"/$reactiver", `{"resourceType":"Parameters"}`).is(200)
	s.at(noticeOf.AddDate(0, 0, 2))
	s.remind(dossier.Reminded{Told: 1})
	s.owed(1)

	stays := newScene(t)
	stays.pushHidden("7")
	stays.close()
	for day := range 20 {
		stays.at(noticeOf.AddDate(0, 0, day))
		if _, err := stays.door.Remind(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	stays.remind(dossier.Reminded{})
	stays.owed(0)
	if left := stays.due(); left != 0 {
		t.Errorf("%d entries are left of what is visible", left)
	}
}

// due counts the entries that wait for their day.
func (h *house) due() (n int) {
	h.t.Helper()
	entries, err := h.store.StateList(h.t.Context(), "echeance", "", 1000)
	h.must(err)
	for _, e := range entries {
		if len(e.Value) > 0 {
			n++
		}
	}
	return n
}

// servers opens further doors on the store of a house.
func servers(t testing.TB, n int, wrap func(store.Store) store.Store, rules ...func(*policy.Settings)) (*scene, []*dossier.Service) {
	t.Helper()
	var config dossier.Config
	h := newHouseOver(t, wrap, func(c *dossier.Config) { config = *c })
	s := &scene{house: h, patient: h.openFor(published), author: h.doctor("899700218896", "1750000003")}
	doors := []*dossier.Service{h.door}
	for range n - 1 {
		other := config
		if len(rules) > 0 {
			matrix, err := policy.LoadMatrix(policy.SandboxMatrix())
			h.must(err)
			settings := policy.DefaultSettings()
			rules[0](&settings)
			other.Policy, err = policy.New(settings, matrix)
			h.must(err)
		}
		door, err := dossier.New(other)
		h.must(err)
		doors = append(doors, door)
	}
	return s, doors
}

func plain(s store.Store) store.Store { return s }

// Servers that have no lease between them, as when its clocks do not agree, tell
// the patient once.
func TestRemindByManyServers(t *testing.T) {
	s, doors := servers(t, 4, plain)
	for i := range 5 {
		s.pushHidden(fmt.Sprint(40 + i))
	}
	s.at(noticeOf)
	var sum dossier.Reminded
	for range 10 { // what a server left to another one is looked at again
		for _, r := range together(len(doors), func(i int) dossier.Reminded {
			r, err := doors[i].Remind(context.Background(), 0)
			if err != nil {
				t.Error(err)
			}
			return r
		}) {
			sum.Told, sum.Covered, sum.Over = sum.Told+r.Told, sum.Covered+r.Covered, sum.Over+r.Over
		}
	}
	if want := (dossier.Reminded{Told: 1, Covered: 4}); sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
	s.owed(1)
}

// Settings that change count from then on: an entry of a shorter time waits for the
// longer one.
func TestRemindUnderOtherSettings(t *testing.T) {
	s, doors := servers(t, 2, plain, func(p *policy.Settings) { p.NoticeAfter = policy.Period{Days: 20} })
	s.pushHidden("7")
	s.at(noticeOf)
	if r, err := doors[1].Remind(t.Context(), 0); err != nil || r != (dossier.Reminded{Moved: 1}) {
		t.Fatalf("%+v, %v", r, err)
	}
	s.at(noticeOf.AddDate(0, 0, 6))
	if r, err := doors[1].Remind(t.Context(), 0); err != nil || r != (dossier.Reminded{Told: 1}) {
		t.Fatalf("%+v, %v", r, err)
	}
	s.owed(1)
}

// failing fails a commit of a notice, before it or after it.
type failing struct {
	store.Store
	before, after bool
}

func (f *failing) Commit(ctx context.Context, tx store.Tx) error {
	notice := false
	for _, e := range tx.State {
		notice = notice || e.Kind == "outbox"
	}
	if !notice {
		return f.Store.Commit(ctx, tx)
	}
	if f.before {
		return store.ErrUnavailable
	}
	err := f.Store.Commit(ctx, tx)
	if f.after {
		return store.ErrUnavailable // it was written, and nobody was told
	}
	return err
}

// A store that fails at the worst instant costs no notice, and none is given twice.
func TestRemindInterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		fails failing
		then  dossier.Reminded
	}{
		"before the commit": {failing{before: true}, dossier.Reminded{Told: 1, Covered: 1}},
		"after the commit":  {failing{after: true}, dossier.Reminded{Covered: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &failing{}
			s, _ := servers(t, 1, func(st store.Store) store.Store { f.Store = st; return f })
			s.pushHidden("7")
			s.pushHidden("8")
			s.at(noticeOf)
			f.before, f.after = c.fails.before, c.fails.after
			r, err := s.door.Remind(t.Context(), 0)
			if !errors.Is(err, store.ErrUnavailable) || r.Left != 1 {
				t.Fatalf("%+v, %v", r, err)
			}
			f.before, f.after = false, false
			s.remind(c.then)
			s.owed(1)
		})
	}
}

// A run that is to stop stops between two entries, and one that may do so many
// says that there is more.
func TestRemindInParts(t *testing.T) {
	listed := func() {}
	s, _ := servers(t, 1, func(st store.Store) store.Store { return lister{st, &listed} })
	for i := range 5 {
		s.pushHidden(fmt.Sprint(40 + i))
	}
	s.at(noticeOf)
	for _, want := range []dossier.Reminded{{}, {More: true}} { // before the list is read, and after
		ending, stop := context.WithCancel(t.Context())
		if want.More {
			listed = stop
		} else {
			stop()
		}
		if r, err := s.door.Remind(ending, 0); err != nil || r != want {
			t.Errorf("told to end: %+v, %v, want %+v", r, err, want)
		}
		listed = func() {}
	}
	for _, want := range []dossier.Reminded{{Told: 1, Covered: 1, More: true}, {Covered: 2, More: true}, {Covered: 1}} {
		if r, err := s.door.Remind(t.Context(), 2); err != nil || r != want {
			t.Errorf("%+v, %v, want %+v", r, err, want)
		}
	}
}

// lister calls a function when a list of state was read.
type lister struct {
	store.Store
	listed *func()
}

func (l lister) StateList(ctx context.Context, kind, after string, limit int) ([]store.StateEntry, error) {
	list, err := l.Store.StateList(ctx, kind, after, limit)
	(*l.listed)()
	return list, err
}

// An entry that does not open is a fault, and keeps nobody from their notice.
func TestRemindPastAFault(t *testing.T) {
	s := newScene(t)
	s.pushHidden("7")
	bad := store.StateEntry{Kind: "echeance", Key: "2026-12-01/0", Value: []byte("x")}
	s.must(s.store.Commit(t.Context(), store.Tx{Expect: store.Any, State: []store.StateEntry{bad}}))
	s.at(noticeOf)
	r, err := s.door.Remind(t.Context(), 0)
	if !errors.Is(err, dossier.ErrInternal) || r != (dossier.Reminded{Told: 1, Left: 1}) {
		t.Errorf("%+v, %v", r, err)
	}
	s.owed(1)
}

// The store learns on which day something is due, not in which dossier, nor what
// the patient is told.
func TestDueIsSealed(t *testing.T) {
	var seen []store.Tx
	s, _ := servers(t, 1, func(st store.Store) store.Store { return txRecorder{st, &seen} })
	s.pushHidden("7")
	s.pushHidden("8")
	s.at(noticeOf)
	s.remind(dossier.Reminded{Told: 1, Covered: 1})
	kinds := make(map[string]int)
	for _, tx := range seen {
		for _, e := range tx.State {
			kinds[e.Kind]++
			if e.Kind == "echeance" && (!strings.HasPrefix(e.Key, "2026-12-07/") || len(e.Key) != len("2026-12-07/")+32) {
				t.Errorf("key %q", e.Key)
			}
			for _, secret := range [][]byte{[]byte(updated), tx.Dossier[:], []byte(hex.EncodeToString(tx.Dossier[:]))} {
				if tx.Dossier != (store.Dossier{}) && (bytes.Contains(e.Value, secret) || strings.Contains(e.Key, string(secret))) && e.Kind != "outbox-assurance-maladie" {
					t.Errorf("%s %q tells of %q", e.Kind, e.Key, secret)
				}
			}
		}
	}
	if kinds["echeance"] != 4 || kinds["outbox"] != 1 || kinds["avis-du-jour"] != 1 {
		t.Errorf("entries %v", kinds)
	}
}

// txRecorder notes what is committed.
type txRecorder struct {
	store.Store
	seen *[]store.Tx
}

func (r txRecorder) Commit(ctx context.Context, tx store.Tx) error {
	*r.seen = append(*r.seen, tx)
	return r.Store.Commit(ctx, tx)
}
