// Package gatewayrule holds the gateway's rules 网关规则: which clients and
// operations are limited, which subgraph is interrupted after how many
// failures, and what is switched off with a sentence to the people. The
// gateway reads those in force at its start and whenever Changed tells of a
// change.
//
// Start reading at Rule and Service.
package gatewayrule

import (
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Kind is what a rule does.
type Kind string

// The kinds.
const (
	Limit   Kind = "LIMIT"   // 限流: Threshold requests a second, Burst at once
	Breaker Kind = "BREAKER" // 熔断: a subgraph is left alone for Pause after Threshold failures in a row
	Degrade Kind = "DEGRADE" // 降级: Message instead of the work
)

// Changed is the subject of the event that rules were changed.
const Changed = "platform.gatewayrule.changed"

// Rule is one rule. There is one of each kind for a resource.
type Rule struct {
	ID string `db:"id"`
	// Resource is client:NAME, operation:NAME, client:NAME/operation:NAME or subgraph:NAME.
	Resource string `db:"resource"`
	Kind     Kind   `db:"kind"`
	// Threshold is requests a second (LIMIT; 0 lets none pass) or failures in a row (BREAKER).
	Threshold float64 `db:"threshold"`
	Burst     int     `db:"burst"` // LIMIT; 0 is Threshold, rounded up
	// PauseSeconds is how long a breaker stays open; 0 is the gateway's own time.
	PauseSeconds int       `db:"pause_seconds"`
	Message      string    `db:"message"` // DEGRADE; "" is a standard sentence
	Enabled      bool      `db:"enabled"`
	Version      int       `db:"version"`
	UpdatedAt    time.Time `db:"updated_at"`
}

// Pause is PauseSeconds as a duration.
func (r *Rule) Pause() time.Duration { return time.Duration(r.PauseSeconds) * time.Second }

// The bounds of a rule; the table has the same.
const (
	mostRules     = 1000
	longest       = 200
	greatest      = 1_000_000
	greatestPause = 3600
)

var resource = regexp.MustCompile(`^(client:[^/ ]+|operation:[^/ ]+|client:[^/ ]+/operation:[^/ ]+|subgraph:[^/ ]+)$`)

// check refuses what no gateway could make sense of, field by field.
func (r *Rule) check() error {
	ofSubgraph := strings.HasPrefix(r.Resource, "subgraph:")
	switch {
	case !resource.MatchString(r.Resource) || utf8.RuneCountInString(r.Resource) > longest:
		return fault.Invalid("input.resource", "规则对象须为 client:名称、operation:名称、client:名称/operation:名称 或 subgraph:名称")
	case r.Kind != Limit && r.Kind != Breaker && r.Kind != Degrade:
		return fault.Invalid("input.kind", "没有这种规则")
	case r.Kind == Breaker && !ofSubgraph, r.Kind == Limit && ofSubgraph:
		return fault.Invalid("input.kind", "熔断规则用于子图，限流规则用于客户端和操作")
	case math.IsNaN(r.Threshold) || r.Threshold < 0 || r.Threshold > greatest:
		return fault.Invalid("input.threshold", "阈值须在 0 到 %d 之间", greatest)
	case r.Kind == Breaker && r.Threshold < 1:
		return fault.Invalid("input.threshold", "熔断规则的阈值至少为 1 次失败")
	case r.Burst < 0 || r.Burst > greatest:
		return fault.Invalid("input.burst", "突发数量须在 0 到 %d 之间", greatest)
	case r.PauseSeconds < 0 || r.PauseSeconds > greatestPause:
		return fault.Invalid("input.pauseSeconds", "熔断时间须在 0 到 %d 秒之间", greatestPause)
	case utf8.RuneCountInString(r.Message) > longest:
		return fault.Invalid("input.message", "提示语最多 %d 个字", longest)
	}
	return nil
}
