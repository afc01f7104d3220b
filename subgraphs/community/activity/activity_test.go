package activity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
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
	if !database.Violates(err, "no_overbooking") {
		t.Errorf("got %v", err)
	}
}

func TestActivityTransitions(t *testing.T) {
	h := open(t)
	reach := map[activity.ActivityState]func() *activity.Activity{
		activity.Draft:     func() *activity.Activity { return h.draft(5) },
		activity.Published: func() *activity.Activity { return h.published(5) },
		activity.Closed: func() *activity.Activity {
			a, err := h.Close(h.worker, activity.CloseActivityInput{ID: h.published(5).ID, ExpectedVersion: 2})
			if err != nil {
				t.Fatal(err)
			}
			return a
		},
		activity.Cancelled: func() *activity.Activity {
			a, err := h.Cancel(h.worker, activity.CancelActivityInput{ID: h.published(5).ID, ExpectedVersion: 2, Reason: "场地检修"})
			if err != nil {
				t.Fatal(err)
			}
			return a
		},
	}
	legal := map[activity.ActivityState][]activity.ActivityState{
		activity.Draft: {activity.Published}, activity.Published: {activity.Closed, activity.Cancelled}, activity.Closed: {}, activity.Cancelled: {},
	}
	act := func(ctx context.Context, a *activity.Activity, to activity.ActivityState) error {
		switch to {
		case activity.Published:
			return second(h.Publish(ctx, activity.PublishActivityInput{ID: a.ID, ExpectedVersion: a.Version}))
		case activity.Closed:
			return second(h.Close(ctx, activity.CloseActivityInput{ID: a.ID, ExpectedVersion: a.Version}))
		default:
			return second(h.Cancel(ctx, activity.CancelActivityInput{ID: a.ID, ExpectedVersion: a.Version, Reason: "场地检修"}))
		}
	}
	for from, make := range reach {
		for _, to := range []activity.ActivityState{activity.Published, activity.Closed, activity.Cancelled} {
			a := make()
			before := h.everything()
			for _, stranger := range []struct {
				ctx  context.Context
				code fault.Code
			}{{h.nextDoorWorker, fault.NotFound}, {h.street, fault.Forbidden}, {citizen(t.Context()), fault.Forbidden}, {t.Context(), fault.Unauthenticated}} {
				wantCode(t, act(stranger.ctx, a, to), stranger.code)
			}
			stale := *a
			stale.Version--
			wantCode(t, act(h.worker, &stale, to), fault.Conflict)
			if h.everything() != before {
				t.Errorf("%s→%s: a stranger or a stale version changed something", from, to)
			}
			err := act(h.worker, a, to)
			isLegal := false
			for _, state := range legal[from] {
				isLegal = isLegal || state == to
			}
			if isLegal {
				wantCode(t, err, "")
				continue
			}
			wantCode(t, err, fault.Conflict)
			if h.everything() != before {
				t.Errorf("%s→%s was refused, but changed something", from, to)
			}
		}
	}
}

func TestRegistrationTransitions(t *testing.T) {
	h := open(t)
	a := h.published(2)
	comes, came := h.register(a)
	_, missing := h.register(a)
	waits, waiting := h.register(a)
	wantCode(t, second(h.CheckIn(h.worker, activity.CheckInInput{RegistrationID: waiting.ID})), fault.Conflict)
	wantCode(t, second(h.CheckIn(h.nextDoorWorker, activity.CheckInInput{RegistrationID: came.ID})), fault.NotFound)
	wantCode(t, second(h.CheckIn(comes, activity.CheckInInput{RegistrationID: came.ID})), fault.Forbidden)
	wantCode(t, second(h.CheckIn(h.worker, activity.CheckInInput{RegistrationID: came.ID})), "")
	wantCode(t, second(h.CheckIn(h.worker, activity.CheckInInput{RegistrationID: came.ID})), fault.Conflict)
	wantCode(t, second(h.Withdraw(comes, activity.WithdrawRegistrationInput{ActivityID: a.ID})), fault.Conflict) // attended
	h.later(49 * time.Hour)                                                                                      // it has begun
	wantCode(t, second(h.Withdraw(waits, activity.WithdrawRegistrationInput{ActivityID: a.ID})), fault.Conflict)
	h.later(24 * time.Hour)
	wantCode(t, second(h.Register(citizen(t.Context()), activity.RegisterForActivityInput{ActivityID: a.ID})), fault.Conflict)
	if err := h.KeepDeadlines(t.Context()); err != nil { // ended, but people may still be checked in
		t.Fatal(err)
	}
	if got := h.counts(a); got["ABSENT"] != 0 {
		t.Errorf("closed too early: %v", got)
	}
	h.later(24 * time.Hour)
	if err := h.KeepDeadlines(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"ATTENDED": 1, "ABSENT": 1, "WAITLISTED": 1}, h.counts(a)); diff != "" {
		t.Error(diff)
	}
	wantCode(t, second(h.CheckIn(h.worker, activity.CheckInInput{RegistrationID: missing.ID})), fault.Conflict)
}

