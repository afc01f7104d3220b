// Package clientapp holds the third-party applications 第三方应用 that use the
// platform's sign-in and its open operations: who applied for them, what a
// review granted, their keys, how much they may call and how much they did.
//
// Start reading at ClientApp and its states; Service (service.go) changes them,
// address.go checks where sign-ins may return to, secret.go makes keys, meter.go
// bounds and counts calls. The SQL is in store.go. Signing in with them is
// package oidc's.
package clientapp

import (
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"
)

// State is where an application stands in its life.
type State string

// The states: DRAFT→IN_REVIEW→SANDBOX→LIVE↔SUSPENDED→RETIRED; IN_REVIEW→REJECTED→DRAFT.
const (
	Draft     State = "DRAFT"
	InReview  State = "IN_REVIEW"
	Rejected  State = "REJECTED"
	Sandbox   State = "SANDBOX"
	Live      State = "LIVE"
	Suspended State = "SUSPENDED"
	Retired   State = "RETIRED"
)

// Works says whether people can sign in with an application in this state.
func (s State) Works() bool { return s == Sandbox || s == Live }

// Kind is how an application runs, and so how it keeps a secret.
type Kind string

// The kinds. Only WEB keeps a secret; all others must use PKCE alone.
const (
	KindWeb     Kind = "WEB"     // a server
	KindBrowser Kind = "BROWSER" // a page without a server
	KindNative  Kind = "NATIVE"  // a program on a phone or a computer
	KindDevice  Kind = "DEVICE"  // a screen without a keyboard, RFC 8628
)

// Audience is who may sign in.
type Audience string

// The audiences.
const (
	ForCitizens  Audience = "CITIZENS"
	ForWorkers   Audience = "WORKERS"
	ForEverybody Audience = "EVERYBODY"
)

// Scope is what an application may learn or do. Its name in OAuth is that in
// small letters.
type Scope string

// The scopes.
const (
	ScopeOpenID       Scope = "OPENID"
	ScopeProfile      Scope = "PROFILE"
	ScopePhone        Scope = "PHONE"      // the masked number
	ScopePhoneFull    Scope = "PHONE_FULL" // the whole number
	ScopeRealName     Scope = "REALNAME"   // the level, never the name
	ScopeArea         Scope = "AREA"
	ScopeOrganization Scope = "ORGANIZATION" // a worker's unit, post and roles
	ScopeOffline      Scope = "OFFLINE_ACCESS"
	ScopeAPI          Scope = "API" // the granted operations, as the person
)

// Scopes are all scopes, in the order in which people are asked.
var Scopes = []Scope{ScopeOpenID, ScopeProfile, ScopePhone, ScopePhoneFull, ScopeRealName, ScopeArea, ScopeOrganization, ScopeAPI, ScopeOffline}

// Wire is the scope's name in OAuth.
func (s Scope) Wire() string { return strings.ToLower(string(s)) }

// ScopeOf is the scope of a name in OAuth; false if there is none.
func ScopeOf(wire string) (Scope, bool) {
	for _, s := range Scopes {
		if s.Wire() == wire {
			return s, true
		}
	}
	return "", false
}

// ClientApp is one application.
type ClientApp struct {
	ID                string         `db:"id"`
	ClientID          string         `db:"client_id"` // its name in OAuth
	Name              string         `db:"name"`
	Summary           string         `db:"summary"`
	Homepage          string         `db:"homepage"`
	Kind              Kind           `db:"kind"`
	Audience          Audience       `db:"audience"`
	OwnClient         *string        `db:"own_client"` // the platform's own client that it is; nil for a third party
	UnitID            string         `db:"unit_id"`
	AreaCode          string         `db:"area_code"`
	RedirectURIs      pq.StringArray `db:"redirect_uris"`
	LogoutURIs        pq.StringArray `db:"logout_uris"`
	Asked             pq.StringArray `db:"scopes"`
	AskedOperations   pq.StringArray `db:"operations"`
	Granted           pq.StringArray `db:"granted_scopes"`
	GrantedOperations pq.StringArray `db:"granted_operations"`
	DailyQuota        int            `db:"daily_quota"` // calls a day in Beijing; 0 for none
	RatePerSecond     int            `db:"rate_per_second"`
	State             State          `db:"state"`
	StateReason       string         `db:"state_reason"`
	CreatedBy         string         `db:"created_by"`
	SubmittedBy       *string        `db:"submitted_by"`
	ReviewedBy        *string        `db:"reviewed_by"`
	Version           int            `db:"version"`
	CreatedAt         time.Time      `db:"created_at"`
	UpdatedAt         time.Time      `db:"updated_at"`
}

