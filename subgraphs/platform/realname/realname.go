// Package realname proves who the holder of a citizen's account is 实名认证: by
// the population register, a face, a certified third-party account, or offline
// at a counter where two workers look. What was proven is the account's
// RealName, one identity one account, and gives its assurance level.
//
// Start reading at IdentityVerification and its states (state.go), then Service.
// What comes before any personal data is in consent.go and admit.go; the four
// ways are in basic.go, face.go, certify.go and offline.go with review.go; all
// of them end in settle.go. Counters and slots are in counter.go, lowering of
// levels in lower.go, looks at plain data in reveal.go, erasing in evidence.go,
// what runs by itself in sweep.go. The SQL is in store.go and *store.go.
package realname

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

// VerificationMethod is a way of proving who one is.
type VerificationMethod string

// The ways.
const (
	ByRegister   VerificationMethod = "REGISTER"    // name and number are those of the population register
	ByFace       VerificationMethod = "FACE"        // and so is the face
	ByThirdParty VerificationMethod = "THIRD_PARTY" // WeChat or Alipay certified it
	Offline      VerificationMethod = "OFFLINE"     // at a counter, by two workers
)

// gives is the level that each way gives.
var gives = map[VerificationMethod]citizen.AssuranceLevel{
	ByRegister: citizen.L1, ByThirdParty: citizen.L2, ByFace: citizen.L3, Offline: citizen.L3,
}

// IdentityVerification is one attempt to prove who the account's holder is.
type IdentityVerification struct {
	ID            string                  `db:"id"`
	CitizenID     string                  `db:"citizen_id"`
	ConsentID     string                  `db:"consent_id"`
	Method        VerificationMethod      `db:"method"`
	State         VerificationState       `db:"state"`
	AreaCode      string                  `db:"area_code"` // of the counter; "" of the other ways
	DocumentKind  document.Kind           `db:"document_kind"`
	ClaimedName   []byte                  `db:"claimed_name"` // sealed; nil once it is decided
	ClaimedNumber []byte                  `db:"claimed_number"`
	Provider      string                  `db:"provider"`
	Reference     string                  `db:"reference"`
	Simulated     bool                    `db:"simulated"`
	Level         *citizen.AssuranceLevel `db:"level"` // that it gave
	FailureCode   VerificationFailure     `db:"failure"`
	Reason        string                  `db:"reason"`
	PreviousID    *string                 `db:"previous_id"`
	SlotID        *string                 `db:"slot_id"`
	FiledBy       *string                 `db:"filed_by"`
	ExaminedBy    *string                 `db:"examined_by"`
	ExaminedAt    *time.Time              `db:"examined_at"`
	Passed        *bool                   `db:"passed"`
	Note          string                  `db:"note"`
	DecidedBy     *string                 `db:"decided_by"`
	CreatedAt     time.Time               `db:"created_at"`
	UpdatedAt     time.Time               `db:"updated_at"`
	SubmittedAt   *time.Time              `db:"submitted_at"`
	DecidedAt     *time.Time              `db:"decided_at"`
	ValidUntil    *time.Time              `db:"valid_until"`
	EndedAt       *time.Time              `db:"ended_at"`
	Version       int                     `db:"version"`
	// What was claimed, in plain for the schema to mask; nil once it is decided.
	PlainName, PlainNumber *string `db:"-"`

	siblings *batch.Siblings[*IdentityVerification]
}

// Siblings are those of the same list; nil for one that was asked alone.
func (v *IdentityVerification) Siblings() *batch.Siblings[*IdentityVerification] { return v.siblings }

// Concerns says whether it is about the principal.
func (v *IdentityVerification) Concerns(p *access.Principal) bool {
	return p != nil && p.Kind == access.Citizen && p.ID == v.CitizenID
}

// RealName is what an account has proven.
type RealName struct {
	ID             string                 `db:"id"`
	CitizenID      string                 `db:"citizen_id"`
	DocumentKind   document.Kind          `db:"document_kind"`
	Name           []byte                 `db:"name"` // sealed
	Number         []byte                 `db:"number"`
	Level          citizen.AssuranceLevel `db:"level"`
	Method         VerificationMethod     `db:"method"`
	Simulated      bool                   `db:"simulated"`
	VerificationID string                 `db:"verification_id"`
	VerifiedAt     time.Time              `db:"verified_at"`
	ValidUntil     *time.Time             `db:"valid_until"`
	Version        int                    `db:"version"`

	PlainName, PlainNumber string `db:"-"`
}

// Concerns says whether it is about the principal.
func (r *RealName) Concerns(p *access.Principal) bool {
	return p != nil && p.Kind == access.Citizen && p.ID == r.CitizenID
}

// IdentityClaim is who somebody says to be.
type IdentityClaim struct {
	DocumentKind   document.Kind
	DocumentNumber string
	FullName       string
}

// VerificationEvent is one line of a verification's history.
type VerificationEvent struct {
	ID             string             `db:"id"`
	VerificationID string             `db:"verification_id"`
	At             time.Time          `db:"at"`
	Action         VerificationAction `db:"action"`
	From           string             `db:"from_state"`
	To             VerificationState  `db:"to_state"`
	ActorKind      string             `db:"actor_kind"`
	ActorID        string             `db:"actor_id"`
	Note           string             `db:"note"`
	// ActorName is of workers, and for workers.
	ActorName *string `db:"-"`
}

// The places that texts are sealed for: personal.Columns lists them too.
const (
	nameField          = "realname.name"
	numberField        = "realname.number"
	claimedNameField   = "realname.claimed_name"
	claimedNumberField = "realname.claimed_number"
)
