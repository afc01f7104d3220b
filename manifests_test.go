package citizencloud_test

import (
	"context"
	"testing"

	"github.com/citizencloud/citizencloud/clients"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/persisted"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/schema"
)

// nowhere takes every document and reaches no subgraph: planning is all that
// is tested with it.
type nowhere struct{ dispatch.Prepared }

func (nowhere) Prepare(*dispatch.Document) (dispatch.Prepared, error) { return nowhere{}, nil }

func (nowhere) Fetch(context.Context, *dispatch.Request) (*dispatch.Reply, error) {
	panic("planning must fetch nothing")
}

// TestEveryClientOperationIsPlanned fails when a manifest no longer fits the
// schema.
func TestEveryClientOperationIsPlanned(t *testing.T) {
	super, err := supergraph.Load(schema.Supergraph)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := graph.New(super, nowhere{}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, client := range clients.Names() {
		if all[client], err = clients.Manifest(client); err != nil {
			t.Fatal(err)
		}
	}
	manifests, err := persisted.Load(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range persisted.Warm(manifests, func(document, name string) error {
		if _, errs := engine.Prepare(document, name); len(errs) > 0 {
			return errs
		}
		return nil
	}) {
		t.Error(failure)
	}
}
