package demonstration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
)

// shops are the merchants of the story: name, area, unified social credit code,
// fee rate, what is paid for.
var shops = []struct {
	name, area, uscc string
	rate             int
	subjects         []string
}{
	{"演示自来水公司", "510100000000", "91510100MA6PAY001B", 20, []string{"水费"}},
	{"演示燃气公司", "510100000000", "91510100MA6PAY002E", 20, []string{"燃气费"}},
	{"演示锦江物业服务中心", "510104000000", "91510104MA6PAY003B", 60, []string{"物业费", "停车费"}},
	{"演示青羊社区食堂", "510105000000", "91510105MA6PAY004W", 60, []string{"助餐费"}},
}

// payments gives the scale's orders: paid and closed ones, with the ledger and
// the simulated channels' books that go with them. None is open: nothing is
// left to do for the jobs.
func payments(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ []string) error {
	for i, shop := range shops {
		if _, err := tx.ExecContext(ctx, `INSERT INTO citizen.merchant (id, code, uscc, name, area_code, fee_rate, bank, account_tail, state, version, created_at, created_by, updated_at, updated_by)
			VALUES ($1, $2, $3, $4, $5, $6, '演示银行', $7, 'APPROVED', 2, $8, 'demonstration', $8, 'demonstration')`,
			demonstration.ID("merchant", i), fmt.Sprintf("M%011d", i+1), shop.uscc, shop.name, shop.area, shop.rate, fmt.Sprintf("%04d", 1000+i*37), cast.Anchor.AddDate(0, -6, 0)); err != nil {
			return fmt.Errorf("merchants: %w", err)
		}
	}
	orders := min(cast.Citizens()/10, 20_000)
	err := copyIn(ctx, tx, "payment_order", []string{"id", "merchant_id", "merchant_order_no", "content", "citizen_id", "area_code", "subject", "amount_fen", "fee_rate", "fee_fen", "channel",
		"attempts", "state", "expires_at", "paid_at", "version", "created_at", "updated_at"}, func(row func(...any) error) error {
		for i := range orders {
			n := demonstration.Number("payment", i)
			at, fen := int(n%uint64(len(shops))), int64(500+n/7%40000)
			shop := shops[at]
			made := cast.Anchor.Add(-time.Duration(60+n%(90*24*60)) * time.Minute)
			name, state, paid, version := string(channel.Names[n/11%4]), "SUCCEEDED", any(made.Add(time.Minute)), 3
			fee := (fen*int64(shop.rate) + 5000) / 10000
			if n%13 == 0 {
				state, paid, fee = "CLOSED", nil, 0
			}
			if err := row(demonstration.ID("payment order", i), demonstration.ID("merchant", at), fmt.Sprintf("DEMO%08d", i), []byte{0}, demonstration.ID("citizen", i%cast.Citizens()), shop.area,
				shop.subjects[n/3%uint64(len(shop.subjects))], fen, shop.rate, fee, name, 1, state, made.Add(30*time.Minute), paid, version, made, made.Add(time.Minute)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	// what follows from the orders
	for _, statement := range strings.Split(followUp, ";\n") {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("payments: %w", err)
		}
	}
	return nil
}

const followUp = `INSERT INTO citizen.payment_attempt (out_trade_no, order_id, citizen_id, channel, amount_fen, state, trade_no, created_at, settled_at)
	SELECT merchant_order_no, id, citizen_id, channel, amount_fen, state, '42' || merchant_order_no, created_at, updated_at FROM citizen.payment_order;
INSERT INTO citizen.payment_event (order_id, citizen_id, area_code, action, from_state, to_state, version, actor_kind, actor_id, at)
	SELECT o.id, o.citizen_id, o.area_code, e.action, e.from_state, coalesce(e.to_state, o.state), e.version, CASE e.version WHEN 3 THEN 'system' ELSE 'citizen' END,
		CASE e.version WHEN 3 THEN 'payment' ELSE o.citizen_id::text END, CASE e.version WHEN 3 THEN o.updated_at ELSE o.created_at END
	FROM citizen.payment_order o CROSS JOIN LATERAL (VALUES ('CREATE', NULL, 'CREATED', 1), ('PAY', 'CREATED', 'PAYING', 2),
		(CASE o.state WHEN 'CLOSED' THEN 'CLOSE' ELSE 'SUCCEED' END, 'PAYING', NULL, 3)) e (action, from_state, to_state, version) ORDER BY o.id, e.version;
INSERT INTO citizen.simulated_trade (channel, out_trade_no, trade_no, amount_fen, subject, notify_url, state, expires_at, paid_at)
	SELECT channel, merchant_order_no, '42' || merchant_order_no, amount_fen, subject, '', state, expires_at, paid_at FROM citizen.payment_order;
INSERT INTO citizen.ledger_account (kind, owner) SELECT DISTINCT 'CHANNEL_CLEARING', channel FROM citizen.payment_order WHERE paid_at IS NOT NULL
	UNION SELECT DISTINCT 'MERCHANT', merchant_id::text FROM citizen.payment_order WHERE paid_at IS NOT NULL UNION SELECT 'FEE', '' ORDER BY 1, 2;
INSERT INTO citizen.ledger_entry (id, reference, order_id, postings, posted_at)
	SELECT id, 'payment/' || merchant_order_no, id, 2 + (fee_fen > 0)::int, paid_at FROM citizen.payment_order WHERE paid_at IS NOT NULL;
INSERT INTO citizen.ledger_posting (entry_id, account_id, amount_fen, posted_at)
	SELECT o.id, a.id, p.fen, o.paid_at FROM citizen.payment_order o
	CROSS JOIN LATERAL (VALUES ('CHANNEL_CLEARING', o.channel, o.amount_fen), ('MERCHANT', o.merchant_id::text, o.fee_fen - o.amount_fen), ('FEE', '', -o.fee_fen)) p (kind, owner, fen)
	JOIN citizen.ledger_account a ON a.kind = p.kind AND a.owner = p.owner WHERE o.paid_at IS NOT NULL AND p.fen <> 0`
