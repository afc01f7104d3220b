package message

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const columns = `id, template_id, class, title, body, nullif(link, '') AS link, audience, nullif(role, '') AS role, tag_id, area_code, state, send_at, people_count,
	sender_id, created_at, recalled_at, nullif(recall_reason, '') AS recall_reason, completed_at, version,
	array_to_string(channels, ',') AS channel_list, array_to_string(people, ',') AS people_list, digest, cleared_at IS NOT NULL AS cleared, step, after, after_area, stepped_at`

func read(messages ...*Message) {
	for _, m := range messages {
		m.Channels = nil
		for _, c := range strings.Split(m.ChannelList, ",") {
			m.Channels = append(m.Channels, Channel(c))
		}
	}
}

// byID gives the message; lock is "" or "FOR UPDATE".
func byID(ctx context.Context, tx sqlx.ExtContext, id, lock string) (*Message, error) {
	var m Message
	err := sqlx.GetContext(ctx, tx, &m, `SELECT `+columns+` FROM platform.message WHERE id = $1 `+lock, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound()
	}
	if err != nil {
		return nil, fmt.Errorf("message: by ID: %w", err)
	}
	read(&m)
	return &m, nil
}

func byRequest(ctx context.Context, tx sqlx.ExtContext, senderID, requestID string) (*Message, error) {
	var m Message
	err := sqlx.GetContext(ctx, tx, &m, `SELECT `+columns+` FROM platform.message WHERE sender_id = $1 AND request_id = $2`, senderID, requestID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("message: by request: %w", err)
	}
	read(&m)
	return &m, nil
}

func list(ctx context.Context, tx sqlx.ExtContext, state State, page keyset.Page) ([]*Message, error) {
	before := identifier.Last
	if page.After != nil {
		before = page.After[0]
	}
	var found []*Message
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT `+columns+` FROM platform.message WHERE id < $1 AND ($2 = '' OR state = $2) ORDER BY id DESC LIMIT $3`, before, string(state), page.Limit())
	if err != nil {
		return nil, fmt.Errorf("message: list: %w", err)
	}
	read(found...)
	return found, nil
}

func insert(ctx context.Context, tx sqlx.ExtContext, m *Message, requestID string, people []string) error {
	channels := make([]string, len(m.Channels))
	for i, c := range m.Channels {
		channels[i] = string(c)
	}
	if people == nil {
		people = []string{}
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.message (id, request_id, digest, template_id, class, title, body, link, channels, audience, people, role, area_code, state,
			send_at, stepped_at, sender_id, created_at, tag_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, ''), $9, $10, $11, coalesce($12, ''), $13, $14, $15, $16, $17, $16, $18)`,
		m.ID, requestID, m.Digest, m.TemplateID, m.Class, m.Title, m.Body, m.Link, pq.Array(channels), m.Audience, pq.Array(people), m.Role, m.AreaCode, m.State,
		m.SendAt, m.CreatedAt, m.SenderID, m.TagID)
	if err != nil {
		return fmt.Errorf("message: writing: %w", err)
	}
	return nil
}

// advance writes how far the locked message has come.
func advance(ctx context.Context, tx sqlx.ExtContext, m *Message, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.message SET state = $2, step = $3, after = $4, after_area = $5, people_count = $6, stepped_at = $7, version = version + 1 WHERE id = $1`,
		m.ID, m.State, m.Step, m.After, m.AfterArea, m.PeopleCount, at)
	if err != nil {
		return fmt.Errorf("message: advancing: %w", err)
	}
	return nil
}

// waiting gives the messages whose next batch nobody is at: their time came, or
// an event was lost.
func waiting(ctx context.Context, tx sqlx.ExtContext, now time.Time) ([]step, error) {
	var rows []struct {
		ID   string `db:"id"`
		Step int    `db:"step"`
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `
		(SELECT id, step FROM platform.message WHERE state = 'SCHEDULED' AND send_at <= $1 ORDER BY send_at LIMIT 20)
		UNION ALL (SELECT id, step FROM platform.message WHERE state = 'EXPANDING' AND stepped_at < $2 ORDER BY stepped_at LIMIT 20)
		UNION ALL (SELECT id, step FROM platform.message WHERE state = 'RECALLED' AND cleared_at IS NULL AND stepped_at < $2 ORDER BY stepped_at LIMIT 20)`,
		now, now.Add(-stalled))
	if err != nil {
		return nil, fmt.Errorf("message: looking for what is due: %w", err)
	}
	steps := make([]step, len(rows))
	for i, row := range rows {
		steps[i] = step{MessageID: row.ID, Step: row.Step}
	}
	return steps, nil
}

// complete ends the messages of which no delivery is open any more.
func complete(ctx context.Context, tx sqlx.ExtContext, now time.Time) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids, `
		UPDATE platform.message m SET state = 'COMPLETED', completed_at = $1, version = version + 1
		WHERE m.state = 'SENDING' AND NOT EXISTS (SELECT FROM platform.message_delivery d WHERE d.message_id = m.id AND d.next_at IS NOT NULL)
		RETURNING m.id`, now)
	if err != nil {
		return nil, fmt.Errorf("message: completing: %w", err)
	}
	return ids, nil
}

func countCitizens(ctx context.Context, tx sqlx.ExtContext, scopes, ids []string) (int, error) {
	var n int
	err := sqlx.GetContext(ctx, tx, &n, `
		SELECT count(*) FROM platform.citizen WHERE id = ANY($1) AND area_code <> '' AND area_code ^@ ANY($2::text[])`, pq.Array(ids), pq.Array(scopes))
	if err != nil {
		return 0, fmt.Errorf("message: looking for the people: %w", err)
	}
	return n, nil
}

// tagUsable says whether the caller may send by the tag.
func tagUsable(ctx context.Context, tx sqlx.ExtContext, id string) (usable bool, err error) {
	err = sqlx.GetContext(ctx, tx, &usable, `SELECT EXISTS (SELECT FROM platform.citizen_tag WHERE id = $1 AND enabled)`, id)
	if err != nil {
		return false, fmt.Errorf("message: looking for the tag: %w", err)
	}
	return usable, nil
}

func announceStep(ctx context.Context, tx sqlx.ExtContext, id string, number int) error {
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: steppedSubject, Payload: step{MessageID: id, Step: number}})
}

func announceProgress(ctx context.Context, tx sqlx.ExtContext, ids ...string) error {
	messages := make([]outbox.Message, len(ids))
	for i, id := range ids {
		messages[i] = outbox.Message{Subject: progressedSubject, Payload: Progressed{MessageID: id}}
	}
	return outbox.Append(ctx, tx, "platform", messages...)
}

func notFound() error {
	return fault.New(fault.NotFound, "未找到该消息，或不在您的管辖范围内")
}
