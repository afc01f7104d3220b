package activity_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
)

func TestTwoHundredAtOnceForFiftyPlaces(t *testing.T) {
	h := open(t)
	a := h.published(50)
	var group sync.WaitGroup
	states := make([]activity.RegistrationState, 200)
	codes := make([]fault.Code, len(states))
	for i := range states {
		ctx := citizen(t.Context())
		group.Go(func() {
			r, err := h.Register(ctx, activity.RegisterForActivityInput{ActivityID: a.ID})
			if codes[i] = fault.CodeOf(err); err == nil {
				states[i] = r.State
			}
		})
	}
	group.Wait()
	got := map[string]int{}
	for i, state := range states {
		got[string(state)+string(codes[i])]++
	}
	if diff := cmp.Diff(map[string]int{"CONFIRMED": 50, "WAITLISTED": 100, "FULL": 50}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"CONFIRMED": 50, "WAITLISTED": 100}, h.counts(a)); diff != "" {
		t.Error(diff)
	}
}

// The same citizen, from many devices at once, gets one place.
func TestOneCitizenOnePlace(t *testing.T) {
	h := open(t)
	a := h.published(50)
	ctx := citizen(t.Context())
	var group sync.WaitGroup
	var mu sync.Mutex
	got := map[fault.Code]int{}
	for range 20 {
		group.Go(func() {
			_, err := h.Register(ctx, activity.RegisterForActivityInput{ActivityID: a.ID})
			mu.Lock()
			defer mu.Unlock()
			got[fault.CodeOf(err)]++
		})
	}
	group.Wait()
	if got[""] != 1 || got[fault.Conflict] != 19 {
		t.Errorf("got %v", got)
	}
	h.counts(a)
}

func TestWhoWaitsLongestMovesUp(t *testing.T) {
	h := open(t)
	a := h.published(2)
	first, _ := h.register(a)
	h.register(a)
	var waiting []context.Context
	for i := range 3 {
		ctx, r := h.register(a)
		if r.State != activity.Waitlisted || *r.WaitlistPosition != i+1 {
			t.Fatalf("number %d: %+v", i, r)
		}
		waiting = append(waiting, ctx)
	}
	positions := func() (got []string) {
		for _, ctx := range waiting {
			mine, err := h.Mine(ctx, []string{a.ID})
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case mine[0] == nil:
				got = append(got, "none")
			case mine[0].WaitlistPosition != nil:
				got = append(got, fmt.Sprint(mine[0].State, *mine[0].WaitlistPosition))
			default:
				got = append(got, string(mine[0].State))
			}
		}
		return got
	}
	want := func(states ...string) {
		t.Helper()
		if diff := cmp.Diff(states, positions()); diff != "" {
			t.Error(diff)
		}
		h.counts(a)
	}
	want("WAITLISTED1", "WAITLISTED2", "WAITLISTED3")
	h.withdraw(first, a)
	want("CONFIRMED", "WAITLISTED1", "WAITLISTED2")
	h.withdraw(waiting[1], a) // from the waiting list
	want("CONFIRMED", "none", "WAITLISTED1")
	if _, err := h.Register(waiting[1], activity.RegisterForActivityInput{ActivityID: a.ID}); err != nil { // again, at the end
		t.Fatal(err)
	}
	want("CONFIRMED", "WAITLISTED2", "WAITLISTED1")
	h.withdraw(waiting[0], a)
	want("none", "WAITLISTED1", "CONFIRMED")
	var told []string
	if err := h.db.Owner.Select(&told, `SELECT payload->'recipient'->>'citizenId' FROM community.outbox WHERE subject LIKE '%notification%' ORDER BY seq`); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{access.From(waiting[0]).ID, access.From(waiting[2]).ID}, told); diff != "" {
		t.Error(diff)
	}
}

func TestComingAndGoingAtOnce(t *testing.T) {
	h := open(t)
	a := h.published(10)
	var inside []context.Context
	for range 25 {
		ctx, _ := h.register(a)
		inside = append(inside, ctx)
	}
	var group sync.WaitGroup
	for i, ctx := range inside {
		group.Go(func() {
			if i%2 == 0 {
				_, _ = h.Withdraw(ctx, activity.WithdrawRegistrationInput{ActivityID: a.ID})
			}
			_, _ = h.Register(citizen(t.Context()), activity.RegisterForActivityInput{ActivityID: a.ID})
		})
	}
	group.Wait()
	if got := h.counts(a); got["CONFIRMED"] != 10 {
		t.Errorf("%v: places stand empty while people wait", got)
	}
}

// The last wall: even a wrong program cannot overbook.
func TestTheTableRefusesOverbooking(t *testing.T) {
	h := open(t)
	a := h.published(1)
	_, err := h.db.Owner.Exec(`UPDATE community.activity SET confirmed_count = 2 WHERE id = $1`, a.ID)
	if err == nil || !strings.Contains(err.Error(), "no_overbooking") {
		t.Errorf("got %v", err)
	}
}
