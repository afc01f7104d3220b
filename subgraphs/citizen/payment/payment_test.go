package payment

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/ledger"
)

func TestAnOrderIsMadeOnce(t *testing.T) {
	w := open(t)
	in := CreatePaymentOrderInput{MerchantID: shop, MerchantOrderNo: "A1", Subject: "三月水费", AmountFen: 1234}
	ids := make(chan string, 16)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			o, err := w.Create(citizen(t.Context(), payer), in)
			if err != nil {
				t.Error(err)
				return
			}
			ids <- o.ID
		})
	}
	all.Wait()
	close(ids)
	distinct := map[string]bool{}
	for id := range ids {
		distinct[id] = true
	}
	if len(distinct) != 1 {
		t.Errorf("%d orders of one number", len(distinct))
	}
	dearer, later := in, in
	dearer.AmountFen++
	later.Subject = "四月水费"
	for name, c := range map[string]struct {
		who string
		in  CreatePaymentOrderInput
	}{"another amount": {payer, dearer}, "another subject": {payer, later}, "another citizen": {other, in}} {
		if _, err := w.Create(citizen(t.Context(), c.who), c.in); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.at.Owner.MustExec(`UPDATE citizen.merchant SET state = 'SUSPENDED'`)
	in.MerchantOrderNo = "A2"
	if _, err := w.Create(citizen(t.Context(), payer), in); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a suspended merchant: %v", err)
	}
}

// arrange brings a new order into the state.
func (w *world) arrange(t *testing.T, n int, state PaymentOrderState) *PaymentOrder {
	t.Helper()
	o := w.order(t, fmt.Sprint("T", n), 1000)
	if state == Created {
		return o
	}
	w.begin(t, o, channel.WeChat)
	d := w.Channels[channel.WeChat].(*direct)
	switch state {
	case Succeeded:
		w.payAt(t, o, channel.WeChat, 1)
	case Failed:
		if trade, err := w.books[channel.WeChat].Fail(t.Context(), outTradeNo(o.ID, 1)); err != nil || w.Notice(t.Context(), channel.WeChat, nil, told(trade)) != nil {
			t.Fatal(err)
		}
	case Closed, Unknown:
		if state == Unknown {
			d.fault = func(string, bool) error { return errLost }
		}
		if _, err := w.Close(citizen(t.Context(), payer), o.ID, w.read(t, o.ID).Version); err != nil {
			t.Fatal(err)
		}
		d.fault = nil
	}
	if o = w.read(t, o.ID); o.State != state {
		t.Fatalf("%s, want %s", o.State, state)
	}
	return o
}

// Every state with every action that people and channels may try: what the
// table does not have is refused and changes nothing.
func TestEveryTransition(t *testing.T) {
	w, n := open(t), 0
	mine := citizen(t.Context(), payer)
	for _, state := range []PaymentOrderState{Created, Paying, Succeeded, Failed, Closed, Unknown} {
		for action, c := range map[PaymentAction]struct {
			do   func(o *PaymentOrder) error
			want map[PaymentOrderState]PaymentOrderState
		}{
			Pay: {func(o *PaymentOrder) error {
				_, err := w.Pay(mine, PayOrderInput{ID: o.ID, Channel: channel.Alipay})
				return err
			}, map[PaymentOrderState]PaymentOrderState{Created: Paying, Paying: Paying}},
			Close: {func(o *PaymentOrder) error { _, err := w.Close(mine, o.ID, o.Version); return err },
				map[PaymentOrderState]PaymentOrderState{Created: Closed, Paying: Closed}},
			RequestRefund: {func(o *PaymentOrder) error {
				_, err := w.RequestRefund(mine, RequestRefundInput{OrderID: o.ID, RequestNo: "r", AmountFen: 1, Reason: "不需要了"})
				return err
			}, map[PaymentOrderState]PaymentOrderState{Succeeded: Succeeded}},
		} {
			n++
			o := w.arrange(t, n, state)
			err := c.do(o)
			after := w.read(t, o.ID)
			if to, ok := c.want[state]; ok {
				if err != nil || after.State != to {
					t.Errorf("%s of %s: %s, %v", action, state, after.State, err)
				}
			} else if fault.CodeOf(err) != fault.Conflict || after.Version != o.Version || after.State != o.State {
				t.Errorf("%s of %s: %s, %v", action, state, after.State, err)
			}
		}
	}
	for _, state := range []PaymentOrderState{Created, Paying, Succeeded, Failed, Closed, Unknown} {
		for _, action := range []PaymentAction{Pay, Close, Succeed, Fail, LoseSight, RequestRefund, FinishRefund, ReleaseRefund} {
			to, err := (&PaymentOrder{State: state}).next(action)
			if (err == nil) != (to != "") {
				t.Errorf("%s of %s", action, state)
			}
		}
	}
	o := w.arrange(t, 1000, Created)
	if _, err := w.Close(mine, o.ID, o.Version+1); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("another version: %v", err)
	}
}

