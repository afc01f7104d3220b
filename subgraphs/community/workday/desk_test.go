package workday_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/community/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

func TestTheAdministratorKeepsTheCalendar(t *testing.T) {
	db := embeddedtest.Open(t, migrations.FS)
	pool, err := database.Open(t.Context(), db.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	desk := &workday.Desk{DB: pool}
	as := func(kind access.Kind, roles ...access.Role) context.Context {
		return access.With(t.Context(), &access.Principal{Kind: kind, ID: uuid.NewString(), AreaCode: "510100000000", Roles: roles})
	}
	administrator, leader, citizen := as(access.Worker, access.SystemAdmin), as(access.Worker, access.Leader), as(access.Citizen)

	in := workday.SetWorkdayInput{Day: "2027-02-08", Work: false, Name: "春节"}
	for _, c := range []struct {
		ctx  context.Context
		code fault.Code
	}{{leader, fault.Forbidden}, {citizen, fault.Forbidden}, {t.Context(), fault.Unauthenticated}} {
		_, err := desk.Set(c.ctx, in)
		if got := fault.CodeOf(err); got != c.code {
			t.Errorf("got %v, want %s", err, c.code)
		}
		if got := fault.CodeOf(desk.Clear(c.ctx, workday.ClearWorkdayInput{Day: "2026-10-01"})); got != c.code {
			t.Errorf("clearing: %s, want %s", got, c.code)
		}
	}
	err = pool.Write(citizen, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`INSERT INTO community.workday (day, work, name) VALUES ('2027-02-08', false, '')`)
		return err
	})
	if err == nil {
		t.Error("the table takes a citizen's day")
	}
	for _, day := range []string{"", "2027-02-30", "tomorrow", "0001-01-01", "2027-02-08T00:00:00Z"} {
		if _, err := desk.Set(administrator, workday.SetWorkdayInput{Day: day, Name: "春节"}); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("day %q: %v", day, err)
		}
	}
	for range 2 { // the second time it is there already
		if _, err := desk.Set(administrator, in); err != nil {
			t.Fatal(err)
		}
	}
	days, err := desk.Days(t.Context(), "2027-01-01", "2027-12-31")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*workday.Workday{{Day: "2027-02-08", Work: false, Name: "春节"}}, days); diff != "" {
		t.Error(diff)
	}
	var calendar workday.Calendar
	read := func() workday.Calendar {
		t.Helper()
		if err := pool.Read(citizen, func(tx *sqlx.Tx) (err error) {
			calendar, err = workday.Read(t.Context(), tx, at("2027-02-01 00:00"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return calendar
	}
	if read().IsWork(at("2027-02-08 12:00")) {
		t.Error("a declared holiday counts as work")
	}
	if err := desk.Clear(administrator, workday.ClearWorkdayInput{Day: "2027-02-08"}); err != nil {
		t.Fatal(err)
	}
	if !read().IsWork(at("2027-02-08 12:00")) {
		t.Error("a cleared Monday is no work day")
	}
	if _, err := desk.Days(t.Context(), "2026-01-01", "2027-06-01"); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("too long a stretch: %v", err)
	}
}
