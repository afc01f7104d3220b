package message

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
)

// Receive takes what providers tell became of short messages. A receipt that
// comes twice, or for what is not under way, changes nothing; that something
// failed only the provider that has it now may say, that it arrived the one
// before as well. What cannot be written is told by the error: the provider
// tells again, or the receipt's time runs out.
func (s *Service) Receive(ctx context.Context, receipts []carrier.Receipt) error {
	var told receiptRows
	for _, r := range receipts {
		if !input.ID(r.Key) {
			continue
		}
		state := Delivered
		if !r.Delivered {
			state = PermanentFailure
		}
		told.keys, told.states = append(told.keys, r.Key), append(told.states, string(state))
		told.reasons, told.providers = append(told.reasons, r.Reason), append(told.providers, r.Provider)
	}
	if len(told.keys) == 0 {
		return nil
	}
	ctx = access.AsSystem(ctx, "message")
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		messages, err := receive(ctx, tx, told, s.Now())
		if err != nil {
			return err
		}
		return announceProgress(ctx, tx, messages...)
	})
	if err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "receipts not written", "count", len(told.keys), "error", err)
	}
	return err
}

// GiveUpOnReceipts makes deliveries unknown whose receipts did not come in
// time, up to a thousand, and gives how many. Those of an insistent class go to
// another provider once; what was called back meanwhile does not.
func (s *Service) GiveUpOnReceipts(ctx context.Context) (int, error) {
	ctx = access.AsSystem(ctx, "message")
	n := 0
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		messages, err := giveUp(ctx, tx, s.Now(), batch)
		if err != nil {
			return err
		}
		n = len(messages)
		slices.Sort(messages)
		return announceProgress(ctx, tx, slices.Compact(messages)...)
	})
	return n, err
}
