// Command generate makes all that is generated: each subgraph's executable
// schema (gqlgen, by the one gqlgen.yml of the root), the composed supergraph,
// the clients' manifests, and the big screen's typed documents. Run it from the root as `go tool generate`.
//
// Usage: go tool generate [-check] [subgraph ...]
//
// With names, only these subgraphs' executable schemas are made. With -check
// the outputs are made and compared with what was there; a difference is an
// error, so that a stale output never lands.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"slices"
)

const supergraph = "schema/supergraph.graphql"

func main() {
	check := flag.Bool("check", false, "fail when an output was stale")
	log.SetOutput(io.Discard) // gqlgen tells of every resolver that it adds
	flag.Parse()
	if err := run(*check, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(check bool, names []string) error {
	before, err := outputs()
	if err != nil {
		return err
	}
	all := len(names) == 0
	if all {
		names = subgraphs
	}
	for _, name := range names {
		if err := executable(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if all {
		if err := errors.Join(compose(), manifests(), documents()); err != nil {
			return err
		}
	}
	if !check {
		return nil
	}
	after, err := outputs()
	if err != nil {
		return err
	}
	var stale []string
	for path, content := range after {
		if !bytes.Equal(before[path], content) {
			stale = append(stale, path)
		}
	}
	if len(stale) > 0 {
		slices.Sort(stale)
		return fmt.Errorf("stale, now made anew: %v; commit them", stale)
	}
	return nil
}

// compose writes the supergraph, in one piece or not at all.
func compose() error {
	command := exec.Command("node", "schema/compose.mjs")
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		return fmt.Errorf("composing the supergraph (npm ci done?): %w", err)
	}
	return os.WriteFile(supergraph, text, 0o644)
}

// documents writes the big screen's typed documents.
func documents() error {
	command := exec.Command("npm", "run", "--silent", "generate")
	command.Dir, command.Stdout, command.Stderr = "clients/screen", os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("writing the big screen's documents (npm ci in clients/screen done?): %w", err)
	}
	return nil
}

func manifests() error {
	command := exec.Command("go", "run", "./schema/internal/manifest")
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("writing the manifests: %w", err)
	}
	return nil
}
