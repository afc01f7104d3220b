package log

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// rank is the level's number in the table; -1 for what is no level.
func rank(l LogLevel) int { return slices.Index(levels, l) }

func partition(ctx context.Context, tx sqlx.ExecerContext, month time.Time) error {
	if _, err := tx.ExecContext(ctx, `SELECT platform.log_partition($1)`, month); err != nil {
		return fmt.Errorf("log: making a partition: %w", err)
	}
	return nil
}

func drop(ctx context.Context, tx sqlx.QueryerContext, before time.Time) (names []string, err error) {
	if err = sqlx.SelectContext(ctx, tx, &names, `SELECT platform.log_drop_before($1)`, before); err != nil {
		return nil, fmt.Errorf("log: dropping old partitions: %w", err)
	}
	return names, nil
}

// insert writes the clean lines in one statement. COPY would refuse a table
// with row-level security; arrays cost about as little.
func insert(ctx context.Context, tx sqlx.ExecerContext, lines []Line) error {
	n := len(lines)
	texts := make([][]string, 13)
	for i := range texts {
		texts[i] = make([]string, n)
	}
	for i, l := range lines {
		attributes := ""
		if len(l.Attributes) > 0 {
			if text, err := json.Marshal(l.Attributes); err == nil {
				attributes = string(text)
			}
		}
		for column, value := range []string{l.At.Format(time.RFC3339Nano), l.ID, fmt.Sprint(rank(l.Level)), string(l.Source), l.Service, l.Instance, l.Version,
			l.Message, attributes, l.Request, l.Trace, l.User, bigram.Vector(l.Message, attributes)} {
			texts[column][i] = value
		}
	}
	args := make([]any, len(texts))
	for i := range texts {
		args[i] = pq.Array(texts[i])
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.log_entry (at, id, level, source, service, instance, version, message, attributes, request, trace, user_id, search)
		SELECT at::timestamptz, id::uuid, level::smallint, source, service, instance, version, message, attributes, request, trace, user_id, search::tsvector
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
			AS line (at, id, level, source, service, instance, version, message, attributes, request, trace, user_id, search)
		ON CONFLICT DO NOTHING`, args...)
	if err != nil {
		return fmt.Errorf("log: storing: %w", err)
	}
	return nil
}

// where is the checked filter as a condition.
func (f checked) where() *condition.Where {
	w := new(condition.Where)
	w.Add(`at >= ?`, f.from)
	w.Add(`at < ?`, f.to)
	if f.least > 0 {
		w.Add(`level >= ?`, f.least)
	}
	for column, value := range map[string]*string{"service": f.Service, "request": f.RequestID, "trace": f.TraceID, "user_id": f.UserID} {
		if value != nil && *value != "" {
			w.Add(column+` = ?`, *value)
		}
	}
	if f.Source != nil {
		w.Add(`source = ?`, string(*f.Source))
	}
	if f.query != "" {
		w.Add(`search @@ ?::tsquery`, f.query)
	}
	return w
}

// list gives a page of the lines, the newest first.
func list(ctx context.Context, tx sqlx.ExtContext, f checked, page keyset.Page, after *LogEntry) ([]*LogEntry, error) {
	w := f.where()
	if after != nil {
		w.Add(`(at, id) < (?, ?::uuid)`, after.At, after.ID)
	}
	limit := w.Arg(page.Limit())
	var entries []*LogEntry
	err := sqlx.SelectContext(ctx, tx, &entries, `
		SELECT id, at, level, source, service, instance, version, message, attributes, request, trace, user_id
		FROM platform.log_entry WHERE `+w.String()+` ORDER BY at DESC, id DESC LIMIT `+limit, w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("log: list: %w", err)
	}
	return entries, nil
}

// count gives the number of lines by bucket and level.
func count(ctx context.Context, tx sqlx.ExtContext, f checked, width time.Duration) ([]counted, error) {
	w := f.where()
	start, seconds := w.Arg(f.from), w.Arg(width.Seconds())
	var counts []counted
	err := sqlx.SelectContext(ctx, tx, &counts, `
		SELECT floor(extract(epoch FROM at - `+start+`::timestamptz) / `+seconds+`::float8)::integer AS bucket, level, count(*) AS lines
		FROM platform.log_entry WHERE `+w.String()+` GROUP BY 1, 2`, w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("log: counting: %w", err)
	}
	return counts, nil
}

// counted is the number of lines of one level in one bucket.
type counted struct {
	Bucket int `db:"bucket"`
	Level  int `db:"level"`
	Lines  int `db:"lines"`
}
