package dossier_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"opendmp/dossier"
	"opendmp/store"
)

// What a caller is given of a List, or of a document that names another, changes while
// its version does not: it is never told to be unchanged. All else is.
func TestUnchangedForThisCaller(t *testing.T) {
	s := newScene(t)
	document := func(number, more string) string {
		push := replacing(t, fixture(t, pushed65), "99999.2", "99999."+number, `"masterIdentifier"`, more+`"masterIdentifier"`)
		return s.author.post("", push).is(200).at(at(1))
	}
	other := "DocumentReference/" + s.another("41")
	relates, _, _ := strings.Cut(document("42", `"relatesTo":[{"code":"appends","target":{"reference":"`+other+`"}}],`), "/_history")
	list := "List/" + s.reader().get("List?item="+relates+"&patient="+s.patient).is(200).at("entry.0.resource.id")
	plain := "DocumentReference/" + s.doc

	asked := func(path string, status int) answer {
		t.Helper()
		tag := func(r *dossier.Request) { r.IfNoneMatch = `W/"1"` }
		since := func(r *dossier.Request) { r.IfModifiedSince = s.now.UTC().Format(http.TimeFormat) }
		s.reader().do("GET", path, "", "", since).is(status)
		return s.reader().do("GET", path, "", "", tag).is(status)
	}
	given := func(path, member, length string) {
		t.Helper()
		got := asked(path, 200).has(member, length)
		if got.ETag() != `W/"1"` {
			t.Errorf("%s: ETag %s", path, got.ETag())
		}
	}
	given(relates, "relatesTo", "1")
	given(list, "entry", "1")
	asked(plain, 304)
	asked(s.binary, 304)
	s.me().patch(other, label("MASQUE_PS")).is(200)
	given(relates, "relatesTo", "")
	given(relates+"/_history/1", "relatesTo", "")
	s.me().patch(other, normal).is(200)
	given(relates, "relatesTo", "1")
	given(relates+"/_history/1", "relatesTo", "1")
}

// What no dossier holds is named to all: no identifier of it is that of a hidden document.
func TestRelatedOfAnotherType(t *testing.T) {
	s := newScene(t)
	push := replacing(t, fixture(t, pushed65), "99999.2", "99999.51", `"sourcePatientInfo"`,
		`"related": [{"type":"Encounter","identifier":{"system":"urn:oid:1.2.3","value":"venue-1"}},{"type":"DocumentReference","identifier":{"value":"x"}}], "sourcePatientInfo"`)
	ref := s.author.post("", push).is(200).at(at(1))
	for _, who := range []actor{s.author, s.reader(), s.me()} {
		who.get(ref).is(200).has("context.related", "1").has("context.related.0.type", "Encounter")
	}
}

// opens counts the contents of a store that are open.
type opens struct {
	store.Store
	n *int
}

type closes struct {
	io.ReadCloser
	n *int
}

func (o opens) Content(ctx context.Context, d store.Dossier, id store.ContentID) (io.ReadCloser, error) {
	c, err := o.Store.Content(ctx, d, id)
	*o.n++
	return closes{c, o.n}, err
}

func (c closes) Close() error { *c.n--; return c.ReadCloser.Close() }

// A content that is not sent is closed.
func TestUnchangedContentIsClosed(t *testing.T) {
	open := 0
	s := newSceneIn(t, newHouseOver(t, func(st store.Store) store.Store { return opens{st, &open} }))
	s.reader().do("GET", s.binary, "", "", func(r *dossier.Request) { r.Raw, r.IfNoneMatch = true, `W/"1"` }).is(304)
	if open != 0 {
		t.Errorf("%d contents are open", open)
	}
}
