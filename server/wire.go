package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/citizencloud/citizencloud/clients"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/graph"
	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/graph/persisted"
	"github.com/citizencloud/citizencloud/graph/supergraph"
	"github.com/citizencloud/citizencloud/schema"
	"github.com/citizencloud/citizencloud/server/transport"
	"github.com/citizencloud/citizencloud/subgraphs/platform/gatewayrule"
	"github.com/citizencloud/citizencloud/subgraphs/platform/oidc"
)

// Limits that the whole platform's gateway sets; a rule may tighten them.
var (
	perAddress = guard.Rate{PerSecond: 200, Burst: 400} // offices and operators' networks share addresses
	perSubject = guard.Rate{PerSecond: 50, Burst: 100}
)

// whole is the platform: the gateway over the four subgraphs.
type whole struct {
	ground     *ground
	super      *supergraph.Supergraph
	running    map[string]resolvers // those in this process
	dispatcher dispatch.Dispatcher
	engine     *graph.Engine
	manifests  *persisted.Manifests
	background *background
	ended      *revocation
	apps       *applications
	rules      *ruleKeeper
	refused    *refusals
}

// wirePlatform builds the gateway over all subgraphs.
func wirePlatform(ctx context.Context, in installation) (*service, error) {
	w, err := newWhole(ctx, in)
	if err != nil {
		return nil, err
	}
	return w.service(in), nil
}

func newWhole(ctx context.Context, in installation) (_ *whole, err error) {
	w := &whole{running: map[string]resolvers{}, ended: &revocation{}}
	if w.ground, err = newGround(ctx, in); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.ground.close())
		}
	}()
	if err := prepareDatabase(ctx, in, w.ground, components()); err != nil {
		return nil, err
	}
	var relays []*outbox.Relay
	for _, c := range components() {
		if _, remote := in.Remote[c.name]; !remote {
			w.running[c.name] = c.resolvers(w.ground, in)
			relays = append(relays, c.relay(w.ground, in))
		}
	}
	w.apps = newApplications(w.ground, in, w.running["platform"], true)
	if err := w.connect(in); err != nil {
		return nil, err
	}
	if err := w.rules.load(ctx); err != nil {
		return nil, err
	}
	w.background = startBackground(w.running, relays, in.Log)
	w.background.keep("ended sessions", func(ctx context.Context) error { return w.ended.run(ctx, w.ground.bus, w.ground.now) })
	w.refused = newRefusals(w.ground.db, w.ground.now, in.Log)
	w.background.keep("refusals", w.refused.run)
	w.background.keep("applications", func(ctx context.Context) error { return w.apps.run(ctx, w.ground.bus) })
	w.background.keep("gateway rules", func(ctx context.Context) error { return w.rules.run(ctx, w.ground.bus, w.ground.now) })
	return w, nil
}

// connect builds the engine over the subgraphs in the process and by URL, and
// prepares every operation of every manifest.
func (w *whole) connect(in installation) (err error) {
	if w.super, err = supergraph.Load(schema.Supergraph); err != nil {
		return err
	}
	w.rules = &ruleKeeper{service: &gatewayrule.Service{DB: w.ground.db}, rules: &guard.Rules{}, super: w.super, log: in.Log}
	ways, locals := dispatch.Mixed{}, map[string]dispatch.Local{}
	for _, subgraph := range w.super.Subgraphs {
		if r, ok := w.running[subgraph.Name]; ok {
			locals[subgraph.ID] = local(r)
		}
	}
	inProcess := dispatch.NewInProcess(locals)
	overHTTP, err := overHTTP(w.super, in.Remote, 0)
	if err != nil {
		return err
	}
	for _, subgraph := range w.super.Subgraphs {
		if _, remote := in.Remote[subgraph.Name]; remote {
			ways[subgraph.ID] = overHTTP
		} else {
			ways[subgraph.ID] = inProcess
		}
	}
	w.dispatcher = ways
	observer := newObserver(in.Log, in.Metrics)
	w.engine, err = graph.New(w.super, &guard.Breakers{Inner: observer.watch(ways, w.super), Rules: w.rules.rules}, observer.options(graph.Options{
		Dedupe: in.Dedupe, Authorization: graph.AuthorizationFilter, Demand: maxCost(in.MaxCosts) != nil || in.Development,
	}))
	if err != nil {
		return err
	}
	observer.engine(w.engine)
	if w.manifests, err = loadManifests(); err != nil {
		return err
	}
	for _, failure := range persisted.Warm(w.manifests, w.prepare) {
		in.Log.Error("an operation of a manifest does not fit the schema", "client", failure.Client, "operation", failure.Operation, "error", failure.Err)
	}
	return nil
}

func (w *whole) prepare(document, name string) error {
	if _, refused := w.engine.Prepare(document, name); len(refused) > 0 {
		return refused
	}
	return nil
}

