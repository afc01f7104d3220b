package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"
)

const module = "github.com/citizencloud/citizencloud"

var subgraphs = []string{"citizen", "community", "platform", "supply"}

// executable runs gqlgen for one subgraph. gqlgen deletes its outputs before it
// parses; the old ones come back when it fails, so that a slip in the SDL
// never leaves the tree without code.
func executable(subgraph string) (err error) {
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
	kept, err := read(filepath.Join("subgraphs", subgraph, "executable", "*.go"))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, kept.restore())
		}
	}()
	return api.Generate(cfg, api.PrependPlugin(reserved{}), api.PrependPlugin(answers{}))
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

// files are the contents of files, by path.
type files map[string][]byte

// outputs reads all that this command makes, resolvers' stubs included.
func outputs() (files, error) {
	return read("subgraphs/*/executable/*.go", "resolvers/*/*.resolver.go", supergraph, "clients/*/manifest.json", "clients/screen/src/gql/*.ts")
}

func read(patterns ...string) (files, error) {
	kept := files{}
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if kept[path], err = os.ReadFile(path); err != nil {
				return nil, err
			}
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

// reserved keeps the federation's own type _Service free: gqlgen's autobind
// would take a concept's Go type Service for it, by the same Go name.
type reserved struct{}

// Name implements plugin.Plugin.
func (reserved) Name() string { return "reserved" }

// MutateConfig implements plugin.ConfigMutator; it runs before the federation's.
func (reserved) MutateConfig(cfg *config.Config) error {
	delete(cfg.Models, "_Service")
	return nil
}

// answers leaves @personal to the fields of answers: on inputs and arguments it
// says what they hold, and nothing is done about it at run time.
type answers struct{}

// Name implements plugin.Plugin.
func (answers) Name() string { return "answers" }

// MutateConfig implements plugin.ConfigMutator.
func (answers) MutateConfig(cfg *config.Config) error {
	without := func(marks ast.DirectiveList) ast.DirectiveList {
		return slices.DeleteFunc(marks, func(mark *ast.Directive) bool { return mark.Name == "personal" })
	}
	for _, definition := range cfg.Schema.Types {
		for _, field := range definition.Fields {
			if definition.Kind == ast.InputObject {
				field.Directives = without(field.Directives)
			}
			for _, argument := range field.Arguments {
				argument.Directives = without(argument.Directives)
			}
		}
	}
	return nil
}
