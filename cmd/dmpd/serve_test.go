package main

import (
	"bufio"
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// spawn runs dmpd as a process of its own and returns it and its first address.
func spawn(t *testing.T, stderr *bytes.Buffer, line string) (*exec.Cmd, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "OPENDMP_TEST_RUN="+line)
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := address.FindString(lines.Text()); found != "" {
			return cmd, found
		}
	}
	_ = cmd.Wait()
	return cmd, ""
}

// SIGTERM lets what runs finish, answers nothing with a fault, and ends with 0
// (promise P8).
func TestSIGTERMDrains(t *testing.T) {
	var stderr bytes.Buffer
	cmd, base := spawn(t, &stderr, "serve --sandbox --addr 127.0.0.1:0 --data "+t.TempDir())
	if base == "" {
		t.Fatalf("did not start: %s", stderr.String())
	}
	var (
		answered, faults atomic.Int64
		clients          sync.WaitGroup
	)
	for range 8 {
		clients.Go(func() {
			for {
				res, err := http.Get(base + "/fhir/metadata")
				if err != nil {
					return // not accepted any more
				}
				res.Body.Close()
				answered.Add(1)
				if res.StatusCode != http.StatusOK {
					faults.Add(1)
				}
			}
		})
	}
	for answered.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v: %s", err, stderr.String())
	}
	clients.Wait()
	if n := faults.Load(); n > 0 {
		t.Errorf("%d faults among %d answers", n, answered.Load())
	}
}

// What stops a start is a line, or one for each fault under a first that counts them, and
// exit 1.
func TestRefusedStarts(t *testing.T) {
	for line, want := range map[string]string{
		"serve": "a real service needs: base, issuer, audience, issuer-keys (or issuer-jwks), matrix",
		"serve --sandbox --addr 0.0.0.0:0 --data " + t.TempDir(): "loopback",
		"token --as nobody --data " + t.TempDir():                "no sandbox",
		"nonsense": "unknown command",
	} {
		var stderr bytes.Buffer
		cmd, _ := spawn(t, &stderr, line)
		if code := cmd.ProcessState.ExitCode(); code != 1 {
			t.Errorf("%s: exit %d", line, code)
		}
		lines := 1
		if line == "serve" { // the settings and the folder
			lines = 3
		}
		if said := stderr.String(); !strings.Contains(said, want) || strings.Count(said, "\n") != lines {
			t.Errorf("%s: said %q, want %q", line, said, want)
		}
	}
}

// A second server on the same folder, or the same port, refuses to start.
func TestTwoServers(t *testing.T) {
	if testStore("") != "" {
		t.Skip("several servers on one MongoDB are what it is for")
	}
	w := openWorld(t)
	var stderr bytes.Buffer
	spawn(t, &stderr, "serve --sandbox --addr 127.0.0.1:0 --data "+shared.data)
	if !strings.Contains(stderr.String(), "in use") {
		t.Errorf("same folder: %q", stderr.String())
	}
	stderr.Reset()
	addr := strings.TrimSuffix(strings.TrimPrefix(w.base, "http://"), "/fhir")
	spawn(t, &stderr, "serve --sandbox --addr "+addr+" --data "+t.TempDir())
	if !strings.Contains(stderr.String(), "address already in use") {
		t.Errorf("same port: %q", stderr.String())
	}
}