func TestUnknownIsAskedForWithGrowingPauses(t *testing.T) {
	w := open(t)
	o := w.arrange(t, 1, Unknown)
	d, asked := w.Channels[channel.WeChat].(*direct), 0
	d.fault = func(call string, answered bool) error {
		if !answered {
			asked++
		}
		return errLost
	}
	for range 120 { // an hour
		w.pass(30 * time.Second)
		w.look(t)
	}
	if asked < 5 || asked > 9 {
		t.Errorf("asked %d times in an hour", asked)
	}
	d.fault = nil
	if _, err := w.books[channel.WeChat].Pay(t.Context(), outTradeNo(o.ID, 1)); err == nil {
		t.Error("it was closed at the channel when the answer was lost, or has expired")
	}
	w.pass(time.Hour)
	w.look(t)
	if o = w.read(t, o.ID); o.State != Failed {
		t.Errorf("%s", o.State)
	}
}

// The money came, and nobody told us: the question finds out.
func TestALostNoticeIsAskedFor(t *testing.T) {
	w := open(t)
	o := w.order(t, "A1", 1000)
	w.begin(t, o, channel.Alipay)
	if _, err := w.books[channel.Alipay].Pay(t.Context(), outTradeNo(o.ID, 1)); err != nil {
		t.Fatal(err)
	}
	w.look(t)
	if got := w.read(t, o.ID); got.State != Paying {
		t.Errorf("asked too soon: %s", got.State)
	}
	w.pass(firstLook)
	w.look(t)
	if got := w.read(t, o.ID); got.State != Succeeded || got.FeeFen != 6 || got.PaidAt == nil {
		t.Errorf("%+v", got)
	}
}

func TestOrdersExpire(t *testing.T) {
	w := open(t)
	untouched, begun, paid := w.order(t, "A1", 1000), w.order(t, "A2", 1000), w.order(t, "A3", 1000)
	w.begin(t, begun, channel.WeChat)
	w.begin(t, paid, channel.WeChat)
	for _, ch := range w.Channels { // it answers nothing but at the end
		ch.(*direct).fault = func(call string, _ bool) error {
			if call == "query" {
				return errLost
			}
			return nil
		}
	}
	if _, err := w.books[channel.WeChat].Pay(t.Context(), outTradeNo(paid.ID, 1)); err != nil {
		t.Fatal(err)
	}
	w.pass(31 * time.Minute)
	if _, err := w.Pay(citizen(t.Context(), payer), PayOrderInput{ID: untouched.ID, Channel: channel.WeChat}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("paid too late: %v", err)
	}
	w.look(t)
	for o, want := range map[*PaymentOrder]PaymentOrderState{untouched: Closed, begun: Closed, paid: Succeeded} {
		if got := w.read(t, o.ID); got.State != want {
			t.Errorf("%s: %s, want %s", o.MerchantOrderNo, got.State, want)
		}
	}
}

