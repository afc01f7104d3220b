package guard

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencloud/citizencloud/graph/dispatch"
)

func TestLimiterRefillsAndTellsWhen(t *testing.T) {
	limiter, now, two := NewLimiter(0), time.Unix(1000, 0), Rate{PerSecond: 2, Burst: 2}
	for i := range 2 {
		if ok, _ := limiter.Take("a", two, now); !ok {
			t.Fatalf("request %d of the burst was refused", i)
		}
	}
	ok, wait := limiter.Take("a", two, now)
	if ok || wait != 500*time.Millisecond {
		t.Errorf("third at once: %v, wait %v", ok, wait)
	}
	if ok, _ := limiter.Take("b", two, now); !ok {
		t.Error("another key shares the bucket")
	}
	if ok, _ := limiter.Take("a", two, now.Add(wait)); !ok {
		t.Error("refused after the time it named: refusals must take no token")
	}
	if ok, _ := limiter.Take("a", Rate{PerSecond: 100, Burst: 100}, now.Add(wait)); !ok {
		t.Error("a changed rate does not come into force")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	limiter, now := NewLimiter(100), time.Unix(1000, 0)
	for i := range 10_000 {
		limiter.Take(fmt.Sprint(i), Rate{1, 1}, now)
	}
	if len(limiter.byName) != 100 || limiter.order.Len() != 100 {
		t.Errorf("%d buckets kept", len(limiter.byName))
	}
}

func TestGate(t *testing.T) {
	now := time.Unix(1000, 0)
	one := Rate{PerSecond: 1, Burst: 1}
	type request struct {
		Caller
		address netip.Addr
	}
	by := func(c Caller) request { return request{Caller: c} }
	at := func(address string) request { return request{address: netip.MustParseAddr(address)} }
	for name, test := range map[string]struct {
		gate          *Gate
		first, second request
		refused       bool
	}{
		"no gate":              {nil, by(Caller{Client: "app"}), by(Caller{Client: "app"}), false},
		"no limit":             {&Gate{}, by(Caller{Client: "app"}), by(Caller{Client: "app"}), false},
		"same address":         {&Gate{PerAddress: one}, at("192.0.2.1"), at("192.0.2.1"), true},
		"mapped address":       {&Gate{PerAddress: one}, at("192.0.2.1"), at("::ffff:192.0.2.1"), true},
		"other address":        {&Gate{PerAddress: one}, at("192.0.2.1"), at("192.0.2.2"), false},
		"same IPv6 household":  {&Gate{PerAddress: one}, at("2001:db8::1"), at("2001:db8::ffff:2"), true},
		"other IPv6 household": {&Gate{PerAddress: one}, at("2001:db8::1"), at("2001:db8:0:1::1"), false},
		"same subject":         {&Gate{PerSubject: one}, by(Caller{Subject: "s"}), by(Caller{Subject: "s"}), true},
		"other subject":        {&Gate{PerSubject: one}, by(Caller{Subject: "s"}), by(Caller{Subject: "t"}), false},
		"same client":          {&Gate{PerClient: one}, by(Caller{Client: "app"}), by(Caller{Client: "app"}), true},
		"other client":         {&Gate{PerClient: one}, by(Caller{Client: "app"}), by(Caller{Client: "screen"}), false},
	} {
		t.Run(name, func(t *testing.T) {
			if test.gate != nil {
				test.gate.Buckets = NewLimiter(0)
			}
			enter := func(r request) *Refusal {
				if refusal := test.gate.Approach(r.address, now); refusal != nil {
					return refusal
				}
				return test.gate.Enter(r.Caller, now)
			}
			if refusal := enter(test.first); refusal != nil {
				t.Fatalf("the first was refused: %v", refusal)
			}
			refusal := enter(test.second)
			if (refusal != nil) != test.refused {
				t.Fatalf("the second: %v, want refused %v", refusal, test.refused)
			}
			if refusal != nil && (refusal.Code != CodeRateLimited || refusal.RetryAfter != time.Second) {
				t.Errorf("refused with %+v", refusal)
			}
		})
	}
}

func TestRulesAreSwappedWhole(t *testing.T) {
	gate, now := &Gate{Rules: &Rules{}, Buckets: NewLimiter(0)}, time.Unix(1000, 0)
	run := func(operation string) string {
		if refusal := gate.Run("app", operation, now); refusal != nil {
			return refusal.Code
		}
		return ""
	}
	must := func(rules ...Rule) {
		t.Helper()
		if err := gate.Rules.Set(rules); err != nil {
			t.Fatal(err)
		}
	}
	if got := run("Home"); got != "" {
		t.Errorf("without rules: %s", got)
	}
	must(Rule{Resource: "operation:Home", Kind: Degrade, Message: "首页维护中"}, Rule{Resource: "client:partner", Kind: Limit})
	if refusal := gate.Run("app", "Home", now); refusal == nil || refusal.Message != "首页维护中" || refusal.Code != CodeDegraded {
		t.Errorf("degraded operation: %v", refusal)
	}
	if got := run("Other"); got != "" {
		t.Errorf("another operation: %s", got)
	}
	if refusal := gate.Enter(Caller{Client: "partner"}, now); refusal == nil || refusal.Code != CodeRateLimited {
		t.Errorf("a limit of zero let one in: %v", refusal)
	}
	for name, wrong := range map[string]Rule{
		"no resource": {Kind: Limit, Threshold: 1}, "kind": {Resource: "client:app", Kind: "X"},
		"negative": {Resource: "client:app", Kind: Limit, Threshold: -1}, "breaker": {Resource: "subgraph:A", Kind: Break},
	} {
		if err := gate.Rules.Set([]Rule{wrong}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if got := run("Home"); got != CodeDegraded {
		t.Error("a wrong set of rules replaced the one in force")
	}
	must()
	if got := run("Home"); got != "" {
		t.Errorf("after the rules were taken back: %s", got)
	}
}

// subgraph answers with fail, or panics.
type subgraph struct {
	fail  error
	panic bool
	asked int
}

func (s *subgraph) Prepare(*dispatch.Document) (dispatch.Prepared, error) { return s, nil }

func (s *subgraph) Fetch(context.Context, *dispatch.Request) (*dispatch.Reply, error) {
	s.asked++
	if s.panic {
		panic("subgraph")
	}
	return dispatch.NewReply(nil, nil), s.fail
}

func (s *subgraph) Subscribe(context.Context, *dispatch.Request) (dispatch.Source, error) {
	s.asked++
	return nil, s.fail
}

func prepare(t *testing.T, b *Breakers) dispatch.Prepared {
	t.Helper()
	prepared, err := b.Prepare(&dispatch.Document{Subgraph: "COMMUNITY"})
	if err != nil {
		t.Fatal(err)
	}
	return prepared
}

func TestBreakerOpensTriesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &subgraph{fail: errors.New("connection refused")}
		breakers := &Breakers{Inner: inner, Failures: 3, Pause: time.Second}
		one, two := prepare(t, breakers), prepare(t, breakers)
		fetch := func(p dispatch.Prepared) error { _, err := p.Fetch(t.Context(), nil); return err }
		for range 3 {
			if err := fetch(one); errors.Is(err, ErrBroken) {
				t.Fatal("opened too early")
			}
		}
		if err := fetch(two); !errors.Is(err, ErrBroken) || inner.asked != 3 {
			t.Fatalf("another document of the subgraph: %v after %d calls", err, inner.asked)
		}
		if _, err := two.Subscribe(t.Context(), nil); !errors.Is(err, ErrBroken) {
			t.Errorf("subscribe: %v", err)
		}
		time.Sleep(time.Second)
		if err := fetch(one); errors.Is(err, ErrBroken) || inner.asked != 4 {
			t.Fatalf("no trial after the pause: %v", err)
		}
		if err := fetch(one); !errors.Is(err, ErrBroken) {
			t.Fatalf("a failed trial did not keep it open: %v", err)
		}
		time.Sleep(time.Second)
		inner.panic = true
		func() {
			defer func() { _ = recover() }()
			_ = fetch(one)
		}()
		inner.panic, inner.fail = false, nil
		if err := fetch(one); err != nil {
			t.Fatalf("after a panicked trial: %v", err)
		}
		inner.fail = errors.New("again")
		if err := fetch(one); errors.Is(err, ErrBroken) {
			t.Error("a good trial did not close it")
		}
	})
}

