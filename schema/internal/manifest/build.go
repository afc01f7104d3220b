package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	_ "github.com/vektah/gqlparser/v2/validator/rules"
)

// manifest is the file's form.
type manifest struct {
	Format     string      `json:"format"`
	Version    int         `json:"version"`
	Operations []operation `json:"operations"`
}

type operation struct {
	ID   string        `json:"id"` // sha256 of Body, hexadecimal
	Name string        `json:"name"`
	Type ast.Operation `json:"type"`
	Body string        `json:"body"`
}

// build makes the manifest of the client whose folder it is, sorted by name.
// Fragments stand in the operation's own file, or in the client's fragments/.
func build(folder string, schema *ast.Schema) ([]byte, error) {
	shared, err := readFragments(filepath.Join(folder, "fragments"))
	if err != nil {
		return nil, err
	}
	paths, err := graphQLFiles(filepath.Join(folder, "operations"))
	if err != nil {
		return nil, err
	}
	made := manifest{Format: "apollo-persisted-query-manifest", Version: 1, Operations: []operation{}}
	where := map[string]string{}
	var wrong []error
	for _, path := range paths {
		one, err := readOperation(path, shared, schema)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
			continue
		}
		if other, double := where[one.Name]; double {
			wrong = append(wrong, fmt.Errorf("%s: %s is also in %s", path, one.Name, other))
		}
		where[one.Name] = path
		made.Operations = append(made.Operations, one)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	slices.SortFunc(made.Operations, func(a, b operation) int { return strings.Compare(a.Name, b.Name) })
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(made); err != nil {
		return nil, err
	}
	return []byte(out.String()), nil
}

// graphQLFiles are the files below folder, sorted; none if it does not exist.
func graphQLFiles(folder string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".graphql" {
			paths = append(paths, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return paths, err
}

// fragment is a shared fragment: its compact text, and those that it spreads.
type fragment struct {
	text    string
	spreads []string
}

func readFragments(folder string) (map[string]fragment, error) {
	paths, err := graphQLFiles(folder)
	if err != nil {
		return nil, err
	}
	shared := map[string]fragment{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		definitions, err := compact(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, d := range definitions {
			if d.keyword != "fragment" {
				return nil, fmt.Errorf("%s: only fragments may stand here, not %s %s", path, d.keyword, d.name)
			}
			if _, double := shared[d.name]; double {
				return nil, fmt.Errorf("%s: fragment %s is there twice", path, d.name)
			}
			shared[d.name] = fragment{d.text, d.spreads}
		}
	}
	return shared, nil
}

// readOperation reads, completes and validates the operation of one file.
func readOperation(path string, shared map[string]fragment, schema *ast.Schema) (operation, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return operation{}, err
	}
	definitions, err := compact(string(text))
	if err != nil {
		return operation{}, err
	}
	body := body(definitions, shared)
	document, err := parser.ParseQuery(&ast.Source{Name: filepath.Base(path), Input: body})
	if err != nil {
		return operation{}, err
	}
	if len(document.Operations) != 1 || document.Operations[0].Name == "" {
		return operation{}, errors.New("one operation with a name, and no more, must stand in a file")
	}
	only := document.Operations[0]
	if base := strings.TrimSuffix(filepath.Base(path), ".graphql"); base != only.Name && base != kebab(only.Name) {
		return operation{}, fmt.Errorf("the file must be named after its operation: %s.graphql or %s.graphql", only.Name, kebab(only.Name))
	}
	if errs := validator.Validate(schema, document); len(errs) > 0 {
		return operation{}, errs
	}
	sum := sha256.Sum256([]byte(body))
	return operation{ID: hex.EncodeToString(sum[:]), Name: only.Name, Type: only.Operation, Body: body}, nil
}

// body joins the file's definitions and the shared fragments that they need,
// those sorted by name.
func body(definitions []definition, shared map[string]fragment) string {
	own, needed, todo := map[string]bool{}, map[string]bool{}, []string(nil)
	var parts []string
	for _, d := range definitions {
		own[d.name] = own[d.name] || d.keyword == "fragment"
		parts = append(parts, d.text)
		todo = append(todo, d.spreads...)
	}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		found, ok := shared[name]
		if own[name] || needed[name] || !ok { // validation names those that are missing
			continue
		}
		needed[name] = true
		todo = append(todo, found.spreads...)
	}
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		parts = append(parts, shared[name].text)
	}
	return strings.Join(parts, "\n")
}

// kebab writes AppHome as app-home.
func kebab(name string) string {
	var out strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) {
			if i > 0 {
				out.WriteByte('-')
			}
			r = unicode.ToLower(r)
		}
		out.WriteRune(r)
	}
	return out.String()
}
