package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func open0(t *testing.T) (*embeddedtest.Database, *database.DB, context.Context) {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return at, db, access.AsSystem(t.Context(), "test")
}

func TestTheLifeOfAPayment(t *testing.T) {
	_, db, ctx := open0(t)
	paid := Deal{OrderID: "01890a5d-ac96-774b-bcce-b302099a9001", MerchantID: "m", Channel: "WECHAT", PaidFen: 900, DiscountFen: 100, FeeFen: 6, At: noon}
	part := paid
	part.PaidFen, part.DiscountFen, part.FeeFen = 450, 50, 3
	surplus := Deal{OrderID: paid.OrderID, Channel: "ALIPAY", PaidFen: 900, At: noon}
	if err := db.Write(ctx, func(tx *sqlx.Tx) error {
		for _, step := range []error{
			Paid(ctx, tx, "a1", paid), Returning(ctx, tx, "r1", part), NotReturned(ctx, tx, "r1", part), Returning(ctx, tx, "r2", part), Returned(ctx, tx, "r2", part),
			PaidBesides(ctx, tx, "a2", surplus), Returning(ctx, tx, "r3", surplus), Settled(ctx, tx, "s1", "m", 497, noon), WrittenOff(ctx, tx, "d1", "WECHAT", -5, noon),
		} {
			if step != nil {
				return step
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := map[Kind]map[string]int64{
		Clearing: {"WECHAT": 445, "ALIPAY": 900}, Payable: {"": 0}, Merchant: {"m": 0}, Fee: {"": -3}, Refund: {"WECHAT": 0, "ALIPAY": -900},
		Discount: {"": 50}, Settlement: {"": -497}, Suspense: {"WECHAT": 5},
	}
	got, total := map[Kind]map[string]int64{}, int64(0)
	if err := db.Read(ctx, func(tx *sqlx.Tx) error {
		for kind := range want {
			balances, err := Balances(ctx, tx, kind, time.Time{})
			if err != nil {
				return err
			}
			got[kind] = balances
			for _, fen := range balances {
				total += fen
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || total != 0 {
		t.Error(total, diff)
	}
	err := db.Write(ctx, func(tx *sqlx.Tx) error { return Paid(ctx, tx, "a1", paid) })
	if !Posted(err) {
		t.Errorf("posted twice: %v", err)
	}
}

// What the code would never write, the database refuses.
func TestTheDatabaseKeepsTheBooks(t *testing.T) {
	at, db, ctx := open0(t)
	if err := db.Write(ctx, func(tx *sqlx.Tx) error {
		return Settled(ctx, tx, "s1", "m", 5, noon)
	}); err != nil {
		t.Fatal(err)
	}
	const entry = `INSERT INTO citizen.ledger_entry (id, reference, postings, posted_at) VALUES ('01890a5d-ac96-774b-bcce-b302099a9009', 'x', 2, now())`
	const posting = `INSERT INTO citizen.ledger_posting (entry_id, account_id, amount_fen, posted_at) SELECT '01890a5d-ac96-774b-bcce-b302099a9009', id, `
	for name, c := range map[string]struct {
		constraint string
		statements []string
	}{
		"one too much":       {"ledger_balances", []string{entry, posting + `5, now() FROM citizen.ledger_account WHERE kind = 'MERCHANT'`, posting + `-4, now() FROM citizen.ledger_account WHERE kind = 'SETTLEMENT'`}},
		"one side":           {"ledger_balances", []string{entry, posting + `5, now() FROM citizen.ledger_account WHERE kind = 'MERCHANT'`}},
		"nothing":            {"ledger_balances", []string{entry}},
		"added later":        {"ledger_balances", []string{`INSERT INTO citizen.ledger_account (kind, owner) VALUES ('SUSPENSE', 'x'), ('SUSPENSE', 'y')`, `INSERT INTO citizen.ledger_posting (entry_id, account_id, amount_fen, posted_at) SELECT e.id, a.id, CASE owner WHEN 'x' THEN 1 ELSE -1 END, now() FROM citizen.ledger_entry e, citizen.ledger_account a WHERE kind = 'SUSPENSE'`}},
		"changed":            {"ledger_is_append_only", []string{`UPDATE citizen.ledger_posting SET amount_fen = amount_fen * 2`}},
		"removed":            {"ledger_is_append_only", []string{`DELETE FROM citizen.ledger_posting`}},
		"an entry's changed": {"ledger_is_append_only", []string{`UPDATE citizen.ledger_entry SET reference = 'y'`}},
	} {
		tx := at.Owner.MustBegin() // even the owner's statements
		if err := database.Scope(ctx, tx); err != nil {
			t.Fatal(err)
		}
		var err error
		for _, statement := range c.statements {
			if err == nil {
				_, err = tx.ExecContext(ctx, statement)
			}
		}
		if err == nil {
			err = tx.Commit()
		} else {
			_ = tx.Rollback()
		}
		if err == nil || !refusedBy(err, c.constraint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, p := range []*access.Principal{nil, {Kind: access.Citizen, ID: "01890a5d-ac96-774b-bcce-b302099a9001"}, {Kind: access.Worker, ID: "w", AreaCode: "510100000000", Roles: access.Roles()}} {
		if err := db.Read(access.With(t.Context(), p), func(tx *sqlx.Tx) error {
			var n int
			if err := tx.Get(&n, `SELECT count(*) FROM citizen.ledger_posting`); err != nil || n != 0 {
				t.Errorf("%+v sees %d postings: %v", p, n, err)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}

func TestAnEntryThatDoesNotBalanceIsNotEvenTried(t *testing.T) {
	if err := Post(t.Context(), nil, Entry{Reference: "x", Postings: []Posting{{Account{Fee, ""}, 1}}}); err == nil {
		t.Error("posted")
	}
}

func refusedBy(err error, constraint string) bool {
	var refused *pq.Error
	return errors.As(err, &refused) && refused.Code == "23514" && refused.Constraint == constraint
}
