package graph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// The tags (@tag) by which a schema tells the gateway what may be shared. A
// field's own tag goes before its type's, and a type's counts only where one
// subgraph alone defines the type: another one may add fields that are of other
// kind. What bears none is for one person.
const (
	// TagPublic marks what is the same for everybody.
	TagPublic = "audience-public"
	// TagScope marks what is the same for all callers of one data scope.
	TagScope = "audience-scope"
	// TagLatest marks a subscription each of whose events replaces the one
	// before: a slow subscriber gets the newest only, a new one the last at once.
	TagLatest = "delivery-latest"
)

// audience is among whom an answer may be shared, from narrow to wide.
type audience int

const (
	forPerson audience = iota
	forScope
	forAll
)

// audienceOf is the narrowest audience of all fields of the operation.
func audienceOf(super *supergraph.Supergraph, set ast.SelectionSet) audience {
	widest := forAll
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			widest = min(widest, audienceOfField(super, s), audienceOf(super, s.SelectionSet))
		case *ast.InlineFragment:
			widest = min(widest, audienceOf(super, s.SelectionSet))
		case *ast.FragmentSpread:
			widest = min(widest, audienceOf(super, s.Definition.SelectionSet))
		}
		if widest == forPerson {
			break
		}
	}
	return widest
}

func audienceOfField(super *supergraph.Supergraph, field *ast.Field) audience {
	if len(field.Name) > 1 && field.Name[:2] == "__" {
		return forAll
	}
	definition := fieldOf(super, field)
	if definition == nil {
		return forPerson
	}
	if tagged := audienceOfTags(definition.Directives); tagged != forPerson {
		return tagged
	}
	holder := super.Full.Types[field.ObjectDefinition.Name]
	if len(holder.Directives.ForNames("join__type")) != 1 {
		return forPerson
	}
	return audienceOfTags(holder.Directives)
}

func audienceOfTags(directives ast.DirectiveList) audience {
	switch {
	case tagged(directives, TagScope):
		return forScope
	case tagged(directives, TagPublic):
		return forAll
	default:
		return forPerson
	}
}

// latest says whether the subscription's events replace each other.
func latest(super *supergraph.Supergraph, set ast.SelectionSet) bool {
	for _, selection := range set {
		if field, ok := selection.(*ast.Field); ok {
			if definition := fieldOf(super, field); definition != nil && tagged(definition.Directives, TagLatest) {
				return true
			}
		}
	}
	return false
}

// fieldOf finds the field with its tags, which the public schema does not show.
func fieldOf(super *supergraph.Supergraph, field *ast.Field) *ast.FieldDefinition {
	if field.ObjectDefinition == nil {
		return nil
	}
	holder := super.Full.Types[field.ObjectDefinition.Name]
	if holder == nil {
		return nil
	}
	return holder.Fields.ForName(field.Name)
}

func tagged(directives ast.DirectiveList, name string) bool {
	for _, directive := range directives.ForNames("tag") {
		if argument := directive.Arguments.ForName("name"); argument != nil && argument.Value.Raw == name {
			return true
		}
	}
	return false
}
