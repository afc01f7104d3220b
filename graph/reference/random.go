package reference

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Random writes random valid queries over a schema.
type Random struct {
	Schema *ast.Schema
	Rand   *rand.Rand
	// Argument gives a literal for an argument ("Query.area(id)"), or false to
	// leave it out; required arguments must be given.
	Argument func(coordinate string, argument *ast.ArgumentDefinition) (string, bool)
	// Skip names fields ("Board.generatedAt") that are never asked.
	Skip func(coordinate string) bool
	// Depth and Width bound the operation; Width is fields a selection set.
	Depth, Width int
	aliases      int
}

// Query writes one query. Its Boolean variables $yes and $no must be given as
// true and false.
func (r *Random) Query() string {
	r.aliases = 0
	return "query Random($yes: Boolean! = true, $no: Boolean! = false) { ...@include(if: $yes) {__typename} ...@skip(if: $yes) {__typename} ...@include(if: $no) {__typename} " +
		r.set(r.Schema.Query, r.Depth) + "}"
}

func (r *Random) set(parent *ast.Definition, depth int) string {
	var parts []string
	for range 1 + r.Rand.IntN(r.Width) {
		if text := r.selection(parent, depth); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return "__typename"
	}
	return strings.Join(parts, " ")
}

func (r *Random) selection(parent *ast.Definition, depth int) string {
	switch n := r.Rand.IntN(12); {
	case n == 0 && r.Rand.IntN(3) == 0:
		r.aliases++
		return fmt.Sprintf("a%d: __typename", r.aliases)
	case n == 0:
		return "__typename"
	case n == 1 && depth > 0:
		return "... on " + parent.Name + r.condition() + " {" + r.set(parent, depth-1) + "}"
	case n < 4 && parent.IsAbstractType() || parent.Kind == ast.Union:
		possible := r.Schema.GetPossibleTypes(parent)
		one := possible[r.Rand.IntN(len(possible))]
		// Or an interface or a union that it is a member of, which overlaps with the parent too.
		if wider := r.Schema.GetImplements(one); len(wider) > 0 && r.Rand.IntN(4) == 0 {
			one = wider[r.Rand.IntN(len(wider))]
		}
		return "... on " + one.Name + r.condition() + " {" + r.set(one, depth-1) + "}"
	}
	field := parent.Fields[r.Rand.IntN(len(parent.Fields))]
	coordinate := parent.Name + "." + field.Name
	if strings.HasPrefix(field.Name, "__") || r.Skip != nil && r.Skip(coordinate) {
		return ""
	}
	target := r.Schema.Types[field.Type.Name()]
	if target.IsCompositeType() && depth <= 0 {
		return ""
	}
	arguments, ok := r.arguments(coordinate, field.Arguments)
	if !ok {
		return ""
	}
	text := field.Name + arguments
	if arguments != "" || r.Rand.IntN(3) == 0 { // an alias of its own: no conflicts of arguments
		r.aliases++
		text = fmt.Sprintf("a%d: %s", r.aliases, text)
	}
	text += r.condition()
	if target.IsCompositeType() {
		text += " {" + r.set(target, depth-1) + "}"
	}
	return text
}

func (r *Random) condition() string {
	return [...]string{"", "", "", "", "", "", " @include(if: $yes)", " @skip(if: $no)", " @include(if: $no)", " @skip(if: true)"}[r.Rand.IntN(10)]
}

func (r *Random) arguments(coordinate string, definitions ast.ArgumentDefinitionList) (string, bool) {
	var parts []string
	for _, argument := range definitions {
		literal, ok := r.Argument(coordinate+"("+argument.Name+")", argument)
		switch {
		case ok:
			parts = append(parts, argument.Name+": "+literal)
		case argument.Type.NonNull && argument.DefaultValue == nil:
			return "", false
		}
	}
	if len(parts) == 0 {
		return "", true
	}
	return "(" + strings.Join(parts, ", ") + ")", true
}
