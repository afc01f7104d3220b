package schema_test

import (
	"os/exec"
	"testing"

	"github.com/citizencloud/citizencloud/schema"
)

// A stale composition must not land: the supergraph is what the SDL composes to.
func TestSupergraphIsComposedFromTheSDL(t *testing.T) {
	command := exec.Command("node", "compose.mjs")
	text, err := command.Output()
	if err != nil {
		t.Fatalf("composing needs Node and `npm ci`: %v", err)
	}
	if string(text) != schema.Supergraph {
		t.Error("schema/supergraph.graphql is stale: run `go tool generate` and commit it")
	}
}
