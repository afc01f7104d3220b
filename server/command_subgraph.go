package main

import (
	"context"

	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/server/embedded"
)

// subgraph serves one of ours on its own, for a gateway that reaches it by URL.
// Of several processes over one data folder the first runs the state, the
// others attach to it.
func subgraph(ctx context.Context, line *config.Line, at terminal) error {
	settings := line.Subgraph
	development := settings.Mode == "development"
	proxies, err := settings.Proxies()
	if err != nil {
		return err
	}
	months, err := settings.Months()
	if err != nil {
		return err
	}
	if err := checkPublicURL(settings.Public); err != nil {
		return err
	}
	p := newProcess(line, settings.Listener, development, true, at)
	state := p.state(settings.State, embedded.OpenOrAttach)
	p.serve(func(ctx context.Context) (*service, error) {
		outside, err := newProviders(settings.Providers, development, p.log)
		if err != nil {
			return nil, err
		}
		return wireSubgraph(ctx, settings.Name, installation{
			State:       state(),
			Development: development,
			Outside:     outside,
			Scale:       "none",
			Log:         p.log,
			Logs:        p.shipper,
			LogMonths:   months,
			Metrics:     p.counted(),
			Tracer:      p.tracing.Tracer(),
			Proxies:     proxies,
			URL:         "http://" + p.listener.bound(),
			PublicURL:   settings.PublicURL,
		})
	})
	return p.run(ctx, nil)
}
