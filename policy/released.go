package policy

import "errors"

// ErrNotReleased is the error of composing with something that was not released.
var ErrNotReleased = errors.New("policy: a part was not released")

// Released is content that the policy let out, for one caller, of one dossier,
// at one instant. Only this package makes one that holds something; the zero
// Released holds nothing and cannot be written.
type Released[T any] struct {
	value T
	ok    bool
}

// Value returns the content; false, and the zero T, if nothing was released.
func (r Released[T]) Value() (T, bool) {
	if !r.ok {
		var none T
		return none, false
	}
	return r.value, true
}

// Ok tells whether something was released.
func (r Released[T]) Ok() bool { return r.ok }

// release is the only place where a Released is filled.
func release[T any](d Decision, v T) Released[T] {
	if !d.Allowed() {
		return Released[T]{}
	}
	return Released[T]{value: v, ok: true}
}

// Compose makes one Released of several: a Bundle of the resources of a page, the
// bytes of a resource, a rendering in XML. encode is given what was released and
// nothing else; it must add no patient's data of its own. Nothing comes out if
// one of the parts is empty, or encode fails. Without parts the composition is of
// nothing, as the answer of a search without results is.
func Compose[T, U any](encode func([]T) (U, error), parts ...Released[T]) (Released[U], error) {
	values := make([]T, len(parts))
	for i, p := range parts {
		if !p.ok {
			return Released[U]{}, ErrNotReleased
		}
		values[i] = p.value
	}
	u, err := encode(values)
	if err != nil {
		return Released[U]{}, err
	}
	return Released[U]{value: u, ok: true}, nil
}
