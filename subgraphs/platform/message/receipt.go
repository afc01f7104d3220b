package message

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
)

// Receive takes what providers tell became of short messages. A receipt that
// comes twice, or for what is not under way, changes nothing. What cannot be
// written now is lost with the receipt: the delivery stays SENDING.
func (s *Service) Receive(ctx context.Context, receipts []carrier.Receipt) {
	var keys, states, reasons []string
	for _, r := range receipts {
		if !input.ID(r.Key) {
			continue
		}
		state := Delivered
		if !r.Delivered {
			state = PermanentFailure
		}
		keys, states, reasons = append(keys, r.Key), append(states, string(state)), append(reasons, r.Reason)
	}
	if len(keys) == 0 {
		return
	}
	ctx = access.AsSystem(ctx, "message")
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		messages, err := receive(ctx, tx, keys, states, reasons, s.Now())
		if err != nil {
			return err
		}
		return announceProgress(ctx, tx, messages...)
	})
	if err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "receipts not written", "count", len(keys), "error", err)
	}
}
