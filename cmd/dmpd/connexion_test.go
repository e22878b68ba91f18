package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"opendmp/sandbox/idp"
)

// The commands of the page on connections work as printed, one after the other, and
// print what the page says. The two servers that the page starts in terminals of their
// own run in the test, from the same flags and the same file, on ports of its own.
func TestConnexionPage(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool)
		}
	}
	blocks := pageBlocks(t, string(readFile(t, "../../docs/connexion.md")))
	docs, err := filepath.Abs("../../docs")
	check(t, err)
	t.Chdir(t.TempDir())
	check(t, os.Symlink(docs, "docs"))
	writeProgram(t, "bin/dmpd")
	p := &connexionPage{t: t, ports: strings.NewReplacer(), back: strings.NewReplacer()}
	var client []pageBlock
	for _, b := range blocks {
		before, line := serverLine(b.commands)
		switch {
		case line == "" && p.served:
			client = append(client, b)
		default:
			p.expect([]pageBlock{{before, b.expected}})
			p.start(line)
		}
	}
	p.expect(client)
}

// connexionPage is what a reader of the page has done so far.
type connexionPage struct {
	t      *testing.T
	ports  *strings.Replacer // from those of the page to those of the test
	back   *strings.Replacer // and back
	idp    string            // address of the provider
	served bool
}

// serverLine takes the command that runs a server off the end of a block.
func serverLine(commands string) (before, line string) {
	lines := strings.Split(strings.TrimSuffix(commands, "\n"), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "bin/dmpd sandbox-idp") && !strings.HasPrefix(last, "bin/dmpd serve") {
		return commands, ""
	}
	return strings.Join(lines[:len(lines)-1], "\n") + "\n", last
}

// expect runs blocks in one shell and holds what each prints against the page.
func (p *connexionPage) expect(blocks []pageBlock) {
	p.t.Helper()
	const mark = "\n== end of block ==\n"
	script := "set -o pipefail\n"
	for _, b := range blocks {
		script += b.commands + "printf '" + strings.ReplaceAll(mark, "\n", `\n`) + "'\n"
	}
	cmd := exec.Command("bash", "-c", p.ports.Replace(script))
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	printed := strings.Split(string(out), mark)
	if len(printed) != len(blocks)+1 {
		p.t.Fatalf("%d outputs of %d blocks\n%s", len(printed)-1, len(blocks), out)
	}
	for i, b := range blocks {
		got := p.back.Replace(strings.ReplaceAll(printed[i], "\r", ""))
		if !b.expected.MatchString(got) {
			p.t.Errorf("these commands\n%s\nprinted\n%s", b.commands, got)
		}
	}
}

// start runs the server of a command line; none if it is empty.
func (p *connexionPage) start(line string) {
	p.t.Helper()
	args := strings.Fields(line)
	switch {
	case line == "":
	case args[1] == "sandbox-idp":
		p.provide(args[2:])
	default:
		p.serve(args[2:])
	}
}

func (p *connexionPage) provide(args []string) {
	p.t.Helper()
	c := sandboxIDPCommand()
	check(p.t, c.ParseFlags(args))
	if addr := c.Flag("addr").Value.String(); addr != "127.0.0.1:8090" {
		p.t.Errorf("the provider would be at %s, and the page says 8090", addr)
	}
	provider, err := identityFlags{addr: "127.0.0.1:0", pki: c.Flag("pki").Value.String()}.open()
	check(p.t, err)
	p.run(provider.serve)
	p.idp = strings.TrimSuffix(provider.Issuer(), idp.RealmPath)
	p.moved("https://localhost:8090", p.idp)
}

func (p *connexionPage) serve(args []string) {
	p.t.Helper()
	c := serveCommand()
	check(p.t, c.ParseFlags(args))
	s, err := readSettings(c.Flag("settings").Value.String(), nil, c.Flags())
	check(p.t, err)
	if s.TLS.Pro != "127.0.0.1:8443" || s.TLS.Patient != "127.0.0.1:8444" {
		p.t.Errorf("the server would be at %s and %s", s.TLS.Pro, s.TLS.Patient)
	}
	s.Addr, s.TLS.Pro, s.TLS.Patient = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	check(p.t, s.check())
	l, err := net.Listen("tcp", s.Addr)
	check(p.t, err)
	o, err := openSandbox(p.t.Context(), s, l.Addr(), slog.New(slog.DiscardHandler), io.Discard)
	check(p.t, err)
	p.run(func(ctx context.Context) error { return o.serve(ctx, l) })
	p.served = true
	p.moved("https://localhost:8090", p.idp, "https://localhost:8443", o.tls.url("tls-pro"), "https://localhost:8444", o.tls.url("tls-patient"))
}

// moved notes pairs of an address of the page and that of the test.
func (p *connexionPage) moved(pairs ...string) {
	p.ports = strings.NewReplacer(pairs...)
	slices.Reverse(pairs)
	p.back = strings.NewReplacer(pairs...)
}

// run runs a server until the test ends.
func (p *connexionPage) run(serve func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	p.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			p.t.Error(err)
		}
	})
}

// writeProgram writes a script that runs this test binary as dmpd.
func writeProgram(t *testing.T, path string) {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	check(t, os.MkdirAll(filepath.Dir(path), 0o700))
	check(t, os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\nOPENDMP_TEST_RUN=\"$*\" exec %s\n", self), 0o700))
}
