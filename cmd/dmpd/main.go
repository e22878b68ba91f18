package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(context.Background(), os.Args[1:])) }

// run executes a command line until it ends or is told to stop by SIGTERM or
// Ctrl-C; a second one ends it at once. Errors are one sentence on the standard
// error.
func run(ctx context.Context, args []string) int {
	ctx, restore := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer restore()
	defer context.AfterFunc(ctx, restore)()
	root := rootCommand()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "dmpd:", err)
		return 1
	}
	return 0
}
