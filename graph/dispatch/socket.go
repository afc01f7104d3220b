package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// message is one frame of the graphql-transport-ws protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket starts a subscription over graphql-transport-ws, on a connection of its own.
func (p *httpPrepared) socket(ctx context.Context, url string, request *Request) (Source, error) {
	failed := func(err error) error {
		return fmt.Errorf("dispatch: subscribe to %s: %w", p.document.Subgraph, err)
	}
	start, cancel := context.WithTimeout(ctx, p.http.options.Timeout)
	defer cancel()
	header := http.Header{}
	forward(header, request)
	transport := &http.Transport{TLSClientConfig: p.http.options.TLS}
	c, _, err := websocket.Dial(start, url, &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: transport},
		HTTPHeader:   header,
		Subprotocols: []string{"graphql-transport-ws"},
	})
	if err != nil {
		return nil, failed(err)
	}
	c.SetReadLimit(int64(p.http.options.MaxReply))
	s := &socketSource{conn: c, transport: transport}
	// Some servers read who asks from the first message rather than from the headers.
	payload := map[string]string{}
	for _, name := range Forwarded {
		if value := request.Header.Get(name); value != "" {
			payload[name] = value
		}
	}
	init, err := json.Marshal(payload)
	if err == nil {
		err = s.send(start, message{Type: "connection_init", Payload: init})
	}
	for acknowledged := false; err == nil && !acknowledged; {
		var m message
		if m, err = s.receive(start); err == nil && m.Type == "connection_ack" {
			acknowledged = true
		}
	}
	if err == nil {
		ask, encodeErr := json.Marshal(struct {
			Query     json.RawMessage `json:"query"`
			Variables json.RawMessage `json:"variables,omitempty"`
		}{p.query, request.Variables})
		if err = encodeErr; err == nil {
			err = s.send(start, message{ID: "1", Type: "subscribe", Payload: ask})
		}
	}
	if err != nil {
		s.Close()
		return nil, failed(err)
	}
	return s, nil
}

// socketSource reads the events of one graphql-transport-ws connection.
type socketSource struct {
	conn      *websocket.Conn
	transport *http.Transport
	done      bool
}

func (s *socketSource) send(ctx context.Context, m message) error {
	encoded, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.conn.Write(ctx, websocket.MessageText, encoded)
}

// receive reads the next message that is not a ping, which it answers.
func (s *socketSource) receive(ctx context.Context) (message, error) {
	for {
		_, data, err := s.conn.Read(ctx)
		if err != nil {
			return message{}, err
		}
		var m message
		if err := json.Unmarshal(data, &m); err != nil {
			return message{}, fmt.Errorf("message: %w", err)
		}
		switch m.Type {
		case "ping":
			if err := s.send(ctx, message{Type: "pong"}); err != nil {
				return message{}, err
			}
		case "pong":
		default:
			return m, nil
		}
	}
}

// Next implements Source.
func (s *socketSource) Next(ctx context.Context) (*Reply, error) {
	if s.done {
		return nil, io.EOF
	}
	for {
		m, err := s.receive(ctx)
		if err != nil {
			s.done = true
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return nil, err
		}
		switch m.Type {
		case "next":
			return NewReply(m.Payload, nil), nil
		case "error":
			s.done = true
			return NewReply(append(append([]byte(`{"data":null,"errors":`), m.Payload...), '}'), nil), nil
		case "complete":
			s.done = true
			return nil, io.EOF
		}
	}
}

// Close implements Source.
func (s *socketSource) Close() {
	// CloseNow does not wait for the other side.
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	if !s.done {
		_ = s.send(ctx, message{ID: "1", Type: "complete"})
	}
	cancel()
	_ = s.conn.CloseNow()
	s.transport.CloseIdleConnections()
}
