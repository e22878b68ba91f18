package main

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// alone greets as a server without a replica set.
func alone(string) bson.D { return bson.D{{Key: "maxWireVersion", Value: 25}} }

// uninitiated greets as one that was started with --replSet, and no more.
func uninitiated(string) bson.D {
	return bson.D{{Key: "isWritablePrimary", Value: false}, {Key: "isreplicaset", Value: true}, {Key: "maxWireVersion", Value: 25}}
}

// member greets as the primary of the replica set rs0, whose MongoDB speaks that
// version of the wire protocol: 17 is 6.0, 25 is 8.0.
func member(wire int) func(string) bson.D {
	return func(address string) bson.D {
		return bson.D{{Key: "setName", Value: "rs0"}, {Key: "hosts", Value: bson.A{address}}, {Key: "maxWireVersion", Value: wire}}
	}
}

// keeping is a server that keeps what was written in a transaction that it aborts.
func keeping(name string, command bson.Raw) bson.D {
	if name == "find" && command.Lookup("find").StringValue() == "probe" {
		return found(bson.D{{Key: "_id", Value: 1}})
	}
	return nil
}

// refusing is a server that refuses commands with a code, and a text that quotes
// what must not be told.
func refusing(code int, codeName string, commands ...string) func(string, bson.Raw) bson.D {
	return func(name string, _ bson.Raw) bson.D {
		for _, c := range commands {
			if strings.HasPrefix(name, c) {
				return bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: code}, {Key: "codeName", Value: codeName},
					{Key: "errmsg", Value: "s3cret of somebody at 127.0.0.1"}}
			}
		}
		return nil
	}
}

// deaf is an address at which a connection is accepted and nothing answers; web is
// one where something else than MongoDB does; closed one where nobody listens.
func deaf(t *testing.T) string {
	return listening(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
}

func web(t *testing.T) string {
	return listening(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })
}

func closed(t *testing.T) string { return freeAddr(t) }

// A MongoDB that cannot be used ends a server's start.
func TestRefusedStores(t *testing.T) {
	const (
		user    = "mongodb://somebody:s3cret@ADDRESS/elsewhere"
		nobody  = "mongodb://ADDRESS/elsewhere"
		rs0     = "?replicaSet=rs0"
		noSet   = "make it a replica set of one: start mongod with --replSet rs0, then run once mongosh --eval 'rs.initiate()'"
		silence = "no primary answers at the store's address (is the server up, and its replica set of the name in the URI initiated?)"
		invalid = "the store's address is not a valid mongodb:// or mongodb+srv:// URI"
	)
	at := func(f fakeMongo) func(*testing.T) string { return f.start }
	var waiting sync.WaitGroup // all at once: most of them wait for a server
	defer waiting.Wait()
	for _, test := range []struct {
		name  string
		store string
		at    func(*testing.T) string // ADDRESS in store
		says  string
	}{
		{"another engine", "postgres://somebody:s3cret@elsewhere/", nil, "store is sqlite, or a mongodb:// or mongodb+srv:// URI"},
		{"a file", "/elsewhere/s3cret.db", nil, "store is sqlite, or a mongodb:// or mongodb+srv:// URI"},
		{"no host", "mongodb://somebody:s3cret@/elsewhere", nil, invalid},
		{"no port", "mongodb://somebody:s3cret@127.0.0.1:elsewhere/", nil, invalid},
		{"a password that is not escaped", "mongodb://somebody:s3cret%@127.0.0.1/elsewhere", nil, invalid},
		{"an option misspelt", "mongodb://127.0.0.1/elsewhere?retryWrites=s3cret", nil, invalid},
		{"nobody listens", user + rs0, closed, silence},
		{"a server that never answers", user + rs0, deaf, silence},
		{"no MongoDB", user, web, silence},
		{"no replica set", nobody, at(fakeMongo{hello: alone}), noSet},
		{"no replica set, but one in the URI", nobody + rs0, at(fakeMongo{hello: alone}), silence},
		{"a replica set that was not initiated", nobody + rs0, at(fakeMongo{hello: uninitiated}), silence},
		{"a replica set of another name", nobody + "?replicaSet=rs1", at(fakeMongo{hello: member(25)}), silence},
		{"transactions that do not roll back", nobody + rs0, at(fakeMongo{hello: member(25), answer: keeping}), noSet},
		{"a wrong password", user, at(fakeMongo{hello: member(25), answer: refusing(18, "AuthenticationFailed", "sasl")}),
			"the server refuses the user or the password of the store's URI"},
		{"no right to read", nobody, at(fakeMongo{hello: member(25), answer: refusing(13, "Unauthorized", "find")}),
			"the user may not read and write its database"},
		{"no right to write", nobody, at(fakeMongo{hello: member(25), answer: refusing(13, "Unauthorized", "create", "insert", "update")}),
			"the user may not read and write its database"},
		{"MongoDB 5.0", nobody, at(fakeMongo{hello: member(13)}), "the server is older than MongoDB 6.0"},
		{"MongoDB 3.6, that the driver does not know any more", nobody, at(fakeMongo{hello: member(6)}), "the server is older than MongoDB 6.0"},
		{"a full disk", nobody, at(fakeMongo{hello: member(25), answer: refusing(14031, "OutOfDiskSpace", "create", "insert", "update")}),
			"store: unavailable: open: the disk of the server is full"},
	} {
		waiting.Go(func() {
			t.Run(test.name, func(t *testing.T) {
				store := test.store
				if test.at != nil {
					store = strings.Replace(store, "ADDRESS", test.at(t), 1)
				}
				refusedStore(t, "serve --sandbox --addr 127.0.0.1:0 --data "+t.TempDir()+" --store "+store, test.says)
			})
		})
	}
}

// Every command that opens a store refuses it alike.
func TestRefusedStoreOfEachCommand(t *testing.T) {
	s := realService(t)
	real := strings.Join([]string{"serve --addr 127.0.0.1:0 --data", s.Data, "--base", "https://localhost/fhir", "--base-patient", "https://localhost/fhir", "--issuer", s.Issuer,
		"--audience", s.Audience, "--issuer-keys", s.IssuerKeys, "--matrix", s.Matrix}, " ") + " --ca-de-test " + newPKI(t).flags()
	var waiting sync.WaitGroup
	defer waiting.Wait()
	for _, line := range []string{
		real + " --store ",
		"init --data " + filepath.Join(t.TempDir(), "new") + " --store ",
		"migrate --data " + t.TempDir() + " --store ",
		"sandbox load --data " + t.TempDir() + " --store ",
		"copy --from " + s.Data + " --to ",
		"copy --to " + t.TempDir() + " --from ",
	} {
		waiting.Go(func() {
			t.Run(strings.Fields(line)[0], func(t *testing.T) {
				refusedStore(t, line+"mongodb://somebody:s3cret@"+closed(t)+"/elsewhere", "no primary answers")
			})
		})
	}
}

// refusedStore demands that a command ends soon, with exit 1 and one sentence that
// tells nothing of the store's address.
func refusedStore(t *testing.T, line, says string) {
	t.Helper()
	var stderr bytes.Buffer
	begun := time.Now()
	cmd, _ := spawn(t, &stderr, line)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit %d", code)
	}
	said := stderr.String()
	if !strings.Contains(said, says) || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "dmpd: ") {
		t.Errorf("said %q, want %q", said, says)
	}
	for _, secret := range []string{"s3cret", "somebody", "elsewhere", "127.0.0.1"} {
		if strings.Contains(said, secret) {
			t.Errorf("tells %q: %s", secret, said)
		}
	}
}
