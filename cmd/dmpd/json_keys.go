package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// uniqueKeys refuses JSON with a key that stands twice in one object: the later would win,
// and a reader may have looked at the earlier only. What is no JSON is refused by whoever
// decodes it.
func uniqueKeys(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	var open []*readObject
	for {
		token, err := d.Token()
		if err != nil {
			return nil
		}
		var top *readObject
		if len(open) > 0 {
			top = open[len(open)-1]
		}
		switch delim, ok := token.(json.Delim); {
		case ok && (delim == '}' || delim == ']'):
			open = open[:len(open)-1]
			continue
		case top.awaitsKey():
			if err := top.key(token.(string)); err != nil {
				return err
			}
			continue
		case ok && delim == '{':
			open = append(open, &readObject{seen: map[string]bool{}})
		case ok:
			open = append(open, nil)
		}
		if top != nil {
			top.value = false
		}
	}
}

// readObject is an object of which a part was read; nil is an array.
type readObject struct {
	seen  map[string]bool
	value bool // what comes next is a value
}

func (o *readObject) awaitsKey() bool { return o != nil && !o.value }

func (o *readObject) key(name string) error {
	if o.seen[name] {
		return fmt.Errorf("%q stands twice: keep the one that is meant", name)
	}
	o.seen[name], o.value = true, true
	return nil
}
