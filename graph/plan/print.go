package plan

import (
	"cmp"
	"fmt"
	"strings"
)

// Print is the plan as indented text: each fetch with its subgraph, the place
// that it completes, what it waits for, its representations and its document.
func Print(plan *Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", plan.Operation, plan.Name)
	for _, label := range plan.Labels {
		state := "not active"
		if label.Active {
			state = "active"
		}
		fmt.Fprintf(&b, "label %s %s\n", label.Name, state)
	}
	if len(plan.Fetches) == 0 {
		b.WriteString("no fetch\n")
	}
	for _, f := range plan.Fetches {
		kind := "fetch"
		if f.Entities() {
			kind = "entities"
		}
		fmt.Fprintf(&b, "%s %d from %s", kind, f.ID, f.Subgraph)
		for i, id := range f.After {
			if i == 0 {
				b.WriteString(" after")
			}
			fmt.Fprintf(&b, " %d", id)
		}
		printAsked(&b, f, "  ")
		for _, part := range f.Parts {
			b.WriteString("  part " + part.Alias)
			printAsked(&b, part, "    ")
		}
	}
	b.WriteString("response\n")
	printOutputs(&b, plan.Response, "  ")
	return b.String()
}

// printAsked prints the rest of a fetch, or of a part of one.
func printAsked(b *strings.Builder, f *Fetch, indent string) {
	if f.When != nil {
		b.WriteString(" when " + printCondition(f.When))
	}
	b.WriteByte('\n')
	if f.Parts != nil {
		return
	}
	for _, place := range f.AllPlaces() {
		printPlace(b, place.Path, place.Inputs, indent)
	}
	for _, c := range f.Contexts {
		fmt.Fprintf(b, "%scontext $%s: %s\n", indent, c.Variable, c.Type)
		for _, s := range c.Sources {
			b.WriteString(indent + "  ")
			if s.Types != nil {
				b.WriteString(strings.Join(s.Types, "|") + " ")
			}
			b.WriteString("of " + cmp.Or(PrintPath(f.Path[:s.Depth]), "the root") + " ")
			printInputFields(b, s.Fields)
			b.WriteByte('\n')
		}
	}
	if len(f.UsedVariables) > 0 {
		b.WriteString(indent + "variables $" + strings.Join(f.UsedVariables, " $") + "\n")
	}
	printSelections(b, f.Selection, indent)
}

func printPlace(b *strings.Builder, path []Step, inputs []*Input, indent string) {
	b.WriteString(indent + "at " + PrintPath(path) + "\n")
	for _, in := range inputs {
		b.WriteString(indent + "  ")
		if in.Types != nil {
			b.WriteString(strings.Join(in.Types, "|") + " ")
		}
		if in.Typename != "" {
			b.WriteString("as " + in.Typename + " ")
		}
		printInputFields(b, in.Fields)
		b.WriteByte('\n')
	}
}

// PrintPath is the path as dotted keys, with the types where it is limited to some.
func PrintPath(path []Step) string {
	parts := make([]string, 0, len(path))
	for _, step := range path {
		part := step.Key
		if step.Types != nil {
			part += "(" + strings.Join(step.Types, "|") + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ".")
}

func printInputFields(b *strings.Builder, fields []*InputField) {
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(' ')
		}
		if f.Types != nil {
			b.WriteString("(" + strings.Join(f.Types, "|") + ")")
		}
		b.WriteString(f.Name)
		if f.Key {
			b.WriteByte('!')
		}
		if f.From != f.Name {
			b.WriteString("=" + f.From)
		}
		if f.Fields != nil {
			printInputFields(b, f.Fields)
		}
	}
	b.WriteByte('}')
}

func printCondition(c Condition) string {
	var alternatives []string
	for _, alternative := range c {
		var literals []string
		for _, literal := range alternative {
			if literal.Is {
				literals = append(literals, "$"+literal.Variable)
			} else {
				literals = append(literals, "not $"+literal.Variable)
			}
		}
		alternatives = append(alternatives, strings.Join(literals, " and "))
	}
	return strings.Join(alternatives, " or ")
}

func printSelections(b *strings.Builder, selections []*Selection, indent string) {
	for _, s := range selections {
		b.WriteString(indent)
		switch {
		case s.Name == "" && s.On != "":
			b.WriteString("... on " + s.On)
		case s.Name == "":
			b.WriteString("...")
		case s.Alias != "":
			b.WriteString(s.Alias + ": " + s.Name)
		default:
			b.WriteString(s.Name)
		}
		writeArguments(b, s.Arguments)
		if s.When != nil {
			b.WriteString(" when " + printCondition(s.When))
		}
		b.WriteByte('\n')
		printSelections(b, s.Selections, indent+"  ")
	}
}

func printOutputs(b *strings.Builder, outputs []*Output, indent string) {
	for _, o := range outputs {
		b.WriteString(indent + o.Key)
		if o.From != o.Key {
			b.WriteString(" = " + o.From)
		}
		b.WriteString(": " + o.Type.String())
		if o.Types != nil {
			b.WriteString(" on " + strings.Join(o.Types, "|"))
		}
		if o.When != nil {
			b.WriteString(" when " + printCondition(o.When))
		}
		if o.Introspection != nil {
			b.WriteString(" (introspection)")
		}
		if o.Denied {
			b.WriteString(" denied")
		}
		if o.Withheld != nil {
			b.WriteString(" without " + strings.Join(o.Withheld, "|"))
		}
		b.WriteByte('\n')
		printOutputs(b, o.Fields, indent+"  ")
	}
}
