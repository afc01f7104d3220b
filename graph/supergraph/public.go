package supergraph

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// publicDirectives are the applied directives that clients can see by introspection.
var publicDirectives = map[string]bool{"deprecated": true, "specifiedBy": true, "oneOf": true}

// publicSchema makes the schema that clients see: neither the elements of
// linked specifications nor what is @inaccessible, and no applied directives
// but those that introspection shows.
func publicSchema(document *ast.SchemaDocument, l *links) (*ast.Schema, error) {
	p := publisher{links: l, kept: map[string]bool{}}
	public := preludeDocument()
	for _, definition := range public.Definitions {
		p.kept[definition.Name] = true
	}
	for _, definition := range document.Definitions {
		if !l.machinery(definition.Name) && !p.hidden(definition.Directives) {
			p.kept[definition.Name] = true
		}
	}
	builtIn := map[string]bool{}
	for _, definition := range public.Definitions {
		builtIn[definition.Name] = true
	}
	for _, definition := range document.Definitions {
		if p.kept[definition.Name] && !builtIn[definition.Name] {
			public.Definitions = append(public.Definitions, p.definition(definition))
		}
	}
	for _, directive := range document.Directives {
		if l.machinery("@"+directive.Name) || directive.Name == l.inaccessible || builtInDirective(public, directive.Name) {
			continue
		}
		copied := *directive
		copied.Arguments = p.arguments(directive.Arguments)
		copied.Directives = nil
		public.Directives = append(public.Directives, &copied)
	}
	for _, schema := range document.Schema {
		copied := *schema
		copied.Directives, copied.OperationTypes = nil, p.operationTypes(schema)
		public.Schema = append(public.Schema, &copied)
	}
	for _, schema := range document.SchemaExtension {
		copied := *schema
		copied.Directives, copied.OperationTypes = nil, p.operationTypes(schema)
		public.SchemaExtension = append(public.SchemaExtension, &copied)
	}
	schema, err := validator.ValidateSchemaDocument(public)
	if err != nil {
		return nil, fmt.Errorf("supergraph: public schema: %w", err)
	}
	if schema.Query == nil {
		return nil, fmt.Errorf("supergraph: public schema: no query root type")
	}
	return schema, nil
}

// preludeDocument is the specification's built-in types and directives, without
// @defer, which the gateway does not offer.
func preludeDocument() *ast.SchemaDocument {
	document := validator.PreludeDocument()
	kept := document.Directives[:0]
	for _, directive := range document.Directives {
		if directive.Name != "defer" {
			kept = append(kept, directive)
		}
	}
	document.Directives = kept
	return document
}

func builtInDirective(document *ast.SchemaDocument, name string) bool {
	directive := document.Directives.ForName(name)
	return directive != nil && directive.Position != nil && directive.Position.Src != nil && directive.Position.Src.BuiltIn
}

// publisher copies definitions, leaving out what is not public.
type publisher struct {
	links *links
	kept  map[string]bool
}

func (p *publisher) hidden(directives ast.DirectiveList) bool {
	return p.links.inaccessible != "" && directives.ForName(p.links.inaccessible) != nil
}

func (p *publisher) definition(definition *ast.Definition) *ast.Definition {
	copied := *definition
	copied.Directives = p.directives(definition.Directives)
	copied.Interfaces = p.names(definition.Interfaces)
	copied.Types, copied.TypePositions = p.names(definition.Types), nil
	copied.Fields, copied.EnumValues = nil, nil
	for _, field := range definition.Fields {
		if p.hidden(field.Directives) || !p.kept[field.Type.Name()] {
			continue
		}
		fieldCopy := *field
		fieldCopy.Directives = p.directives(field.Directives)
		fieldCopy.Arguments = p.arguments(field.Arguments)
		copied.Fields = append(copied.Fields, &fieldCopy)
	}
	for _, value := range definition.EnumValues {
		if p.hidden(value.Directives) {
			continue
		}
		valueCopy := *value
		valueCopy.Directives = p.directives(value.Directives)
		copied.EnumValues = append(copied.EnumValues, &valueCopy)
	}
	return &copied
}