// Scopes are those that were asked for.
func (a *ClientApp) Scopes() []Scope { return scopesOf(a.Asked) }

// Operations are those that were asked for.
func (a *ClientApp) Operations() []string { return a.AskedOperations }

// GrantedScopes are those that a review gave.
func (a *ClientApp) GrantedScopes() []Scope { return scopesOf(a.Granted) }

func scopesOf(names []string) []Scope {
	list := make([]Scope, len(names))
	for i, name := range names {
		list[i] = Scope(name)
	}
	return list
}

// IsEntity makes ClientApp a federation entity.
func (*ClientApp) IsEntity() {}

// Confidential says whether the application proves by a secret who it is.
func (a *ClientApp) Confidential() bool { return a.Kind == KindWeb }

// FirstParty says whether it is one of the platform's own: people are not asked
// for a consent.
func (a *ClientApp) FirstParty() bool { return a.OwnClient != nil }

// Client is the name in X-Client-Id under which its tokens may call.
func (a *ClientApp) Client() string {
	if a.OwnClient != nil {
		return *a.OwnClient
	}
	return "partner"
}

// Has says whether the scope was granted.
func (a *ClientApp) Has(s Scope) bool { return slices.Contains(a.Granted, string(s)) }

// Sandboxed bounds what an application may do before it is live.
const (
	SandboxPeople = 20   // who may ever sign in
	SandboxQuota  = 1000 // calls a day
	SandboxRate   = 5    // calls a second
)

// Allowance is how many calls count now: a day, 0 for any number, and a second.
func (a *ClientApp) Allowance() (day, second int) {
	day, second = a.DailyQuota, a.RatePerSecond
	if a.State == Sandbox {
		second = min(second, SandboxRate)
		if day == 0 || day > SandboxQuota {
			day = SandboxQuota
		}
	}
	return day, second
}

// step is one way from a state to another.
type step struct {
	from, to State
}

// Action is what somebody does to an application.
type Action string

// The actions.
const (
	Applied  Action = "APPLY"
	Updated  Action = "UPDATE"
	Submit   Action = "SUBMIT"
	Approve  Action = "APPROVE"
	Reject   Action = "REJECT"
	Launch   Action = "LAUNCH"
	Suspend  Action = "SUSPEND"
	Resume   Action = "RESUME"
	Retire   Action = "RETIRE"
	NewKey   Action = "NEW_KEY"
	Redirect Action = "SET_ADDRESSES"
)

// steps are the allowed transitions; whatever is not here is refused.
var steps = map[Action][]step{
	Updated: {{Draft, Draft}, {Rejected, Draft}},
	Submit:  {{Draft, InReview}},
	Approve: {{InReview, Sandbox}},
	Reject:  {{InReview, Rejected}},
	Launch:  {{Sandbox, Live}},
	Suspend: {{Live, Suspended}},
	Resume:  {{Suspended, Live}},
	Retire:  {{Suspended, Retired}},
}

// After gives the state after the action; false where it is refused.
func (s State) After(a Action) (State, bool) {
	for _, step := range steps[a] {
		if step.from == s {
			return step.to, true
		}
	}
	return s, false
}
