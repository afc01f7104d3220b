package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/server/transport"
)

// passThrough asks one subgraph only.
const passThrough = `query PassThrough { popularServices(first: 8) { id code name kind category { id name } } }`

// BenchmarkGateway compares an operation through the gateway with its fetches
// sent to the subgraphs directly: the same documents and variables, in the same
// order, as much at the same time. The two take turns, so that what else the
// machine does meets both. "gateway alone" answers the fetches out of memory:
// it is the gateway's own work and nothing else.
func BenchmarkGateway(b *testing.B) {
	s := raise(b)
	overHTTP := s.httpDispatcher(b)
	for _, operation := range []struct{ name, document string }{
		{"AppHome", s.manifestBody(b, "app", "AppHome")}, {"pass-through", passThrough},
	} {
		b.Run(operation.name+", in process", func(b *testing.B) { s.takeTurns(b, s.dispatcher, operation.document) })
		b.Run(operation.name+", over HTTP", func(b *testing.B) { s.takeTurns(b, overHTTP, operation.document) })
		b.Run(operation.name+", gateway alone", func(b *testing.B) { s.alone(b, operation.document) })
	}
}

// asking is one citizen's operation: how it is called, and what the gateway
// fetched for it.
type asking struct {
	ctx     context.Context
	call    graph.Call
	fetches []fetched
}

// record readies the operation over a recorder, as serve would, and records it
// for several citizens.
func (s *stage) record(b *testing.B, d dispatch.Dispatcher, document string, citizens int) (*graph.Engine, *graph.Operation, *recorder, []asking) {
	b.Helper()
	r := &recorder{inner: d}
	engine, err := graph.New(s.super, &guard.Breakers{Inner: r}, graph.Options{Dedupe: graph.DedupeSubgraph})
	if err != nil {
		b.Fatal(err)
	}
	operation, refused := engine.Prepare(document, "")
	if len(refused) > 0 {
		b.Fatal(refused)
	}
	askings := make([]asking, citizens)
	for i := range askings {
		c := s.cast.Citizen(i * s.cast.Citizens() / citizens)
		p := &access.Principal{Kind: access.Citizen, ID: c.ID, Name: c.Name, AreaCode: c.CommunityCode, Session: fmt.Sprint("bench-", i)}
		ctx, call := s.as(b, p)
		r.start()
		if err := runOnce(ctx, engine, operation, call); err != nil {
			b.Fatal(err)
		}
		askings[i] = asking{ctx: ctx, call: call, fetches: r.stop()}
	}
	return engine, operation, r, askings
}

func runOnce(ctx context.Context, engine *graph.Engine, operation *graph.Operation, call graph.Call) error {
	response := engine.Execute(ctx, operation, call)
	defer response.Release()
	if response.Errors > 0 || !response.HasData {
		return fmt.Errorf("errors: %s", response.Body)
	}
	return nil
}

// takeTurns lets the gateway and the direct fetches take turns.
func (s *stage) takeTurns(b *testing.B, d dispatch.Dispatcher, document string) {
	engine, operation, recorder, askings := s.record(b, d, document, 64)
	var direct, through []time.Duration
	ways := [2]func(asking){
		func(a asking) {
			began := time.Now()
			if err := recorder.replay(a, operation); err != nil {
				b.Fatal(err)
			}
			direct = append(direct, time.Since(began))
		},
		func(a asking) {
			began := time.Now()
			if err := runOnce(a.ctx, engine, operation, a.call); err != nil {
				b.Fatal(err)
			}
			through = append(through, time.Since(began))
		},
	}
	n := 0
	for b.Loop() {
		a := askings[n%len(askings)]
		first := n / len(askings) % 2 // who comes second finds warmer caches
		ways[first](a)
		ways[1-first](a)
		n++
	}
	median := func(of []time.Duration) float64 {
		slices.Sort(of)
		return float64(of[len(of)/2]) / float64(time.Microsecond)
	}
	added := median(through) - median(direct)
	b.ReportMetric(median(direct), "direct-µs")
	b.ReportMetric(median(through), "gateway-µs")
	b.ReportMetric(added, "added-µs")
	b.ReportMetric(100*added/median(direct), "added-%")
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
}

// alone measures the gateway over replies that are there already.
func (s *stage) alone(b *testing.B, document string) {
	_, _, recorder, askings := s.record(b, s.dispatcher, document, 1)
	memory := &recorded{fetches: askings[0].fetches}
	engine, err := graph.New(s.super, &guard.Breakers{Inner: memory}, graph.Options{Dedupe: graph.DedupeSubgraph})
	if err != nil {
		b.Fatal(err)
	}
	operation, refused := engine.Prepare(document, "")
	if len(refused) > 0 || len(recorder.prepared) != len(memory.fetches) {
		b.Fatal(refused, len(recorder.prepared), len(memory.fetches))
	}
	a := askings[0]
	b.ReportAllocs()
	for b.Loop() {
		if err := runOnce(a.ctx, engine, operation, a.call); err != nil {
			b.Fatal(err)
		}
	}
}

func (s *stage) manifestBody(b *testing.B, client, name string) string {
	for _, operation := range s.manifests.Operations(client) {
		if operation.Name == name {
			return operation.Body
		}
	}
	b.Fatalf("the manifest of %s has no %s", client, name)
	return ""
}

// httpDispatcher reaches the subgraphs over HTTP, each at a listener of its own.
func (s *stage) httpDispatcher(b *testing.B) dispatch.Dispatcher {
	urls := map[string]string{}
	for _, subgraph := range s.super.Subgraphs {
		r := s.running[subgraph.Name]
		server := httptest.NewServer(transport.NewSubgraph(transport.SubgraphOptions{
			Schema: r.Executable(), Context: r.Context, Authenticator: authenticator{verifier: s.ground.verifier}}))
		b.Cleanup(server.Close)
		urls[subgraph.ID] = server.URL + "/graphql"
	}
	d, err := dispatch.NewHTTP(urls, dispatch.HTTPOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(d.CloseIdle)
	return d
}
