package mongo

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// fate is what becomes of a command on its way.
type fate uint8

const (
	pass fate = iota
	lose      // it does not arrive, and the connection breaks
	deaf      // it arrives, the connection breaks before the answer
	hang      // it does not arrive, and the connection stays
)

// command is one that a relay sees.
type command struct {
	name string
	doc  bson.Raw
	docs []bson.Raw // that follow it, to insert
}

func (c command) collection() string { return collectionOf(c.name, c.doc) }

// housekeeping are commands that the driver sends on its own.
func (c command) housekeeping() bool {
	return slices.Contains([]string{"hello", "ismaster", "isMaster", "ping", "endSessions"}, c.name) || strings.HasPrefix(c.name, "sasl")
}

// relay stands between the engine and the deployment and decides what becomes of
// each command. Through it, the deployment seems to be one server.
type relay struct {
	target string // host:port

	mu       sync.Mutex
	decide   func(command) fate
	listener net.Listener
	conns    map[net.Conn]bool
	sessions []bson.Raw // that began a transaction
	running  sync.WaitGroup
}

// startRelay starts a relay to the primary of a deployment and returns it with the
// URI to use instead.
func startRelay(t testing.TB, e engine) (*relay, engine) {
	t.Helper()
	parts := regexp.MustCompile(`^(mongodb://(?:[^@/]*@)?)[^/?]*/?([^?]*)(?:\?(.*))?$`).FindStringSubmatch(e.uri)
	if parts == nil || strings.Contains(parts[3], "tls=true") {
		t.Skip("faults are made on plain mongodb:// connections only")
	}
	r := &relay{target: primary(t, e), conns: make(map[net.Conn]bool)}
	r.listen(t, "127.0.0.1:0")
	t.Cleanup(func() {
		r.down()
		r.running.Wait()
		killSessions(t, e, r.sessions)
	})
	query := strings.TrimPrefix(parts[3]+"&directConnection=true&serverMonitoringMode=poll", "&")
	return r, engine{parts[1] + r.address() + "/" + parts[2] + "?" + query, e.database}
}

// primary asks a deployment where its primary is; a mongos is one itself.
func primary(t testing.TB, e engine) string {
	t.Helper()
	var h struct {
		Primary string `bson:"primary"`
	}
	admin(t, e, bson.D{{Key: "hello", Value: 1}}, &h)
	if h.Primary != "" {
		return h.Primary
	}
	o, err := e.options(Options{}).client(e.uri)
	if err != nil {
		t.Fatal(err)
	}
	return o.Hosts[0]
}

// killSessions ends the transactions that faults have left open: a server would
// keep them for a minute.
func killSessions(t testing.TB, e engine, sessions []bson.Raw) {
	t.Helper()
	if len(sessions) > 0 {
		admin(t, e, bson.D{{Key: "killSessions", Value: sessions}}, nil)
	}
}

func admin(t testing.TB, e engine, cmd bson.D, answer any) {
	t.Helper()
	s, err := connect(e.uri, e.options(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r := s.client.Database("admin").RunCommand(ctx, cmd)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if answer != nil {
		if err := r.Decode(answer); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *relay) address() string { return r.listener.Addr().String() }

// rule says what becomes of the commands from now on; nil passes all.
func (r *relay) rule(decide func(command) fate) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decide = decide
}

func (r *relay) listen(t testing.TB, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.listener = l
	r.mu.Unlock()
	r.running.Go(func() { r.accept(l) })
}

// down breaks all connections and refuses new ones, as when a server dies.
func (r *relay) down() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener.Close()
	for c := range r.conns {
		c.Close()
	}
}

// up is there again, at the same address.
func (r *relay) up(t testing.TB) {
	t.Helper()
	r.listen(t, r.address())
}

func (r *relay) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.serve(c) })
	}
}

// keep remembers a connection, so that down closes it.
func (r *relay) keep(c net.Conn, open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if open {
		r.conns[c] = true
		return
	}
	delete(r.conns, c)
	c.Close()
}

func (r *relay) serve(client net.Conn) {
	r.keep(client, true)
	defer r.keep(client, false)
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	r.keep(server, true)
	defer r.keep(server, false)
	for {
		request, err := readMessage(client)
		if err != nil {
			return
		}
		what := r.judge(request)
		if what == lose {
			return
		}
		if what == hang {
			io.Copy(io.Discard, client)
			return
		}
		if _, err := server.Write(request); err != nil {
			return
		}
		answer, err := readMessage(server)
		if err != nil || what == deaf {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

func (r *relay) judge(message []byte) fate {
	c, ok := commandOf(message)
	r.mu.Lock()
	defer r.mu.Unlock()
	if start, _ := c.doc.Lookup("startTransaction").BooleanOK(); start {
		if id, ok := c.doc.Lookup("lsid").DocumentOK(); ok {
			r.sessions = append(r.sessions, slices.Clone(id))
		}
	}
	if !ok || r.decide == nil {
		return pass
	}
	return r.decide(c)
}

// The wire protocol, as far as it is needed: a header of four int32 (length, id,
// answer to, opcode), and for OP_MSG flags and sections, of which the first here is
// the command.
const (
	headerSize = 16
	opReply    = 1
	opQuery    = 2004
	opMsg      = 2013
)

func readMessage(r io.Reader) ([]byte, error) {
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	message := slices.Grow(head, int(binary.LittleEndian.Uint32(head))-headerSize)[:binary.LittleEndian.Uint32(head)]
	_, err := io.ReadFull(r, message[headerSize:])
	return message, err
}

func opcode(message []byte) uint32 { return binary.LittleEndian.Uint32(message[12:]) }

// commandOf reads the command of an OP_MSG; the drivers send nothing else once they
// know the server. The command itself is the first section, of kind 0; documents to
// insert are one of kind 1, with a length and a name before them.
func commandOf(message []byte) (command, bool) {
	const sections = headerSize + 4
	if opcode(message) != opMsg || len(message) <= sections || message[sections] != 0 {
		return command{}, false
	}
	doc, rest := split(message[sections+1:])
	first, err := doc.IndexErr(0)
	if err != nil {
		return command{}, false
	}
	c := command{name: first.Key(), doc: doc}
	if len(rest) > 0 && rest[0] == 1 {
		_, rest, _ = bytes.Cut(rest[5:], []byte{0})
		for len(rest) > 0 {
			doc, rest = split(rest)
			c.docs = append(c.docs, doc)
		}
	}
	return c, !c.housekeeping()
}

// split cuts off the first BSON document.
func split(b []byte) (bson.Raw, []byte) {
	n := binary.LittleEndian.Uint32(b)
	return bson.Raw(b[:n]), b[n:]
}
