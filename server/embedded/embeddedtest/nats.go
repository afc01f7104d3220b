package embeddedtest

import (
	"context"
	"testing"
	"time"

	embedded "github.com/citizencloud/citizencloud/server/embedded/nats"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Nats starts a NATS server with JetStream for this test and returns its URL
// and a connection; both end with the test.
func Nats(t testing.TB) (url string, stream jetstream.JetStream) {
	t.Helper()
	server, err := embedded.Start(context.Background(), embedded.Options{Dir: folder(t)})
	if err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Errorf("embeddedtest: %v", err)
		}
	})
	connection, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatalf("embeddedtest: connect to NATS: %v", err)
	}
	t.Cleanup(connection.Close)
	stream, err = jetstream.New(connection)
	if err != nil {
		t.Fatalf("embeddedtest: open JetStream: %v", err)
	}
	return server.URL(), stream
}
