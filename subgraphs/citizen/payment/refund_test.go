package payment

import (
	"fmt"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/ledger"
)

func TestRefundsAtOnceNeverExceedWhatWasPaid(t *testing.T) {
	w := open(t)
	o := w.paid(t, "A1", 1000, channel.WeChat)
	var all sync.WaitGroup
	for n := range 12 {
		all.Go(func() {
			_, err := w.RequestRefund(citizen(t.Context(), payer), RequestRefundInput{OrderID: o.ID, RequestNo: fmt.Sprint("r", n), AmountFen: 300, Reason: "不需要了"})
			if err != nil && fault.CodeOf(err) != fault.InvalidInput {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if o = w.read(t, o.ID); o.ReservedFen != 900 {
		t.Errorf("%d reserved", o.ReservedFen)
	}
	if _, err := w.RequestRefund(citizen(t.Context(), payer), RequestRefundInput{OrderID: o.ID, RequestNo: "last", AmountFen: 100, Reason: "不需要了"}); err != nil {
		t.Fatal(err)
	}
	refunds := w.refunds(t, o.ID)
	reviewer := staff(t.Context(), officer, "510104000000", access.PaymentOfficer)
	note := "不符合条件"
	for i, r := range refunds {
		if _, err := w.ReviewRefund(reviewer, ReviewRefundInput{ID: r.ID, ExpectedVersion: r.Version, Approve: i > 0, Note: &note}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ReviewRefund(reviewer, ReviewRefundInput{ID: r.ID, ExpectedVersion: r.Version + 1, Approve: true}); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("reviewed twice: %v", err)
		}
	}
	w.look(t)
	if o = w.read(t, o.ID); o.ReservedFen != 900 || o.RefundedFen != 900 || o.RefundableFen() != 100 {
		t.Errorf("%+v", o)
	}
	(&chaos{world: w}).agree(t)
	again, err := w.RequestRefund(citizen(t.Context(), payer), RequestRefundInput{OrderID: o.ID, RequestNo: refunds[1].RequestNo, AmountFen: 300, Reason: "不需要了"})
	if err != nil || again.ID != refunds[1].ID {
		t.Errorf("asked again: %v %v", again, err)
	}
}

func (w *world) refunds(t *testing.T, orderID string) (found []*Refund) {
	t.Helper()
	if err := w.DB.Read(access.AsSystem(t.Context(), "test"), func(tx *sqlx.Tx) (err error) {
		found, err = RefundsOf(t.Context(), tx, []string{orderID})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// A refund that the channel refuses is taken back: the money is the merchant's again.
func TestARefusedRefund(t *testing.T) {
	w := open(t)
	o := w.paid(t, "A1", 1000, channel.UnionPay)
	r, err := w.RequestRefund(citizen(t.Context(), payer), RequestRefundInput{OrderID: o.ID, RequestNo: "r", AmountFen: 1000, Reason: "不需要了"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ReviewRefund(staff(t.Context(), officer, "510104000000", access.PaymentOfficer), ReviewRefundInput{ID: r.ID, ExpectedVersion: 1, Approve: true}); err != nil {
		t.Fatal(err)
	}
	w.Channels[channel.UnionPay].(*direct).fault = func(call string, answered bool) error {
		if call == "refund" {
			return &channel.Refusal{Code: "NOT_ENOUGH"}
		}
		return nil
	}
	w.look(t)
	if got := w.refunds(t, o.ID)[0]; got.State != RefundFailed {
		t.Errorf("%+v", got)
	}
	if b := w.balances(t); b[ledger.Merchant][shop] != -994 || b[ledger.Refund]["UNIONPAY"] != 0 {
		t.Errorf("%v", b)
	}
}
