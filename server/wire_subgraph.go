package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"

	"github.com/citizencloud/citizencloud/clients"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/server/transport"
	"github.com/citizencloud/citizencloud/subgraphs/platform/oidc"
)

// wireSubgraph builds one subgraph, with what it serves beside GraphQL.
func wireSubgraph(ctx context.Context, name string, in installation) (_ *service, err error) {
	c, err := componentNamed(name)
	if err != nil {
		return nil, err
	}
	g, err := newGround(ctx, in)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	if err := prepareDatabase(ctx, in, g, []component{c}); err != nil {
		return nil, err
	}
	if in.Proxies == nil { // the gateway beside, as for GraphQL
		in.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	r := c.resolvers(g, in)
	ended := &revocation{}
	var platform resolvers
	if name == "platform" {
		platform = r
	}
	apps := newApplications(g, in, platform, false) // the gateway counts
	server := transport.NewSubgraph(transport.SubgraphOptions{
		Schema: r.Executable(), Context: r.Context, Authenticator: authenticator{g.verifier, ended, apps},
		Gateways: in.Proxies,
		Ready:    func() error { return g.db.Ping(context.Background()) }, Logger: in.Log,
		Observe: observe(in.Metrics), Tracer: in.Tracer,
	})
	showLoad(in.Metrics, server)
	mux := http.NewServeMux()
	mux.Handle("/", server)
	if taker, ok := r.(logTaker); ok {
		mux.Handle("/logs", taker.LogHandler(clients.Names(), addresses(transport.Gateways(in.Proxies))))
	}
	if beside, ok := r.(handlers); ok {
		mux.Handle("/files", beside.FileHandler())
		mux.Handle("/files/", beside.FileHandler())
		mux.Handle(oidc.Path+"/", beside.OpenIDHandler())
		mux.Handle("/development/inbox", beside.InboxHandler())
		mux.Handle("POST /messages/receipts/{provider}", beside.ReceiptHandler())
	}
	if beside, ok := r.(payee); ok {
		mux.Handle("POST /payments/notices/{channel}", beside.NoticeHandler())
		if in.Development {
			mux.Handle("POST /development/payments/{order}", beside.CashierHandler())
		}
	}
	work := startBackground(map[string]resolvers{name: r}, []*outbox.Relay{c.relay(g, in)}, in.Log)
	work.keep("ended sessions", func(ctx context.Context) error { return ended.run(ctx, g.bus, g.now) })
	work.keep("applications", func(ctx context.Context) error { return apps.run(ctx, g.bus) })
	return &service{Handler: mux, Drain: server.Drain, Stop: func(ctx context.Context) error {
		return errors.Join(work.stop(ctx), g.close())
	}}, nil
}

// passOn hands requests for files, logs and the inbox to the platform subgraph's
// process, with the address of who asks; subgraph is the URL of its GraphQL.
func passOn(subgraph string, proxies []netip.Prefix) http.Handler {
	target, err := url.Parse(subgraph)
	if err != nil {
		return http.NotFoundHandler()
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: target.Scheme, Host: target.Host})
		r.SetXForwarded()
		if address := transport.Address(r.In, proxies); address.IsValid() {
			r.Out.Header.Set("X-Forwarded-For", address.String())
		}
	}}
}
