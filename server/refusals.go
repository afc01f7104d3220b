package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/server/telemetry"
	"github.com/citizencloud/citizencloud/server/transport"
)

// refusedAction is what the audit log calls the refusals of one minute.
const refusedAction = "gateway.refused"

// The bounds of what is remembered of a minute, whatever comes in.
const (
	refusalsEvery = time.Minute
	mostKinds     = 200  // codes times clients
	mostAddresses = 1000 // of one kind
)

// notTheClients are the codes of what the platform itself could not do: they
// stand in metrics and the log, and accuse nobody.
var notTheClients = []string{"INTERNAL", "SERVER_DRAINING", "SERVICE_DEGRADED", "SUBGRAPH_UNAVAILABLE", "SUBSCRIBER_TOO_SLOW", "SUBSCRIPTION_BROKEN",
	"GRAPHQL_PLANNING_FAILED", "SUBREQUEST_FAILED", "INVALID_RESPONSE", "RESPONSE_TOO_LARGE"}

// refusals counts what the gateway turns away and writes, once a minute, one
// audit record for each code and client: an attack of a million requests is a
// few rows.
type refusals struct {
	db  *database.DB
	now func() time.Time
	log *slog.Logger

	mu    sync.Mutex
	since time.Time
	kinds map[refusalKind]*refusalCount
}

type refusalKind struct{ code, client string }

type refusalCount struct {
	times     int
	addresses map[netip.Addr]int
	operation string // that was refused first, where a manifest names it
}

func newRefusals(db *database.DB, now func() time.Time, log *slog.Logger) *refusals {
	return &refusals{db: db, now: now, log: log, since: now(), kinds: map[refusalKind]*refusalCount{}}
}

// count takes one refusal.
func (r *refusals) count(refused transport.Refused) {
	if slices.Contains(notTheClients, refused.Code) {
		return
	}
	kind := refusalKind{refused.Code, refused.Client}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.kinds[kind]
	if known == nil {
		if len(r.kinds) >= mostKinds {
			kind = refusalKind{"OTHER", transport.Other}
		}
		if known = r.kinds[kind]; known == nil {
			known = &refusalCount{addresses: map[netip.Addr]int{}}
			r.kinds[kind] = known
		}
	}
	known.times++
	if known.operation == "" && refused.Operation != transport.Other {
		known.operation = refused.Operation
	}
	if _, seen := known.addresses[refused.Address]; seen || len(known.addresses) < mostAddresses {
		known.addresses[refused.Address]++
	}
}

// run writes what was counted each minute, and the last of it at the end.
func (r *refusals) run(ctx context.Context) error {
	ticker := time.NewTicker(refusalsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return r.write(context.WithoutCancel(ctx))
		case <-ticker.C:
			if err := r.write(ctx); err != nil {
				r.log.ErrorContext(ctx, "refusals of the gateway not recorded, will try again", "error", err)
			}
		}
	}
}

// write puts what was counted into the audit log; what fails is kept for the
// next time.
func (r *refusals) write(ctx context.Context) error {
	r.mu.Lock()
	kinds, since := r.kinds, r.since
	r.kinds, r.since = map[refusalKind]*refusalCount{}, r.now()
	r.mu.Unlock()
	if len(kinds) == 0 {
		return nil
	}
	records := make([]audit.Record, 0, len(kinds))
	for kind, counted := range kinds {
		records = append(records, counted.record(kind, since, r.now()))
	}
	slices.SortFunc(records, func(a, b audit.Record) int { return strings.Compare(a.Result+" "+a.Client, b.Result+" "+b.Client) })
	ctx, cancel := context.WithTimeout(access.AsSystem(ctx, "gateway"), 10*time.Second)
	defer cancel()
	err := r.db.Write(ctx, func(tx *sqlx.Tx) error { return audit.Append(ctx, tx, "platform", records...) })
	if err != nil {
		r.keep(kinds, since)
	}
	return err
}

// keep takes back what could not be written.
func (r *refusals) keep(kinds map[refusalKind]*refusalCount, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since = since
	for kind, later := range r.kinds {
		before := kinds[kind]
		if before == nil {
			if len(kinds) >= mostKinds {
				continue
			}
			kinds[kind] = later
			continue
		}
		before.times += later.times
		for address, times := range later.addresses {
			if _, seen := before.addresses[address]; seen || len(before.addresses) < mostAddresses {
				before.addresses[address] += times
			}
		}
	}
	r.kinds = kinds
}

// record is the minute's refusals of one kind: how many, from how many
// addresses, and the address that most came from.
func (c *refusalCount) record(kind refusalKind, since, until time.Time) audit.Record {
	most, times := netip.Addr{}, 0
	for address, n := range c.addresses {
		if n > times || n == times && address.Less(most) {
			most, times = address, n
		}
	}
	address := ""
	if most.IsValid() {
		address = most.String()
	}
	after, _ := json.Marshal(map[string]any{ // of numbers and texts
		"times": c.times, "addresses": len(c.addresses), "timesOfAddress": times, "operation": c.operation,
		"since": since.UTC().Format(time.RFC3339), "until": until.UTC().Format(time.RFC3339),
	})
	return audit.Record{
		ID: uuid.Must(uuid.NewV7()).String(), At: until.UTC().Truncate(time.Microsecond), Subgraph: "gateway", Action: refusedAction, Result: kind.code,
		Actor: audit.Actor{Kind: access.System, ID: "gateway", Name: "gateway"}, Client: kind.client, Address: address,
		Changes: []audit.Entry{{Target: audit.Target{Kind: "Gateway", ID: kind.code}, After: after}},
	}
}

// refusedMetric counts refusals by code and client; nil where nobody looks.
func refusedMetric(registry *prometheus.Registry) func(transport.Refused) {
	if registry == nil {
		return nil
	}
	counter := telemetry.NewRefusals(registry)
	return func(r transport.Refused) { counter.Refused(r.Client, r.Code) }
}

// both tells the one and the other; either may be nil.
func both(one, other func(transport.Refused)) func(transport.Refused) {
	switch {
	case one == nil:
		return other
	case other == nil:
		return one
	}
	return func(r transport.Refused) { one(r); other(r) }
}
