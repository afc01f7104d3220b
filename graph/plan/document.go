package plan

import (
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// representations is the argument of _entities, and the variable of an entity
// fetch unless the client's operation has one of that name.
const representations = "representations"

// representationsVariable is the name, or one like it that none of the used
// variables has.
func representationsVariable(name string, used map[string]bool) string {
	for used[name] {
		name = "_" + name
	}
	return name
}

// document prints the operation that a fetch sends, compactly, and notes the
// client's variables in it.
func (p *planning) document(f *Fetch) {
	used := map[string]bool{}
	noteVariables(f.Selection, used)
	for _, c := range f.Contexts {
		delete(used, c.Variable)
	}
	for name := range used {
		f.UsedVariables = append(f.UsedVariables, name)
	}
	sort.Strings(f.UsedVariables)

	if f.Inputs != nil {
		f.Representations = representationsVariable(representations, used)
		if f.Contexts != nil {
			f.Representations = p.freshPrefix(representations)
		}
		f.Document = asked(p.variables, f.UsedVariables, f)
		return
	}
	var b strings.Builder
	if len(f.UsedVariables) > 0 || f.Operation != ast.Query {
		b.WriteString(string(f.Operation))
		header(&b, p.variables, f.UsedVariables)
	}
	writeSelections(&b, f.Selection)
	f.Document = b.String()
}

// asked prints the operation that asks entity fetches. Used are the client's
// variables that it uses, out of all definitions.
func asked(definitions ast.VariableDefinitionList, used []string, fetches ...*Fetch) string {
	var b strings.Builder
	b.WriteString(string(ast.Query))
	header(&b, definitions, used, fetches...)
	b.WriteByte('{')
	for i, f := range fetches {
		if i > 0 {
			b.WriteByte(' ')
		}
		writeEntities(&b, f)
	}
	b.WriteByte('}')
	return b.String()
}

// header prints the definitions of an operation's variables: those of entity
// fetches, for representations and contexts, and the client's.
func header(b *strings.Builder, definitions ast.VariableDefinitionList, used []string, fetches ...*Fetch) {
	separator := byte('(')
	define := func(name, typ string) {
		b.WriteByte(separator)
		separator = ','
		b.WriteString("$" + name + ":" + typ)
	}
	for _, f := range fetches {
		define(f.Representations, "[_Any!]!")
		for _, c := range f.Contexts {
			define(c.Variable, c.Type.String())
		}
	}
	for _, name := range used {
		if definition := definitions.ForName(name); definition != nil {
			define(name, definition.Type.String())
			if definition.DefaultValue != nil {
				b.WriteString("=" + definition.DefaultValue.String())
			}
		}
	}
	if separator == ',' {
		b.WriteByte(')')
	}
}

// writeEntities prints the _entities field of an entity fetch.
func writeEntities(b *strings.Builder, f *Fetch) {
	if f.Alias != "" {
		b.WriteString(f.Alias + ":")
	}
	b.WriteString("_entities(" + representations + ":$" + f.Representations + ")")
	writeSelections(b, f.Selection)
}

func noteVariables(selections []*Selection, used map[string]bool) {
	for _, s := range selections {
		for _, argument := range s.Arguments {
			noteValue(argument.Value, used)
		}
		for _, alternative := range s.When {
			for _, literal := range alternative {
				used[literal.Variable] = true
			}
		}
		noteVariables(s.Selections, used)
	}
}

func noteValue(value *ast.Value, used map[string]bool) {
	if value.Kind == ast.Variable {
		used[value.Raw] = true
	}
	for _, child := range value.Children {
		noteValue(child.Value, used)
	}
}

func writeSelections(b *strings.Builder, selections []*Selection) {
	b.WriteByte('{')
	for i, s := range selections {
		if i > 0 {
			b.WriteByte(' ')
		}
		writeSelection(b, s)
	}
	b.WriteByte('}')
}

// writeSelection prints a selection once for each alternative of its condition.
func writeSelection(b *strings.Builder, s *Selection) {
	if len(s.When) == 0 {
		writeUnder(b, s, nil)
		return
	}
	for i, alternative := range s.When {
		if i > 0 {
			b.WriteByte(' ')
		}
		writeUnder(b, s, alternative)
	}
}

// writeUnder prints a selection under literals that all must hold: one @include
// and one @skip on itself, the rest on fragments around it.
func writeUnder(b *strings.Builder, s *Selection, literals Alternative) {
	var own, outer Alternative
	var has [2]bool
	for _, literal := range literals {
		kind := 0
		if literal.Is {
			kind = 1
		}
		if has[kind] {
			outer = append(outer, literal)
			continue
		}
		has[kind] = true
		own = append(own, literal)
	}
	if len(outer) > 0 {
		b.WriteString("...")
		writeUnder(b, &Selection{Selections: []*Selection{{Name: s.Name, Alias: s.Alias, Arguments: s.Arguments, Type: s.Type, On: s.On, Selections: s.Selections, When: Condition{own}}}}, outer)
		return
	}
	switch {
	case s.Name == "":
		if s.On != "" {
			b.WriteString("...on " + s.On)
		} else if len(literals) > 0 && !strings.HasSuffix(b.String(), "...") {
			b.WriteString("...")
		}
	case s.Alias != "":
		b.WriteString(s.Alias + ":" + s.Name)
	default:
		b.WriteString(s.Name)
	}
	writeArguments(b, s.Arguments)
	for _, literal := range own {
		if literal.Is {
			b.WriteString("@include(if:$" + literal.Variable + ")")
		} else {
			b.WriteString("@skip(if:$" + literal.Variable + ")")
		}
	}
	if len(s.Selections) > 0 {
		writeSelections(b, s.Selections)
	}
}
