package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"opendmp/store"
)

// schemaVersion is what this program makes. schemaOldest is the version that
// another program must know at least to share the database with this one; it is
// raised one release after schemaVersion, so that servers can be replaced one by
// one.
const (
	schemaVersion = 1
	schemaOldest  = 1
	schemaName    = "schema"
)

// markLife is how long the mark of a transaction is kept: far longer than any
// Commit takes to settle, and than clocks disagree.
const markLife = time.Hour

// collections are those of doc.go.
type collections struct {
	database                         *driver.Database
	headers, rows, versions          *driver.Collection
	contents, uploads, loose, chunks *driver.Collection
	claims, finds, wrapped, events   *driver.Collection
	states, marks, meta, probes      *driver.Collection
}

func collectionsOf(db *driver.Database) collections {
	return collections{
		database: db,
		headers:  db.Collection("header"),
		rows:     db.Collection("row"),
		versions: db.Collection("version"),
		contents: db.Collection("content"),
		uploads:  db.Collection("upload"),
		loose:    db.Collection("loose"),
		chunks:   db.Collection("chunk"),
		claims:   db.Collection("claim"),
		finds:    db.Collection("find"),
		wrapped:  db.Collection("wrapped"),
		events:   db.Collection("event"),
		states:   db.Collection("state"),
		marks:    db.Collection("mark"),
		meta:     db.Collection("meta"),
		probes:   db.Collection("probe"),
	}
}

func (c *collections) all() []*driver.Collection {
	return []*driver.Collection{
		c.headers, c.rows, c.versions, c.contents, c.uploads, c.loose, c.chunks,
		c.claims, c.finds, c.wrapped, c.events, c.states, c.marks, c.meta, c.probes,
	}
}

// index is one of the few that are not _id. None is unique.
type index struct {
	on    *driver.Collection
	model driver.IndexModel
}

func (c *collections) indexes() []index {
	up := func(fields ...string) bson.D {
		var keys bson.D
		for _, f := range fields {
			keys = append(keys, bson.E{Key: f, Value: int32(1)})
		}
		return keys
	}
	return []index{
		{c.events, driver.IndexModel{Keys: up("a", "p"), Options: options.Index().SetName("actor")}},
		{c.events, driver.IndexModel{Keys: up("p"), Options: options.Index().SetName("pending").
			SetPartialFilterExpression(bson.D{{Key: "q", Value: true}})}},
		{c.states, driver.IndexModel{Keys: up("x"), Options: options.Index().SetName("expires").SetSparse(true)}},
		{c.uploads, driver.IndexModel{Keys: up("at"), Options: options.Index().SetName("at")}},
		{c.loose, driver.IndexModel{Keys: up("at"), Options: options.Index().SetName("at")}},
		{c.marks, driver.IndexModel{Keys: up("at"), Options: options.Index().SetName("at").
			SetExpireAfterSeconds(int32(markLife / time.Second))}},
	}
}

// migrate makes the collections and indexes that are missing, and records the
// schema. Several processes may do so at once: each step can be repeated.
func (s *Store) migrate(ctx context.Context) error {
	found, err := s.schema(ctx)
	if err != nil || found.Version >= schemaVersion {
		return err
	}
	if found.Version == 0 {
		if err := s.refuseForeign(ctx); err != nil {
			return err
		}
	}
	if err := s.create(ctx); err != nil {
		return err
	}
	return s.record(ctx)
}

// record says what was made. It goes only upwards: another process may have been
// quicker, and newer.
func (s *Store) record(ctx context.Context) error {
	_, err := s.meta.UpdateOne(ctx, byID(schemaName), bson.D{{Key: "$max", Value: bson.D{
		{Key: "version", Value: schemaVersion}, {Key: "oldest", Value: schemaOldest},
	}}}, options.UpdateOne().SetUpsert(true))
	return err
}

// schema reads what was made before, by whatever version; zero is nothing.
func (s *Store) schema(ctx context.Context) (schemaDoc, error) {
	var d schemaDoc
	err := absent(s.meta.FindOne(ctx, byID(schemaName)).Decode(&d))
	if errors.Is(err, store.ErrNotFound) {
		return schemaDoc{}, nil
	}
	if err == nil && d.Oldest > schemaVersion {
		return d, fmt.Errorf("%w: it needs version %d, this one knows %d", ErrNewer, d.Oldest, schemaVersion)
	}
	return d, err
}

// refuseForeign looks whether a database without our schema has collections of
// something else. Our own may be there: a creation that broke off.
func (s *Store) refuseForeign(ctx context.Context) error {
	names, err := s.database.ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return err
	}
	var own []string
	for _, c := range s.all() {
		own = append(own, c.Name())
	}
	for _, name := range names {
		if !slices.Contains(own, name) && !strings.HasPrefix(name, "system.") {
			return fmt.Errorf("%w: database %q", ErrForeign, s.database.Name())
		}
	}
	return nil
}

// create makes collections before any transaction writes to them: a transaction
// that makes its own would conflict with every other.
func (s *Store) create(ctx context.Context) error {
	for _, c := range s.all() {
		if err := s.database.CreateCollection(ctx, c.Name()); err != nil && !hasCode(err, codeNamespaceExists) {
			return err
		}
	}
	for _, i := range s.indexes() {
		if _, err := i.on.Indexes().CreateOne(ctx, i.model); err != nil {
			return err
		}
	}
	return nil
}
