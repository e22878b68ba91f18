package main

import (
	"encoding/binary"
	"io"
	"net"
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
		head := make([]byte, 16)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		length, id, _, code, _, _ := wiremessage.ReadHeader(head)
		rest := make([]byte, length-16)
		if _, err := io.ReadFull(c, rest); err != nil {
			return
		}
		if _, err := c.Write(f.reply(greeting, id, code, rest)); err != nil {
			return
		}
	}
}

// reply answers a message. The first of a connection is an OP_QUERY, which is a
// greeting; the others begin with a section that is the command.
func (f fakeMongo) reply(greeting bson.D, id int32, code wiremessage.OpCode, message []byte) []byte {
	if code != wiremessage.OpMsg {
		b := wiremessage.AppendReplyFlags(nil, 0)
		b = wiremessage.AppendReplyCursorID(b, 0)
		b = wiremessage.AppendReplyStartingFrom(b, 0)
		b = wiremessage.AppendReplyNumberReturned(b, 1)
		return answerTo(id, wiremessage.OpReply, append(b, document(greeting)...))
	}
	command := bson.Raw(message[5:]) // after the flags and the kind of the section
	command = command[:binary.LittleEndian.Uint32(command)]
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
