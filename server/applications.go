package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/graph/guard"
	"github.com/citizencloud/citizencloud/subgraphs/platform/clientapp"
	"github.com/citizencloud/citizencloud/subgraphs/platform/consent"
	"github.com/citizencloud/citizencloud/subgraphs/platform/oidc"
)

// openID is what the platform subgraph tells of access tokens of applications.
type openID interface{ OpenID() *oidc.Provider }

// bearerMemory is how long an access token is believed without asking again: so
// long may a revocation take to reach a gateway. Changed applications, withdrawn
// consents and ended sessions are told by events.
const bearerMemory = 10 * time.Second

// bearersKept bounds what is remembered.
const bearersKept = 20_000

// applications lets access tokens of applications in, and bounds and counts
// what they call.
type applications struct {
	provider *oidc.Provider
	meter    *clientapp.Meter // nil where a gateway before has counted
	now      func() time.Time
	mu       sync.RWMutex
	seen     map[string]seenBearer
}

type seenBearer struct {
	*oidc.Bearer
	until time.Time // is believed
}

// newApplications asks the platform subgraph, which may run elsewhere: its
// tokens are in the database that all processes share.
func newApplications(g *ground, in installation, platform resolvers, meter bool) *applications {
	if platform == nil {
		platform = components()[0].resolvers(g, in)
	}
	asks, ok := platform.(openID)
	if !ok {
		return nil
	}
	a := &applications{provider: asks.OpenID(), now: g.now}
	if meter {
		a.meter = &clientapp.Meter{DB: g.db, Redis: g.redis, Now: g.now, Log: g.log}
	}
	return a
}

// bearer reads a token; nil for one that does not count.
func (a *applications) bearer(ctx context.Context, token string) (*oidc.Bearer, error) {
	now := a.now()
	a.mu.RLock()
	seen, ok := a.seen[token]
	a.mu.RUnlock()
	if ok && now.Before(seen.until) && now.Before(seen.Until) {
		return seen.Bearer, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	b, err := a.provider.Bearer(ctx, token)
	if err != nil || b == nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil || len(a.seen) >= bearersKept {
		a.seen = map[string]seenBearer{}
	}
	a.seen[token] = seenBearer{b, now.Add(bearerMemory)}
	return b, nil
}

func (a *applications) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = nil
}

// authenticate is that of authenticator for an application's token.
func (a *applications) authenticate(ctx context.Context, token string, ended *revocation) (context.Context, guard.Identity, error) {
	b, err := a.bearer(ctx, token)
	if err != nil {
		return nil, guard.Identity{}, &guard.Refusal{Code: guard.CodeBroken, Message: "暂时无法核对登录凭证，请稍后重试", RetryAfter: time.Second}
	}
	if b == nil || b.Principal != nil && ended.has(b.Principal.Session) {
		return nil, guard.Identity{}, guard.Unauthenticated("登录已失效，请重新登录")
	}
	identity := guard.Identity{View: b.Principal.View(), Subject: "app:" + b.App.ID, Expires: b.Until}
	if a.meter != nil {
		identity.Application = riding{b.App, a.meter}
	}
	if b.Principal != nil {
		ctx = access.With(ctx, b.Principal)
		identity.Claims, identity.Scope = (*rights)(b.Principal), b.Principal.Scope()
		identity.Subject = string(b.Principal.Kind) + ":" + b.Principal.ID
	}
	return ctx, identity, nil
}

// riding is the application of a request. It implements guard.Application.
type riding struct {
	app   *clientapp.ClientApp
	meter *clientapp.Meter
}

// Admit lets the application run the operations that it was granted, as the
// client that it is, within its quota. The platform's own clients run what their
// manifest has.
func (r riding) Admit(ctx context.Context, client, operation string, registered bool) *guard.Refusal {
	refused := r.admit(ctx, client, operation, registered)
	if refused != nil {
		r.meter.Refused(r.app.ID)
	}
	return refused
}

func (r riding) admit(ctx context.Context, client, operation string, registered bool) *guard.Refusal {
	if client != r.app.Client() {
		return &guard.Refusal{Code: guard.CodeForbidden, Message: "此令牌只能由客户端 " + r.app.Client() + " 使用，请核对 X-Client-Id 请求头"}
	}
	if !r.app.FirstParty() && (!registered || !slices.Contains(r.app.GrantedOperations, operation)) {
		return &guard.Refusal{Code: guard.CodeForbidden, Message: "应用未获授权执行此操作"}
	}
	if r.app.FirstParty() {
		return nil // its people's limits hold
	}
	day, second := r.app.Allowance()
	err := r.meter.Take(ctx, r.app.ID, day, second)
	var f *fault.Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f) && f.Code == fault.RateLimited:
		return &guard.Refusal{Code: guard.CodeRateLimited, Message: f.Message, RetryAfter: time.Duration(f.RetryAfter) * time.Second}
	default:
		return &guard.Refusal{Code: guard.CodeBroken, Message: "服务暂时不可用，请稍后重试", RetryAfter: time.Second}
	}
}

// Ended counts the call.
func (r riding) Ended(errors int) { r.meter.Called(r.app.ID, errors > 0) }

// run forgets tokens when something that they depend on changed, and writes what
// was counted, until the context ends.
func (a *applications) run(ctx context.Context, bus *event.Bus) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	defer group.Wait()
	failed := make(chan error, 3)
	for _, subject := range []string{clientapp.Changed, consent.Withdrawn} {
		group.Go(func() { failed <- bus.Since(ctx, subject, a.now(), func(event.Event) { a.forget() }) })
	}
	if a.meter != nil {
		group.Go(func() { failed <- a.meter.Run(ctx) })
	}
	err := <-failed
	cancel()
	return err
}
