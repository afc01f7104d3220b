package nats

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func start(t testing.TB, options Options) *Server {
	t.Helper()
	server, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t testing.TB, server *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func open(t testing.TB, server *Server) jetstream.JetStream {
	t.Helper()
	connection, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Close)
	stream, err := jetstream.New(connection)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestRestartKeepsMessages(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Options{Dir: dir, Durable: true})
	stream := open(t, first)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := stream.CreateStream(ctx, jetstream.StreamConfig{Name: "events", Subjects: []string{"events.>"}}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := stream.Publish(ctx, "events.case", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, first)
	again, err := open(t, start(t, Options{Dir: dir, Durable: true})).Stream(ctx, "events")
	if err != nil {
		t.Fatal(err)
	}
	if messages := again.CachedInfo().State.Msgs; messages != 10 {
		t.Errorf("%d of 10 messages are left", messages)
	}
}

func TestTokenIsAsked(t *testing.T) {
	server := start(t, Options{Dir: t.TempDir()})
	address := "nats://" + server.server.Addr().String()
	if connection, err := nats.Connect(address); err == nil {
		connection.Close()
		t.Error("a stranger comes in")
	} else if !strings.Contains(err.Error(), "Authorization") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkPublish(b *testing.B) {
	for name, durable := range map[string]bool{"durable": true, "fast": false} {
		b.Run(name, func(b *testing.B) {
			stream := open(b, start(b, Options{Dir: b.TempDir(), Durable: durable}))
			if _, err := stream.CreateStream(b.Context(), jetstream.StreamConfig{Name: "events", Subjects: []string{"events.>"}}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := stream.Publish(b.Context(), "events.case", []byte("x")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
