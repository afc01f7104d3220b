// Package authorize enforces the access rules that a supergraph carries:
// @authenticated, @requiresScopes and @policy. It finds out once which rules an
// operation touches, asks for each request which of them the caller does not
// satisfy, and says for a plan which fields and objects are denied then.
//
// Start reading at New; what a field requires is gathered in require.go.
package authorize

import (
	"fmt"
	"math/bits"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// Claims are what is known of a caller. They must not change during a request.
type Claims interface {
	// Authenticated says whether somebody is signed in.
	Authenticated() bool
	// HasScope says whether the scope was granted.
	HasScope(name string) bool
	// HasPolicy says whether the policy was evaluated, and holds.
	HasPolicy(name string) bool
}

// Rules are the access rules of one supergraph. They are immutable and safe
// for concurrent use.
type Rules struct {
	super *supergraph.Supergraph
	list  []supergraph.Access // each once; a Set counts by position
	// objects holds what objects of a type require, fields what a field does
	// besides what its holder requires.
	objects map[*supergraph.Type]Set
	fields  map[fieldOf]Set
}

type fieldOf struct {
	holder *supergraph.Type
	name   string
}

// New reads the rules; nil when the supergraph has none. The error names the
// element whose rule cannot be understood.
func New(super *supergraph.Supergraph) (*Rules, error) {
	access, err := super.ReadAccess()
	if err != nil {
		return nil, fmt.Errorf("authorize: %w", err)
	}
	if access.Empty() {
		return nil, nil
	}
	g := &gathering{access: access, rules: &Rules{super: super, objects: map[*supergraph.Type]Set{}, fields: map[fieldOf]Set{}}, numbers: map[string]int{}}
	g.gather()
	return g.rules, nil
}

// Touched are the rules that decide about anything that the operation asks,
// whatever its variables and whatever objects come. The operation's document
// must have been validated. A nil Set: none.
func (r *Rules) Touched(operation *ast.OperationDefinition) Set {
	w := walk{rules: r, known: map[fieldOf]bool{}, spread: map[string]bool{}}
	w.set(operation.SelectionSet)
	return w.touched
}

type walk struct {
	rules   *Rules
	touched Set
	known   map[fieldOf]bool
	spread  map[string]bool
}

func (w *walk) set(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			w.field(s)
			w.set(s.SelectionSet)
		case *ast.InlineFragment:
			w.set(s.SelectionSet)
		case *ast.FragmentSpread:
			if s.Definition != nil && !w.spread[s.Name] {
				w.spread[s.Name] = true
				w.set(s.Definition.SelectionSet)
			}
		}
	}
}

func (w *walk) field(f *ast.Field) {
	if f.ObjectDefinition == nil {
		return
	}
	holder := w.rules.super.Type(f.ObjectDefinition.Name)
	if holder == nil || w.known[fieldOf{holder, f.Name}] { // nil: introspection
		return
	}
	w.known[fieldOf{holder, f.Name}] = true
	for _, object := range holder.Members {
		w.touched = w.touched.union(w.rules.objects[object]).union(w.rules.fields[fieldOf{object, f.Name}])
		if target := object.Target(f.Name); target != nil {
			for _, member := range target.Members {
				w.touched = w.touched.union(w.rules.objects[member])
			}
		}
	}
}

// Failed are those of the touched rules that the caller does not satisfy; nil
// claims satisfy none. A nil Set: none failed.
func (r *Rules) Failed(touched Set, claims Claims) Set {
	var failed Set
	for at, word := range touched {
		for ; word != 0; word &= word - 1 {
			if i := 64*at + bits.TrailingZeros64(word); !satisfied(r.list[i], claims) {
				failed = failed.with(i)
			}
		}
	}
	return failed
}

func satisfied(access supergraph.Access, claims Claims) bool {
	if claims == nil {
		return false
	}
	for _, alternative := range access {
		if all(alternative, claims) {
			return true
		}
	}
	return false
}

func all(rights []supergraph.Right, claims Claims) bool {
	for _, right := range rights {
		held := false
		switch right.Kind {
		case supergraph.Authenticated:
			held = claims.Authenticated()
		case supergraph.Scope:
			held = claims.HasScope(right.Name)
		case supergraph.Policy:
			held = claims.HasPolicy(right.Name)
		}
		if !held {
			return false
		}
	}
	return true
}

// Without is what callers may not see who fail these rules.
func (r *Rules) Without(failed Set) plan.Denial { return denial{r, failed} }

type denial struct {
	rules  *Rules
	failed Set
}

// Denied implements plan.Denial.
func (d denial) Denied(object *supergraph.Type, field string) bool {
	if d.Withheld(object) || d.rules.fields[fieldOf{object, field}].meets(d.failed) {
		return true
	}
	// A field whose objects would all be withheld need not be asked.
	target := object.Target(field)
	if target == nil || len(target.Members) == 0 {
		return false
	}
	for _, member := range target.Members {
		if !member.Inaccessible && !d.Withheld(member) {
			return false
		}
	}
	return true
}

// Withheld implements plan.Denial.
func (d denial) Withheld(object *supergraph.Type) bool {
	return d.rules.objects[object].meets(d.failed)
}
