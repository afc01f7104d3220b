// Package access says who is asking and what they may do: the principal of a
// request, the actions that roles grant, and the data scope that areas give.
// Decide is the one decision; the same prefixes and actions that it compares in
// Go are those that row-level security compares in SQL (package database).
//
// Start reading at Principal, then Decide in decide.go and Require in
// require.go. Roles and actions are in role.go, the data scope is in scope.go,
// sign-ins that still lack something in confinement.go.
package access

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Kind is what sort of principal asks.
type Kind string

// The kinds.
const (
	Citizen Kind = "citizen" // 市民, signed in on the APP or a mini-program
	Worker  Kind = "worker"  // 工作者, staff of one of the four levels
	System  Kind = "system"  // the platform itself: consumers of events, schedules, demonstration data
)

// Principal is who asks. It is immutable once made.
type Principal struct {
	Kind Kind
	ID   string // of the citizen or the worker
	Name string
	// AreaCode is the area of the unit that a worker works for, and the data
	// scope with all below, unless Prefixes says otherwise; for a citizen the
	// community of residence, which grants nothing.
	AreaCode string
	// Prefixes are the data scope where it is another one, as leading digits of
	// area codes (twelve for an area without those below): a functional zone
	// has several. Nil is AreaCode and all below; empty covers nothing.
	Prefixes     []string
	UnitID       string // a worker's organisation unit
	AssignmentID string // the post that a worker acts in; several can be held, one counts at a time
	DelegationID string // the delegation that a worker acts by; "" in a post of one's own
	Roles        []Role
	Session      string // the signed-in session, which signing out ends
	Client       string // the client that the token was given to
	// ProvenAt is when, in this session, the principal last proved once more who
	// they are, and ProvenBy how; zero for not yet. See RequireRecent.
	ProvenAt time.Time
	ProvenBy Proof
	// Confined is what signing in still lacks: until then the principal is
	// nobody to all but who completes it; see ConfinedFrom.
	Confined Confinement
}

// View names what the principal's answers depend on: two requests may share an
// answer only when their views are equal. Nobody's view is "public".
func (p *Principal) View() string {
	if p == nil {
		return "public"
	}
	view := strings.Join([]string{string(p.Kind), p.ID, p.Session, p.AssignmentID + p.DelegationID, string(p.Confined)}, ":")
	if !p.ProvenAt.IsZero() {
		view += ":" + p.ProvenAt.UTC().Format(time.RFC3339)
	}
	return view
}

// Scope names a worker's data scope together with the roles: two workers of one
// scope may see the same rows of what depends on no person. "" for all others.
func (p *Principal) Scope() string {
	if p == nil || p.Kind != Worker || p.Confined != "" || p.Prefix() == "-" {
		return ""
	}
	roles := make([]string, len(p.Roles))
	for i, role := range p.Roles {
		roles[i] = string(role)
	}
	slices.Sort(roles)
	return p.Prefix() + ":" + strings.Join(slices.Compact(roles), ",")
}

type contextKey struct{}

// With puts the principal into the context.
func With(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From gives the context's principal; nil when nobody is signed in, or whoever
// does so is confined.
func From(ctx context.Context) *Principal {
	p, _ := ctx.Value(contextKey{}).(*Principal)
	if p != nil && p.Confined != "" {
		return nil
	}
	return p
}

// AsSystem is a context in which the platform itself acts; by names the part
// of it, for audit.
func AsSystem(ctx context.Context, by string) context.Context {
	return With(ctx, &Principal{Kind: System, ID: by, Name: by})
}
