package payment

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/payment/merchant"
)

// PaymentOrderConnection is a page of orders.
type PaymentOrderConnection struct {
	Edges    []*PaymentOrderEdge
	Nodes    []*PaymentOrder
	PageInfo *keyset.PageInfo
}

// PaymentOrderEdge is an order with its cursor.
type PaymentOrderEdge struct {
	Cursor string
	Node   *PaymentOrder
}

// RefundConnection is a page of refunds.
type RefundConnection struct {
	Edges    []*RefundEdge
	Nodes    []*Refund
	PageInfo *keyset.PageInfo
}

// RefundEdge is a refund with its cursor.
type RefundEdge struct {
	Cursor string
	Node   *Refund
}

// Filter chooses orders of a list.
type Filter struct {
	CitizenID       string // "" for those of the caller's data scope
	States          []PaymentOrderState
	MerchantID      *string
	MerchantOrderNo *string
}

// Own lists the orders of the citizen who asks.
func (p *Payments) Own(ctx context.Context, first *int, after *string) (*PaymentOrderConnection, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	return p.page(ctx, Filter{CitizenID: citizen.ID}, nil, first, after)
}

// List lists the orders of the caller's data scope.
func (p *Payments) List(ctx context.Context, f Filter, first *int, after *string) (*PaymentOrderConnection, error) {
	who, err := access.Require(ctx, access.PaymentView)
	if err != nil {
		return nil, err
	}
	if f.MerchantID != nil && !input.ID(*f.MerchantID) {
		return nil, fault.Invalid("merchantId", "没有该商户")
	}
	return p.page(ctx, f, who.Scopes(), first, after)
}

func (p *Payments) page(ctx context.Context, f Filter, scopes []string, first *int, after *string) (*PaymentOrderConnection, error) {
	page, err := keyset.Parse(first, after, 1)
	if err != nil {
		return nil, err
	}
	w := new(condition.Where)
	if f.CitizenID != "" {
		w.Add("citizen_id = ?::uuid", f.CitizenID)
	} else {
		w.Add("area_code ^@ ANY(?::text[])", pq.Array(scopes))
	}
	if len(f.States) > 0 {
		w.Add("state = ANY(?)", pq.Array(f.States))
	}
	if f.MerchantID != nil {
		w.Add("merchant_id = ?::uuid", *f.MerchantID)
	}
	if f.MerchantOrderNo != nil {
		w.Add("merchant_order_no = ?", *f.MerchantOrderNo)
	}
	if err := afterID(w, page); err != nil {
		return nil, err
	}
	var found []*PaymentOrder
	if err := p.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &found, `SELECT `+columns+` FROM citizen.payment_order WHERE `+w.String()+` ORDER BY id DESC LIMIT `+strconv.Itoa(page.Limit()), w.Args()...)
	}); err != nil {
		return nil, fmt.Errorf("payment: listing orders: %w", err)
	}
	key := func(o *PaymentOrder) []string { return []string{o.ID} }
	connection := &PaymentOrderConnection{Edges: []*PaymentOrderEdge{}}
	connection.Nodes, connection.PageInfo = keyset.Of(page, found, key)
	for _, o := range connection.Nodes {
		connection.Edges = append(connection.Edges, &PaymentOrderEdge{keyset.Cursor(key(o)...), o})
	}
	return connection, nil
}

