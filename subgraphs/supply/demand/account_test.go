package demand

import (
	"context"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/account"
)

func (f *fixture) end(t *testing.T, step func(context.Context, *sqlx.Tx, account.Keeper) error) {
	t.Helper()
	ctx := access.AsSystem(t.Context(), "test")
	for range 2 { // as an event that comes again
		if err := f.db.Write(ctx, func(tx *sqlx.Tx) error { return step(ctx, tx, Keeper()) }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDemandsOfAnAccountThatEnds(t *testing.T) {
	f := open(t)
	open, matched := f.at(t, Open), f.at(t, Matched)
	f.end(t, func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error {
		return k.Merge(ctx, tx, resident.ID, other.ID)
	})
	if _, err := f.act(t, other, Fulfil, matched); err != nil {
		t.Errorf("the successor goes on: %v", err)
	}
	var lines int
	if err := f.owner.Get(&lines, `SELECT count(*) FROM supply.history WHERE citizen_id = $1`, other.ID); err != nil || lines < 5 {
		t.Errorf("%d lines of the successor: %v", lines, err)
	}
	f.end(t, func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error { return k.Erase(ctx, tx, other.ID) })
	var rows []string
	if err := f.owner.Select(&rows, `SELECT to_jsonb(d)::text FROM supply.demand d UNION ALL SELECT to_jsonb(h)::text FROM supply.history h WHERE h.actor_kind <> 'citizen'`); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if strings.Contains(row, other.ID) || strings.Contains(row, "钟点") || strings.Contains(row, "每周两次") {
			t.Errorf("left behind: %s", row)
		}
	}
	for id, want := range map[string]string{open.ID: "WITHDRAWN", matched.ID: "FULFILLED"} {
		var state string
		if err := f.owner.Get(&state, `SELECT state FROM supply.demand WHERE id = $1`, id); err != nil || state != want {
			t.Errorf("%s is %s, want %s: %v", id, state, want, err)
		}
	}
	if err := f.owner.Get(&lines, `SELECT count(*) FROM supply.history WHERE subject_id = $1 AND to_state = 'WITHDRAWN'`, open.ID); err != nil || lines != 1 {
		t.Errorf("%d lines of the withdrawal: %v", lines, err)
	}
}
