package demonstration

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// rules writes a rule of the gateway of each kind: one that bounds partners,
// one that is what holds anyway, and one that stands ready, out of force.
func rules(ctx context.Context, tx *sqlx.Tx, _ *demonstration.Cast, _ *personal.Keys) error {
	for i, rule := range []struct {
		resource, kind string
		threshold      float64
		pause          int
		message        string
		enabled        bool
	}{
		{"client:partner/operation:Services", "LIMIT", 200, 0, "", true},
		{"subgraph:supply", "BREAKER", 10, 5, "", true},
		{"operation:SubmitFeedback", "DEGRADE", 0, 0, "意见反馈正在维护，请稍后再试；紧急事项请拨打 12345", false},
	} {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.gateway_rule (id, resource, kind, threshold, pause_seconds, message, enabled) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT DO NOTHING`,
			demonstration.ID("gateway rule", i), rule.resource, rule.kind, rule.threshold, rule.pause, rule.message, rule.enabled)
		if err != nil {
			return fmt.Errorf("gateway rules: %w", err)
		}
	}
	return nil
}
