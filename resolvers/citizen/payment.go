package citizen

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/executable"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/channel"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/simulator"
)

// cashier makes the payments of an installation. Where channels are simulated
// they are made at their first use: their keys take a moment.
func cashier(d Deps) (*payment.Payments, func() *simulator.Simulator) {
	p := &payment.Payments{DB: d.DB, Now: d.Now, Log: d.Log, StepUpFen: payment.DefaultStepUpFen, Channels: d.Channels}
	if d.Channels != nil || !d.Development && !d.SimulatePayments {
		return p, nil
	}
	type made struct {
		simulator *simulator.Simulator
		channels  map[channel.Name]channel.Channel
	}
	ready := sync.OnceValue(func() made {
		s, err := simulator.New(d.DB, d.Now)
		if err != nil {
			d.Log.Error("payment channels cannot be simulated", "error", err)
			return made{}
		}
		channels, err := s.Channels()
		if err != nil {
			d.Log.Error("payment channels cannot be simulated", "error", err)
		}
		return made{s, channels}
	})
	p.Open = func() map[channel.Name]channel.Channel { return ready().channels }
	return p, func() *simulator.Simulator { return ready().simulator }
}

// NoticeHandler takes what payment channels tell.
func (r *Resolver) NoticeHandler() http.Handler { return r.payments.NoticeHandler() }

// CashierHandler stands for the channel's own cashier where it is simulated:
// POST to a path that ends in an order's ID pays the order's open trade, and
// sends the notice. It answers 404 where nothing is simulated.
func (r *Resolver) CashierHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if r.simulator == nil {
			http.NotFound(w, request)
			return
		}
		name, trade, err := r.payments.OpenTrade(request.Context(), request.PathValue("order"))
		if err != nil || trade == "" {
			http.Error(w, "没有可支付的交易", http.StatusNotFound)
			return
		}
		tellings, err := r.simulator().Pay(request.Context(), name, trade)
		if err != nil {
			http.Error(w, "支付渠道未受理", http.StatusConflict)
			return
		}
		for _, told := range tellings {
			if err := r.payments.Notice(request.Context(), told.Channel, told.Header, told.Body); err != nil {
				r.log.WarnContext(request.Context(), "simulated payment notice not taken", "error", err)
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// orderPayload answers a change of an order.
func orderPayload(o *payment.PaymentOrder, err error) (*executable.PaymentOrderPayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.PaymentOrderPayload{PaymentOrder: *o}, nil
}

// refundPayload answers a change of a refund.
func refundPayload(f *payment.Refund, err error) (*executable.RefundPayload, error) {
	if err != nil {
		return nil, err
	}
	return &executable.RefundPayload{Refund: *f}, nil
}

// invoked answers what the client hands to the channel's cashier, in the order of the names.
func invoked(i *payment.Invoked, err error) (*executable.PayOrderPayload, error) {
	if err != nil {
		return nil, err
	}
	answer := &executable.PayOrderPayload{PaymentOrder: *i.Order, Parameters: []*executable.PaymentParameter{}}
	for _, name := range slices.Sorted(maps.Keys(i.Parameters)) {
		answer.Parameters = append(answer.Parameters, &executable.PaymentParameter{Name: name, Value: i.Parameters[name]})
	}
	return answer, nil
}

// ownOrders is a page of the orders of the citizen who asks; everybody else's is nil.
func (r *Resolver) ownOrders(ctx context.Context, citizens []*executable.Citizen, first *int, after *string) ([]*payment.PaymentOrderConnection, error) {
	pages := make([]*payment.PaymentOrderConnection, len(citizens))
	var own *payment.PaymentOrderConnection
	for i, c := range citizens {
		if p := access.From(ctx); p == nil || p.Kind != access.Citizen || p.ID != c.ID {
			continue
		}
		if own == nil {
			page, err := r.payments.Own(ctx, first, after)
			if err != nil {
				return nil, err
			}
			own = page
		}
		pages[i] = own
	}
	return pages, nil
}
