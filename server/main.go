// Command citizencloud is the whole platform in one program: the gateway, the
// subgraphs, and the state where none is configured.
//
// Start reading at run: it parses the command line (config) and hands over to
// one command_*.go. What the commands have in common is in process.go (the
// life of a process) and listener.go (taking requests). wire.go is the only
// file that knows everything.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/citizencloud/citizencloud/server/config"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr}))
}

// terminal is where a person, or who started us, reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// run is main without the process: it returns the exit code. 0 is a clean end,
// also after a signal; 1 comes with one sentence on standard error; 2 is a
// command line that cannot be understood.
func run(ctx context.Context, arguments []string, at terminal) int {
	line, err := config.Parse(arguments, at.out)
	if errors.Is(err, config.ErrHelp) {
		return 0
	}
	if err != nil {
		complain(at, err)
		return 2
	}
	if err := command(ctx, line, at); err != nil {
		complain(at, err)
		return 1
	}
	return 0
}

func command(ctx context.Context, line *config.Line, at terminal) error {
	switch line.Command {
	case "serve":
		return serve(ctx, line, at)
	case "gateway":
		return gateway(ctx, line, at)
	case "subgraph":
		return subgraph(ctx, line, at)
	case "explain":
		return explain(line.Explain, at)
	case "demo":
		return runDemo(ctx, line.Demo, at)
	case "audit verify":
		return auditVerify(ctx, line.Audit.Verify, at)
	case "keys list":
		return keysList(ctx, line.Keys.List, at)
	case "keys rotate":
		return keysRotate(ctx, line.Keys.Rotate, at)
	case "keys re-encrypt":
		return keysReencrypt(ctx, line.Keys.Reencrypt, at)
	case "keys retire":
		return keysRetire(ctx, line.Keys.Retire, at)
	case "version":
		fmt.Fprintln(at.out, describeVersion())
		return nil
	}
	return fmt.Errorf("no command %q", line.Command)
}

// complain says an error in one line: several that belong together are one
// sentence's parts.
func complain(at terminal, err error) {
	fmt.Fprintf(at.err, "citizencloud: %s\n", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
}
