package gatewayrule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

const columns = `id, resource, kind, threshold, burst, pause_seconds, message, enabled, version, updated_at`

func inForce(ctx context.Context, tx sqlx.ExtContext) ([]Rule, error) {
	var rules []Rule
	err := sqlx.SelectContext(ctx, tx, &rules, `SELECT `+columns+` FROM platform.gateway_rule WHERE enabled ORDER BY resource, kind LIMIT $1`, mostRules)
	if err != nil {
		return nil, fmt.Errorf("gatewayrule: in force: %w", err)
	}
	return rules, nil
}

func list(ctx context.Context, tx sqlx.ExtContext, kind Kind, enabledOnly bool, page keyset.Page) ([]*Rule, error) {
	after := []string{"", ""}
	if page.After != nil {
		after = page.After
	}
	var rules []*Rule
	err := sqlx.SelectContext(ctx, tx, &rules, `
		SELECT `+columns+` FROM platform.gateway_rule
		WHERE (resource, kind) > ($1, $2) AND ($3 = '' OR kind = $3) AND (enabled OR NOT $4)
		ORDER BY resource, kind LIMIT $5`, after[0], after[1], kind, enabledOnly, page.Limit())
	if err != nil {
		return nil, fmt.Errorf("gatewayrule: list: %w", err)
	}
	return rules, nil
}

func count(ctx context.Context, tx sqlx.ExtContext) (n int, err error) {
	if err := sqlx.GetContext(ctx, tx, &n, `SELECT count(*) FROM platform.gateway_rule`); err != nil {
		return 0, fmt.Errorf("gatewayrule: count: %w", err)
	}
	return n, nil
}

// find locks the rule of a resource and kind; nil when there is none.
func find(ctx context.Context, tx sqlx.ExtContext, resource string, kind Kind) (*Rule, error) {
	return one(ctx, tx, "find", `SELECT `+columns+` FROM platform.gateway_rule WHERE resource = $1 AND kind = $2 FOR UPDATE`, resource, kind)
}

func insert(ctx context.Context, tx sqlx.ExtContext, r *Rule) (*Rule, error) {
	made, err := one(ctx, tx, "insert", `
		INSERT INTO platform.gateway_rule (id, resource, kind, threshold, burst, pause_seconds, message, enabled)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING `+columns,
		r.ID, r.Resource, r.Kind, r.Threshold, r.Burst, r.PauseSeconds, r.Message, r.Enabled)
	if database.Duplicate(err, "gateway_rule_resource_kind_key") {
		return nil, fault.New(fault.Conflict, "该规则已被他人添加，请刷新后重试")
	}
	return made, err
}

func update(ctx context.Context, tx sqlx.ExtContext, id string, r *Rule) (*Rule, error) {
	return one(ctx, tx, "update", `
		UPDATE platform.gateway_rule SET threshold = $2, burst = $3, pause_seconds = $4, message = $5, enabled = $6,
		       version = version + 1, updated_at = now()
		WHERE id = $1 RETURNING `+columns,
		id, r.Threshold, r.Burst, r.PauseSeconds, r.Message, r.Enabled)
}

func remove(ctx context.Context, tx sqlx.ExtContext, id string) (*Rule, error) {
	if uuid.Validate(id) != nil {
		return nil, nil
	}
	return one(ctx, tx, "remove", `DELETE FROM platform.gateway_rule WHERE id = $1 RETURNING `+columns, id)
}

// one is the row of a statement; nil for none.
func one(ctx context.Context, tx sqlx.ExtContext, what, statement string, args ...any) (*Rule, error) {
	var r Rule
	err := sqlx.GetContext(ctx, tx, &r, statement, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("gatewayrule: %s: %w", what, err)
	}
	return &r, nil
}
