package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorder notes what happened in order.
type recorder struct{ lines []string }

func (r *recorder) part(name string, startError error) Part {
	return Part{
		Name: name,
		Start: func(context.Context) (<-chan error, error) {
			r.lines = append(r.lines, "start "+name)
			return nil, startError
		},
		Stop: func(context.Context) error {
			r.lines = append(r.lines, "stop "+name)
			return nil
		},
	}
}

func group(parts ...Part) *Group {
	g := &Group{Log: slog.New(slog.DiscardHandler)}
	for _, part := range parts {
		g.Add(part)
	}
	return g
}

func TestStopsInTheOppositeOrder(t *testing.T) {
	var r recorder
	ctx, cancel := context.WithCancel(t.Context())
	err := group(r.part("state", nil), r.part("server", nil)).Run(ctx, func() {
		r.lines = append(r.lines, "ready")
		cancel()
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"start state", "start server", "ready", "stop server", "stop state"}
	if diff := cmp.Diff(want, r.lines); diff != "" {
		t.Error(diff)
	}
}

func TestFailureToStartStopsWhatRuns(t *testing.T) {
	var r recorder
	taken := errors.New("port in use")
	err := group(r.part("state", nil), r.part("server", taken), r.part("never", nil)).Run(t.Context(), func() { t.Error("called ready") })
	if !errors.Is(err, taken) {
		t.Errorf("got %v", err)
	}
	want := []string{"start state", "start server", "stop state"}
	if diff := cmp.Diff(want, r.lines); diff != "" {
		t.Error(diff)
	}
}

func TestPartThatEndsEndsAll(t *testing.T) {
	var r recorder
	died := make(chan error)
	child := Part{Name: "postgres", Start: func(context.Context) (<-chan error, error) { return died, nil }}
	err := group(r.part("state", nil), child).Run(t.Context(), func() { close(died) })
	if err == nil || !strings.Contains(err.Error(), "postgres: ended") {
		t.Errorf("got %v", err)
	}
	if r.lines[len(r.lines)-1] != "stop state" {
		t.Errorf("got %v", r.lines)
	}
}

func TestSignalWhileStartingIsNoFailure(t *testing.T) {
	var r recorder
	ctx, cancel := context.WithCancel(t.Context())
	slow := Part{Name: "slow", Start: func(ctx context.Context) (<-chan error, error) {
		cancel()
		return nil, ctx.Err()
	}}
	if err := group(r.part("state", nil), slow).Run(ctx, nil); err != nil {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"start state", "stop state"}, r.lines); diff != "" {
		t.Error(diff)
	}
}

func TestLatePartDoesNotKeepOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		release := make(chan struct{})
		stuck := Part{Name: "stuck", Patience: 3 * time.Second, Stop: func(context.Context) error { <-release; return nil }}
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		err := group(r.part("state", nil), stuck).Run(ctx, cancel)
		if err == nil || !strings.Contains(err.Error(), "stop stuck: not stopped after 3s") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("took %s", took)
		}
		if r.lines[len(r.lines)-1] != "stop state" {
			t.Errorf("got %v", r.lines)
		}
		close(release)
	})
}
