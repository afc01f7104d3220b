package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/ledger"
)

// chaos is a world in which anything may go wrong at any moment.
type chaos struct {
	*world
	mu      sync.Mutex
	random  *rand.Rand
	on      bool
	notices []notified
	died    int
	lost    int
}

type notified struct {
	name channel.Name
	body []byte
}

var errDied = errors.New("test: the process died here")

func (c *chaos) chance(percent int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(100) < percent
}

func (c *chaos) pick(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *chaos) count(n *int, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
	return err
}

// do is one thing that somebody does, or that happens.
func (c *chaos) do(ctx context.Context, orders []string) error {
	id := orders[c.pick(len(orders))]
	name := channel.Names[c.pick(len(channel.Names))]
	mine := citizen(ctx, payer)
	switch c.pick(12) {
	case 0, 1, 2:
		_, err := c.Pay(mine, PayOrderInput{ID: id, Channel: name})
		return err
	case 3, 4, 5:
		return c.atTheCashier(ctx, id)
	case 6, 7:
		return c.deliver(ctx)
	case 8:
		found, err := c.Find(mine, []string{id})
		if err != nil {
			return err
		}
		_, err = c.Close(mine, id, found[id].Version)
		return err
	case 9:
		_, err := c.RequestRefund(mine, RequestRefundInput{OrderID: id, RequestNo: fmt.Sprint("r", c.pick(4)), AmountFen: int64(1 + c.pick(400)), Reason: "不需要了"})
		return err
	case 10:
		return c.review(ctx)
	default:
		c.pass(time.Duration(c.pick(400)) * time.Second)
		return c.Look(ctx)
	}
}

