package feedback_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// stream is a source of events by hand.
type stream chan event.Event

func (s stream) Live(context.Context, string) (<-chan event.Event, error) { return s, nil }

func (s stream) send(t *testing.T, c *feedback.FeedbackCase) {
	t.Helper()
	payload, err := json.Marshal(feedback.Changed{CaseID: c.ID, AreaCode: c.AreaCode})
	if err != nil {
		t.Fatal(err)
	}
	s <- event.Event{Subject: feedback.SubjectChanged, AreaCode: c.AreaCode, Payload: payload}
}

func watching(t *testing.T) (*office, *feedback.Watch, stream) {
	t.Helper()
	o, source := open(t), make(stream)
	w := &feedback.Watch{Desk: o.Desk, Source: source, Log: slog.New(slog.DiscardHandler)}
	ended := make(chan error)
	go func() { ended <- w.Run(t.Context()) }()
	t.Cleanup(func() {
		close(source)
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	return o, w, source
}

// receive waits for a case; nil when the subscription ended.
func receive(t *testing.T, cases <-chan *feedback.FeedbackCase) *feedback.FeedbackCase {
	t.Helper()
	select {
	case c := <-cases:
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within ten seconds")
		return nil
	}
}

func TestWatchersGetTheirScopeOnly(t *testing.T) {
	o, w, source := watching(t)
	for _, c := range []struct {
		ctx  context.Context
		area string
		code fault.Code
	}{{o.worker, nextDoor, fault.NotFound}, {o.otherDistrict, here, fault.NotFound}, {o.citizen, here, fault.Forbidden}, {o.auditor, here, fault.Forbidden}, {t.Context(), here, fault.Unauthenticated}} {
		wantCode(t, second(w.Subscribe(c.ctx, c.area)), c.code)
	}
	own, err := w.Subscribe(o.worker, here)
	if err != nil {
		t.Fatal(err)
	}
	all, err := w.Subscribe(o.district, "510104000000")
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := o.submitted(here), o.submitted(nextDoor)
	source.send(t, theirs)
	source.send(t, mine)
	if got := receive(t, own); got == nil || got.ID != mine.ID {
		t.Errorf("the community's worker got %+v", got)
	}
	for _, want := range []*feedback.FeedbackCase{theirs, mine} {
		if got := receive(t, all); got == nil || got.ID != want.ID {
			t.Errorf("the district got %+v, want %s", got, want.ID)
		}
	}
}

// One read serves all, and a slow watcher is let go rather than waited for.
func TestSlowWatchersAreLetGo(t *testing.T) {
	o, w, source := watching(t)
	slow, err := w.Subscribe(o.street, "510104017000")
	if err != nil {
		t.Fatal(err)
	}
	quick, err := w.Subscribe(o.street, "510104017000")
	if err != nil {
		t.Fatal(err)
	}
	c := o.submitted(here)
	for range 70 {
		source.send(t, c)
		if receive(t, quick) == nil {
			t.Fatal("the quick watcher was let go")
		}
	}
	got := 0
	for receive(t, slow) != nil {
		got++
	}
	if got != 64 {
		t.Errorf("the slow watcher got %d before the end", got)
	}
}

func TestWatchingEndsWithTheContext(t *testing.T) {
	o, w, source := watching(t)
	ctx, cancel := context.WithCancel(o.worker)
	cases, err := w.Subscribe(ctx, here)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if got := receive(t, cases); got != nil {
		t.Errorf("got %+v", got)
	}
	source.send(t, o.submitted(here)) // nobody watches: sending to a closed channel would panic
}
