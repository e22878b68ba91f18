package mongo

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// Options of Open and Migrate. The zero value is good for production.
type Options struct {
	// Database is the name of the database. The default is "opendmp".
	Database string
	// Now tells whether a state entry has expired, and dates the uploads. The
	// default is time.Now.
	Now func() time.Time
	// Rand gives the random ids of marks and uploads, and is read concurrently.
	// The default is crypto/rand.
	Rand io.Reader
	// Timeout bounds each call, and each step of Upload, Content and Collect. The
	// default is four seconds: a caller is told within five that the database is
	// gone.
	Timeout time.Duration
	// Selection bounds the search for a primary. The default, also the maximum, is
	// three quarters of Timeout.
	Selection time.Duration
	// Connections is the size of the pool. The default is 100.
	Connections int
	// Observe is called before each command is sent, with its name and, where it
	// has one, its collection. It is for counting in tests.
	Observe func(command, collection string)

	monitor *event.CommandMonitor // that tests of this package put in the place of Observe
}

func (o Options) withDefaults() Options {
	if o.Database == "" {
		o.Database = "opendmp"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Timeout <= 0 {
		o.Timeout = 4 * time.Second
	}
	if most := o.Timeout * 3 / 4; o.Selection <= 0 || o.Selection > most {
		o.Selection = most
	}
	if o.Connections <= 0 {
		o.Connections = 100
	}
	return o
}

// client gives the driver's options: those of the URI, but for the ones that the
// promises of this package rest on.
func (o Options) client(uri string) (*options.ClientOptions, error) {
	c := options.Client().
		ApplyURI(uri).
		SetAppName("dmpd").
		SetReadPreference(readpref.Primary()).
		SetReadConcern(readconcern.Majority()).
		SetWriteConcern(durable()).
		SetRetryWrites(true).
		SetRetryReads(true).
		SetServerSelectionTimeout(o.Selection).
		SetConnectTimeout(o.Selection).
		SetMaxPoolSize(uint64(o.Connections)).
		SetMaxConnIdleTime(5 * time.Minute)
	switch {
	case o.monitor != nil:
		c.SetMonitor(o.monitor)
	case o.Observe != nil:
		c.SetMonitor(monitor(o.Observe))
	}
	return c, invalid(c.Validate())
}

// invalid keeps nothing of what the driver says, which may quote the URI.
func invalid(err error) error {
	var dns *net.DNSError // of a mongodb+srv URI
	switch {
	case err == nil:
		return nil
	case errors.As(err, &dns):
		return ErrUnreachable
	}
	return ErrURI
}

func durable() *writeconcern.WriteConcern {
	journal := true
	return &writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journal}
}

func transaction() *options.TransactionOptionsBuilder {
	return options.Transaction().
		SetReadConcern(readconcern.Snapshot()).
		SetWriteConcern(durable()).
		SetReadPreference(readpref.Primary())
}

func monitor(observe func(command, collection string)) *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		observe(e.CommandName, collectionOf(e.CommandName, e.Command))
	}}
}

// collectionOf finds the collection of a command: the value of its first field,
// but for getMore.
func collectionOf(name string, command bson.Raw) string {
	field := name
	if name == "getMore" {
		field = "collection"
	}
	collection, _ := command.Lookup(field).StringValueOK()
	return collection
}
