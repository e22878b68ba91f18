package mongo

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// fake is a server that can do very little: for what no server at hand will do.
type fake struct {
	hello   bson.D // what it says of itself, beside what every server says
	answer  func(command) bson.D
	address string
}

// start listens until the end of the test.
func (f *fake) start(t *testing.T) (uri string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = l.Addr().String()
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			running.Go(func() { f.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return "mongodb://" + f.address + "/"
}

func (f *fake) serve(c net.Conn) {
	for {
		request, err := readMessage(c)
		if err != nil {
			return
		}
		doc := f.hi()
		if cmd, ok := commandOf(request); ok || cmd.name != "" && cmd.name != "hello" {
			doc = f.reply(cmd)
		}
		if _, err := c.Write(answerTo(request, doc)); err != nil {
			return
		}
	}
}

func (f *fake) hi() bson.D {
	return append(bson.D{
		{Key: "ok", Value: 1},
		{Key: "isWritablePrimary", Value: true},
		{Key: "minWireVersion", Value: 0},
		{Key: "maxBsonObjectSize", Value: 16 << 20},
		{Key: "maxMessageSizeBytes", Value: 48 << 20},
		{Key: "maxWriteBatchSize", Value: 1000},
		{Key: "logicalSessionTimeoutMinutes", Value: 30},
	}, f.hello...)
}

func (f *fake) reply(c command) bson.D {
	if f.answer != nil {
		if d := f.answer(c); d != nil {
			return d
		}
	}
	return ok()
}

func ok(fields ...bson.E) bson.D { return append(bson.D{{Key: "ok", Value: 1}}, fields...) }

func refuse(code int32, name, message string) bson.D {
	return bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: code}, {Key: "codeName", Value: name}, {Key: "errmsg", Value: message}}
}

// documents is the answer to a find.
func documents(c command, docs ...bson.Raw) bson.D {
	batch := bson.A{}
	for _, d := range docs {
		batch = append(batch, d)
	}
	return ok(bson.E{Key: "cursor", Value: bson.D{
		{Key: "id", Value: int64(0)}, {Key: "ns", Value: "db." + c.collection()}, {Key: "firstBatch", Value: batch},
	}})
}

// ofReplicaSet is the hello of a member of a replica set.
func ofReplicaSet(wire int, address func() string) bson.D {
	return bson.D{{Key: "setName", Value: "rs0"}, {Key: "hosts", Value: bson.A{address()}}, {Key: "maxWireVersion", Value: wire}}
}

func answerTo(request []byte, doc bson.D) []byte {
	body, err := bson.Marshal(doc)
	if err != nil {
		panic(err)
	}
	code, head := uint32(opMsg), make([]byte, 5) // no flags, a section of kind 0
	if opcode(request) == opQuery {
		code, head = opReply, make([]byte, 20)
		head[16] = 1 // one document
	}
	message := binary.LittleEndian.AppendUint32(nil, uint32(headerSize+len(head)+len(body)))
	message = binary.LittleEndian.AppendUint32(message, 0)
	message = append(message, request[4:8]...)
	message = binary.LittleEndian.AppendUint32(message, code)
	return slices.Concat(message, head, body)
}
