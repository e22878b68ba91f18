package main

import (
	"context"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
)

// sessions stands before a MongoDB and writes down which sessions begin a
// transaction: a server keeps those of a process that was killed, and what they
// lock, for a minute.
type sessions struct {
	server string // host:port

	mu    sync.Mutex
	begun []bson.Raw
}

// watchSessions returns the address to give to a process that will be killed, and
// what to call afterwards, which ends its transactions. "" stays "", and what is not
// a plain mongodb:// URI stays as it is.
func watchSessions(t *testing.T, uri string) (through string, forget func()) {
	t.Helper()
	rest, plain := strings.CutPrefix(uri, "mongodb://")
	hosts, query, _ := strings.Cut(rest, "?")
	q, err := url.ParseQuery(query)
	if !plain || err != nil || q.Get("tls") == "true" {
		return uri, func() {}
	}
	s := &sessions{}
	if err := onMongo(uri, s.findPrimary); err != nil {
		t.Fatal(err)
	}
	user, hosts, known := strings.Cut(hosts, "@")
	if !known {
		user, hosts = "", user
	} else {
		user += "@"
	}
	_, path, _ := strings.Cut(hosts, "/")
	q.Del("replicaSet")
	q.Set("directConnection", "true")
	address := listening(t, s.serve)
	forget = func() {
		t.Helper()
		if err := onMongo(uri, s.kill); err != nil {
			t.Error(err)
		}
	}
	return "mongodb://" + user + address + "/" + path + "?" + q.Encode(), forget
}

func (s *sessions) findPrimary(ctx context.Context, c *driver.Client) error {
	var h struct {
		Primary string `bson:"primary"`
	}
	err := c.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&h)
	s.server = h.Primary
	return err
}

func (s *sessions) serve(client net.Conn) {
	server, err := net.Dial("tcp", s.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		client.Close()
	}()
	for {
		m, err := readMessage(client)
		if err != nil {
			return
		}
		s.note(m)
		if _, err := server.Write(m); err != nil {
			return
		}
	}
}

func (s *sessions) note(m message) {
	command, ok := m.command()
	if !ok {
		return
	}
	start, _ := command.Lookup("startTransaction").BooleanOK()
	id, known := command.Lookup("lsid").DocumentOK()
	if !start || !known {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, slices.Clone(id))
}

func (s *sessions) kill(ctx context.Context, c *driver.Client) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.begun) == 0 {
		return nil
	}
	return c.Database("admin").RunCommand(ctx, bson.D{{Key: "killSessions", Value: s.begun}}).Err()
}
