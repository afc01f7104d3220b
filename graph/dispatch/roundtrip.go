package dispatch

import (
	"context"
	"strconv"
	"time"
)

// maxKept is the size above which a connection does not keep its buffer.
const maxKept = 256 << 10

// past makes whatever waits on a connection return at once.
var past = time.Unix(1, 0)

func (c *conn) interrupt() { _ = c.SetDeadline(past) }

// roundTrip sends a request and reads the whole reply. After an error the connection is of no use.
func (c *conn) roundTrip(ctx context.Context, p *httpPrepared, request *Request, deadline time.Time) (*Reply, error) {
	c.silent = true
	if err := c.SetDeadline(deadline); err != nil {
		return nil, err
	}
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, c.interrupt)
	}
	c.out = p.append(c.out[:0], request)
	if _, err := c.Write(c.out); err != nil {
		stop()
		return nil, timely(err)
	}
	if cap(c.out) > maxKept {
		c.out = nil
	}
	r := reader{conn: c, buffer: take(0), max: c.host.options.MaxReply + 64<<10}
	body, keep, err := r.reply()
	// Once interrupted, the connection's deadline may be set at any moment still.
	keep = stop() && keep
	if err != nil {
		r.put()
		return nil, timely(err)
	}
	if keep {
		c.host.put(c, time.Now())
	} else {
		c.close()
	}
	r.buffer.reply = Reply{Body: body, free: r.free}
	return &r.buffer.reply, nil
}

// append writes the whole request.
func (p *httpPrepared) append(b []byte, request *Request) []byte {
	b = append(b, p.head...)
	if request.ID != "" && sendable(request.ID) {
		b = append(append(append(b, "X-Request-Id: "...), request.ID...), "\r\n"...)
	}
	if request.Trace != "" {
		b = append(append(append(b, "Traceparent: "...), request.Trace...), "\r\n"...)
	}
	if request.Header != nil {
		for _, name := range Forwarded {
			if name == traceparent && request.Trace != "" {
				continue
			}
			b = appendHeader(b, name, request.Header[name])
		}
		if !p.again {
			for _, name := range ForwardedChange {
				b = appendHeader(b, name, request.Header[name])
			}
		}
	}
	length := len(`{"query":}`) + len(p.query)
	if len(request.Variables) > 0 {
		length += len(`,"variables":`) + len(request.Variables)
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	b = append(b, "\r\n\r\n{\"query\":"...)
	b = append(b, p.query...)
	if len(request.Variables) > 0 {
		b = append(b, `,"variables":`...)
		b = append(b, request.Variables...)
	}
	return append(b, '}')
}

func appendHeader(b []byte, name string, values []string) []byte {
	for _, value := range values {
		if sendable(value) {
			b = append(append(b, name...), ": "...)
			b = append(append(b, value...), "\r\n"...)
		}
	}
	return b
}

// sendable keeps a header from smuggling another one.
func sendable(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' && value[i] != '\t' || value[i] == 0x7f {
			return false
		}
	}
	return true
}
