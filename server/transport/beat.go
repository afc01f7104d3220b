package transport

import (
	"context"
	"sync"
	"time"
)

// beat pings a WebSocket, so that a peer that is gone without a word is
// noticed, and proxies do not take the connection for idle.
type beat struct {
	socket *socket
	mu     sync.Mutex
	ended  bool
	timer  *time.Timer
}

func newBeat(k *socket) *beat {
	b := &beat{socket: k}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timer = time.AfterFunc(k.server.Heartbeat, b.ping)
	return b
}

func (b *beat) ping() {
	ctx, cancel := context.WithTimeout(b.socket.life, b.socket.server.WriteTimeout)
	defer cancel()
	if err := b.socket.conn.Ping(ctx); err != nil {
		if context.Cause(b.socket.life) == nil {
			_ = b.socket.conn.CloseNow()
		}
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.timer.Reset(b.socket.server.Heartbeat)
	}
}

func (b *beat) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.timer.Stop()
}
