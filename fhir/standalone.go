package fhir

// Resource returns the resource that the node holds, an entry of a Bundle or a
// contained resource, standing alone: its bytes are those of the node, which
// stay part of the larger ones in memory. It is nil if the node is no object.
func (n Node) Resource() *Resource {
	if n.Kind() != Object {
		return nil
	}
	v := n.n()
	nodes := make([]node, v.next-n.i)
	for k := range nodes {
		c := n.t.nodes[n.i+uint32(k)]
		c.start -= v.start
		c.end -= v.start
		c.next -= n.i
		if c.keyTo > 0 {
			c.key -= v.start
			c.keyTo -= v.start
		}
		nodes[k] = c
	}
	nodes[0].key, nodes[0].keyTo = 0, 0
	return &Resource{&tree{raw: n.t.raw[v.start:v.end:v.end], nodes: nodes}}
}