func TestBreakerIgnoresClientsThatGoAway(t *testing.T) {
	inner := &subgraph{fail: context.Canceled}
	one := prepare(t, &Breakers{Inner: inner, Failures: 1})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		if _, err := one.Fetch(gone, nil); errors.Is(err, ErrBroken) {
			t.Fatal("a client's going away opened the breaker")
		}
	}
}

func TestBreakerRules(t *testing.T) {
	inner, rules := &subgraph{fail: errors.New("down")}, &Rules{}
	one := prepare(t, &Breakers{Inner: inner, Rules: rules})
	if err := rules.Set([]Rule{{Resource: "subgraph:COMMUNITY", Kind: Break, Threshold: 1}}); err != nil {
		t.Fatal(err)
	}
	_, _ = one.Fetch(t.Context(), nil)
	if _, err := one.Fetch(t.Context(), nil); !errors.Is(err, ErrBroken) {
		t.Errorf("threshold of one failure: %v", err)
	}
	inner.fail = nil
	if err := rules.Set([]Rule{{Resource: "subgraph:COMMUNITY", Kind: Degrade}}); err != nil {
		t.Fatal(err)
	}
	var refusal *Refusal
	if _, err := one.Fetch(t.Context(), nil); !errors.As(err, &refusal) || refusal.Code != CodeDegraded || inner.asked != 1 {
		t.Errorf("degraded subgraph: %v, asked %d times", err, inner.asked)
	}
	if err := rules.Set(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Fetch(t.Context(), nil); err != nil {
		t.Errorf("after the rules were taken back: %v", err)
	}
}
