package message

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// takeInside locks due deliveries within the platform. The message is locked
// too (shared): it cannot be called back while its notifications are made.
func takeInside(ctx context.Context, tx sqlx.ExtContext, now time.Time, most int) ([]claimed, error) {
	var taken []claimed
	err := sqlx.SelectContext(ctx, tx, &taken, `
		SELECT d.id, d.message_id, d.channel, m.class, d.state, d.attempts, d.provider, d.recipient_kind, d.recipient_id, m.title, m.body, m.link
		FROM platform.message_delivery d JOIN platform.message m ON m.id = d.message_id
		WHERE (d.channel = 'IN_APP') AND d.next_at <= $1 AND d.state = 'CREATED' AND m.state IN ('EXPANDING', 'SENDING')
		ORDER BY d.urgent DESC, d.next_at LIMIT $2 FOR UPDATE OF d SKIP LOCKED FOR SHARE OF m`, now, most)
	if err != nil {
		return nil, fmt.Errorf("message: taking what is due inside: %w", err)
	}
	return taken, nil
}

func finishInside(ctx context.Context, tx sqlx.ExtContext, ids []string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.message_delivery SET state = 'DELIVERED', next_at = NULL, attempts = 1, accepted_at = $2, finished_at = $2 WHERE id = ANY($1)`,
		pq.Array(ids), now)
	if err != nil {
		return fmt.Errorf("message: finishing: %w", err)
	}
	return nil
}

// takeOutside locks due deliveries for providers, and those that were handed
// over so long ago that whoever did it must have died.
func takeOutside(ctx context.Context, tx sqlx.ExtContext, now time.Time, most int) ([]claimed, error) {
	var taken []claimed
	err := sqlx.SelectContext(ctx, tx, &taken, `
		SELECT d.id, d.message_id, d.channel, m.class, d.state, d.attempts, d.provider, d.recipient_kind, d.recipient_id, m.title, m.body, m.link,
			c.mobile, p.id AS device_id, p.vendor, p.token
		FROM platform.message_delivery d JOIN platform.message m ON m.id = d.message_id
		LEFT JOIN platform.citizen c ON d.channel = 'SMS' AND c.id = d.recipient_id
		LEFT JOIN LATERAL (SELECT x.id, x.vendor, x.token FROM platform.push_device x
			WHERE d.channel = 'PUSH' AND x.recipient_kind = d.recipient_kind AND x.recipient_id = d.recipient_id ORDER BY x.updated_at DESC LIMIT 1) p ON true
		WHERE (d.channel = 'IN_APP') = false AND d.next_at <= $1 AND d.accepted_at IS NULL AND m.state IN ('EXPANDING', 'SENDING')
		ORDER BY d.urgent DESC, d.next_at LIMIT $2 FOR UPDATE OF d SKIP LOCKED`, now, most)
	if err != nil {
		return nil, fmt.Errorf("message: taking what is due outside: %w", err)
	}
	return taken, nil
}

// claim writes who has the deliveries, and until when.
func claim(ctx context.Context, tx sqlx.ExtContext, taken []claimed, until time.Time) error {
	ids, providers, attempts := make([]string, len(taken)), make([]string, len(taken)), make([]int64, len(taken))
	for i, d := range taken {
		ids[i], providers[i], attempts[i] = d.ID, d.Provider, int64(d.Attempts)
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.message_delivery d SET state = 'SENDING', provider = n.provider, attempts = n.attempts, next_at = $4
		FROM unnest($1::uuid[], $2::text[], $3::int[]) AS n (id, provider, attempts) WHERE d.id = n.id`,
		pq.Array(ids), pq.Array(providers), pq.Array(attempts), until)
	if err != nil {
		return fmt.Errorf("message: claiming: %w", err)
	}
	return nil
}

