package supergraph

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// FieldSet is the parsed selection of a key, of @requires or of @provides.
type FieldSet []*FieldSelection

// FieldSelection is a field of a field set, or where Name is empty an inline
// fragment.
type FieldSelection struct {
	Name      string
	Arguments ast.ArgumentList
	On        string
	Fields    FieldSet
}

// fieldSetTokens bounds one field set; real ones have a few dozen.
const fieldSetTokens = 20_000

// ParseFieldSet reads the text of a federation field set, such as
// `id organization { id }`. Braces around it are allowed.
func ParseFieldSet(text string) (FieldSet, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		text = "{" + text + "}"
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, fieldSetTokens)
	if err != nil {
		return nil, fmt.Errorf("supergraph: field set %q: %w", text, err)
	}
	if len(document.Operations) != 1 || len(document.Fragments) > 0 {
		return nil, fmt.Errorf("supergraph: field set %q: want one selection", text)
	}
	return fieldSet(document.Operations[0].SelectionSet)
}

func fieldSet(selections ast.SelectionSet) (FieldSet, error) {
	set := make(FieldSet, 0, len(selections))
	for _, selection := range selections {
		var item FieldSelection
		var inner ast.SelectionSet
		switch selection := selection.(type) {
		case *ast.Field:
			if selection.Alias != selection.Name {
				return nil, fmt.Errorf("supergraph: field set: alias %q is not allowed", selection.Alias)
			}
			item.Name, item.Arguments, inner = selection.Name, selection.Arguments, selection.SelectionSet
		case *ast.InlineFragment:
			item.On, inner = selection.TypeCondition, selection.SelectionSet
		default:
			return nil, fmt.Errorf("supergraph: field set: fragment spreads are not allowed")
		}
		fields, err := fieldSet(inner)
		if err != nil {
			return nil, err
		}
		if len(fields) > 0 {
			item.Fields = fields
		}
		set = append(set, &item)
	}
	return set, nil
}

// String prints the field set compactly, as it would stand in a directive.
func (s FieldSet) String() string {
	var b strings.Builder
	s.write(&b)
	return b.String()
}

func (s FieldSet) write(b *strings.Builder) {
	for i, item := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		if item.Name == "" {
			b.WriteString("...")
			if item.On != "" {
				b.WriteString(" on " + item.On)
			}
		}
		b.WriteString(item.Name)
		for i, argument := range item.Arguments {
			if i == 0 {
				b.WriteByte('(')
			} else {
				b.WriteByte(' ')
			}
			b.WriteString(argument.Name + ": " + argument.Value.String())
		}
		if len(item.Arguments) > 0 {
			b.WriteByte(')')
		}
		if len(item.Fields) > 0 {
			b.WriteString(" { ")
			item.Fields.write(b)
			b.WriteString(" }")
		}
	}
}

// parseType reads a type reference such as `[User!]!`.
func parseType(text string) (*ast.Type, error) {
	rest, t, err := typeReference(strings.TrimSpace(text), 0)
	if err == nil && rest != "" {
		err = fmt.Errorf("supergraph: type %q: unexpected %q", text, rest)
	}
	return t, err
}

func typeReference(text string, depth int) (string, *ast.Type, error) {
	if depth > 20 {
		return "", nil, fmt.Errorf("supergraph: type reference nests too deep")
	}
	var t *ast.Type
	if strings.HasPrefix(text, "[") {
		rest, elem, err := typeReference(strings.TrimSpace(text[1:]), depth+1)
		if err != nil {
			return "", nil, err
		}
		if !strings.HasPrefix(rest, "]") {
			return "", nil, fmt.Errorf("supergraph: type reference: missing ]")
		}
		t, text = &ast.Type{Elem: elem}, strings.TrimSpace(rest[1:])
	} else {
		end := strings.IndexFunc(text, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
		if end < 0 {
			end = len(text)
		}
		if end == 0 {
			return "", nil, fmt.Errorf("supergraph: type reference %q: missing name", text)
		}
		t, text = &ast.Type{NamedType: text[:end]}, strings.TrimSpace(text[end:])
	}
	if strings.HasPrefix(text, "!") {
		t.NonNull, text = true, strings.TrimSpace(text[1:])
	}
	return text, t, nil
}
