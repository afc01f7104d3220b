package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/simulator"
)

const (
	shop    = "01890a5d-ac96-774b-bcce-b302099a8001"
	payer   = "01890a5d-ac96-774b-bcce-b302099a9001"
	other   = "01890a5d-ac96-774b-bcce-b302099a9002"
	officer = "01890a5d-ac96-774b-bcce-b302099a9003"
)

// world is a cashier over a real database and channels' own books.
type world struct {
	*Payments
	at    *embeddedtest.Database
	clock atomic.Int64 // seconds since begin
	books map[channel.Name]*simulator.Book
}

var begin = time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)

func open(t *testing.T) *world {
	t.Helper()
	w := &world{at: embeddedtest.Open(t, migrations.FS), books: map[channel.Name]*simulator.Book{}}
	db, err := database.Open(t.Context(), w.at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	now := func() time.Time { return begin.Add(time.Duration(w.clock.Load()) * time.Second) }
	w.Payments = &Payments{DB: db, Channels: map[channel.Name]channel.Channel{}, Now: now, Log: slog.New(slog.DiscardHandler), StepUpFen: DefaultStepUpFen}
	for _, name := range channel.Names {
		w.books[name] = &simulator.Book{Channel: name, DB: db, Now: now}
		w.Channels[name] = &direct{book: w.books[name]}
	}
	w.at.Owner.MustExec(`INSERT INTO citizen.merchant (id, code, uscc, name, area_code, fee_rate, bank, account_tail, state, version, created_at, created_by, updated_at, updated_by)
		VALUES ($1, 'M00000000001', '91510100MA6CGUGA1W', '某水务公司', '510104000000', 60, '某银行', '1234', 'APPROVED', 1, now(), 'x', now(), 'x')`, shop)
	return w
}

func (w *world) pass(d time.Duration) { w.clock.Add(int64(d / time.Second)) }

func citizen(ctx context.Context, id string) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Citizen, ID: id, ProvenAt: time.Now(), ProvenBy: access.ByCode})
}

func staff(ctx context.Context, id, area string, roles ...access.Role) context.Context {
	return access.With(ctx, &access.Principal{Kind: access.Worker, ID: id, AreaCode: area, Roles: roles})
}

func (w *world) order(t *testing.T, no string, fen int64) *PaymentOrder {
	t.Helper()
	o, err := w.Create(citizen(t.Context(), payer), CreatePaymentOrderInput{MerchantID: shop, MerchantOrderNo: no, Subject: "三月水费", AmountFen: fen})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// paid is an order that was paid by the channel, and told so.
func (w *world) paid(t *testing.T, no string, fen int64, name channel.Name) *PaymentOrder {
	t.Helper()
	o := w.order(t, no, fen)
	w.begin(t, o, name)
	w.payAt(t, o, name, 1)
	return w.read(t, o.ID)
}

func (w *world) begin(t *testing.T, o *PaymentOrder, name channel.Name) {
	t.Helper()
	if _, err := w.Pay(citizen(t.Context(), payer), PayOrderInput{ID: o.ID, Channel: name}); err != nil {
		t.Fatal(err)
	}
}

// payAt is the citizen at the channel's cashier, and the channel's notice.
func (w *world) payAt(t *testing.T, o *PaymentOrder, name channel.Name, n int) {
	t.Helper()
	trade, err := w.books[name].Pay(t.Context(), outTradeNo(o.ID, n))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Notice(t.Context(), name, nil, told(trade)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) read(t *testing.T, id string) *PaymentOrder {
	t.Helper()
	found, err := w.Find(access.AsSystem(t.Context(), "test"), []string{id})
	if err != nil || found[id] == nil {
		t.Fatal(id, err)
	}
	return found[id]
}

func (w *world) look(t *testing.T) {
	t.Helper()
	if err := w.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// direct is a channel without a wire between: what goes wrong is asked of fault.
type direct struct {
	book *simulator.Book
	// fault is asked before a call reaches the channel, and before its answer reaches us.
	fault func(call string, answered bool) error
}

var errLost = errors.New("test: nothing comes back")

func (d *direct) wrong(call string, answered bool) error {
	if d.fault == nil {
		return nil
	}
	return d.fault(call, answered)
}

const mine = "1900000001"

func (d *direct) Merchant() string { return mine }

// definite makes the book's refusals the channel's.
func definite(err error) error {
	for _, refused := range []error{simulator.ErrOther, simulator.ErrNotPaid, simulator.ErrTooMuch, simulator.ErrNotReady} {
		if errors.Is(err, refused) {
			return &channel.Refusal{Code: "NO", Message: refused.Error()}
		}
	}
	return err
}

func call[T any](d *direct, name string, do func() (T, error)) (T, error) {
	var none T
	if err := d.wrong(name, false); err != nil {
		return none, err
	}
	answer, err := do()
	if lost := d.wrong(name, true); lost != nil {
		return none, lost
	}
	return answer, definite(err)
}

func (d *direct) Prepay(ctx context.Context, p channel.Payment) (channel.Invocation, error) {
	return call(d, "prepay", func() (channel.Invocation, error) {
		trade, err := d.book.Open(ctx, p, "")
		if err == nil && trade.State != channel.NotPaid {
			err = simulator.ErrNotReady
		}
		return channel.Invocation{"trade": trade.TradeNo}, err
	})
}

func (d *direct) trade(trade channel.Trade, err error) (channel.Trade, error) {
	if errors.Is(err, simulator.ErrNoTrade) {
		return channel.Trade{State: channel.NotFound}, nil
	}
	trade.Merchant = mine
	return trade, err
}

func (d *direct) Query(ctx context.Context, no string) (channel.Trade, error) {
	return call(d, "query", func() (channel.Trade, error) { return d.trade(d.book.Query(ctx, no)) })
}

func (d *direct) Close(ctx context.Context, no string) (channel.Trade, error) {
	return call(d, "close", func() (channel.Trade, error) { return d.trade(d.book.Close(ctx, no)) })
}

func (d *direct) Refund(ctx context.Context, r channel.Return) (channel.Returned, error) {
	return call(d, "refund", func() (channel.Returned, error) { return d.book.Refund(ctx, r) })
}

func (d *direct) QueryRefund(ctx context.Context, r channel.Return) (channel.Returned, error) {
	return call(d, "query refund", func() (channel.Returned, error) { return d.book.QueryRefund(ctx, r.RefundNo) })
}

// told is a notice of the trade.
func told(trade channel.Trade) []byte {
	trade.Merchant = mine
	text, _ := json.Marshal(channel.Notice{ID: fmt.Sprint("n-", trade.OutTradeNo, trade.State), Trade: trade})
	return text
}

func (d *direct) Notice(_ http.Header, body []byte) (n channel.Notice, err error) {
	if json.Unmarshal(body, &n) != nil {
		return n, channel.ErrSignature
	}
	return n, nil
}

func (d *direct) Acknowledge(http.ResponseWriter, bool) {}

func (d *direct) Bill(ctx context.Context, day time.Time) ([]channel.Line, error) {
	return d.book.Bill(ctx, day)
}
