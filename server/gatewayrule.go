package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/subgraphs/platform/gatewayrule"
)

// rulesEvery is how often the rules are read without a cause: an event may be
// lost, and an operator may write into the database by hand.
const rulesEvery = time.Minute

// ruleKeeper keeps the gateway's rules as the database has them.
type ruleKeeper struct {
	service *gatewayrule.Service
	rules   *guard.Rules
	super   *supergraph.Supergraph
	log     *slog.Logger
}

// load puts the rules in force that were committed last.
func (k *ruleKeeper) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	found, err := k.service.InForce(ctx)
	if err != nil {
		return err
	}
	rules := make([]guard.Rule, 0, len(found))
	for _, r := range found {
		rules = append(rules, guard.Rule{
			Resource: k.resource(r.Resource), Kind: guard.Kind(r.Kind), Threshold: r.Threshold, Burst: r.Burst, Pause: r.Pause(), Message: r.Message,
		})
	}
	return k.rules.Set(rules)
}

// resource is what the gateway calls a rule's resource: fetches name a subgraph
// as the supergraph's plans do.
func (k *ruleKeeper) resource(name string) string {
	of, ok := strings.CutPrefix(name, "subgraph:")
	if !ok {
		return name
	}
	for _, subgraph := range k.super.Subgraphs {
		if subgraph.Name == of {
			return "subgraph:" + subgraph.ID
		}
	}
	return name
}

// run loads the rules again whenever they change, until the context ends. What
// fails is logged, and those in force stay.
func (k *ruleKeeper) run(ctx context.Context, bus *event.Bus, now func() time.Time) error {
	changed := make(chan struct{}, 1)
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	defer func() { cancel(); <-ended }()
	go func() {
		defer close(ended)
		ticker := time.NewTicker(rulesEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			case <-changed:
			}
			if err := k.load(ctx); err != nil && ctx.Err() == nil {
				k.log.ErrorContext(ctx, "the gateway's rules could not be read; those in force stay", "error", err)
			}
		}
	}()
	return bus.Since(ctx, gatewayrule.Changed, now().Add(-rulesEvery), func(event.Event) {
		select {
		case changed <- struct{}{}:
		default: // it will be read anyway
		}
	})
}
