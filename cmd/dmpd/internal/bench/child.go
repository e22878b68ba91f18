package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a server in a process of its own.
type child struct {
	cmd     *exec.Cmd
	addr    string
	startup time.Duration // from exec to the line that says where it listens
}

// start runs the program and waits until it says on which loopback port it
// listens. What it logs goes to a file, as in a service.
// The store is told in the environment: a URI may hold a password.
func start(ctx context.Context, log, store, program string, args ...string) (*child, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "DMPD_STORE="+store)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 40 * time.Second
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd.Stderr = f
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	addr, err := address(out)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w (see %s)", strings.Join(args, " "), err, log), cmd.Wait())
	}
	c := &child{cmd: cmd, addr: addr, startup: time.Since(began)}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return c, nil
}

// address reads until a line names a loopback address.
func address(out io.Reader) (string, error) {
	loopback := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := loopback.FindStringSubmatch(lines.Text()); m != nil {
			return m[1], nil
		}
	}
	return "", errors.New("ended before it listened")
}

// stop asks the process to end, as an operator does, and waits.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return c.cmd.Wait()
}

// memory returns the resident memory of the process now and at its highest, in
// bytes; zero where the system does not say.
func (c *child) memory() (now, peak int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		switch fields := strings.Fields(line); {
		case len(fields) < 2:
		case fields[0] == "VmRSS:":
			now = kilobytes(fields[1])
		case fields[0] == "VmHWM:":
			peak = kilobytes(fields[1])
		}
	}
	return now, peak
}

func kilobytes(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}
