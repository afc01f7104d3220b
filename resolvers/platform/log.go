package platform

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/executable"
	"github.com/citizencloud/citizencloud/subgraphs/platform/log"
)

// collectLogs stores the logs that come through the stream until the context ends.
func (r *Resolver) collectLogs(ctx context.Context) error {
	stream := r.deps.Bus.JetStream()
	if err := log.Ensure(ctx, stream, 1); err != nil {
		return err
	}
	collector := &log.Collector{DB: r.deps.DB, Months: r.deps.LogMonths, Now: r.deps.Now, Log: r.deps.Log}
	return collector.Run(ctx, stream)
}

// LogHandler serves POST /logs, by which the clients of the names tell what
// they log; address tells whose request it is.
func (r *Resolver) LogHandler(clients []string, address func(*http.Request) netip.Addr) http.Handler {
	return &log.Intake{Stream: r.deps.Bus.JetStream(), Redis: r.deps.Redis, Clients: clients, Address: address, Now: r.deps.Now, Log: r.deps.Log,
		Principal: func(request *http.Request) *access.Principal {
			bearer, ok := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
			if !ok {
				return nil
			}
			p, _, err := r.deps.Verifier.Access(bearer)
			if err != nil || p.Confined != "" {
				return nil
			}
			return p
		}}
}

func logConnection(page log.Page) *executable.LogEntryConnection {
	edges := make([]*executable.LogEntryEdge, len(page.Entries))
	for i, e := range page.Entries {
		edges[i] = &executable.LogEntryEdge{Cursor: keyset.Cursor(e.Key()...), Node: *e}
	}
	return &executable.LogEntryConnection{Edges: edges, PageInfo: *page.Info}
}
