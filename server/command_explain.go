package main

import (
	"fmt"
	"io"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/server/config"
)

// explain prints the plan of an operation: the same text that the goldens of
// graph/plan hold. It reaches no subgraph.
func explain(settings config.Explain, at terminal) error {
	super, err := loadSupergraph(settings.Supergraph)
	if err != nil {
		return err
	}
	var operation string
	if settings.Operation == "-" {
		text, err := io.ReadAll(io.LimitReader(at.in, 1<<20))
		if err != nil {
			return fmt.Errorf("the operation cannot be read from standard input: %w", err)
		}
		operation = string(text)
	} else if operation, err = readFile(settings.Operation, "operation"); err != nil {
		return err
	}
	dispatcher, err := overHTTP(super, nil, 0)
	if err != nil {
		return fmt.Errorf("the supergraph %s cannot be used: %w", settings.Supergraph, err)
	}
	engine, err := graph.New(super, dispatcher, graph.Options{})
	if err != nil {
		return fmt.Errorf("the supergraph %s cannot be used: %w", settings.Supergraph, err)
	}
	prepared, refused := engine.Prepare(operation, settings.Name)
	if len(refused) > 0 {
		return fmt.Errorf("the operation %s is refused: %w", settings.Operation, refused)
	}
	_, err = io.WriteString(at.out, plan.Print(prepared.Plan()))
	return err
}
