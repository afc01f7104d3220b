package database

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// scope is what row-level security knows of who asks.
type scope struct{ kind, principal, area, actions string }

func scopeOf(ctx context.Context) scope {
	p := access.From(ctx)
	if p == nil {
		return scope{area: p.Prefix()}
	}
	return scope{kind: string(p.Kind), principal: p.ID, area: p.Prefix(), actions: p.Actions()}
}

// What goes before a statement. The settings last as long as the transaction.
const (
	scopeSettings = `SELECT set_config('app.kind', $1, true), set_config('app.principal', $2, true), set_config('app.area', $3, true), set_config('app.actions', $4, true)`
	scopeWriting  = scopeSettings + `, set_config('plan_cache_mode', $5, true)`
	scopeReading  = scopeWriting + `, set_config('transaction_read_only', 'on', true)`
)

// Scope tells a transaction who asks that did not come from Read, Snapshot or
// Write, which do so themselves: one of the owner's. Policies read the settings
// app.kind (citizen, worker, system; empty for nobody), app.principal (ID),
// app.area (prefixes of area codes with commas between; "-" matches none) and
// app.actions (what the roles grant, with commas between) through
// current_setting(…, true).
func Scope(ctx context.Context, tx sqlx.ExecerContext) error {
	s := scopeOf(ctx)
	if _, err := tx.ExecContext(ctx, scopeSettings, s.kind, s.principal, s.area, s.actions); err != nil {
		return fmt.Errorf("database: setting the scope: %w", err)
	}
	return nil
}

type planningKey struct{}

// PlannedOnce gives a context whose statements are planned without the values
// of their arguments, once a connection. It is for statements which have one
// right plan, whatever is asked: one more call of the planner would cost more
// than they themselves. Left alone, PostgreSQL plans a statement five times for
// its values and then compares; what it compares are estimates.
func PlannedOnce(ctx context.Context) context.Context {
	return context.WithValue(ctx, planningKey{}, "force_generic_plan")
}

// PlannedEachTime gives a context whose statements are planned for the values
// of their arguments each time. It is for statements whose right plan depends on
// them, as that of a list does on how much of the city an area is.
func PlannedEachTime(ctx context.Context) context.Context {
	return context.WithValue(ctx, planningKey{}, "force_custom_plan")
}

// planning is the value of PostgreSQL's plan_cache_mode for a statement.
func planning(ctx context.Context) string {
	if mode, ok := ctx.Value(planningKey{}).(string); ok {
		return mode
	}
	return "auto"
}
