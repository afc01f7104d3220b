package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencloud/citizencloud/clients"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/plan"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/server/footprint"
	"github.com/citizencloud/citizencloud/server/transport"
)

// gateway serves any federated graph: no state, every operation allowed;
// Authorization and the trace headers go on to the subgraphs. Who asks, and what
// the supergraph's access rules let them see, is looked at where a flag says so.
func gateway(ctx context.Context, line *config.Line, at terminal) error {
	settings := line.Gateway
	super, err := loadSupergraph(settings.Supergraph)
	if err != nil {
		return err
	}
	dispatcher, err := overHTTP(super, nil, settings.Timeout)
	if err != nil {
		return fmt.Errorf("the supergraph %s cannot be used: %w", settings.Supergraph, err)
	}
	development := settings.Mode == "development"
	p := newProcess(line, settings.Listener, development, settings.NatsURL != "", at)
	p.serve(func(ctx context.Context) (*service, error) {
		observer := newObserver(p.log, p.counted())
		engine, err := graph.New(super, observer.watch(dispatcher, super), observer.options(graph.Options{
			Dedupe:        dedupe(settings.Dedupe),
			Timeout:       settings.Timeout,
			Authorization: enforcement(settings.Authorization),
			Demand:        settings.MaxCost > 0,
			Plan:          plan.Options{Labels: settings.Label},
		}))
		if err != nil {
			return nil, fmt.Errorf("the supergraph %s cannot be used: %w", settings.Supergraph, err)
		}
		observer.engine(engine)
		authenticator, err := bearers(ctx, settings.Access, p.log)
		if err != nil {
			return nil, err
		}
		options := transport.Options{
			Engine:        transport.NewGeneration(engine),
			Authenticator: authenticator,
			MaxCost:       sameCost(settings.MaxCost),
			Logger:        p.log,
			Observe:       observe(p.counted()),
			Refused:       refusedMetric(p.counted()),
			Tracer:        p.tracing.Tracer(),
			Explain:       development,
		}
		if development {
			options.Explorer, _ = clients.Explorer()
		}
		server := transport.New(options)
		showLoad(p.counted(), server)
		stop, err := p.collect(settings.NatsURL)
		if err != nil {
			return nil, err
		}
		footprint.Trim()
		return &service{Handler: server, Drain: server.Drain, Stop: stop}, nil
	})
	return p.run(ctx, nil)
}

// collect sends the lines of the log to the platform's NATS, if there is a URL
// of it; stop sends the last of them. A NATS that is away keeps nobody waiting:
// lines that it does not take are counted.
func (p *process) collect(url string) (stop func(context.Context) error, err error) {
	if url == "" {
		return nil, nil
	}
	conn, err := connect(url, nats.RetryOnFailedConnect(true))
	if err != nil {
		return nil, err
	}
	stream, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("connecting to NATS: %w", err)
	}
	end := ship(p.shipper, stream)
	return func(context.Context) error { end(); conn.Close(); return nil }, nil
}

// loadSupergraph reads and checks a composed supergraph.
func loadSupergraph(path string) (*supergraph.Supergraph, error) {
	text, err := readFile(path, "supergraph")
	if err != nil {
		return nil, err
	}
	super, err := supergraph.Load(text)
	if err != nil {
		return nil, fmt.Errorf("the supergraph %s cannot be used: %w", path, err)
	}
	return super, nil
}

// readFile reads a file that a flag named; what says what it should have been.
func readFile(path, what string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		var named *fs.PathError
		if errors.As(err, &named) {
			err = named.Err
		}
		return "", fmt.Errorf("the %s %s cannot be read: %w", what, path, err)
	}
	return string(content), nil
}

// overHTTP reaches each subgraph at the URL in the supergraph; urls, by the
// subgraph's name, go before that.
func overHTTP(super *supergraph.Supergraph, urls map[string]string, timeout time.Duration) (dispatch.Dispatcher, error) {
	byID := make(map[string]string, len(super.Subgraphs))
	for _, subgraph := range super.Subgraphs {
		byID[subgraph.ID] = subgraph.URL
		if url, given := urls[subgraph.Name]; given {
			byID[subgraph.ID] = url
		}
	}
	return dispatch.NewHTTP(byID, dispatch.HTTPOptions{Timeout: timeout})
}
