package participant

import (
	"context"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/account"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

func TestParticipantsOfAnAccountThatEnds(t *testing.T) {
	f := open(t)
	end := func(step func(context.Context, *sqlx.Tx, account.Keeper) error) {
		t.Helper()
		ctx := access.AsSystem(t.Context(), "test")
		for range 2 { // as an event that comes again
			if err := f.db.Write(ctx, func(tx *sqlx.Tx) error { return step(ctx, tx, Keeper()) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	apply := func() *Participant {
		t.Helper()
		p, err := f.Apply(as(t, owner), f.application())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	waiting, live := apply(), apply()
	for _, action := range []ParticipantAction{Take, Approve} {
		var err error
		if live, err = f.act(t, cityReviewer, action, live); err != nil {
			t.Fatal(err)
		}
	}
	_, err := f.act(t, other, Change, live)
	expect(t, "a stranger changes it", err, fault.NotFound)
	end(func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error {
		return k.Merge(ctx, tx, owner.ID, other.ID)
	})
	if live, err = f.act(t, other, Change, live); err != nil {
		t.Errorf("the successor changes it: %v", err)
	}
	_, err = f.act(t, owner, Change, live)
	expect(t, "the former changes it", err, fault.NotFound)
	end(func(ctx context.Context, tx *sqlx.Tx, k account.Keeper) error { return k.Erase(ctx, tx, other.ID) })
	for id, want := range map[string]string{waiting.ID: "REJECTED", live.ID: "SUSPENDED"} {
		var got struct {
			State string  `db:"state"`
			Phone *string `db:"phone"`
			Owner string  `db:"citizen_id"`
			Lines int     `db:"lines"`
		}
		err := f.owner.Get(&got, `SELECT state, phone, citizen_id, (SELECT count(*) FROM supply.history h WHERE h.subject_id = p.id AND h.actor_kind = 'system') AS lines
			FROM supply.participant p WHERE id = $1`, id)
		if err != nil || got.State != want || got.Phone != nil || got.Owner == other.ID || got.Lines != 1 {
			t.Errorf("%s: %+v %v", want, got, err)
		}
	}
	var left int
	if err := f.owner.Get(&left, `SELECT count(*) FROM supply.history WHERE citizen_id = $1 OR actor_id = $1::text AND actor_kind = 'citizen'`, other.ID); err != nil || left != 0 {
		t.Errorf("%d lines with the name: %v", left, err)
	}
}
