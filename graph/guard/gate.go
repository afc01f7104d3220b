package guard

import (
	"net/netip"
	"time"
)

// Gate decides whether a request may pass: limits per address, per signed-in
// caller and per client, and the rules in force. A nil Gate lets all pass.
type Gate struct {
	// PerAddress limits each IP address (an IPv6 /64 counts as one), and
	// PerSubject each signed-in caller.
	PerAddress, PerSubject Rate
	// PerClient limits each client over all its callers, by the name in
	// X-Client-Id. A rule for "client:NAME" goes first.
	PerClient Rate
	// Rules may be nil.
	Rules *Rules
	// Buckets may be nil where no limit is set.
	Buckets *Limiter
}

// Caller is who makes a request.
type Caller struct {
	Client  string
	Subject string // "" if nobody is signed in
}

// Approach lets a request come near: before its body is read or its token
// checked, by the address alone. It returns a *Refusal, or nil.
func (g *Gate) Approach(address netip.Addr, now time.Time) *Refusal {
	if g == nil || g.PerAddress.unlimited() || !address.IsValid() {
		return nil
	}
	return g.take("address:"+network(address), g.PerAddress, now)
}

// Enter lets a caller in whose sign-in was checked; it returns a *Refusal, or
// nil.
func (g *Gate) Enter(c Caller, now time.Time) *Refusal {
	if g == nil {
		return nil
	}
	if !g.PerSubject.unlimited() && c.Subject != "" {
		if refusal := g.take("subject:"+c.Subject, g.PerSubject, now); refusal != nil {
			return refusal
		}
	}
	if c.Client == "" {
		return nil
	}
	return g.resource("client:"+c.Client, g.PerClient, now)
}

// Run lets a client's operation run, once its name is known; it returns a
// *Refusal, or nil.
func (g *Gate) Run(client, operation string, now time.Time) *Refusal {
	if g == nil || operation == "" || g.Rules == nil || g.Rules.none() {
		return nil
	}
	if client != "" {
		if refusal := g.resource("client:"+client+"/operation:"+operation, Rate{}, now); refusal != nil {
			return refusal
		}
	}
	return g.resource("operation:"+operation, Rate{}, now)
}

func (g *Gate) resource(name string, standard Rate, now time.Time) *Refusal {
	if g.Rules != nil {
		if refusal := g.Rules.degraded(name); refusal != nil {
			return refusal
		}
		if ruled, ok := g.Rules.limit(name); ok {
			standard = ruled
		}
	}
	return g.take(name, standard, now)
}

func (g *Gate) take(key string, allowed Rate, now time.Time) *Refusal {
	if allowed.unlimited() || g.Buckets == nil {
		return nil
	}
	ok, wait := g.Buckets.Take(key, allowed, now)
	if ok {
		return nil
	}
	return &Refusal{Code: CodeRateLimited, Message: "请求过于频繁，请稍后再试", RetryAfter: wait}
}

// network is the address's own for IPv4 and its /64 for IPv6, of which every
// household has one.
func network(address netip.Addr) string {
	address = address.Unmap()
	if address.Is4() {
		return address.String()
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return address.String()
	}
	return prefix.String()
}