// local is a subgraph in the process as the dispatcher needs it.
func local(r resolvers) dispatch.Local {
	return dispatch.Local{
		Schema:         r.Executable(),
		ErrorPresenter: fault.Present,
		Recover:        fault.Recover,
		Operations: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			return next(r.Context(ctx))
		},
	}
}

func loadManifests() (*persisted.Manifests, error) {
	all := map[string][]byte{}
	for _, client := range clients.Names() {
		manifest, err := clients.Manifest(client)
		if err != nil {
			return nil, err
		}
		all[client] = manifest
	}
	return persisted.Load(all)
}

// logTaker is who takes what clients log.
type logTaker interface {
	LogHandler(clients []string, address func(*http.Request) netip.Addr) http.Handler
}

// addresses tells whose request it is, behind proxies of the networks.
func addresses(proxies []netip.Prefix) func(*http.Request) netip.Addr {
	return func(r *http.Request) netip.Addr { return transport.Address(r, proxies) }
}

// service serves the whole.
func (w *whole) service(in installation) *service {
	policy := &persisted.Policy{Mode: persisted.Production, Store: w.manifests, PersistedOnly: map[string]bool{clients.Partner: true}}
	options := transport.Options{
		Engine:         transport.NewGeneration(w.engine),
		Operations:     policy,
		Authenticator:  authenticator{w.ground.verifier, w.ended, w.apps},
		Gate:           &guard.Gate{PerAddress: perAddress, PerSubject: perSubject, Rules: w.rules.rules, Buckets: guard.NewLimiter(100_000)},
		MaxCost:        maxCost(in.MaxCosts),
		Compress:       true,
		TrustedProxies: in.Proxies,
		Ready:          w.ready,
		Observe:        observe(in.Metrics),
		Refused:        both(w.refused.count, refusedMetric(in.Metrics)),
		Tracer:         in.Tracer,
		Logger:         in.Log,
	}
	if in.Development {
		policy.Mode, policy.Automatic = persisted.Development, persisted.NewAutomatic(16<<20)
		options.Explorer, _ = clients.Explorer()
		options.Explain = true
		options.Gate.PerAddress, options.Gate.PerSubject = guard.Rate{}, guard.Rate{} // one machine plays all the citizens
	}
	server := transport.New(options)
	showLoad(in.Metrics, server)
	mux := http.NewServeMux()
	mux.Handle("/", server)
	screen, _ := clients.Screen()
	mux.Handle("/screen/", transport.WebClient("/screen/", screen))
	mux.Handle("GET /screen", http.RedirectHandler("/screen/", http.StatusFound))
	if taker, ok := w.running["platform"].(logTaker); ok {
		mux.Handle("/logs", taker.LogHandler(clients.Names(), addresses(in.Proxies)))
	} else if url, remote := in.Remote["platform"]; remote {
		mux.Handle("/logs", passOn(url, in.Proxies))
	}
	if beside, ok := w.running["platform"].(handlers); ok {
		mux.Handle("/files", beside.FileHandler())
		mux.Handle("/files/", beside.FileHandler())
		mux.Handle(oidc.Path+"/", beside.OpenIDHandler())
		mux.Handle("/development/inbox", beside.InboxHandler())
		mux.Handle("POST /messages/receipts/{provider}", beside.ReceiptHandler())
	} else if url, remote := in.Remote["platform"]; remote {
		mux.Handle("/files", passOn(url, in.Proxies))
		mux.Handle("/files/", passOn(url, in.Proxies))
		mux.Handle("POST /messages/receipts/{provider}", passOn(url, in.Proxies))
		mux.Handle(oidc.Path+"/", passOn(url, in.Proxies))
		if in.Development {
			mux.Handle("/development/inbox", passOn(url, in.Proxies))
		}
	}
	w.payments(mux, in)
	return &service{Handler: mux, Drain: server.Drain, Stop: w.stop}
}

// payments serves what payment channels tell and, in development mode, their simulated cashier.
func (w *whole) payments(mux *http.ServeMux, in installation) {
	var notices, cashier http.Handler
	if beside, ok := w.running["citizen"].(payee); ok {
		notices, cashier = beside.NoticeHandler(), beside.CashierHandler()
	} else if url, remote := in.Remote["citizen"]; remote {
		notices, cashier = passOn(url, in.Proxies), passOn(url, in.Proxies)
	} else {
		return
	}
	mux.Handle("POST /payments/notices/{channel}", notices)
	if in.Development {
		mux.Handle("POST /development/payments/{order}", cashier)
	}
}

// ready says whether the database answers; the rest shows in the answers.
func (w *whole) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := w.ground.db.Ping(ctx); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	return nil
}

func (w *whole) stop(ctx context.Context) error {
	return errors.Join(w.background.stop(ctx), w.ground.close())
}