// atTheCashier pays any trade of the order that the channel still takes.
func (c *chaos) atTheCashier(ctx context.Context, id string) error {
	var trades []attempt
	if err := c.at.Owner.Select(&trades, `SELECT `+attemptColumns+` FROM citizen.payment_attempt WHERE order_id = $1 ORDER BY out_trade_no`, id); err != nil || len(trades) == 0 {
		return err
	}
	a := trades[c.pick(len(trades))]
	act := c.books[a.Channel].Pay
	if c.chance(10) {
		act = c.books[a.Channel].Fail
	}
	trade, err := act(ctx, a.OutTradeNo)
	if err != nil {
		return nil // the channel would not have it
	}
	if c.chance(25) {
		return nil // the notice is lost
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for range 1 + c.random.IntN(2) { // or comes twice
		c.notices = append(c.notices, notified{a.Channel, told(trade)})
	}
	return nil
}

// deliver brings any notice that is under way, at times with another amount.
func (c *chaos) deliver(ctx context.Context) error {
	c.mu.Lock()
	if len(c.notices) == 0 {
		c.mu.Unlock()
		return nil
	}
	at := c.random.IntN(len(c.notices))
	n := c.notices[at]
	c.notices = append(c.notices[:at], c.notices[at+1:]...)
	forged := c.random.IntN(10) == 0
	c.mu.Unlock()
	if forged {
		var notice channel.Notice
		if err := json.Unmarshal(n.body, &notice); err != nil {
			return err
		}
		notice.Fen, notice.ID = notice.Fen+1, notice.ID+"x"
		n.body, _ = json.Marshal(notice)
	}
	err := c.Notice(ctx, n.name, nil, n.body)
	var notice channel.Notice
	if forged && err == nil && json.Unmarshal(n.body, &notice) == nil && notice.State == channel.Succeeded {
		return errors.New("a forged amount was taken")
	}
	return nil // the channel tells again, or does not
}

func (c *chaos) review(ctx context.Context) error {
	var open []struct {
		ID      string `db:"id"`
		Version int    `db:"version"`
	}
	if err := c.at.Owner.Select(&open, `SELECT id, version FROM citizen.refund WHERE state = 'CREATED' ORDER BY id`); err != nil || len(open) == 0 {
		return err
	}
	r, note := open[c.pick(len(open))], "不符合条件"
	_, err := c.ReviewRefund(staff(ctx, officer, "510104000000", access.PaymentOfficer), ReviewRefundInput{ID: r.ID, ExpectedVersion: r.Version, Approve: c.chance(75), Note: &note})
	return err
}

// Whatever is lost, told twice, told wrong, or dies in between, and whoever pays,
// closes and asks back at the same moment: once the jobs have run no fen is
// missing and nobody paid twice, and our books say what the channels' own say.
func TestNoFenIsLost(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	c := &chaos{world: open(t), random: rand.New(rand.NewPCG(2026, 3)), on: true}
	c.Interrupt = func(string) error {
		if c.on && c.chance(12) {
			return c.count(&c.died, errDied)
		}
		return nil
	}
	for _, ch := range c.Channels {
		ch.(*direct).fault = func(string, bool) error {
			if c.on && c.chance(10) {
				return c.count(&c.lost, errLost)
			}
			return nil
		}
	}
	for round := range rounds {
		var orders []string
		for n := range 5 {
			o := c.order(t, fmt.Sprintf("R%d-%d", round, n), int64(100+c.pick(900)))
			if n%2 == 1 {
				c.at.Owner.MustExec(`UPDATE citizen.payment_order SET discount_fen = $2 WHERE id = $1`, o.ID, 1+c.pick(90))
			}
			orders = append(orders, o.ID)
		}
		c.on = true
		var all sync.WaitGroup
		wrong := make(chan error, 1000)
		for range 3 {
			all.Go(func() {
				for range 30 {
					if err := c.do(t.Context(), orders); err != nil && !expected(err) {
						wrong <- err
					}
				}
			})
		}
		all.Wait()
		close(wrong)
		for err := range wrong {
			t.Errorf("round %d: %v", round, err)
		}
		c.on = false
		for range 60 { // what is left of the pauses, and the jobs
			c.pass(time.Hour)
			c.look(t)
		}
		c.agree(t)
		if t.Failed() {
			return
		}
	}
	var states []struct {
		State string `db:"state"`
		N     int    `db:"n"`
	}
	_ = c.at.Owner.Select(&states, `SELECT state, count(*) AS n FROM (SELECT state FROM citizen.payment_order UNION ALL SELECT 'refund ' || kind || state FROM citizen.refund) s GROUP BY 1 ORDER BY 1`)
	t.Logf("%d processes died, %d calls were lost; %v", c.died, c.lost, states)
	if c.died < 20 || c.lost < 20 {
		t.Error("too little went wrong: the test says little")
	}
}

// expected says whether an error is one that chaos makes by design.
func expected(err error) bool {
	code := fault.CodeOf(err)
	return errors.Is(err, errDied) || errors.Is(err, errLost) || code != fault.Internal && code != ""
}

// agree compares our books with those of the channels.
func (c *chaos) agree(t *testing.T) {
	t.Helper()
	query := func(want int, why, sql string) {
		t.Helper()
		var got int
		if err := c.at.Owner.Get(&got, sql); err != nil || got != want {
			t.Errorf("%s: %d, want %d (%v)", why, got, want, err)
		}
	}
	query(0, "orders that are still open", `SELECT count(*) FROM citizen.payment_order WHERE state NOT IN ('SUCCEEDED', 'FAILED', 'CLOSED')`)
	query(0, "refunds under way", `SELECT count(*) FROM citizen.refund WHERE state = 'SUBMITTED'`)
	query(0, "trades that the channel thinks are open", `SELECT count(*) FROM citizen.simulated_trade s JOIN citizen.payment_attempt a USING (out_trade_no) WHERE a.state = 'OPEN'`)
	query(0, "entries that do not balance", `SELECT count(*) FROM (SELECT entry_id FROM citizen.ledger_posting GROUP BY 1 HAVING sum(amount_fen) <> 0) e`)
	query(0, "trades of which we and the channel differ", `SELECT count(*) FROM citizen.payment_attempt a LEFT JOIN citizen.simulated_trade s USING (out_trade_no)
		WHERE (a.state IN ('SUCCEEDED', 'SURPLUS')) <> coalesce(s.state = 'SUCCEEDED', false)`)
	query(0, "refunds of which we and the channel differ", `SELECT count(*) FROM citizen.refund r FULL JOIN citizen.simulated_refund s USING (refund_no)
		WHERE (coalesce(r.state = 'REFUNDED', false)) <> (s.refund_no IS NOT NULL) OR r.amount_fen <> s.amount_fen`)
	// what a citizen is out of pocket, by the channels' own books, is what the order says
	query(0, "citizens who paid too much or too little", `SELECT count(*) FROM citizen.payment_order o
		LEFT JOIN LATERAL (SELECT coalesce(sum(s.amount_fen), 0) AS fen FROM citizen.payment_attempt a JOIN citizen.simulated_trade s USING (out_trade_no)
			WHERE a.order_id = o.id AND s.state = 'SUCCEEDED') paid ON true
		LEFT JOIN LATERAL (SELECT coalesce(sum(s.amount_fen), 0) AS fen FROM citizen.payment_attempt a JOIN citizen.simulated_refund s USING (out_trade_no) WHERE a.order_id = o.id) back ON true
		WHERE paid.fen - back.fen <> CASE o.state WHEN 'SUCCEEDED' THEN o.amount_fen - o.discount_fen - o.refunded_fen ELSE 0 END`)
	query(0, "orders whose refunds do not add up", `SELECT count(*) FROM citizen.payment_order o
		LEFT JOIN LATERAL (SELECT coalesce(sum(amount_fen) FILTER (WHERE state <> 'FAILED'), 0) AS reserved, coalesce(sum(amount_fen) FILTER (WHERE state = 'REFUNDED'), 0) AS done
			FROM citizen.refund r WHERE r.order_id = o.id AND kind = 'REQUESTED') r ON true WHERE r.reserved <> o.reserved_fen OR r.done <> o.refunded_fen`)
	var owed int64
	if err := c.at.Owner.Get(&owed, `SELECT (SELECT coalesce(sum(amount_fen - fee_fen), 0) FROM citizen.payment_order WHERE state = 'SUCCEEDED')
		- (SELECT coalesce(sum(amount_fen + discount_fen - fee_fen), 0) FROM citizen.refund WHERE state = 'REFUNDED' AND kind = 'REQUESTED')`); err != nil {
		t.Fatal(err)
	}
	balances := c.balances(t)
	if got := balances[ledger.Merchant][shop]; got != -owed {
		t.Errorf("the merchant is owed %d, the ledger says %d", owed, -got)
	}
	if got := balances[ledger.Payable][""]; got != 0 {
		t.Errorf("%d fen of citizens were not given back", -got)
	}
	var total int64
	for kind, of := range balances {
		for owner, fen := range of {
			total += fen
			if kind == ledger.Refund && fen != 0 {
				t.Errorf("%d fen are on their way by %s", fen, owner)
			}
		}
	}
	if total != 0 {
		t.Errorf("the ledger is out by %d", total)
	}
	for name, book := range c.books {
		held, err := book.Held(t.Context())
		if err != nil || held != balances[ledger.Clearing][string(name)] {
			t.Errorf("%s holds %d, the ledger says %d (%v)", name, held, balances[ledger.Clearing][string(name)], err)
		}
	}
}

func (w *world) balances(t *testing.T) map[ledger.Kind]map[string]int64 {
	t.Helper()
	all := map[ledger.Kind]map[string]int64{}
	if err := w.DB.Read(access.AsSystem(database.WithWatcher(t.Context(), nil), "test"), func(tx *sqlx.Tx) error {
		for _, kind := range []ledger.Kind{ledger.Clearing, ledger.Payable, ledger.Merchant, ledger.Fee, ledger.Refund, ledger.Discount, ledger.Settlement, ledger.Suspense} {
			of, err := ledger.Balances(t.Context(), tx, kind, time.Time{})
			if err != nil {
				return err
			}
			all[kind] = of
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
