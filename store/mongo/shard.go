package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
)

// shardKey is how a collection is laid over shards. The key is always the _id and
// nothing else: this alone makes the cluster hold an _id unique, and not each shard
// for itself (MongoDB manual, Shard Key Indexes).
type shardKey struct {
	on *driver.Collection
	by any // hashed or ranged
}

// A collection that is read by ranges of _id must be ranged. The others are hashed:
// they lie on all shards from the first document on, without waiting for the
// balancer.
const (
	hashed = "hashed"
	ranged = int32(1)
)

// shardKeys are those of doc.go. meta and probe are a few documents, and stay
// where the database began.
func (c *collections) shardKeys() []shardKey {
	return []shardKey{
		{c.headers, hashed}, {c.rows, ranged}, {c.versions, ranged},
		{c.contents, ranged}, {c.uploads, ranged}, {c.loose, hashed}, {c.chunks, ranged},
		{c.claims, hashed}, {c.finds, ranged}, {c.wrapped, ranged}, {c.events, ranged},
		{c.states, ranged}, {c.marks, hashed},
	}
}

// Shard brings the schema up to date, as Migrate does, and shards every collection
// by its key. What is sharded already stays as it is, so it can be repeated, and has
// to be after an upgrade that makes a collection. A replica set is ErrNotSharded,
// before anything is made there.
//
// The user needs the privilege enableSharding on the database, beside readWrite;
// Open needs it never.
func Shard(ctx context.Context, uri string, opts Options) error {
	s, err := connect(uri, opts.withDefaults())
	if err != nil {
		return err
	}
	return errors.Join(s.shard(ctx), s.Close())
}

func (s *Store) shard(ctx context.Context) error {
	if err := within(ctx, s.timeout, s.routed); err != nil {
		return shardRefusal(ctx, err)
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for _, k := range s.shardKeys() {
		// One shardCollection waits for the majority of several replica sets.
		err := within(ctx, migrateShare*s.timeout, func(ctx context.Context) error { return s.shardBy(ctx, k) })
		if err != nil {
			return shardRefusal(ctx, err)
		}
	}
	return nil
}

// routed refuses what is not a mongos.
func (s *Store) routed(ctx context.Context) error {
	h, err := s.greeted(ctx)
	if err == nil && !h.router() {
		return ErrNotSharded
	}
	return err
}

// shardBy shards one collection. A collection that holds documents must have the
// index of its key before; every one has that of its _id.
func (s *Store) shardBy(ctx context.Context, k shardKey) error {
	key := bson.D{{Key: "_id", Value: k.by}}
	if k.by == hashed {
		if _, err := k.on.Indexes().CreateOne(ctx, driver.IndexModel{Keys: key}); err != nil {
			return err
		}
	}
	err := s.client.Database("admin").RunCommand(ctx, bson.D{
		{Key: "shardCollection", Value: s.database.Name() + "." + k.on.Name()}, {Key: "key", Value: key},
	}).Err()
	if hasCode(err, codeAlreadyInitialized) {
		return fmt.Errorf("%w: %s", ErrShardKey, k.on.Name())
	}
	return err
}

// shardRefusal is refusal, for what only Shard asks.
func shardRefusal(ctx context.Context, err error) error {
	switch {
	case isOneOf(err, ErrNotSharded, ErrShardKey):
		return err
	case hasCode(err, codeUnauthorized):
		return ErrShardRights
	}
	return refusal(ctx, err)
}