func afterID(w *condition.Where, page keyset.Page) error {
	if page.After == nil {
		return nil
	}
	if !input.ID(page.After[0]) {
		return fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	w.Add("id < ?::uuid", page.After[0])
	return nil
}

// ListRefunds lists the refunds of the caller's data scope.
func (p *Payments) ListRefunds(ctx context.Context, states []RefundState, first *int, after *string) (*RefundConnection, error) {
	who, err := access.Require(ctx, access.PaymentView)
	if err != nil {
		return nil, err
	}
	page, err := keyset.Parse(first, after, 1)
	if err != nil {
		return nil, err
	}
	w := new(condition.Where)
	w.Add("area_code ^@ ANY(?::text[])", pq.Array(who.Scopes()))
	if len(states) > 0 {
		w.Add("state = ANY(?)", pq.Array(states))
	}
	if err := afterID(w, page); err != nil {
		return nil, err
	}
	var found []*Refund
	if err := p.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &found, `SELECT `+refundColumns+` FROM citizen.refund WHERE `+w.String()+` ORDER BY id DESC LIMIT `+strconv.Itoa(page.Limit()), w.Args()...)
	}); err != nil {
		return nil, fmt.Errorf("payment: listing refunds: %w", err)
	}
	key := func(r *Refund) []string { return []string{r.ID} }
	connection := &RefundConnection{Edges: []*RefundEdge{}}
	connection.Nodes, connection.PageInfo = keyset.Of(page, found, key)
	for _, r := range connection.Nodes {
		connection.Edges = append(connection.Edges, &RefundEdge{keyset.Cursor(key(r)...), r})
	}
	return connection, nil
}

// Refunds reads the refunds of orders that the caller may see, the newest first.
func (p *Payments) Refunds(ctx context.Context, orderIDs []string) (map[string][]*Refund, error) {
	byOrder := make(map[string][]*Refund, len(orderIDs))
	for _, id := range orderIDs {
		byOrder[id] = []*Refund{}
	}
	return byOrder, p.DB.Read(ctx, func(tx *sqlx.Tx) error {
		found, err := RefundsOf(ctx, tx, orderIDs)
		for _, r := range found {
			byOrder[r.OrderID] = append(byOrder[r.OrderID], r)
		}
		return err
	})
}

// FindRefunds reads refunds that the caller may see.
func (p *Payments) FindRefunds(ctx context.Context, ids []string) (map[string]*Refund, error) {
	byID := make(map[string]*Refund, len(ids))
	return byID, p.DB.Read(ctx, func(tx *sqlx.Tx) error {
		var found []*Refund
		err := tx.SelectContext(ctx, &found, `SELECT `+refundColumns+` FROM citizen.refund WHERE id = ANY($1::uuid[])`, pq.Array(input.IDs(ids)))
		for _, r := range found {
			byID[r.ID] = r
		}
		return err
	})
}

// historyLength bounds the lines of an order's history that are shown.
const historyLength = 50

// History reads the newest lines of orders that the caller may see.
func (p *Payments) History(ctx context.Context, orderIDs []string) (map[string][]*PaymentEvent, error) {
	byOrder := make(map[string][]*PaymentEvent, len(orderIDs))
	for _, id := range orderIDs {
		byOrder[id] = []*PaymentEvent{}
	}
	return byOrder, p.DB.Read(ctx, func(tx *sqlx.Tx) error {
		var found []*PaymentEvent
		err := tx.SelectContext(ctx, &found, `SELECT e.order_id, e.action, e.from_state, e.to_state, e.note, e.actor_kind, e.actor_id, e.at
			FROM unnest($1::uuid[]) AS asked (id) CROSS JOIN LATERAL (SELECT order_id, action, from_state, to_state, note, actor_kind, actor_id, at, id FROM citizen.payment_event
				WHERE order_id = asked.id ORDER BY id DESC LIMIT $2) e ORDER BY e.order_id, e.id DESC`, pq.Array(orderIDs), historyLength)
		for _, e := range found {
			byOrder[e.OrderID] = append(byOrder[e.OrderID], e)
		}
		return err
	})
}

// Merchants reads merchants that the caller may see.
func (p *Payments) Merchants(ctx context.Context, ids []string) (map[string]*merchant.Merchant, error) {
	byID := make(map[string]*merchant.Merchant, len(ids))
	return byID, p.DB.Read(ctx, func(tx *sqlx.Tx) error {
		found, err := merchant.ByIDs(ctx, tx, input.IDs(ids))
		for _, m := range found {
			byID[m.ID] = m
		}
		return err
	})
}
