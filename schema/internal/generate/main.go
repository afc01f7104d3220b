// Command generate turns schema/<subgraph>/*.graphql into each subgraph's
// executable schema (gqlgen), by the one gqlgen.yml of the root. Old outputs
// come back when a run fails, so that a slip in the SDL never leaves the tree
// without code.
//
// Usage: go run ./schema/internal/generate [subgraph ...]
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

const module = "github.com/citizencloud/citizencloud"

func main() {
	subgraphs := os.Args[1:]
	if len(subgraphs) == 0 {
		subgraphs = []string{"citizen", "community", "platform", "supply"}
	}
	for _, name := range subgraphs {
		if err := generate(name); err != nil {
			fmt.Fprintf(os.Stderr, "generate: %s: %v\n", name, err)
			os.Exit(1)
		}
		fmt.Println("generated", name)
	}
}

func generate(subgraph string) (err error) {
	text, err := os.ReadFile("gqlgen.yml")
	if err != nil {
		return err
	}
	cfg, err := config.ReadConfig(strings.NewReader(strings.ReplaceAll(string(text), "${subgraph}", subgraph)))
	if err != nil {
		return err
	}
	cfg.AutoBind, err = concepts(subgraph)
	if err != nil {
		return err
	}
	if err := config.CompleteConfig(cfg); err != nil {
		return err
	}
	kept, err := keep(filepath.Join("subgraphs", subgraph, "executable"))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, kept.restore())
		}
	}()
	return api.Generate(cfg)
}

// concepts lists the subgraph's concept packages, whose types gqlgen binds to.
func concepts(subgraph string) ([]string, error) {
	var packages []string
	folder := filepath.Join("subgraphs", subgraph)
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if !entry.IsDir() || slices.Contains([]string{"executable", "migrations", "demonstration"}, entry.Name()) {
			continue
		}
		if files, _ := filepath.Glob(filepath.Join(folder, entry.Name(), "*.go")); len(files) > 0 {
			packages = append(packages, module+"/subgraphs/"+subgraph+"/"+entry.Name())
		}
	}
	return packages, nil
}

// files are the contents of a folder, by path.
type files map[string][]byte

func keep(folder string) (files, error) {
	kept := files{}
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if kept[path], err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func (f files) restore() error {
	for path, content := range f {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
