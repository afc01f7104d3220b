package transport

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// BenchmarkFanOut measures one event to 1,000 subscribers over loopback, from
// publishing until the last has read it.
func BenchmarkFanOut(b *testing.B) {
	const subscribers = 1000
	engine := &fakeEngine{}
	server := listen(b, newServer(b, func(o *Options) { o.Engine = engine }))
	board := engine.topic("board")
	var read sync.WaitGroup
	address := server.Listener.Addr().String()
	body := `{"query":"subscription { board }"}`
	for range subscribers {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		_, _ = fmt.Fprintf(conn, "POST /graphql/stream HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		<-board.joined
		go func() {
			lines := bufio.NewReader(conn)
			for {
				line, err := lines.ReadSlice('\n')
				if err == io.EOF || err != nil && err != bufio.ErrBufferFull {
					return
				}
				if bytes.HasPrefix(line, []byte("event: next")) {
					read.Done()
				}
			}
		}()
	}
	event := `{"data":{"board":"` + strings.Repeat("x", 4000) + `"}}`
	b.ReportAllocs()
	for b.Loop() {
		read.Add(subscribers)
		board.publish(event)
		read.Wait()
	}
}
