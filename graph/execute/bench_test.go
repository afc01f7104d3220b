package execute

import (
	"fmt"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/graph/project"
)

// catalogue is a program of three fetches over n users, half of whom are the same ones again.
func catalogue(t testing.TB, n int) (*Program, *world) {
	w := &world{schema: load(t, shop), query: `{users{id name reviews{id body author{name}}}}`}
	var users, reviews []string
	for i := range n {
		users = append(users, fmt.Sprintf(`{"id":"user-%d","name":"%s"}`, i%(n/2), strings.Repeat("name ", 8)))
		if i < n/2 {
			reviews = append(reviews, fmt.Sprintf(`{"reviews":[{"id":"%d","body":"%s","author":{"id":"user-%d"}},{"id":"x","body":null,"author":null}]}`,
				i, strings.Repeat("lorem ipsum ", 20), i))
		}
	}
	authors := strings.TrimSuffix(strings.Repeat(`{"name":"author"},`, n/2), ",")
	w.rootFetch(t, "users{id name}", says(`{"data":{"users":[`+strings.Join(users, ",")+`]}}`))
	w.entityFetch(t, "users", "User", "id", "reviews{id body author{id}}", says(`{"data":{"_entities":[`+strings.Join(reviews, ",")+`]}}`), 0)
	w.entityFetch(t, "users.reviews.author", "User", "id", "name", says(`{"data":{"_entities":[`+authors+`]}}`), 1)
	return w.program(t), w
}

// runOnce runs the program and returns the length of the answer.
func runOnce(t testing.TB, program *Program, w *world) int {
	w.sent = w.sent[:0]
	writer := project.NewWriter()
	defer writer.Release()
	program.Run(t.Context(), &Request{}, writer)
	if len(writer.Errors) > 0 {
		t.Fatalf("errors: %v", writer.Errors)
	}
	return len(writer.Body)
}

// TestAllocationsDoNotGrowWithTheData holds the engine to its pools: what it allocates depends on
// the number of fetches, not on the number of objects.
func TestAllocationsDoNotGrowWithTheData(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties the pools")
	}
	measure := func(n int) float64 {
		program, w := catalogue(t, n)
		runOnce(t, program, w)
		return testing.AllocsPerRun(50, func() { runOnce(t, program, w) })
	}
	few, many := measure(10), measure(1000)
	if few > 60 || many > few+15 {
		t.Errorf("%v allocations for 10 users, %v for 1,000", few, many)
	}
}

func BenchmarkRun(b *testing.B) {
	program, w := catalogue(b, 1000)
	b.SetBytes(int64(runOnce(b, program, w)))
	b.ReportAllocs()
	for b.Loop() {
		runOnce(b, program, w)
	}
}
