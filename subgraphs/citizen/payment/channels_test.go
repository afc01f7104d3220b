package payment

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/simulator"
)

// wired is a world whose channels are the true clients over the simulator.
func wired(t *testing.T) (*world, *simulator.Simulator) {
	t.Helper()
	w := open(t)
	s, err := simulator.New(w.DB, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	if w.Channels, err = s.Channels(); err != nil {
		t.Fatal(err)
	}
	w.books = s.Books
	return w, s
}

// deliver posts notices to the endpoint, and says whether the channel may rest.
func (w *world) deliver(t *testing.T, tellings []simulator.Telling) (good int) {
	t.Helper()
	for _, told := range tellings {
		err := w.Notice(t.Context(), told.Channel, told.Header, told.Body)
		answer := httptest.NewRecorder()
		w.Channels[told.Channel].Acknowledge(answer, err == nil)
		if err == nil {
			good++
		}
		if refused := answer.Code >= 300 || answer.Body.String() == "failure" || answer.Body.String() == `{"code":"9999"}`; refused == (err == nil) {
			t.Errorf("%s is answered %d %s to %v", told.Channel, answer.Code, answer.Body, err)
		}
	}
	return good
}

// Each channel, in its own words over its own signatures: paid, told, asked,
// given back, closed, billed.
func TestEveryChannel(t *testing.T) {
	w, s := wired(t)
	for _, name := range channel.Names {
		t.Run(string(name), func(t *testing.T) {
			ch := w.Channels[name]
			o := w.order(t, "A-"+string(name), 1234)
			invoked, err := w.Pay(citizen(t.Context(), payer), PayOrderInput{ID: o.ID, Channel: name})
			if err != nil || len(invoked.Parameters) == 0 {
				t.Fatal(invoked, err)
			}
			no := outTradeNo(o.ID, 1)
			if trade, err := ch.Query(t.Context(), no); err != nil || trade.State != channel.NotPaid || trade.Fen != 1234 {
				t.Errorf("%+v %v", trade, err)
			}
			if trade, err := ch.Query(t.Context(), "NOBODYS"); err != nil || trade.State != channel.NotFound {
				t.Errorf("%+v %v", trade, err)
			}
			tellings, err := s.Pay(t.Context(), name, no)
			if err != nil || w.deliver(t, tellings) != 1 {
				t.Fatal(err)
			}
			if o = w.read(t, o.ID); o.State != Succeeded || !o.PaidAt.Equal(w.Now()) {
				t.Errorf("%+v", o)
			}
			if trade, err := ch.Close(t.Context(), no); err != nil || trade.State != channel.Succeeded || trade.Merchant != ch.Merchant() {
				t.Errorf("closed when paid: %+v %v", trade, err)
			}
			r, err := w.RequestRefund(citizen(t.Context(), payer), RequestRefundInput{OrderID: o.ID, RequestNo: "r", AmountFen: 234, Reason: "不需要了"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.ReviewRefund(staff(t.Context(), officer, "510104000000", access.PaymentOfficer), ReviewRefundInput{ID: r.ID, ExpectedVersion: 1, Approve: true}); err != nil {
				t.Fatal(err)
			}
			w.look(t)
			w.pass(time.Minute) // UnionPay only tells later
			w.look(t)
			if o = w.read(t, o.ID); o.RefundedFen != 234 {
				t.Errorf("%+v", o)
			}
			var refused *channel.Refusal
			if _, err := ch.Refund(t.Context(), channel.Return{RefundNo: "TOOMUCH", OutTradeNo: no, Fen: 1234, TotalFen: 1234, Reason: "x"}); !errors.As(err, &refused) {
				t.Errorf("more than was paid: %v", err)
			}
			lines, err := ch.Bill(t.Context(), w.Now())
			var got []int64
			for _, line := range lines {
				got = append(got, line.Fen, line.FeeFen)
			}
			if diff := cmp.Diff([]int64{1234, 2, 234, 0}, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			late := w.order(t, "B-"+string(name), 500)
			w.begin(t, late, name)
			w.pass(31 * time.Minute)
			w.look(t)
			if late = w.read(t, late.ID); late.State != Closed {
				t.Errorf("%+v", late)
			}
		})
	}
	(&chaos{world: w}).agree(t)
}

// What channels do wrong, on demand, loses nothing.
func TestFaultsOnDemand(t *testing.T) {
	w, s := wired(t)
	for _, name := range channel.Names {
		for fault, c := range map[simulator.Fault]struct {
			taken int // notices that count or counted
			at    PaymentOrderState
		}{
			simulator.LostNotice: {0, Paying}, simulator.DoubleNotice: {2, Succeeded}, simulator.LateNotice: {0, Paying},
			simulator.WrongSignature: {0, Paying}, simulator.WrongAmount: {0, Paying}, simulator.TimeoutAfterSuccess: {1, Succeeded}, simulator.Down: {1, Succeeded},
		} {
			t.Run(string(name)+"/"+string(fault), func(t *testing.T) {
				o := w.order(t, string(name)+"-"+string(fault), 900)
				w.begin(t, o, name)
				s.SetFault(name, fault)
				defer s.SetFault(name, "")
				tellings, err := s.Pay(t.Context(), name, outTradeNo(o.ID, 1))
				if err != nil {
					t.Fatal(err)
				}
				if got := w.deliver(t, tellings); got != c.taken {
					t.Errorf("%d notices are taken, want %d", got, c.taken)
				}
				if got := w.read(t, o.ID); got.State != c.at {
					t.Errorf("%s, want %s", got.State, c.at)
				}
				s.SetFault(name, "")
				w.pass(time.Minute)
				w.look(t)
				w.deliver(t, s.Late())
				if got := w.read(t, o.ID); got.State != Succeeded {
					t.Errorf("in the end %s", got.State)
				}
			})
		}
		o := w.order(t, "down-"+string(name), 900)
		for _, fault := range []simulator.Fault{simulator.Down, simulator.TimeoutAfterSuccess} {
			s.SetFault(name, fault)
			if _, err := w.Pay(citizen(t.Context(), payer), PayOrderInput{ID: o.ID, Channel: name}); err == nil {
				t.Errorf("%s: paid while %s", name, fault)
			}
		}
		w.pass(31 * time.Minute)
		w.look(t)
		if got := w.read(t, o.ID); got.State != Unknown {
			t.Errorf("%s: %s", name, got.State)
		}
		s.SetFault(name, "")
		w.pass(time.Hour)
		w.look(t)
		if got := w.read(t, o.ID); got.State != Failed {
			t.Errorf("%s: %s", name, got.State)
		}
	}
	(&chaos{world: w}).agree(t)
}
