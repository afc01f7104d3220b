package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// publicSchema reads the supergraph and leaves out what clients do not see:
// the join specification's own types, and all that is @inaccessible. It does
// by itself what the gateway does in package supergraph, because generators
// must run while the rest does not compile; a test compares the two.
func publicSchema(path string) (*ast.Schema, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the supergraph: %w", err)
	}
	document, err := parser.ParseSchema(&ast.Source{Name: path, Input: string(text)})
	if err != nil {
		return nil, err
	}
	document.Directives = nil
	document.Definitions = slices.DeleteFunc(document.Definitions, func(d *ast.Definition) bool {
		return strings.HasPrefix(d.Name, "join__") || strings.HasPrefix(d.Name, "link__") || hidden(d.Directives)
	})
	for _, d := range document.Definitions {
		strip(d)
	}
	for _, d := range document.Schema {
		d.Directives = nil
	}
	document.Merge(validator.PreludeDocument())
	schema, err := validator.ValidateSchemaDocument(document)
	if err != nil {
		return nil, fmt.Errorf("the public part of %s: %w", path, err)
	}
	return schema, nil
}

func hidden(directives ast.DirectiveList) bool { return directives.ForName("inaccessible") != nil }

// strip removes hidden members and, of those that stay, all directives but
// @deprecated.
func strip(d *ast.Definition) {
	d.Directives = nil
	d.Fields = slices.DeleteFunc(d.Fields, func(f *ast.FieldDefinition) bool { return hidden(f.Directives) })
	for _, field := range d.Fields {
		field.Directives = deprecation(field.Directives)
		field.Arguments = slices.DeleteFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return hidden(a.Directives) })
		for _, argument := range field.Arguments {
			argument.Directives = deprecation(argument.Directives)
		}
	}
	d.EnumValues = slices.DeleteFunc(d.EnumValues, func(v *ast.EnumValueDefinition) bool { return hidden(v.Directives) })
	for _, value := range d.EnumValues {
		value.Directives = deprecation(value.Directives)
	}
}

func deprecation(directives ast.DirectiveList) ast.DirectiveList {
	if found := directives.ForName("deprecated"); found != nil {
		return ast.DirectiveList{found}
	}
	return nil
}
