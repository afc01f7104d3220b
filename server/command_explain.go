package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/graph/validate"
	"github.com/citizencloud/citizencloud/server/config"
)

// maxOperation bounds what is read of standard input.
const maxOperation = 1 << 20

// explain prints what the gateway makes of an operation, up to the stage that
// is asked for. It runs the very code that a request runs, with the standard
// limits, and reaches no subgraph.
func explain(settings config.Explain, at terminal) error {
	super, err := loadSupergraph(settings.Supergraph)
	if err != nil {
		return err
	}
	text, err := operationText(settings.Operation, at.in)
	if err != nil {
		return err
	}
	refused := func(err error) error {
		return fmt.Errorf("the operation %s is refused: %w", settings.Operation, err)
	}
	document, errs := validate.Parse(text, validate.Limits{})
	if len(errs) > 0 {
		return refused(errs)
	}
	operation, errs := validate.Operation(document, settings.Name)
	if len(errs) > 0 {
		return refused(errs)
	}
	if settings.Stage == "parse" {
		return printParsed(at.out, document, operation)
	}
	dispatcher, err := overHTTP(super, nil, 0)
	if err != nil {
		return fmt.Errorf("the supergraph %s cannot be used: %w", settings.Supergraph, err)
	}
	planned := plan.Options{Labels: settings.Label}
	engine, err := graph.New(super, dispatcher, graph.Options{Demand: true, Plan: planned})
	if err != nil {
		return fmt.Errorf("the supergraph %s cannot be used: %w", settings.Supergraph, err)
	}
	prepared, errs := engine.Prepare(text, settings.Name)
	if len(errs) > 0 {
		return refused(errs)
	}
	// Prepare parsed a copy of its own; the planner wants this one annotated too.
	if errs := validate.Document(super.Public, document, validate.Limits{}); len(errs) > 0 {
		return refused(errs)
	}
	switch {
	case settings.Stage == "validate":
		return printMeasures(at.out, len(text), validate.Measure(super.Public, document, operation), engine, prepared)
	case settings.Stage == "choices":
		choices, err := plan.New(super, planned).Choices(document, operation)
		if err != nil {
			return refused(err)
		}
		if !settings.JSON {
			return printChoices(at.out, choices)
		}
		printed, err := graph.ChoicesJSON(choices)
		if err != nil {
			return err
		}
		_, err = at.out.Write(printed)
		return err
	case settings.Stage == "fetches":
		return printFetches(at.out, prepared.Plan(), super)
	case settings.JSON:
		encoded, err := plan.JSON(prepared.Plan())
		if err != nil {
			return err
		}
		_, err = at.out.Write(encoded)
		return err
	}
	_, err = io.WriteString(at.out, plan.Print(prepared.Plan())+describeCalls(prepared.Plan()))
	return err
}

// operationText reads the operation from a file, or from standard input for "-".
func operationText(path string, in io.Reader) (string, error) {
	if path != "-" {
		return readFile(path, "operation")
	}
	text, err := io.ReadAll(io.LimitReader(in, maxOperation))
	if err != nil {
		return "", fmt.Errorf("the operation cannot be read from standard input: %w", err)
	}
	return string(text), nil
}

// printParsed prints the operation as it was read, and the document's fragments.
func printParsed(out io.Writer, document *ast.QueryDocument, operation *ast.OperationDefinition) error {
	formatter.NewFormatter(out).FormatQueryDocument(&ast.QueryDocument{
		Operations: ast.OperationList{operation}, Fragments: document.Fragments,
	})
	return nil
}

