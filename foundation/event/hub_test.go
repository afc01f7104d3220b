package event_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/citizencloud/citizencloud/foundation/event"
)

// fakeLive hands out one channel a listening.
type fakeLive struct {
	open  int
	said  chan event.Event
	fails bool
}

func (f *fakeLive) Live(ctx context.Context, _ string) (<-chan event.Event, error) {
	if f.fails {
		return nil, errors.New("the bus is away")
	}
	events := make(chan event.Event)
	f.said = events
	f.open++
	context.AfterFunc(ctx, func() { f.open--; close(events) })
	return events, nil
}

// newHub gives what is said to the topic of its area, and cuts sessions by the subject "cut".
func newHub(bus event.Live) *event.Hub[string] {
	return event.NewHub(bus, 2, map[string]event.Take[string]{
		"said": func(h *event.Hub[string], e event.Event) {
			if e.Subject == "cut" {
				h.Cut(e.AreaCode, e.ID)
				return
			}
			h.Give(e.AreaCode, e.ID)
		},
	})
}

func TestHubGivesToItsTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &fakeLive{}
		hub := newHub(bus)
		ctx, cancel := context.WithCancel(t.Context())
		both, err := hub.Listen(ctx, "s1", "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		one, err := hub.Listen(ctx, "s2", "b")
		if err != nil {
			t.Fatal(err)
		}
		if bus.open != 1 || hub.Listeners() != 2 {
			t.Fatalf("%d listenings for %d listeners", bus.open, hub.Listeners())
		}
		for _, e := range []event.Event{{AreaCode: "a", ID: "1"}, {AreaCode: "b", ID: "2"}, {AreaCode: "c", ID: "3"}} {
			bus.said <- e
		}
		if first, second := <-both, <-both; first != "1" || second != "2" {
			t.Errorf("got %s, %s", first, second)
		}
		if got := <-one; got != "2" {
			t.Errorf("got %s", got)
		}
		synctest.Wait()
		select {
		case got := <-one:
			t.Errorf("got %s of another's topic", got)
		default:
		}
		cancel()
		synctest.Wait()
		if _, open := <-both; open || hub.Listeners() != 0 || bus.open != 0 {
			t.Errorf("after the context ended: open %v, %d listeners, %d listenings", open, hub.Listeners(), bus.open)
		}
	})
}

func TestHubCutsWhoLagsAndWhoseSessionEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &fakeLive{}
		hub := newHub(bus)
		listen := func(session string) <-chan string {
			queue, err := hub.Listen(t.Context(), session, "a")
			if err != nil {
				t.Fatal(err)
			}
			return queue
		}
		slow, quick, ended := listen("s1"), listen("s2"), listen("s3")
		bus.said <- event.Event{Subject: "cut", AreaCode: "a", ID: "s3"}
		bus.said <- event.Event{Subject: "cut", AreaCode: "a", ID: ""} // nobody's
		for _, id := range []string{"1", "2", "3"} {
			bus.said <- event.Event{AreaCode: "a", ID: id}
			if got := <-quick; got != id {
				t.Errorf("got %s, want %s", got, id)
			}
		}
		if _, open := <-ended; open {
			t.Error("heard something after its session ended")
		}
		if first, second := <-slow, <-slow; first != "1" || second != "2" {
			t.Errorf("what had come before is lost: %s, %s", first, second)
		}
		if _, open := <-slow; open {
			t.Error("goes on though it missed something")
		}
	})
}

func TestHubListensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &fakeLive{fails: true}
		hub := newHub(bus)
		if _, err := hub.Listen(t.Context(), "", "a"); err == nil || hub.Listeners() != 0 {
			t.Fatalf("%v, %d listeners", err, hub.Listeners())
		}
		bus.fails = false
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			queue, err := hub.Listen(ctx, "", "a")
			if err != nil {
				t.Fatal(err)
			}
			bus.said <- event.Event{AreaCode: "a", ID: "1"}
			if got := <-queue; got != "1" {
				t.Errorf("got %s", got)
			}
			cancel()
			synctest.Wait()
			if bus.open != 0 {
				t.Error("listens for nobody")
			}
		}
	})
}
