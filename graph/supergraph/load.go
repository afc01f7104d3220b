package supergraph

import (
	"fmt"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// maxSubgraphs bounds the subgraphs of one supergraph; the planner keeps sets
// of them in fixed-size bit sets.
const maxSubgraphs = 512

// Load reads a composed supergraph. The error names the element that is wrong.
func Load(sdl string) (*Supergraph, error) {
	document, err := parser.ParseSchema(&ast.Source{Name: "supergraph", Input: sdl})
	if err != nil {
		return nil, fmt.Errorf("supergraph: %w", err)
	}
	if err := mergeExtensions(document); err != nil {
		return nil, err
	}
	l, err := readLinks(document)
	if err != nil {
		return nil, err
	}
	if l.inaccessible == "" && document.Directives.ForName("inaccessible") != nil {
		// Defined and not linked: hiding too much is safer than showing it.
		l.inaccessible = "inaccessible"
	}
	full, err := fullSchema(document)
	if err != nil {
		return nil, err
	}
	public, err := publicSchema(document, l)
	if err != nil {
		return nil, err
	}
	super := &Supergraph{Public: public, Full: full, types: map[string]*Type{}, byID: map[string]*Subgraph{}}
	r := &reader{links: l, super: super, sets: map[string]FieldSet{}, typeTexts: map[string]*ast.Type{}}
	if err := r.subgraphs(); err != nil {
		return nil, err
	}
	if err := r.types(document); err != nil {
		return nil, err
	}
	for label := range r.labels {
		super.Labels = append(super.Labels, label)
	}
	sort.Strings(super.Labels)
	return super, nil
}

// mergeExtensions folds `extend` definitions into what they extend.
func mergeExtensions(document *ast.SchemaDocument) error {
	if len(document.Extensions) == 0 {
		return nil
	}
	byName := make(map[string]*ast.Definition, len(document.Definitions))
	for _, definition := range document.Definitions {
		byName[definition.Name] = definition
	}
	for _, extension := range document.Extensions {
		definition := byName[extension.Name]
		if definition == nil {
			document.Definitions = append(document.Definitions, extension)
			byName[extension.Name] = extension
			continue
		}
		if definition.Kind != extension.Kind {
			return fmt.Errorf("supergraph: extension of %s is of another kind", extension.Name)
		}
		definition.Directives = append(definition.Directives, extension.Directives...)
		definition.Interfaces = append(definition.Interfaces, extension.Interfaces...)
		definition.Fields = append(definition.Fields, extension.Fields...)
		definition.Types = append(definition.Types, extension.Types...)
		definition.TypePositions = nil
		definition.EnumValues = append(definition.EnumValues, extension.EnumValues...)
	}
	document.Extensions = nil
	return nil
}

// subgraphs reads the join__Graph enum.
func (r *reader) subgraphs() error {
	name := r.links.join + "__Graph"
	definition := r.super.Full.Types[name]
	if definition == nil || definition.Kind != ast.Enum {
		return fmt.Errorf("supergraph: enum %s is missing", name)
	}
	if len(definition.EnumValues) > maxSubgraphs {
		return fmt.Errorf("supergraph: %d subgraphs; at most %d are supported", len(definition.EnumValues), maxSubgraphs)
	}
	for i, value := range definition.EnumValues {
		subgraph := &Subgraph{Index: i, ID: value.Name, Name: value.Name}
		if directive := value.Directives.ForName(r.links.join + "__graph"); directive != nil {
			if name := text(directive, "name"); name != "" {
				subgraph.Name = name
			}
			subgraph.URL = text(directive, "url")
		}
		if r.super.byID[value.Name] != nil {
			return fmt.Errorf("supergraph: subgraph %s is listed twice", value.Name)
		}
		r.super.Subgraphs = append(r.super.Subgraphs, subgraph)
		r.super.byID[value.Name] = subgraph
	}
	return nil
}
