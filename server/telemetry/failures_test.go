package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

type requestKey struct{}

func requestOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// A subgraph that is away for a minute, with a thousand fetches a second, is a
// dozen lines.
func TestFailuresAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		f := NewFailures(NewLog(&out, "info", true, requestOf))
		away := Failed{Subgraph: "community", Client: "app", Operation: "AppHome", Reason: "refused", Error: errors.New("connection refused")}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), requestKey{}, "r-1"))
		cancel()
		for range 60_000 {
			f.Failed(ctx, away)
			time.Sleep(time.Millisecond)
		}
		other := away
		other.Subgraph = "supply"
		f.Failed(ctx, other)
		time.Sleep(time.Minute) // it is quiet, and forgotten
		f.Failed(ctx, away)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != failuresAtOnce+6+1+1 {
			t.Errorf("%d lines:\n%s", len(lines), out.String())
		}
		total := 0
		for _, text := range lines {
			var line struct {
				Msg, Subgraph, Client, Operation, Reason, Error, Request, Within string
				Times                                                            int
			}
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
			if line.Subgraph == "supply" {
				continue
			}
			total += max(line.Times, 1)
			if line.Msg != "fetch failed" || line.Client != "app" || line.Operation != "AppHome" || line.Reason != "refused" ||
				line.Error != "connection refused" || line.Request != "r-1" || (line.Times > 0) != (line.Within == "10s") {
				t.Errorf("line %s", text)
			}
		}
		if diff := cmp.Diff(60_001, total); diff != "" {
			t.Errorf("failures told (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(f.of) != 0 {
			t.Error("kinds are kept for ever")
		}
	})
}

func TestLinesCarryTheRequest(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out, "info", true, requestOf).With("subgraph", "citizen")
	log.InfoContext(context.WithValue(t.Context(), requestKey{}, "r-7"), "in a resolver")
	log.InfoContext(t.Context(), "outside")
	lines := strings.Split(out.String(), "\n")
	if !strings.Contains(lines[0], `"request":"r-7"`) || strings.Contains(lines[1], "request") || !strings.Contains(lines[1], `"subgraph":"citizen"`) {
		t.Errorf("lines %s", out.String())
	}
}
