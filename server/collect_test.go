package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	platformlog "github.com/citizencloud/citizencloud/subgraphs/platform/log"
)

// A gateway of its own sends its log to the platform, if it is told where; and
// it serves whether or not that is there.
func TestTheGatewaysLogIsCollected(t *testing.T) {
	file := upstream(t, func(w http.ResponseWriter, _ *http.Request) { hello(w) })
	url, stream := embeddedtest.Nats(t)
	if err := platformlog.Ensure(t.Context(), stream, 1); err != nil {
		t.Fatal(err)
	}
	lines, err := stream.CreateConsumer(t.Context(), "LOGS", jetstream.ConsumerConfig{Durable: "test", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0", "--nats-url", url)
	if _, _, err := askHello(p.url); err != nil {
		t.Fatal(err)
	}
	message, err := lines.Next(jetstream.FetchMaxWait(20 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	var got []platformlog.Line
	if err := json.Unmarshal(message.Data(), &got); err != nil || len(got) == 0 || got[0].Service != "gateway" || got[0].Instance == "" {
		t.Errorf("%s %v", message.Data(), err)
	}
	away := start(t, "gateway", "--supergraph", file, "--listen", "127.0.0.1:0", "--nats-url", "nats://127.0.0.1:1")
	if _, _, err := askHello(away.url); err != nil {
		t.Errorf("without NATS: %v", err)
	}
}
