package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"opendmp/cmd/dmpd/internal/transfer"
	"opendmp/store"
	"opendmp/store/mongo"
	"opendmp/store/sqlite"
)

// engine is where the records are: embedded in the data folder, or a MongoDB.
// It is never printed: a URI may hold a password.
type engine struct {
	folder string // of the embedded store
	uri    string // mongodb:// or mongodb+srv://; "" for the embedded store
	clock  *clock
}

// engineOf reads the setting store.
func engineOf(setting, data string, c *clock) (engine, error) {
	e := engine{folder: storeDir(data), clock: c}
	switch {
	case setting == "" || setting == "sqlite":
		return e, nil
	case strings.HasPrefix(setting, "mongodb://"), strings.HasPrefix(setting, "mongodb+srv://"):
		e.uri = setting
		return e, nil
	}
	return engine{}, errors.New("store is sqlite, or a mongodb:// or mongodb+srv:// URI")
}

// String tells which engine it is, without its address.
func (e engine) String() string {
	if e.uri != "" {
		return "MongoDB"
	}
	return "SQLite in " + e.folder
}

// make makes the store where there is none; a MongoDB gets its indexes.
func (e engine) make(ctx context.Context) error {
	st, err := e.openOrMake(ctx)
	if err != nil {
		return err
	}
	return st.Close()
}

// open opens a store that must exist and be whole: half a copy may lack what hides
// a document.
func (e engine) open(ctx context.Context) (store.Store, error) {
	if e.uri == "" {
		if _, err := os.Stat(e.folder); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no store in %s: dmpd init makes one", e.folder)
		}
	}
	st, err := e.openOrMake(ctx)
	if err != nil {
		return nil, err
	}
	unfinished, err := transfer.Unfinished(ctx, st)
	if err == nil && unfinished {
		err = errors.New("the store is an unfinished copy: run the same dmpd copy again until it says that both sides are the same")
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

func (e engine) openOrMake(ctx context.Context) (store.Store, error) {
	if e.uri == "" {
		return sqlite.Open(ctx, e.folder, sqlite.Options{Now: e.clock.Now})
	}
	return mongo.Open(ctx, e.uri, mongo.Options{Database: databaseOf(e.uri), Now: e.clock.Now})
}

// shard makes the store where there is none, and lays it over the shards of its
// cluster.
func (e engine) shard(ctx context.Context) error {
	if e.uri == "" {
		return errors.New("only a MongoDB cluster has shards: --shard goes with --store mongodb://… (or DMPD_STORE)")
	}
	return mongo.Shard(ctx, e.uri, mongo.Options{Database: databaseOf(e.uri), Now: e.clock.Now})
}

// empty tells whether a store holds nothing, and makes it where there is none.
func (e engine) empty(ctx context.Context) (bool, error) {
	st, err := opened(e.openOrMake(ctx))
	if err != nil {
		return false, err
	}
	for _, err := range st.Dump(ctx, store.Place{}) {
		return false, errors.Join(err, st.Close())
	}
	return true, st.Close()
}

// databaseOf returns the database that the path of a URI names; "" if none.
func databaseOf(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	rest, _, _ = strings.Cut(rest, "?")
	_, path, _ := strings.Cut(rest, "/")
	name, err := url.PathUnescape(path)
	if err != nil {
		return ""
	}
	return name
}