// A notice counts once, and only with the amount and the merchant of the order.
func TestNotices(t *testing.T) {
	w := open(t)
	o := w.order(t, "A1", 1000)
	w.begin(t, o, channel.WeChat)
	trade, err := w.books[channel.WeChat].Pay(t.Context(), outTradeNo(o.ID, 1))
	if err != nil {
		t.Fatal(err)
	}
	short, strange := trade, trade
	short.Fen--
	strange.OutTradeNo = "NOBODYS"
	for name, wrong := range map[string]channel.Trade{"another amount": short, "a trade of nobody": strange} {
		if err := w.Notice(t.Context(), channel.WeChat, nil, told(wrong)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := w.Notice(t.Context(), channel.Alipay, nil, told(trade)); err == nil {
		t.Error("another channel's notice is taken")
	}
	if got := w.read(t, o.ID); got.State != Paying {
		t.Fatalf("moved to %s", got.State)
	}
	for range 3 {
		if err := w.Notice(t.Context(), channel.WeChat, nil, told(trade)); err != nil {
			t.Fatal(err)
		}
	}
	got := w.read(t, o.ID)
	if got.State != Succeeded || got.Version != 3 {
		t.Errorf("%+v", got)
	}
	if balances := w.balances(t); balances[ledger.Merchant][shop] != -994 || balances[ledger.Fee][""] != -6 || balances[ledger.Clearing]["WECHAT"] != 1000 {
		t.Errorf("%v", balances)
	}
	var kept int
	if err := w.at.Owner.Get(&kept, `SELECT count(*) FROM citizen.payment_notice`); err != nil || kept != 3 {
		t.Errorf("%d notices are kept: %v", kept, err)
	}
}

// Another channel is opened only once the first trade is closed; if the first
// is paid after all, it is given back.
func TestNobodyPaysTwice(t *testing.T) {
	w := open(t)
	mine := citizen(t.Context(), payer)
	o := w.order(t, "A1", 1000)
	w.begin(t, o, channel.WeChat)
	w.begin(t, o, channel.WeChat)
	w.begin(t, o, channel.Alipay)
	if _, err := w.books[channel.WeChat].Pay(t.Context(), outTradeNo(o.ID, 1)); err == nil {
		t.Error("the first trade can still be paid")
	}
	d := w.Channels[channel.Alipay].(*direct)
	d.fault = func(string, bool) error { return errLost }
	if _, err := w.Pay(mine, PayOrderInput{ID: o.ID, Channel: channel.UnionPay}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("changed without knowing: %v", err)
	}
	d.fault = nil
	// the channel breaks its word: the closed trade is paid
	w.at.Owner.MustExec(`UPDATE citizen.simulated_trade SET state = 'SUCCEEDED', paid_at = now() WHERE channel = 'WECHAT'`)
	trade, err := w.books[channel.WeChat].Query(t.Context(), outTradeNo(o.ID, 1))
	if err != nil || w.Notice(t.Context(), channel.WeChat, nil, told(trade)) != nil {
		t.Fatal(err)
	}
	w.payAt(t, o, channel.Alipay, 2)
	if b := w.balances(t); b[ledger.Refund]["WECHAT"] != -1000 || b[ledger.Clearing]["WECHAT"] != 1000 {
		t.Errorf("%v", b)
	}
	w.look(t)
	c := &chaos{world: w}
	c.agree(t)
	if got := w.read(t, o.ID); got.State != Succeeded || *got.Channel != channel.Alipay {
		t.Errorf("%+v", got)
	}
}

func TestWhoMayNot(t *testing.T) {
	w := open(t)
	o := w.paid(t, "A1", 1000, channel.WeChat)
	waiting := w.order(t, "A2", DefaultStepUpFen)
	r, err := w.RequestRefund(citizen(t.Context(), payer), RequestRefundInput{OrderID: o.ID, RequestNo: "r", AmountFen: 10, Reason: "不需要了"})
	if err != nil {
		t.Fatal(err)
	}
	everyRoleElsewhere := staff(t.Context(), officer, "510105000000", access.Roles()...)
	outsiders := map[string]context.Context{
		"nobody": t.Context(), "another citizen": citizen(t.Context(), other), "staff of another district": everyRoleElsewhere,
		"staff without the role": staff(t.Context(), officer, "510104000000", access.CommunityWorker, access.Supervisor),
	}
	for name, ctx := range outsiders {
		if found, err := w.Find(ctx, []string{o.ID}); err != nil || found[o.ID] != nil {
			t.Errorf("%s sees the order: %v", name, err)
		}
		for what, err := range map[string]error{
			"pay":    second(w.Pay(ctx, PayOrderInput{ID: waiting.ID, Channel: channel.WeChat})),
			"close":  second(w.Close(ctx, waiting.ID, waiting.Version)),
			"ask":    second(w.RequestRefund(ctx, RequestRefundInput{OrderID: o.ID, RequestNo: "x", AmountFen: 10, Reason: "不需要了"})),
			"review": second(w.ReviewRefund(ctx, ReviewRefundInput{ID: r.ID, ExpectedVersion: 1, Approve: true})),
		} {
			if code := fault.CodeOf(err); code != fault.Unauthenticated && code != fault.Forbidden && code != fault.NotFound {
				t.Errorf("%s may %s: %v", name, what, err)
			}
		}
		for _, table := range []string{"payment_order", "payment_attempt", "payment_event", "payment_notice", "refund", "ledger_entry", "simulated_trade"} {
			if err := w.DB.Read(ctx, func(tx *sqlx.Tx) error {
				var n int
				if err := tx.Get(&n, `SELECT count(*) FROM citizen.`+table); err != nil || n != 0 {
					t.Errorf("%s sees %d rows of %s: %v", name, n, table, err)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	}
	// dear orders ask for a proof
	stale := access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: payer})
	if _, err := w.Pay(stale, PayOrderInput{ID: waiting.ID, Channel: channel.WeChat}); fault.CodeOf(err) != fault.StepUpRequired {
		t.Errorf("a dear order without proof: %v", err)
	}
	// a citizen's own statements change no state
	if err := w.DB.Write(citizen(t.Context(), payer), func(tx *sqlx.Tx) error {
		result, err := tx.Exec(`UPDATE citizen.payment_order SET state = 'SUCCEEDED', paid_at = now()`)
		if err != nil {
			return err
		}
		if n, _ := result.RowsAffected(); n != 0 {
			t.Errorf("%d orders were changed", n)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	// who asked does not review
	both := staff(t.Context(), officer, "510104000000", access.PaymentOfficer)
	own, err := w.RequestRefund(both, RequestRefundInput{OrderID: o.ID, RequestNo: "s", AmountFen: 10, Reason: "重复收费"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ReviewRefund(both, ReviewRefundInput{ID: own.ID, ExpectedVersion: 1, Approve: true}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("reviewed one's own: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// The citizen closes while the opening is still under way to the channel: what
// arrives late must not be payable, since nobody would ask about it again.
func TestAClosingThatOvertakesTheOpening(t *testing.T) {
	w := open(t)
	mine := citizen(t.Context(), payer)
	o := w.order(t, "M-overtaken", 463)
	w.Interrupt = func(step string) error {
		if step != "attempted" {
			return nil
		}
		w.Interrupt = nil
		found, err := w.Find(mine, []string{o.ID})
		if err != nil {
			return err
		}
		if closed, err := w.Close(mine, o.ID, found[o.ID].Version); err != nil || closed.State != Closed {
			t.Errorf("closing: %+v, %v", closed, err)
		}
		return nil
	}
	if _, err := w.Pay(mine, PayOrderInput{ID: o.ID, Channel: channel.WeChat}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("an order that was closed meanwhile is opened: %v", err)
	}
	if trade, err := w.books[channel.WeChat].Pay(t.Context(), outTradeNo(o.ID, 1)); err == nil {
		t.Errorf("the channel takes money for a closed order: %+v", trade)
	}
}
