package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(context.Background(), os.Args[1:])) }

// run executes a command line until it ends or is told to stop by SIGTERM or
// Ctrl-C; a second one ends it at once. Errors are one sentence on the standard
// error, the faults of a start a line each, and exit code 1 unless they have one of their own.
func run(ctx context.Context, args []string) int {
	ctx, restore := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer restore()
	defer context.AfterFunc(ctx, restore)()
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(os.Stderr, "dmpd:", err)
	}
	return exitCode(err)
}

// exitCode returns what a command line that ended with an error exits with.
func exitCode(err error) int {
	var own *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.code
	}
	return 1
}

// exitError is the error of a command whose exit code says what it found. Without
// an error of its own it prints nothing: the command has said all.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }
