package message

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/division"
)

// reach are the columns of person that each audience of citizens shares; $1 is
// the class, $2 since when the cap counts, $3 the message.
const reach = `c.id, 'citizen' AS kind, c.area_code, c.mobile IS NOT NULL AS has_mobile,
	EXISTS (SELECT FROM platform.push_device d WHERE d.recipient_kind = 'citizen' AND d.recipient_id = c.id) AS has_device,
	coalesce((SELECT p.allowed FROM platform.message_preference p WHERE p.citizen_id = c.id AND p.class = $1), true) AS allowed,
	(SELECT count(DISTINCT d.message_id) FROM platform.message_delivery d
	 WHERE d.recipient_id = c.id AND d.class = $1 AND d.created_at > $2 AND d.state <> 'CANCELLED' AND d.message_id <> $3) AS recent`

// people gives the next batch of the audience, in the order of the cursor.
func people(ctx context.Context, tx sqlx.ExtContext, m *Message, since, now time.Time) ([]person, error) {
	var found []person
	var err error
	args := []any{m.Class, since, m.ID}
	switch m.Audience {
	case Person:
		err = sqlx.SelectContext(ctx, tx, &found, `SELECT `+reach+` FROM platform.citizen c WHERE c.id = ANY($4::uuid[]) AND c.state = 'ACTIVE' ORDER BY c.id`,
			append(args, pq.Array(m.named()))...)
	case Everyone:
		err = sqlx.SelectContext(ctx, tx, &found, `SELECT `+reach+` FROM platform.citizen c WHERE c.id > $4 AND c.state = 'ACTIVE' ORDER BY c.id LIMIT $5`,
			append(args, m.After, batch)...)
	case InArea:
		prefix := division.Prefix(m.AreaCode)
		err = sqlx.SelectContext(ctx, tx, &found, `SELECT `+reach+` FROM platform.citizen c
			WHERE (c.area_code, c.id) > ($4, $5::uuid) AND c.area_code >= $6 AND c.area_code < $7 AND c.state = 'ACTIVE' ORDER BY c.area_code, c.id LIMIT $8`,
			append(args, m.AfterArea, m.After, prefix, prefix+":", batch)...)
	case WithTag: // one row a holder, found by the tag: there are far fewer than people in the area
		err = sqlx.SelectContext(ctx, tx, &found, `SELECT `+reach+` FROM platform.citizen_tag_holder t JOIN platform.citizen c ON c.id = t.citizen_id
			WHERE t.tag_id = $4 AND t.citizen_id > $5 AND t.expires_at > $6 AND c.area_code ^@ $7 AND c.state = 'ACTIVE' ORDER BY t.citizen_id LIMIT $8`,
			append(args, *m.TagID, m.After, now, division.Prefix(m.AreaCode), batch)...)
	case WithRole:
		prefix := division.Prefix(m.AreaCode)
		err = sqlx.SelectContext(ctx, tx, &found, `
			SELECT w.id, 'worker' AS kind, w.area_code, false AS has_mobile,
				EXISTS (SELECT FROM platform.push_device d WHERE d.recipient_kind = 'worker' AND d.recipient_id = w.id) AS has_device, true AS allowed,
				(SELECT count(DISTINCT d.message_id) FROM platform.message_delivery d
				 WHERE d.recipient_id = w.id AND d.class = $1 AND d.created_at > $2 AND d.state <> 'CANCELLED' AND d.message_id <> $3) AS recent
			FROM platform.worker w
			WHERE w.id > $4 AND w.state = 'ACTIVE' AND EXISTS (SELECT FROM platform.assignment a
				WHERE a.worker_id = w.id AND $5 = ANY(a.roles) AND a.area_code >= $6 AND a.area_code < $7 AND a.valid_from <= $8::date AND (a.valid_to IS NULL OR a.valid_to > $8::date))
			ORDER BY w.id LIMIT $9`, append(args, m.After, *m.Role, prefix, prefix+":", now, batch)...)
	}
	if err != nil {
		return nil, fmt.Errorf("message: expanding to %s: %w", m.Audience, err)
	}
	return found, nil
}

// insertDeliveries writes those that are not there yet.
func insertDeliveries(ctx context.Context, tx sqlx.ExtContext, m *Message, list []delivery, now time.Time) error {
	if len(list) == 0 {
		return nil
	}
	n := len(list)
	ids, kinds, recipients, channels := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	states, reasons, due := make([]string, n), make([]string, n), make([]*string, n)
	for i, d := range list {
		ids[i], kinds[i], recipients[i], channels[i] = d.id, string(d.person.Kind), d.person.ID, string(d.on)
		states[i], reasons[i] = string(d.state), d.reason
		if d.nextAt != nil {
			text := d.nextAt.Format(time.RFC3339Nano)
			due[i] = &text
		}
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.message_delivery (id, message_id, channel, class, recipient_kind, recipient_id, area_code, state, reason, urgent, next_at, created_at)
		SELECT n.id, $8, n.channel, $9, n.kind, n.recipient, $10, n.state, n.reason, $11, n.due::timestamptz, $12
		FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[]) AS n (id, kind, recipient, channel, state, reason, due)
		ON CONFLICT (message_id, recipient_id, channel) DO NOTHING`,
		pq.Array(ids), pq.Array(kinds), pq.Array(recipients), pq.Array(channels), pq.Array(states), pq.Array(reasons), pq.Array(due),
		m.ID, m.Class, m.AreaCode, m.urgent(), now)
	if err != nil {
		return fmt.Errorf("message: writing deliveries: %w", err)
	}
	return nil
}
