package guard

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Kind is what a rule does.
type Kind string

// The kinds of a GatewayRule.
const (
	// Limit allows Threshold requests a second (Burst at once).
	Limit Kind = "LIMIT"
	// Break opens the subgraph's breaker after Threshold failures in a row.
	Break Kind = "BREAKER"
	// Degrade answers with Message instead of doing the work.
	Degrade Kind = "DEGRADE"
)

// Rule is a GatewayRule: data, edited while the gateway runs.
type Rule struct {
	// Resource is "client:NAME", "operation:NAME", "client:NAME/operation:NAME" or
	// "subgraph:NAME", the latter by the name that fetches give it.
	Resource string
	Kind     Kind
	// Threshold is requests a second (LIMIT, for each client or operation
	// over all callers) or failures in a row (BREAKER).
	Threshold float64
	Burst     int // LIMIT; 0 means Threshold, rounded up
	// Pause is how long a breaker stays open; 0 means 5 s.
	Pause   time.Duration
	Message string // DEGRADE: Chinese, for people; "" for a standard sentence
}

// Rules hold the rules in force, swapped as a whole. The zero value has none.
// It is safe for concurrent use.
type Rules struct {
	current atomic.Pointer[ruleSet]
}

type ruleSet struct {
	limits   map[string]Rate
	breakers map[string]Rule
	degraded map[string]string
}

// Set puts these rules in force instead of those before. On an error, which
// names the rule, nothing changes.
func (r *Rules) Set(rules []Rule) error {
	next := &ruleSet{limits: map[string]Rate{}, breakers: map[string]Rule{}, degraded: map[string]string{}}
	for i, rule := range rules {
		if rule.Resource == "" {
			return fmt.Errorf("guard: rule %d names no resource", i)
		}
		switch rule.Kind {
		case Limit:
			if rule.Threshold < 0 {
				return fmt.Errorf("guard: rule %d (%s): a limit below zero", i, rule.Resource)
			}
			next.limits[rule.Resource] = rule.limit()
		case Break:
			if rule.Threshold < 1 {
				return fmt.Errorf("guard: rule %d (%s): a breaker needs a threshold of at least one failure", i, rule.Resource)
			}
			next.breakers[rule.Resource] = rule
		case Degrade:
			next.degraded[rule.Resource] = rule.Message
		default:
			return fmt.Errorf("guard: rule %d (%s): kind %q", i, rule.Resource, rule.Kind)
		}
	}
	r.current.Store(next)
	return nil
}

// limit: a threshold of zero allows nothing, so it cannot be the zero Rate.
func (r *Rule) limit() Rate {
	if r.Threshold == 0 {
		return Rate{PerSecond: 1e-9, Burst: 0}
	}
	burst := r.Burst
	if burst == 0 {
		burst = int(r.Threshold)
		if float64(burst) < r.Threshold {
			burst++
		}
	}
	return Rate{PerSecond: r.Threshold, Burst: burst}
}

func (r *Rules) limit(resource string) (Rate, bool) {
	set := r.current.Load()
	if set == nil {
		return Rate{}, false
	}
	limit, ok := set.limits[resource]
	return limit, ok
}

func (r *Rules) breaker(resource string) (Rule, bool) {
	set := r.current.Load()
	if set == nil {
		return Rule{}, false
	}
	rule, ok := set.breakers[resource]
	return rule, ok
}

// degraded says whether the resource is switched off, and what to tell.
func (r *Rules) degraded(resource string) *Refusal {
	set := r.current.Load()
	if set == nil {
		return nil
	}
	message, ok := set.degraded[resource]
	if !ok {
		return nil
	}
	if message == "" {
		message = "该服务暂停使用，请稍后再试"
	}
	return &Refusal{Code: CodeDegraded, Message: message}
}

// none reports that no rule is in force, so that a request need not build the
// names of its resources.
func (r *Rules) none() bool {
	set := r.current.Load()
	return set == nil || len(set.limits) == 0 && len(set.degraded) == 0
}
