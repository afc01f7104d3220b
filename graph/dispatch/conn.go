package dispatch

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// idleFor is how long an unused connection is kept.
const idleFor = 60 * time.Second

// host keeps the connections to one address.
type host struct {
	address string
	tls     *tls.Config
	maxIdle int
	options *HTTPOptions
	fetches chan struct{} // holds a token for each fetch under way

	mu   sync.Mutex
	idle []*conn // the one used last at the end
}

func newHost(u *url.URL, o *HTTPOptions) *host {
	h := &host{address: u.Host, maxIdle: o.MaxIdle, options: o, fetches: make(chan struct{}, o.MaxFetches)}
	port := u.Port()
	if u.Scheme == "https" {
		h.tls = o.TLS.Clone()
		if h.tls == nil {
			h.tls = &tls.Config{}
		}
		h.tls.ServerName = u.Hostname()
		h.tls.NextProtos = []string{"http/1.1"}
		if port == "" {
			port = "443"
		}
	} else if port == "" {
		port = "80"
	}
	h.address = net.JoinHostPort(u.Hostname(), port)
	return h
}

// enter waits until a fetch may begin.
func (h *host) enter(ctx context.Context, deadline time.Time) error {
	select {
	case h.fetches <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case h.fetches <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errTimeout
	}
}

func (h *host) leave() { <-h.fetches }

// get returns a connection, a kept one unless fresh is set. check looks first whether
// a kept one still stands, for what must not be sent twice.
func (h *host) get(ctx context.Context, deadline time.Time, fresh, check bool) (*conn, error) {
	for !fresh {
		h.mu.Lock()
		n := len(h.idle)
		if n == 0 {
			h.mu.Unlock()
			break
		}
		c := h.idle[n-1]
		h.idle[n-1] = nil
		h.idle = h.idle[:n-1]
		h.mu.Unlock()
		if time.Since(c.since) > idleFor || check && !c.stands() {
			c.close()
			continue
		}
		c.used = true
		return c, nil
	}
	dialer := net.Dialer{Deadline: deadline}
	raw, err := dialer.DialContext(ctx, "tcp", h.address)
	if err != nil {
		return nil, timely(err)
	}
	c := &conn{Conn: raw, host: h}
	if h.tls != nil {
		secure := tls.Client(raw, h.tls)
		if err := secure.SetDeadline(deadline); err != nil {
			raw.Close()
			return nil, err
		}
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, timely(err)
		}
		c.Conn = secure
	}
	return c, nil
}

// put keeps a connection for the next fetch.
func (h *host) put(c *conn, now time.Time) {
	c.since = now
	var old *conn
	h.mu.Lock()
	switch {
	case len(h.idle) >= h.maxIdle:
		old = c
	case len(h.idle) > 0 && now.Sub(h.idle[0].since) > idleFor:
		old = h.idle[0]
		copy(h.idle, h.idle[1:])
		h.idle[len(h.idle)-1] = c
	default:
		h.idle = append(h.idle, c)
	}
	h.mu.Unlock()
	if old != nil {
		old.close()
	}
}

func (h *host) closeIdle() {
	h.mu.Lock()
	idle := h.idle
	h.idle = nil
	h.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

// conn is one connection.
type conn struct {
	net.Conn
	host   *host
	since  time.Time // when it became idle
	used   bool      // has carried a request before
	silent bool      // no byte of the reply came
	out    []byte    // what is sent
}

func (c *conn) close() { _ = c.Conn.Close() }

// stands says whether the other side has not closed the idle connection.
func (c *conn) stands() bool {
	below := c.Conn
	if secure, ok := below.(*tls.Conn); ok {
		below = secure.NetConn()
	}
	raw, ok := below.(syscall.Conn)
	if !ok {
		return false
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	stands := false
	err = control.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, peek := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		// Nothing to read is what an idle connection has; an end or bytes are both wrong.
		stands = peek == syscall.EAGAIN || peek == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && stands
}
