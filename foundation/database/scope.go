package database

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// Scope tells the transaction who asks. Policies read the settings app.kind
// (citizen, worker, system; empty for nobody), app.principal (ID) and app.area
// (prefix of area codes; "-" matches none, "" all) through current_setting(…, true).
// Read and Write have done so already.
func Scope(ctx context.Context, tx sqlx.ExecerContext) error {
	if _, err := tx.ExecContext(ctx, scopeStatement(ctx)); err != nil {
		return fmt.Errorf("database: setting the scope: %w", err)
	}
	return nil
}

func scopeStatement(ctx context.Context) string {
	kind, id := "", ""
	p := access.From(ctx)
	if p != nil {
		kind, id = string(p.Kind), p.ID
	}
	return "SELECT set_config('app.kind', " + pq.QuoteLiteral(kind) + ", true), set_config('app.principal', " +
		pq.QuoteLiteral(id) + ", true), set_config('app.area', " + pq.QuoteLiteral(p.Prefix()) + ", true)"
}

type scopeKey struct{}

// withScope lets the transaction that begins in this context carry its scope
// in the same round trip.
func withScope(ctx context.Context) context.Context {
	return context.WithValue(ctx, scopeKey{}, true)
}

// BeginTx implements driver.ConnBeginTx: BEGIN and the scope go out as one.
func (c *countedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, ends := c.full.(driver.Tx) // lib/pq's connection ends its own transactions
	if ctx.Value(scopeKey{}) == nil || options.Isolation != 0 || !ends {
		return c.full.BeginTx(ctx, options)
	}
	count(ctx)
	mode := "BEGIN READ WRITE; "
	if options.ReadOnly {
		mode = "BEGIN READ ONLY; "
	}
	if _, err := c.full.ExecContext(ctx, mode+scopeStatement(ctx), nil); err != nil {
		_, _ = c.full.ExecContext(context.WithoutCancel(ctx), "ROLLBACK", nil) // whatever came of BEGIN
		return nil, fmt.Errorf("database: begin: %w", err)
	}
	return tx, nil
}

// oneRoundTrip lets lib/pq send a statement and its arguments at once, rather
// than prepare it first. Arguments that are []byte go out as bytea: JSON and
// text must be strings.
func oneRoundTrip(url string) string {
	const setting = "binary_parameters=yes"
	switch {
	case strings.Contains(url, "binary_parameters"):
		return url
	case !strings.Contains(url, "://"):
		return url + " " + setting
	case strings.Contains(url, "?"):
		return url + "&" + setting
	default:
		return url + "?" + setting
	}
}
