package fhir

// Resource is one FHIR resource as it was received: its bytes, and where its
// elements are. It is immutable and safe for concurrent use. The zero Resource
// has no type and no elements.
type Resource struct {
	t *tree
}

// Root returns the whole resource as a node.
func (r *Resource) Root() Node {
	if r == nil || r.t == nil {
		return Node{}
	}
	return Node{r.t, 0}
}

// Get returns a member of the resource.
func (r *Resource) Get(name string) Node { return r.Root().Get(name) }

// At follows names from the root, taking the first element of arrays.
func (r *Resource) At(names ...string) Node { return r.Root().At(names...) }

// Type returns the resource type, "Patient".
func (r *Resource) Type() string { return r.Get("resourceType").Text() }

// ID returns the logical id, "" if it has none.
func (r *Resource) ID() string { return r.Get("id").Text() }

// Bytes returns the resource as received. They must not be changed.
func (r *Resource) Bytes() []byte { return r.Root().Raw() }

// Scan reads JSON without looking at the definitions. It serves for bytes that
// Parse accepted before and that were kept under seal since.
func Scan(data []byte) (*Resource, error) {
	t, err := scanJSON(data)
	if err != nil {
		return nil, err
	}
	return &Resource{t}, nil
}
