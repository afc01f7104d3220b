package graph_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// TestNothingGoesAroundARule asks at random, and looks for what the caller may
// not see in the answer and in what was asked of the subgraphs.
func TestNothingGoesAroundARule(t *testing.T) {
	super, err := supergraph.Load(library)
	if err != nil {
		t.Fatal(err)
	}
	engine, s := reading(t, library, graph.Options{Authorization: graph.AuthorizationFilter})
	open, all := reading(t, library, graph.Options{})
	secrets := []struct {
		value, right string
	}{
		{`"12.50"`, "prices"}, {`:7,`, "finance"}, {`a@example.cn`, "!owner"}, {`私密`, "letters"}, {`家书`, "letters"}, {`学报`, "journals"}, {`"110"`, "-"},
	}
	rights := []string{"prices", "finance", "!owner", "letters", "journals"}
	shown, hidden := 0, 0
	for n := range 1200 {
		a := rand.New(rand.NewPCG(1, uint64(n)))
		random := reference.Random{Schema: super.Public, Rand: a, Depth: 4, Width: 4}
		query := random.Query()
		var c claims
		for _, right := range rights {
			if a.IntN(2) == 0 {
				c = append(c, right)
			}
		}
		call := graph.Call{}
		if c != nil {
			call.Claims = c
		}
		body, asked := read(t, engine, s, query, call)
		whole, _ := read(t, open, all, query, graph.Call{})
		for _, secret := range secrets {
			may := c.HasScope(secret.right) || secret.right == "-" && c.Authenticated()
			if there := strings.Contains(body+",", secret.value); there && !may {
				t.Fatalf("operation %d, caller %v sees %s\n%s\n%s\n%s", n, c, secret.value, query, body, asked)
			}
			if strings.Contains(whole, secret.value) {
				if may {
					shown++
				} else {
					hidden++
				}
			}
		}
		if len(c) == len(rights) && body != whole {
			t.Fatalf("operation %d: who may see everything does not\n%s\n%s\n%s", n, query, body, whole)
		}
	}
	if shown < 200 || hidden < 200 {
		t.Errorf("too little was tried: %d values that could be seen, %d that could not", shown, hidden)
	}
}
