package activity_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// Two communities of one street, and one of another district.
const (
	here     = "510104017001"
	nextDoor = "510104017002"
	farAway  = "510107001004"
)

// hall is a database with a desk, and the people who come to it.
type hall struct {
	*activity.Desk
	t  *testing.T
	db *embeddedtest.Database

	mu  sync.Mutex
	now time.Time

	worker, nextDoorWorker, street context.Context
}

func open(t *testing.T) *hall {
	t.Helper()
	db := embeddedtest.Open(t, migrations.FS)
	pool, err := database.Open(t.Context(), db.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	h := &hall{t: t, db: db, now: time.Date(2026, 11, 24, 10, 0, 0, 0, workday.Zone)}
	h.Desk = &activity.Desk{DB: pool, Clock: func() time.Time {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.now
	}}
	h.worker, h.nextDoorWorker = worker(t.Context(), here, access.CommunityWorker), worker(t.Context(), nextDoor, access.CommunityWorker)
	h.street = worker(t.Context(), "510104017000", access.Supervisor)
	return h
}

func (h *hall) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func citizen(ctx context.Context) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Citizen, ID: uuid.NewString(), AreaCode: here})
}

func worker(ctx context.Context, area string, role access.Role) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Worker, ID: uuid.NewString(), AreaCode: area, Roles: []access.Role{role}})
}

func (h *hall) draft(capacity int) *activity.Activity {
	h.t.Helper()
	start := h.now.Add(48 * time.Hour)
	a, err := h.Create(h.worker, activity.CreateActivityInput{AreaID: here, Title: "社区包饺子", Summary: "冬至一起包饺子", Place: "社区活动室",
		StartsAt: start, EndsAt: start.Add(2 * time.Hour), Capacity: capacity})
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *hall) published(capacity int) *activity.Activity {
	h.t.Helper()
	a := h.draft(capacity)
	a, err := h.Publish(h.worker, activity.PublishActivityInput{ID: a.ID, ExpectedVersion: a.Version})
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *hall) register(a *activity.Activity) (context.Context, *activity.Registration) {
	h.t.Helper()
	ctx := citizen(h.t.Context())
	r, err := h.Register(ctx, activity.RegisterForActivityInput{ActivityID: a.ID})
	if err != nil {
		h.t.Fatal(err)
	}
	return ctx, r
}

func (h *hall) withdraw(ctx context.Context, a *activity.Activity) {
	h.t.Helper()
	if _, err := h.Withdraw(ctx, activity.WithdrawRegistrationInput{ActivityID: a.ID}); err != nil {
		h.t.Fatal(err)
	}
}

// counts are the registrations by state, from the rows themselves; they must
// agree with the activity's own numbers.
func (h *hall) counts(a *activity.Activity) map[string]int {
	h.t.Helper()
	var rows []struct {
		State string `db:"state"`
		Count int    `db:"count"`
	}
	if err := h.db.Owner.Select(&rows, `SELECT state, count(*) FROM community.registration WHERE activity_id = $1 GROUP BY state`, a.ID); err != nil {
		h.t.Fatal(err)
	}
	counts := map[string]int{}
	for _, row := range rows {
		counts[row.State] = row.Count
	}
	var taken, waiting int
	if err := h.db.Owner.QueryRow(`SELECT confirmed_count, waitlisted_count FROM community.activity WHERE id = $1`, a.ID).Scan(&taken, &waiting); err != nil {
		h.t.Fatal(err)
	}
	if taken != counts["CONFIRMED"]+counts["ATTENDED"]+counts["ABSENT"] || waiting != counts["WAITLISTED"] {
		h.t.Errorf("the activity counts %d taken and %d waiting, the rows are %v", taken, waiting, counts)
	}
	return counts
}

func (h *hall) everything() string {
	h.t.Helper()
	var rows []string
	if err := h.db.Owner.Select(&rows, `SELECT row_to_json(a)::text FROM community.activity a
		UNION ALL SELECT row_to_json(r)::text FROM community.registration r UNION ALL SELECT row_to_json(o)::text FROM community.outbox o ORDER BY 1`); err != nil {
		h.t.Fatal(err)
	}
	return strings.Join(rows, "\n")
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("got %q (%v), want %s", got, err, code)
	}
}

func second[A any](_ A, err error) error { return err }