// record writes what became of the deliveries; one whose receipt was faster is
// left as that says.
func record(ctx context.Context, tx sqlx.ExtContext, outcomes []outcome, now time.Time) error {
	n := len(outcomes)
	ids, states, reasons, refs, next, accepted := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]*string, n), make([]bool, n)
	for i, o := range outcomes {
		ids[i], states[i], reasons[i], refs[i], accepted[i] = o.id, string(o.state), o.reason, o.ref, o.accepted
		if o.next != nil {
			text := o.next.Format(time.RFC3339Nano)
			next[i] = &text
		}
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.message_delivery d SET state = n.state, reason = n.reason, provider_ref = n.ref, next_at = n.next::timestamptz,
			accepted_at = CASE WHEN n.accepted THEN $7::timestamptz END,
			finished_at = CASE WHEN n.state IN ('DELIVERED', 'PERMANENT_FAILURE', 'TECHNICAL_FAILURE') THEN $7::timestamptz END
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[]) AS n (id, state, reason, ref, next, accepted)
		WHERE d.id = n.id AND d.state = 'SENDING' AND d.accepted_at IS NULL`,
		pq.Array(ids), pq.Array(states), pq.Array(reasons), pq.Array(refs), pq.Array(next), pq.Array(accepted), now)
	if err != nil {
		return fmt.Errorf("message: recording: %w", err)
	}
	return nil
}

// receiptRows are receipts as columns.
type receiptRows struct{ keys, states, reasons, providers []string }

// receive writes what providers told, and gives the messages that it is about.
func receive(ctx context.Context, tx sqlx.ExtContext, told receiptRows, now time.Time) ([]string, error) {
	var messages []string
	err := sqlx.SelectContext(ctx, tx, &messages, `
		WITH told AS (
			UPDATE platform.message_delivery d SET state = n.state, reason = n.reason, next_at = NULL, accepted_at = coalesce(d.accepted_at, $5), finished_at = $5
			FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS n (id, state, reason, provider)
			WHERE d.id = n.id AND d.state = ANY($6) AND (d.provider = n.provider OR d.former_provider = n.provider AND n.state = 'DELIVERED')
			RETURNING d.message_id)
		SELECT DISTINCT message_id FROM told ORDER BY message_id`, pq.Array(told.keys), pq.Array(told.states), pq.Array(told.reasons), pq.Array(told.providers), now,
		pq.Array(before(Delivered)))
	if err != nil {
		return nil, fmt.Errorf("message: writing receipts: %w", err)
	}
	return messages, nil
}

// giveUp makes those unknown whose receipt is overdue; one that another
// provider is to have now has a next_at.
func giveUp(ctx context.Context, tx sqlx.ExtContext, now time.Time, most int) ([]string, error) {
	var messages []string
	err := sqlx.SelectContext(ctx, tx, &messages, `
		WITH overdue AS (
			SELECT d.id, d.class = ANY($3) AND d.former_provider = '' AND m.state IN ('EXPANDING', 'SENDING') AS again
			FROM platform.message_delivery d JOIN platform.message m ON m.id = d.message_id
			WHERE (d.channel = 'IN_APP') = false AND d.next_at <= $1 AND d.accepted_at IS NOT NULL AND d.state = 'SENDING'
			ORDER BY d.urgent DESC, d.next_at LIMIT $2 FOR UPDATE OF d SKIP LOCKED)
		UPDATE platform.message_delivery d SET state = 'UNKNOWN', reason = $4,
			next_at = CASE WHEN o.again THEN $1::timestamptz END, finished_at = CASE WHEN o.again THEN NULL ELSE $1::timestamptz END,
			accepted_at = CASE WHEN o.again THEN NULL ELSE d.accepted_at END, former_provider = CASE WHEN o.again THEN d.provider ELSE d.former_provider END
		FROM overdue o WHERE d.id = o.id RETURNING d.message_id`, now, most, pq.Array(insistent()), reasonNoReceipt)
	if err != nil {
		return nil, fmt.Errorf("message: giving up on receipts: %w", err)
	}
	return messages, nil
}
