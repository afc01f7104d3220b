// Package citizen holds the citizens' accounts 市民: who signed in with which
// mobile number, where they live and how sure the platform is who they are.
// The number is sealed; only its mask leaves the platform.
//
// Start reading at Citizen, then Service; rules for numbers and nicknames are
// in input.go, the SQL is in store.go. Signing in is package session's; what it
// needs of accounts is in password.go, mobile.go, link.go and merge.go, and
// cancel.go ends accounts. Each of these changes is recorded by history.go.
package citizen

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// AssuranceLevel says how sure the platform is who the citizen is 实名等级.
type AssuranceLevel string

// The levels, from a checked mobile number to a checked face or person.
const (
	L0 AssuranceLevel = "L0"
	L1 AssuranceLevel = "L1"
	L2 AssuranceLevel = "L2"
	L3 AssuranceLevel = "L3"
)

// State is where an account stands in its life.
type State string

// The states: ACTIVE↔LOCKED; ACTIVE→CANCELLING→CANCELLED|ACTIVE; →MERGED.
const (
	Active     State = "ACTIVE"
	Locked     State = "LOCKED"
	Cancelling State = "CANCELLING"
	Cancelled  State = "CANCELLED"
	Merged     State = "MERGED"
)

// Citizen is one account.
type Citizen struct {
	ID             string         `db:"id"`
	Nickname       string         `db:"nickname"`
	AreaCode       string         `db:"area_code"` // community of residence; "" if not told
	AssuranceLevel AssuranceLevel `db:"assurance_level"`
	State          State          `db:"state"`
	RegisteredAt   time.Time      `db:"registered_at"`
	// Mobile is the number in E.164, which answers show masked (@personal); nil when there is none.
	Mobile *string `db:"-"`
	// Viewer is set where the citizen has just signed in, and the request itself
	// carries no token yet: what is asked of the citizen is asked by Viewer.
	Viewer *access.Principal `db:"-"`
}

// IsEntity makes Citizen a federation entity.
func (*Citizen) IsEntity() {}

// Concerns says whether the account is the principal's own, or has just signed in.
func (c *Citizen) Concerns(p *access.Principal) bool {
	return c.Viewer != nil || p != nil && p.Kind == access.Citizen && p.ID == c.ID
}

// Principal is the citizen as who asks, without a session.
func (c *Citizen) Principal() *access.Principal {
	return &access.Principal{Kind: access.Citizen, ID: c.ID, Name: c.Nickname, AreaCode: c.AreaCode}
}

// Changes are what a citizen may change; nil stays as it is.
type Changes struct {
	Nickname *string
	AreaCode *string
}