// printMeasures prints what the limits count, of a valid operation.
func printMeasures(out io.Writer, bytes int, m validate.Measures, engine *graph.Engine, prepared *graph.Operation) error {
	limits := validate.Limits{}.Effective()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s %s\tis valid\nmeasure\tit has\tallowed\n", prepared.Kind(), prepared.Name())
	for _, line := range []struct {
		what       string
		got, limit int
	}{
		{"bytes", bytes, limits.Bytes},
		{"depth", m.Depth, limits.Depth},
		{"fields", m.Fields, limits.Fields},
		{"aliases", m.Aliases, limits.Aliases},
		{"root fields", m.RootFields, limits.RootFields},
		{"cost", m.Cost, limits.Cost},
	} {
		allowed := "any"
		if line.limit >= 0 {
			allowed = fmt.Sprint(line.limit)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\n", line.what, line.got, allowed)
	}
	fmt.Fprintf(table, "estimated cost\t%s\tany\n", estimated(engine, prepared))
	fmt.Fprintf(table, "shared among\t%s\n", prepared.SharedAmong())
	return table.Flush()
}

// estimated is the cost with the variables' defaults, and which variables change it.
func estimated(engine *graph.Engine, prepared *graph.Operation) string {
	text := "unknown"
	if cost, ok := engine.Cost(prepared, &graph.Call{}); ok {
		text = fmt.Sprint(int64(math.Ceil(cost)))
	}
	if variables := prepared.CostVariables(); len(variables) > 0 {
		text += " by $" + strings.Join(variables, " $")
	}
	return text
}

// printChoices prints the ways that the planner weighed, the one that it took
// with a star.
func printChoices(out io.Writer, choices []plan.Choice) error {
	var b strings.Builder
	for _, c := range choices {
		fmt.Fprintf(&b, "%s (%s)\n", c.Path, c.Field)
		for _, way := range c.Ways {
			mark, cost := ' ', fmt.Sprint(way.Cost)
			if way.Taken {
				mark = '*'
			}
			if way.Impossible {
				cost = "impossible"
			}
			fmt.Fprintf(&b, "  %c %-10s %s", mark, cost, way.Subgraph)
			switch {
			case len(way.Through) == 0:
				b.WriteString(" where it is")
			case way.Key != "":
				fmt.Fprintf(&b, " by {%s} through %s", way.Key, strings.Join(way.Through, " "))
			}
			b.WriteByte('\n')
		}
	}
	if len(choices) == 0 {
		b.WriteString("each field has one way\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// printFetches prints each request that the plan may send: where, after what,
// and its document as it goes over the wire.
func printFetches(out io.Writer, p *plan.Plan, super *supergraph.Supergraph) error {
	var b strings.Builder
	rounds := plan.Rounds(p)
	for i, f := range p.Fetches {
		subgraph := super.Subgraph(f.Subgraph)
		fmt.Fprintf(&b, "%d: round %d, to %s at %s", f.ID, rounds[i]+1, subgraph.Name, subgraph.URL)
		if len(f.After) > 0 {
			fmt.Fprintf(&b, ", after %s", strings.Trim(fmt.Sprint(f.After), "[]"))
		}
		b.WriteByte('\n')
		for _, place := range f.AllPlaces() {
			fmt.Fprintf(&b, "   completes %s\n", plan.PrintPath(place.Path))
		}
		fmt.Fprintf(&b, "   sends %s\n", f.Document)
		if len(f.UsedVariables) > 0 {
			fmt.Fprintf(&b, "   with $%s\n", strings.Join(f.UsedVariables, " $"))
		}
	}
	_, err := io.WriteString(out, b.String()+describeCalls(p))
	return err
}

// describeCalls is one line with the predicted number of requests.
func describeCalls(p *plan.Plan) string {
	calls := plan.PredictCalls(p)
	number := fmt.Sprint(calls.Most)
	if calls.Least < calls.Most {
		number = fmt.Sprintf("%d to %d", calls.Least, calls.Most)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "calls %s in %d round", number, calls.Rounds)
	if calls.Rounds != 1 {
		b.WriteByte('s')
	}
	if p.Operation == ast.Subscription {
		b.WriteString(" for each event")
	}
	for i, s := range calls.Subgraphs {
		separator := ", "
		if i == 0 {
			separator = ": "
		}
		fmt.Fprintf(&b, "%s%s %d", separator, s.Subgraph, s.Most)
	}
	b.WriteByte('\n')
	return b.String()
}
