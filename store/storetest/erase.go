package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"opendmp/store"
)

// testErase: a row that is erased is gone with its versions, bodies and contents,
// small and large; its neighbours, and the row of the same key in another
// dossier, stay. The key and the ids of its contents can be used again.
func testErase(t *testing.T, e Engine) {
	s := open(t, e)
	ctx := context.Background()
	d, other := dossier("a"), dossier("b")
	gone, stays := rowKey("gone"), rowKey("stays")
	seedErase := func(d store.Dossier) {
		for _, label := range []string{"gone", "stays"} {
			if err := s.Upload(ctx, d, content("%s upload", label), strings.NewReader("uploaded")); err != nil {
				t.Fatal(err)
			}
		}
		commit(t, s, store.Tx{
			Dossier: d, Header: active(),
			Puts: []store.Put{put(gone, 1), put(gone, 2), put(stays, 1)},
			Contents: []store.Content{
				{ID: content("gone inline"), Owner: gone, Sealed: []byte("inline")}, {ID: content("gone upload"), Owner: gone},
				{ID: content("stays inline"), Owner: stays, Sealed: []byte("inline")}, {ID: content("stays upload"), Owner: stays},
			},
		})
	}
	seedErase(d)
	seedErase(other)
	w := world{dossiers: []store.Dossier{other}, contents: []store.ContentID{content("gone inline"), content("gone upload")}}
	before := dump(t, s, w)

	refused(t, s, store.Tx{Dossier: d, Expect: 7, Header: active(), Erase: []store.RowKey{gone}}, store.ErrConflict)
	if len(rows(t, s, d)) != 2 {
		t.Fatal("a commit that was refused erased")
	}
	commit(t, s, store.Tx{Dossier: d, Expect: 1, Header: active(), Erase: []store.RowKey{gone, rowKey("never there")}})
	if list := rows(t, s, d); len(list) != 1 || list[0].ID.Row != stays {
		t.Errorf("rows %+v", list)
	}
	if versions := all(t, s.Versions(ctx, store.RowID{Dossier: d, Row: gone})); len(versions) != 0 {
		t.Errorf("versions %+v", versions)
	}
	refs := []store.BodyRef{{Row: gone, Version: 1}, {Row: gone, Version: 2}, {Row: stays, Version: 1}}
	if b := one[[][]byte](t)(s.Bodies(ctx, d, refs)); b[0] != nil || b[1] != nil || b[2] == nil {
		t.Errorf("bodies %q", b)
	}
	for _, label := range []string{"inline", "upload"} {
		if _, ok := read(t, s, d, content("gone %s", label)); ok {
			t.Errorf("the %s content is still read", label)
		}
		if _, ok := read(t, s, d, content("stays %s", label)); !ok {
			t.Errorf("the %s content of another row is gone", label)
		}
	}
	// Whatever an erased upload left behind is collected, and nothing else is.
	one[int](t)(s.Collect(ctx, time.Now(), time.Now().Add(time.Hour)))
	if _, ok := read(t, s, d, content("stays upload")); !ok {
		t.Error("Collect took the content of another row")
	}
	if diff := different(dump(t, s, w), before); diff != "" {
		t.Error("in another dossier:", diff)
	}
	commit(t, s, store.Tx{
		Dossier: d, Expect: 2, Header: active(), Puts: []store.Put{put(gone, 1)},
		Contents: []store.Content{{ID: content("gone inline"), Owner: gone, Sealed: []byte("again")}},
	})
	if b := one[[][]byte](t)(s.Bodies(ctx, d, refs)); b[0] == nil || b[1] != nil {
		t.Errorf("bodies of a key used again: %q", b)
	}
}
