package main

import (
	"errors"
	"fmt"
	"strings"
)

// faults are what stops a start. They are told together: who prepares a server mends
// them in one go.
type faults []error

// add adds a fault; nil is none.
func (f *faults) add(err error) {
	if err != nil {
		*f = append(*f, err)
	}
}

// set adds a fault of a setting, by its name unless it tells that itself, with what to
// do.
func (f *faults) set(setting, todo string, err error) {
	if err == nil {
		return
	}
	if setting != "" {
		setting += ": "
	}
	f.add(fmt.Errorf("%s%w: %s", setting, err, todo))
}

// err returns the faults as one: a single one on one line; several under a line that
// says how many, each on a line of its own, indented. It is nil if there are none.
func (f faults) err() error {
	switch len(f) {
	case 0:
		return nil
	case 1:
		return oneLine{f[0]}
	}
	all := make([]error, len(f))
	for i, err := range f {
		all[i] = oneLine{err}
	}
	return fmt.Errorf("%d faults stop the start:%w", len(f), indented{errors.Join(all...)})
}

// indented writes joined errors each on a line of its own, after a line that is begun.
type indented struct{ error }

func (e indented) Error() string {
	return "\n  " + strings.ReplaceAll(e.error.Error(), "\n", "\n  ")
}
func (e indented) Unwrap() error { return e.error }

// oneLine writes errors of several lines, joined ones for example, on one.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.ReplaceAll(e.error.Error(), "\n", "; ") }
func (e oneLine) Unwrap() error { return e.error }
