package main

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/wiremessage"
)

// fakeMongo answers every command of MongoDB's wire protocol as it is told to: for
// servers that no machine has at hand. It ends with the test.
type fakeMongo struct {
	// hello is what the server at an address says of itself, beside what every
	// server says.
	hello func(address string) bson.D
	// answer gives the answer to any other command; nil: ok.
	answer func(name string, command bson.Raw) bson.D
}

// start returns its address.
func (f fakeMongo) start(t *testing.T) string {
	return listening(t, func(c net.Conn) { f.serve(c) })
}

// listening accepts connections until the end of the test and returns the address.
// Its clients are processes that have ended by then.
func listening(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { defer c.Close(); serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

func (f fakeMongo) serve(c net.Conn) {
	greeting := f.greeting(c.LocalAddr().String())
	for {
		m, err := readMessage(c)
		if err != nil {
			return
		}
		if _, err := c.Write(f.reply(greeting, m)); err != nil {
			return
		}
	}
}

// message is one of the wire protocol, as it came.
type message []byte

func readMessage(r io.Reader) (message, error) {
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	m := slices.Grow(message(head), int(binary.LittleEndian.Uint32(head))-headerSize)[:binary.LittleEndian.Uint32(head)]
	_, err := io.ReadFull(r, m[headerSize:])
	return m, err
}

const headerSize = 16 // length, id, answer to, opcode

// command is the command of an OP_MSG: the first section, after the flags and its
// kind. The first message of a connection is an OP_QUERY and has none.
func (m message) command() (bson.Raw, bool) {
	const flags, kind = 4, 1
	if _, _, _, code, _, _ := wiremessage.ReadHeader(m); code != wiremessage.OpMsg {
		return nil, false
	}
	doc := m[headerSize+flags+kind:]
	return bson.Raw(doc[:binary.LittleEndian.Uint32(doc)]), true
}

// reply answers a message: a greeting to what is no command.
func (f fakeMongo) reply(greeting bson.D, m message) []byte {
	_, id, _, _, _, _ := wiremessage.ReadHeader(m)
	command, ok := m.command()
	if !ok {
		b := wiremessage.AppendReplyFlags(nil, 0)
		b = wiremessage.AppendReplyCursorID(b, 0)
		b = wiremessage.AppendReplyStartingFrom(b, 0)
		b = wiremessage.AppendReplyNumberReturned(b, 1)
		return answerTo(id, wiremessage.OpReply, append(b, document(greeting)...))
	}
	b := wiremessage.AppendMsgFlags(nil, 0)
	b = wiremessage.AppendMsgSectionType(b, wiremessage.SingleDocument)
	return answerTo(id, wiremessage.OpMsg, append(b, document(f.answerOf(greeting, command))...))
}

func (f fakeMongo) answerOf(greeting bson.D, command bson.Raw) bson.D {
	name := command.Index(0).Key()
	if name == "hello" {
		return greeting
	}
	if f.answer != nil {
		if d := f.answer(name, command); d != nil {
			return d
		}
	}
	if name == "find" || name == "listCollections" {
		return found()
	}
	return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}}
}

// found is the answer to a find.
func found(docs ...any) bson.D {
	return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{
		{Key: "id", Value: int64(0)}, {Key: "ns", Value: "a.b"}, {Key: "firstBatch", Value: append(bson.A{}, docs...)},
	}}}
}

func (f fakeMongo) greeting(address string) bson.D {
	return append(bson.D{
		{Key: "ok", Value: 1},
		{Key: "isWritablePrimary", Value: true},
		{Key: "minWireVersion", Value: 0},
		{Key: "maxBsonObjectSize", Value: 16 << 20},
		{Key: "maxMessageSizeBytes", Value: 48 << 20},
		{Key: "maxWriteBatchSize", Value: 1000},
		{Key: "logicalSessionTimeoutMinutes", Value: 30},
	}, f.hello(address)...)
}

func answerTo(id int32, code wiremessage.OpCode, body []byte) []byte {
	return append(wiremessage.AppendHeader(nil, int32(16+len(body)), 0, id, code), body...)
}

func document(d bson.D) []byte {
	b, err := bson.Marshal(d)
	if err != nil {
		panic(err)
	}
	return b
}
