package activity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
)

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
	var refused *pgconn.PgError
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
		if got := counter.Statements(); got != 1 {
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
