package introspect

import (
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
)

// print writes a default value in the language of GraphQL, with the spaces of the reference implementation.
func print(v *ast.Value) string {
	var b strings.Builder
	printTo(&b, v)
	return b.String()
}

func printTo(b *strings.Builder, v *ast.Value) {
	switch v.Kind {
	case ast.ListValue:
		b.WriteByte('[')
		for i, child := range v.Children {
			if i > 0 {
				b.WriteString(", ")
			}
			printTo(b, child.Value)
		}
		b.WriteByte(']')
	case ast.ObjectValue:
		b.WriteByte('{')
		for i, child := range v.Children {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(child.Name)
			b.WriteString(": ")
			printTo(b, child.Value)
		}
		b.WriteByte('}')
	default:
		b.WriteString(v.String())
	}
}

const hex = "0123456789abcdef"

// text writes a JSON string.
func (w *writer) text(s string) {
	b := append(w.b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	w.b = append(b, '"')
}
