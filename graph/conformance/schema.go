// Package conformance holds what tests of the gateway need to stand in for
// subgraphs: the schema of each subgraph, taken out of the supergraph, and
// subgraphs in memory that answer from fixtures and check every document they
// are sent against that schema. Cases are in testdata; it is not used when
// serving.
//
// Start reading at Schema, then at Subgraphs (subgraphs.go).
package conformance

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// Schema is the schema that the subgraph serves, as far as the supergraph tells.
func Schema(super *supergraph.Supergraph, subgraph *supergraph.Subgraph) (*ast.Schema, error) {
	document := validator.PreludeDocument()
	builtIn := map[string]bool{}
	for _, definition := range document.Definitions {
		builtIn[definition.Name] = true
	}
	schema := &ast.SchemaDefinition{}
	for _, operation := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		t := super.Type(super.RootType(operation))
		if t != nil && (operation == ast.Query || t.For(subgraph.Index) != nil && len(definitionIn(t, subgraph).Fields) > 0) {
			schema.OperationTypes = append(schema.OperationTypes, &ast.OperationTypeDefinition{Operation: operation, Type: t.Name})
		}
	}
	var entities []string
	for name := range super.Full.Types {
		t := super.Type(name)
		if t == nil || builtIn[name] || (t.For(subgraph.Index) == nil && name != super.RootType(ast.Query)) {
			continue
		}
		definition := definitionIn(t, subgraph)
		if definition.Kind == ast.Object {
			if in := t.For(subgraph.Index); in != nil && len(in.Keys) > 0 {
				entities = append(entities, name)
			}
		}
		if name == super.RootType(ast.Query) {
			definition.Fields = append(definition.Fields, &ast.FieldDefinition{
				Name:      "_entities",
				Type:      ast.NonNullListType(ast.NamedType("_Entity", nil), nil),
				Arguments: ast.ArgumentDefinitionList{{Name: "representations", Type: ast.NonNullListType(ast.NonNullNamedType("_Any", nil), nil)}},
			})
		}
		if len(definition.Fields) == 0 && (definition.Kind == ast.Object || definition.Kind == ast.Interface || definition.Kind == ast.InputObject) {
			continue
		}
		if definition.Kind == ast.Union && len(definition.Types) == 0 {
			continue
		}
		document.Definitions = append(document.Definitions, definition)
	}
	if len(entities) == 0 {
		entities = []string{super.RootType(ast.Query)}
	}
	document.Definitions = append(document.Definitions,
		&ast.Definition{Kind: ast.Scalar, Name: "_Any"},
		&ast.Definition{Kind: ast.Union, Name: "_Entity", Types: entities})
	document.Schema = append(document.Schema, schema)
	made, err := validator.ValidateSchemaDocument(document)
	if err != nil {
		return nil, fmt.Errorf("conformance: schema of subgraph %s: %w", subgraph.ID, err)
	}
	return made, nil
}

func definitionIn(t *supergraph.Type, subgraph *supergraph.Subgraph) *ast.Definition {
	copied := &ast.Definition{Kind: t.Kind, Name: t.Name, Position: t.Definition.Position}
	in := t.For(subgraph.Index)
	if in != nil && in.InterfaceObject {
		copied.Kind = ast.Object
	}
	switch t.Kind {
	case ast.Union:
		for _, member := range in.Members {
			copied.Types = append(copied.Types, member.Name)
		}
	case ast.Enum:
		for _, value := range t.Definition.EnumValues {
			if joined(value.Directives, "enumValue", subgraph) {
				copied.EnumValues = append(copied.EnumValues, &ast.EnumValueDefinition{Name: value.Name, Position: value.Position})
			}
		}
	case ast.Object, ast.Interface:
		for _, other := range t.Interfaces {
			view := other.For(subgraph.Index)
			if view == nil || view.InterfaceObject || t.Kind == ast.Object && !view.Member(t) {
				continue
			}
			copied.Interfaces = append(copied.Interfaces, other.Name)
		}
	}
	for _, definition := range t.Definition.Fields {
		field := &ast.FieldDefinition{Name: definition.Name, Type: definition.Type, DefaultValue: definition.DefaultValue, Position: definition.Position}
		if t.Kind == ast.InputObject {
			if !joined(definition.Directives, "field", subgraph) {
				continue
			}
		} else {
			defined := t.Field(definition.Name).For(subgraph.Index)
			if defined == nil {
				continue
			}
			field.Type = defined.Type
		}
		for _, argument := range definition.Arguments {
			field.Arguments = append(field.Arguments, &ast.ArgumentDefinition{Name: argument.Name, Type: argument.Type, DefaultValue: argument.DefaultValue, Position: argument.Position})
		}
		if t.Kind != ast.InputObject {
			for _, argument := range t.Field(definition.Name).For(subgraph.Index).Context {
				field.Arguments = append(field.Arguments, &ast.ArgumentDefinition{Name: argument.Argument, Type: argument.Type, Position: definition.Position})
			}
		}
		copied.Fields = append(copied.Fields, field)
	}
	return copied
}

// joined says whether join directives of the kind name the subgraph, or none at all.
func joined(directives ast.DirectiveList, kind string, subgraph *supergraph.Subgraph) bool {
	some := false
	for _, directive := range directives {
		if !strings.HasSuffix(directive.Name, "__"+kind) {
			continue
		}
		some = true
		if graph := directive.Arguments.ForName("graph"); graph != nil && graph.Value.Raw == subgraph.ID {
			return true
		}
	}
	return !some
}
