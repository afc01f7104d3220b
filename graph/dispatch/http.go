package dispatch

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// HTTPOptions bound what one subgraph may take; zero values mean the defaults.
type HTTPOptions struct {
	// Timeout of one fetch, connecting included; 10 s.
	Timeout time.Duration
	// MaxReply is the greatest reply in bytes; 64 MB.
	MaxReply int
	// MaxFetches is the number of fetches from one host at a time; others wait. 1,024.
	MaxFetches int
	// MaxIdle is the number of idle connections kept to one host; 256.
	MaxIdle int
	// WebSocket names the subgraphs whose subscriptions run over
	// graphql-transport-ws, with the URL; all others run over server-sent events.
	WebSocket map[string]string
	// TLS is the configuration for https and wss URLs.
	TLS *tls.Config
}

// HTTP reaches subgraphs by URL with an HTTP/1.1 client of its own: a request
// is one write, a reply is read straight into the buffer that the decoder
// reads, and connections are kept.
type HTTP struct {
	options HTTPOptions
	urls    map[string]*url.URL
	hosts   map[string]*host // by scheme and address
}

// NewHTTP returns a dispatcher to the subgraphs' URLs, by the enum value.
func NewHTTP(urls map[string]string, o HTTPOptions) (*HTTP, error) {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxReply == 0 {
		o.MaxReply = 64 << 20
	}
	if o.MaxIdle == 0 {
		o.MaxIdle = 256
	}
	if o.MaxFetches == 0 {
		o.MaxFetches = 1024
	}
	h := &HTTP{options: o, urls: map[string]*url.URL{}, hosts: map[string]*host{}}
	for subgraph, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("dispatch: URL of %s: %w", subgraph, err)
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("dispatch: URL of %s is not an http or https URL", subgraph)
		}
		h.urls[subgraph] = u
		key := u.Scheme + "://" + u.Host
		if h.hosts[key] == nil {
			h.hosts[key] = newHost(u, &h.options)
		}
	}
	return h, nil
}

// CloseIdle closes the connections that no fetch uses.
func (h *HTTP) CloseIdle() {
	for _, host := range h.hosts {
		host.closeIdle()
	}
}

// Prepare implements Dispatcher.
func (h *HTTP) Prepare(d *Document) (Prepared, error) {
	u := h.urls[d.Subgraph]
	if u == nil {
		return nil, fmt.Errorf("dispatch: no URL for subgraph %s", d.Subgraph)
	}
	query, err := json.Marshal(d.Text)
	if err != nil {
		return nil, fmt.Errorf("dispatch: encode document: %w", err)
	}
	p := &httpPrepared{
		http:     h,
		host:     h.hosts[u.Scheme+"://"+u.Host],
		url:      u,
		document: d,
		again:    d.Operation == ast.Query,
		query:    query,
	}
	p.head = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"+
		"Accept: application/graphql-response+json, application/json;q=0.9\r\nUser-Agent: citizencloud\r\n", u.RequestURI(), u.Host)
	if user := u.User; user != nil {
		return nil, errors.New("dispatch: a URL must not hold a password")
	}
	return p, nil
}

// httpPrepared is a document ready to be sent.
type httpPrepared struct {
	http     *HTTP
	host     *host
	url      *url.URL
	document *Document
	head     []byte // request line and fixed headers
	query    []byte // the document as a JSON string
	again    bool   // may be sent twice
}

// Fetch implements Prepared.
func (p *httpPrepared) Fetch(ctx context.Context, request *Request) (*Reply, error) {
	deadline := time.Now().Add(p.http.options.Timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := p.host.enter(ctx, deadline); err != nil {
		return nil, fmt.Errorf("dispatch: fetch from %s: %w", p.document.Subgraph, err)
	}
	defer p.host.leave()
	for attempt := 0; ; attempt++ {
		c, err := p.host.get(ctx, deadline, attempt > 0, !p.again)
		if err != nil {
			return nil, fmt.Errorf("dispatch: connect to %s: %w", p.document.Subgraph, err)
		}
		reply, err := c.roundTrip(ctx, p, request, deadline)
		if err == nil {
			return reply, nil
		}
		c.close()
		// A kept connection may have been closed by the other side meanwhile: once more on a fresh one.
		if c.used && c.silent && p.again && attempt == 0 && ctx.Err() == nil && !errors.Is(err, errTimeout) {
			continue
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("dispatch: fetch from %s: %w", p.document.Subgraph, err)
	}
}

var (
	errTimeout  = errors.New("time is up")
	errTooLarge = errors.New("reply is too large")
	errProtocol = errors.New("reply is not HTTP/1.1")
)

// timely says errTimeout for the network's own time-out errors.
func timely(err error) error {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return errTimeout
	}
	return err
}
