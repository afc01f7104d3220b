package activity_test

import (
	"context"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/account"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
)

// end does the step twice, as an event that comes again, in a transaction of its own.
func (h *hall) end(step func(context.Context, *sqlx.Tx, account.Keeper) error) {
	h.t.Helper()
	ctx := access.AsSystem(h.t.Context(), "test")
	for range 2 {
		if err := h.DB.Write(ctx, func(tx *sqlx.Tx) error { return step(ctx, tx, h.Keeper()) }); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *hall) state(ctx context.Context, a *activity.Activity) string {
	h.t.Helper()
	mine, err := h.Mine(ctx, []string{a.ID})
	if err != nil {
		h.t.Fatal(err)
	}
	if mine[0] == nil {
		return ""
	}
	return string(mine[0].State)
}

func (h *hall) as(ctx context.Context, a *activity.Activity) {
	h.t.Helper()
	if _, err := h.Register(ctx, activity.RegisterForActivityInput{ActivityID: a.ID}); err != nil {
		h.t.Fatal(err)
	}
}

func TestTwoRegistrationsBecomeOneAndThePlaceGoesOn(t *testing.T) {
	h := open(t)
	former, successor := citizen(t.Context()), citizen(t.Context())
	merge := func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error {
		return k.Merge(ctx, tx, access.From(former).ID, access.From(successor).ID)
	}
	both, better, alone := h.published(2), h.published(1), h.published(1)
	h.as(former, both)
	h.as(successor, both)
	waiting, _ := h.register(both)
	h.as(former, better) // the successor only waits there
	h.as(successor, better)
	h.as(former, alone)
	past := h.published(2)
	h.as(former, past)
	h.as(successor, past)
	if _, err := h.db.Owner.Exec(`UPDATE community.activity SET starts_at = $2, ends_at = $3 WHERE id = $1`, past.ID, h.now.Add(-2*time.Hour), h.now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	h.end(merge)
	for name, a := range map[string]*activity.Activity{"both had a place": both, "one waited": better, "only the former": alone, "of the past": past} {
		if got := h.state(successor, a); got != "CONFIRMED" {
			t.Errorf("%s: the successor is %q", name, got)
		}
		if got := h.state(former, a); got != "" {
			t.Errorf("%s: the former is %q", name, got)
		}
	}
	if got := h.state(waiting, both); got != "CONFIRMED" {
		t.Errorf("who waited for the place is %q", got)
	}
	for a, want := range map[*activity.Activity]int{both: 2, better: 1, alone: 1, past: 1} {
		if got := h.counts(a); got["CONFIRMED"] != want || got["WAITLISTED"] != 0 {
			t.Errorf("%v", got)
		}
	}
}

func TestACancelledAccountLeavesItsPlacesAndItsName(t *testing.T) {
	h := open(t)
	leaving, other := citizen(t.Context()), citizen(t.Context())
	coming, past := h.published(1), h.published(3)
	h.as(leaving, coming)
	h.as(other, coming) // waits
	h.as(leaving, past)
	h.as(other, past)
	if _, err := h.db.Owner.Exec(`UPDATE community.activity SET starts_at = $2, ends_at = $3 WHERE id = $1`, past.ID, h.now.Add(-2*time.Hour), h.now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	h.end(func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error {
		return k.Erase(ctx, tx, access.From(leaving).ID)
	})
	if got := h.state(other, coming); got != "CONFIRMED" {
		t.Errorf("who waited is %q", got)
	}
	if got := h.counts(past); got["CONFIRMED"] != 2 {
		t.Errorf("the figures of the past: %v", got)
	}
	var left int
	if err := h.db.Owner.Get(&left, `SELECT count(*) FROM community.registration WHERE citizen_id = $1`, access.From(leaving).ID); err != nil || left != 0 {
		t.Errorf("%d rows with the name: %v", left, err)
	}
}
