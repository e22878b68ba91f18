package sqlite

// fault is a place where a test makes the engine fail.
type fault uint8

const (
	beforeCommit fault = iota + 1 // COMMIT is not run
	afterCommit                   // COMMIT succeeded, its answer is lost
	reopening                     // the connection cannot be opened again
	beforeRecord                  // an upload is in place but not recorded
)

// faults asks, at each place, for the error to fail with. Nil never fails.
type faults func(fault) error

func (f faults) at(place fault) error {
	if f == nil {
		return nil
	}
	return f(place)
}
