package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/server/telemetry"
	"github.com/citizencloud/citizencloud/server/transport"
)

// observer tells the log and the metrics what a gateway does. Where nobody looks
// at metrics, nothing is counted.
type observer struct {
	failures *telemetry.Failures
	metrics  *telemetry.Gateway   // nil where nobody looks, and so is
	registry *prometheus.Registry // this
}

func newObserver(log *slog.Logger, registry *prometheus.Registry) *observer {
	o := &observer{failures: telemetry.NewFailures(log), registry: registry}
	if registry != nil {
		o.metrics = telemetry.NewGateway(registry)
	}
	return o
}

// watch times the fetches that are really sent.
func (o *observer) watch(d dispatch.Dispatcher, super *supergraph.Supergraph) dispatch.Dispatcher {
	if o.metrics == nil {
		return d
	}
	return &dispatch.Watch{Inner: d, Ended: func(ctx context.Context, f dispatch.Fetched) {
		asked, status := transport.AskedOf(ctx), "ok"
		if f.Err != nil {
			status = dispatch.Reason(f.Err)
		}
		o.metrics.Fetched(super.Subgraph(f.Subgraph).Name, asked.Client, asked.Operation, status, f.Bytes, f.Took)
	}}
}

// longestName bounds an operation's name in the log: clients choose it.
const longestName = 64

// options are those of the engine, observed.
func (o *observer) options(options graph.Options) graph.Options {
	options.Failed = func(ctx context.Context, f graph.FailedFetch) {
		asked := transport.AskedOf(ctx)
		o.failures.Failed(ctx, telemetry.Failed{Subgraph: f.Subgraph, Client: asked.Client, Operation: f.Operation[:min(len(f.Operation), longestName)], Reason: f.Reason, Error: f.Err})
		if o.metrics != nil {
			o.metrics.Failed(f.Subgraph, f.Reason)
		}
	}
	if o.metrics != nil {
		options.Prepared = func(p graph.Preparation) {
			o.metrics.Prepared("parse", p.Parse)
			o.metrics.Prepared("validate", p.Validate)
			o.metrics.Prepared("plan", p.Plan)
			o.metrics.Prepared("compile", p.Compile)
		}
	}
	return options
}

// engine shows how the engine's cache of prepared operations serves.
func (o *observer) engine(e *graph.Engine) {
	if o.registry == nil {
		return
	}
	const name, help = "citizencloud_preparations_total", "Requests by whether their operation was prepared before (hit), had to be (miss), or was refused."
	telemetry.Count(o.registry, name, help, "hit", func() float64 { return float64(e.Stats().Hits) })
	telemetry.Count(o.registry, name, help, "miss", func() float64 { s := e.Stats(); return float64(s.Misses - s.Refused) })
	telemetry.Count(o.registry, name, help, "refused", func() float64 { return float64(e.Stats().Refused) })
	telemetry.Gauge(o.registry, "citizencloud_prepared_operations", "Operations that are kept prepared.",
		func() float64 { return float64(e.Stats().Kept) })
}

// observe counts what ends in transport; nil where nobody looks.
func observe(registry *prometheus.Registry) func(transport.Observation) {
	if registry == nil {
		return nil
	}
	operations := telemetry.NewOperations(registry)
	return func(o transport.Observation) {
		operations.Ended(o.Client, o.Operation, o.Kind, o.Status, o.Errors, o.Duration)
	}
}

// showLoad shows what a server has in hand.
func showLoad(registry *prometheus.Registry, server *transport.Server) {
	if registry == nil {
		return
	}
	for _, gauge := range []struct {
		name, help string
		value      func(transport.Load) int
	}{
		{"citizencloud_operations_in_flight", "Queries and mutations that run now.", func(l transport.Load) int { return l.Running }},
		{"citizencloud_subscriptions", "Subscriptions that run now.", func(l transport.Load) int { return l.Subscriptions }},
		{"citizencloud_streams", "Open connections of server-sent events and WebSockets.", func(l transport.Load) int { return l.Streams }},
	} {
		telemetry.Gauge(registry, gauge.name, gauge.help, func() float64 { return float64(gauge.value(server.Load())) })
	}
}
