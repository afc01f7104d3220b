package dispatch

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Subscribe implements Prepared: over graphql-transport-ws where a WebSocket
// URL is given for the subgraph, else over server-sent events.
func (p *httpPrepared) Subscribe(ctx context.Context, request *Request) (Source, error) {
	if url := p.http.options.WebSocket[p.document.Subgraph]; url != "" {
		return p.socket(ctx, url, request)
	}
	return p.events(ctx, request)
}

// events starts a subscription as graphql-sse describes it with distinct connections.
func (p *httpPrepared) events(ctx context.Context, request *Request) (Source, error) {
	ctx, cancel := context.WithCancel(ctx)
	full := p.append(nil, request)
	_, body, _ := bytes.Cut(full, []byte("\r\n\r\n"))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url.String(), bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, fmt.Errorf("dispatch: subscribe to %s: %w", p.document.Subgraph, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	forward(r.Header, request)
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: p.http.options.Timeout}).DialContext,
		TLSClientConfig:       p.http.options.TLS,
		TLSHandshakeTimeout:   p.http.options.Timeout,
		ResponseHeaderTimeout: p.http.options.Timeout,
		DisableCompression:    true,
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("dispatch: subscribe to %s: %w", p.document.Subgraph, err)
	}
	source := &eventSource{
		cancel: cancel, transport: transport, body: response.Body, max: p.http.options.MaxReply,
		lines: bufio.NewReaderSize(response.Body, 8<<10),
	}
	kind := response.Header.Get("Content-Type")
	switch {
	case response.StatusCode == http.StatusOK && strings.HasPrefix(kind, "text/event-stream"):
	case strings.Contains(kind, "json"): // refused with errors, or a single answer
		source.single = true
	default:
		source.Close()
		return nil, fmt.Errorf("dispatch: subscribe to %s: %w", p.document.Subgraph, statusError(response.StatusCode))
	}
	return source, nil
}

func forward(to http.Header, request *Request) {
	for _, name := range Forwarded {
		for _, value := range request.Header[name] {
			to.Add(name, value)
		}
	}
	if request.ID != "" {
		to.Set("X-Request-Id", request.ID)
	}
	if request.Trace != "" {
		to.Set(traceparent, request.Trace)
	}
}

// eventSource reads a stream of server-sent events. It may be silent as long as it likes; that the
// other side is gone is found out by TCP's keep-alive.
type eventSource struct {
	cancel    context.CancelFunc
	transport *http.Transport
	body      io.ReadCloser
	lines     *bufio.Reader
	max       int
	single    bool
	done      bool
}

// Next implements Source.
func (s *eventSource) Next(ctx context.Context) (*Reply, error) {
	if s.done {
		return nil, io.EOF
	}
	stop := context.AfterFunc(ctx, s.cancel)
	defer stop()
	reply, err := s.next()
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return reply, err
}

func (s *eventSource) next() (*Reply, error) {
	if s.single {
		s.done = true
		body, err := io.ReadAll(io.LimitReader(s.body, int64(s.max)+1))
		if err == nil && len(body) > s.max {
			err = errTooLarge
		}
		if err != nil {
			return nil, err
		}
		return NewReply(body, nil), nil
	}
	var name string
	var data []byte
	for {
		line, err := s.line()
		if err != nil {
			s.done = true
			return nil, err
		}
		if len(line) > 0 {
			field, value, _ := bytes.Cut(line, []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(field) {
			case "event":
				name = string(value)
			case "data":
				if len(data) > 0 {
					data = append(data, '\n')
				}
				data = append(data, value...)
				if len(data) > s.max {
					return nil, errTooLarge
				}
			}
			continue
		}
		switch {
		case name == "complete":
			s.done = true
			return nil, io.EOF
		case (name == "next" || name == "") && len(data) > 0:
			return NewReply(data, nil), nil
		}
		name, data = "", nil
	}
}

// line reads one line without its end.
func (s *eventSource) line() ([]byte, error) {
	var line []byte
	for {
		part, err := s.lines.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > s.max {
			return nil, errTooLarge
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the end is told by an event
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
}

// Close implements Source.
func (s *eventSource) Close() {
	s.cancel()
	_ = s.body.Close()
	s.transport.CloseIdleConnections()
}
