// Package access says who is asking and what they may do: the principal of a
// request, the actions that roles grant, and the data scope that an area gives.
// The same prefix that Principal.Covers compares in Go is the one that
// row-level security compares in SQL (package database).
//
// Start reading at Principal, then Require in require.go.
package access

import (
	"context"
	"slices"
	"strings"

	"github.com/citizencloud/citizencloud/foundation/division"
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
	// AreaCode is a worker's data scope: the area of the unit and all below;
	// for a citizen the community of residence, which grants nothing.
	AreaCode string
	UnitID   string // a worker's organisation unit
	Roles    []Role
	Session  string // the signed-in session, which signing out ends
	Client   string // the client that the token was given to
}

// May says whether a role of the principal grants the action. The system may all.
func (p *Principal) May(action Action) bool {
	if p == nil {
		return false
	}
	if p.Kind == System {
		return true
	}
	for _, role := range p.Roles {
		if slices.Contains(grants[role], action) {
			return true
		}
	}
	return false
}

// Covers says whether the area lies in the worker's data scope.
func (p *Principal) Covers(areaCode string) bool {
	if p == nil {
		return false
	}
	switch p.Kind {
	case System:
		return true
	case Worker:
		return division.Covers(p.AreaCode, areaCode)
	default:
		return false
	}
}

// Prefix is the scope as the leading digits of area codes, for SQL. It is "-",
// which no code begins with, for whoever has no scope, and "" (all) for the system.
func (p *Principal) Prefix() string {
	switch {
	case p == nil:
		return "-"
	case p.Kind == System:
		return ""
	case p.Kind == Worker && division.Valid(p.AreaCode):
		return division.Prefix(p.AreaCode)
	default:
		return "-"
	}
}

// View names what the principal's answers depend on: two requests may share an
// answer only when their views are equal. Nobody's view is "public".
func (p *Principal) View() string {
	if p == nil {
		return "public"
	}
	return strings.Join([]string{string(p.Kind), p.ID, p.Session}, ":")
}

// Scope names a worker's data scope together with the roles: two workers of one
// scope may see the same rows of what depends on no person. "" for all others.
func (p *Principal) Scope() string {
	if p == nil || p.Kind != Worker || p.Prefix() == "-" {
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

// From gives the context's principal; nil when nobody is signed in.
func From(ctx context.Context) *Principal {
	p, _ := ctx.Value(contextKey{}).(*Principal)
	return p
}

// AsSystem is a context in which the platform itself acts; by names the part
// of it, for audit.
func AsSystem(ctx context.Context, by string) context.Context {
	return With(ctx, &Principal{Kind: System, ID: by, Name: by})
}
