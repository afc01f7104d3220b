// Command manifest writes each client's manifest of persisted operations:
// clients/<client>/operations/**/*.graphql, one named operation a file, become
// clients/<client>/manifest.json, in Apollo's persisted-query-manifest format.
// Every operation is validated against the public part of the supergraph.
//
// Usage, from anywhere in the project: go run ./schema/internal/manifest [-check]
//
// With -check nothing is written; a manifest that is not up to date is an error.
// Start reading at build.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// clients are the folders of clients/ that have operations.
var clients = []string{"app", "miniprogram", "partner", "screen", "workbench"}

func main() {
	check := flag.Bool("check", false, "write nothing; fail when a manifest is stale")
	flag.Parse()
	root, err := projectRoot()
	if err == nil {
		err = run(root, *check)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "manifest:", err)
		os.Exit(1)
	}
}

// run builds the manifests below root and writes or checks them. All wrong
// operations are named at once.
func run(root string, check bool) error {
	schema, err := publicSchema(filepath.Join(root, "schema", "supergraph.graphql"))
	if err != nil {
		return err
	}
	var wrong []error
	for _, client := range clients {
		folder := filepath.Join(root, "clients", client)
		content, err := build(folder, schema)
		if err == nil {
			err = settle(filepath.Join(folder, "manifest.json"), content, check)
		}
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

// settle writes the manifest where it differs from what is there, or says so.
func settle(path string, content []byte, check bool) error {
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if bytes.Equal(before, content) {
		return nil
	}
	if check {
		return fmt.Errorf("%s is stale: run go run ./schema/internal/manifest, and commit it", path)
	}
	return os.WriteFile(path, content, 0o644)
}

// projectRoot is the nearest folder upwards with our go.mod.
func projectRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(content), "module github.com/citizencloud/citizencloud\n") {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("not inside the project: no go.mod of ours upwards of here")
		}
		folder = parent
	}
}