func TestDraftsAndListsAreForTheirOwn(t *testing.T) {
	h := open(t)
	draft, public := h.draft(5), h.published(5)
	mine, registration := h.register(public)
	for _, c := range []struct {
		ctx  context.Context
		code fault.Code // for the draft
	}{{h.worker, ""}, {h.nextDoorWorker, fault.NotFound}, {h.street, fault.NotFound}, {mine, fault.NotFound}, {t.Context(), fault.NotFound}} {
		wantCode(t, second(h.Activity(c.ctx, draft.ID)), c.code)
		wantCode(t, second(h.Activity(c.ctx, public.ID)), "")
	}
	for _, stranger := range []context.Context{h.nextDoorWorker, h.street, mine, t.Context()} {
		if err := second(h.OfActivity(stranger, public, nil, keyset.Page{Size: 20})); err == nil {
			t.Errorf("%v reads who registered", access.From(stranger))
		}
	}
	rows, err := h.OfActivity(h.worker, public, nil, keyset.Page{Size: 20})
	if err != nil || len(rows) != 1 || rows[0].ID != registration.ID {
		t.Errorf("got %v, %v", rows, err)
	}
	wantCode(t, second(h.OfCitizen(citizen(t.Context()), access.From(mine).ID, keyset.Page{Size: 20})), fault.Forbidden)
	wantCode(t, second(h.Register(mine, activity.RegisterForActivityInput{ActivityID: draft.ID})), fault.NotFound)
	wantCode(t, second(h.Register(h.worker, activity.RegisterForActivityInput{ActivityID: public.ID})), fault.Forbidden)
	wantCode(t, second(h.Create(h.worker, activity.CreateActivityInput{AreaID: nextDoor})), fault.NotFound)

	// and behind the checks in Go, the tables
	stranger := citizen(t.Context())
	seen := map[string]struct {
		ctx                      context.Context
		activities, registration int
	}{"nobody": {t.Context(), 1, 0}, "another citizen": {stranger, 1, 0}, "who registered": {mine, 1, 1}, "worker": {h.worker, 2, 1}, "next door": {h.nextDoorWorker, 1, 0}}
	for who, c := range seen {
		err := h.DB.Write(c.ctx, func(tx *sqlx.Tx) error {
			var activities, registrations int
			if err := tx.QueryRow(`SELECT (SELECT count(*) FROM community.activity), (SELECT count(*) FROM community.registration)`).Scan(&activities, &registrations); err != nil {
				return err
			}
			if activities != c.activities || registrations != c.registration {
				t.Errorf("%s sees %d activities and %d registrations", who, activities, registrations)
			}
			if who == "worker" {
				return nil
			}
			result, err := tx.Exec(`UPDATE community.activity SET confirmed_count = 0`)
			if err != nil {
				return err
			}
			if n, _ := result.RowsAffected(); n != 0 {
				t.Errorf("%s changes %d activities", who, n)
			}
			result, err = tx.Exec(`UPDATE community.registration SET state = 'CONFIRMED'`)
			if err != nil {
				return err
			}
			if n, _ := result.RowsAffected(); n != 0 {
				t.Errorf("%s changes %d registrations", who, n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = h.DB.Write(mine, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`INSERT INTO community.registration (id, activity_id, area_code, citizen_id, state, registered_at, updated_at)
			VALUES (gen_random_uuid(), $1, $2, $3, 'CONFIRMED', now(), now())`, public.ID, here, access.From(stranger).ID)
		return err
	})
	var refused *pq.Error
	if !errors.As(err, &refused) || refused.Code != "42501" {
		t.Errorf("a citizen writes a registration: %v", err)
	}
}

func TestPublishedOfManyAreasIsOneRead(t *testing.T) {
	h := open(t)
	for range 3 {
		h.published(5)
		h.draft(5)
	}
	areas := []string{here, "510104017000", nextDoor, "510100000000", farAway, here, "999999999999"}
	for _, n := range []int{1, len(areas)} {
		ctx, counter := database.WithCounter(t.Context())
		lists, err := h.Published(ctx, areas[:n], keyset.Page{Size: 2}, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := counter.Statements(); got != 2 {
			t.Errorf("%d areas took %d statements", n, got)
		}
		if n == len(areas) {
			var sizes []int
			for _, list := range lists {
				sizes = append(sizes, len(list))
			}
			if diff := cmp.Diff([]int{3, 3, 0, 3, 0, 3, 0}, sizes); diff != "" { // a page and one more
				t.Error(diff)
			}
		}
	}
	h.later(72 * time.Hour)
	past, err := h.Published(t.Context(), []string{here}, keyset.Page{Size: 5}, false)
	if err != nil || len(past[0]) != 3 {
		t.Errorf("past ones: %d, %v", len(past[0]), err)
	}
	upcoming, err := h.Published(t.Context(), []string{here}, keyset.Page{Size: 5}, true)
	if err != nil || len(upcoming[0]) != 0 {
		t.Errorf("upcoming ones: %d, %v", len(upcoming[0]), err)
	}
}