func (p *publisher) arguments(arguments ast.ArgumentDefinitionList) ast.ArgumentDefinitionList {
	var kept ast.ArgumentDefinitionList
	for _, argument := range arguments {
		if p.hidden(argument.Directives) || !p.kept[argument.Type.Name()] {
			continue
		}
		copied := *argument
		copied.Directives = p.directives(argument.Directives)
		kept = append(kept, &copied)
	}
	return kept
}

func (p *publisher) directives(directives ast.DirectiveList) ast.DirectiveList {
	var kept ast.DirectiveList
	for _, directive := range directives {
		if publicDirectives[directive.Name] && !p.links.machinery("@"+directive.Name) {
			kept = append(kept, directive)
		}
	}
	return kept
}

func (p *publisher) names(names []string) []string {
	var kept []string
	for _, name := range names {
		if p.kept[name] {
			kept = append(kept, name)
		}
	}
	return kept
}

func (p *publisher) operationTypes(schema *ast.SchemaDefinition) ast.OperationTypeDefinitionList {
	var kept ast.OperationTypeDefinitionList
	for _, operation := range schema.OperationTypes {
		if p.kept[operation.Type] {
			kept = append(kept, operation)
		}
	}
	return kept
}

// fullSchema gathers everything without validating it again: composition has
// done that, and its machinery need not satisfy gqlparser's rules.
func fullSchema(document *ast.SchemaDocument) (*ast.Schema, error) {
	schema := &ast.Schema{
		Types:         make(map[string]*ast.Definition, len(document.Definitions)+32),
		Directives:    map[string]*ast.DirectiveDefinition{},
		PossibleTypes: map[string][]*ast.Definition{},
		Implements:    map[string][]*ast.Definition{},
	}
	prelude := preludeDocument()
	for _, definition := range prelude.Definitions {
		schema.Types[definition.Name] = definition
	}
	for _, directive := range prelude.Directives {
		schema.Directives[directive.Name] = directive
	}
	seen := make(map[string]bool, len(document.Definitions))
	for _, definition := range document.Definitions {
		if seen[definition.Name] {
			return nil, fmt.Errorf("supergraph: type %s is defined twice", definition.Name)
		}
		seen[definition.Name] = true
		schema.Types[definition.Name] = definition
	}
	for _, directive := range document.Directives {
		schema.Directives[directive.Name] = directive
	}
	for _, definition := range document.Definitions {
		switch definition.Kind {
		case ast.Union:
			for _, member := range definition.Types {
				if object := schema.Types[member]; object != nil {
					schema.AddPossibleType(definition.Name, object)
					schema.AddImplements(member, definition)
				}
			}
		case ast.Object, ast.Interface:
			for _, name := range definition.Interfaces {
				if implemented := schema.Types[name]; implemented != nil {
					if definition.Kind == ast.Object {
						schema.AddPossibleType(name, definition)
					}
					schema.AddImplements(definition.Name, implemented)
				}
			}
			if definition.Kind == ast.Object {
				schema.AddPossibleType(definition.Name, definition)
			}
		}
	}
	roots := map[ast.Operation]string{}
	for _, definition := range append(append(ast.SchemaDefinitionList{}, document.Schema...), document.SchemaExtension...) {
		schema.Description += definition.Description
		schema.SchemaDirectives = append(schema.SchemaDirectives, definition.Directives...)
		for _, operation := range definition.OperationTypes {
			roots[operation.Operation] = operation.Type
		}
	}
	if len(roots) == 0 {
		roots = map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation", ast.Subscription: "Subscription"}
	}
	schema.Query = schema.Types[roots[ast.Query]]
	schema.Mutation = schema.Types[roots[ast.Mutation]]
	schema.Subscription = schema.Types[roots[ast.Subscription]]
	if schema.Query == nil || schema.Query.Kind != ast.Object {
		return nil, fmt.Errorf("supergraph: no query root type")
	}
	return schema, nil
}
