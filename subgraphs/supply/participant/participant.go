// Package participant holds who supplies services to communities 参与者: their
// application, its review, changes, suspension and exit.
//
// Start reading at Participant; what may follow what is in state.go, who may do
// it in manage.go, lists in participants.go, the SQL in store.go.
package participant

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/reference"
)

// ParticipantKind is what sort of organisation it is.
type ParticipantKind string

// The kinds.
const (
	Enterprise         ParticipantKind = "ENTERPRISE"
	SocialOrganisation ParticipantKind = "SOCIAL_ORGANISATION"
	PublicInstitution  ParticipantKind = "PUBLIC_INSTITUTION"
	SoleTrader         ParticipantKind = "SOLE_TRADER"
)

// Participant is an organisation that supplies services, or wants to. What not
// everybody may see is reached by the methods that take the context.
type Participant struct {
	ID           string           `db:"id"`
	Name         string           `db:"name"`
	Kind         ParticipantKind  `db:"kind"`
	Introduction string           `db:"introduction"`
	Phone        *string          `db:"phone"`
	AreaCode     string           `db:"area_code"`
	State        ParticipantState `db:"state"`
	Version      int              `db:"version"`
	CreatedAt    time.Time        `db:"created_at"`
	UpdatedAt    time.Time        `db:"updated_at"`

	Code        string             `db:"uscc"` // unified social credit code, GB 32100
	ApplicantID string             `db:"citizen_id"`
	Verdict     *string            `db:"review_note"`
	Pending     *ParticipantChange `db:"pending"`
	Held        Qualifications     `db:"qualifications"`
}

// IsEntity marks a federation entity.
func (*Participant) IsEntity() {}

// Area is where the participant is at home.
func (p *Participant) Area() *reference.Area { return &reference.Area{ID: p.AreaCode} }

// Qualifications are those that it holds.
func (p *Participant) Qualifications() []*Qualification { return p.Held }

// Live says whether the participant takes part at the moment.
func (p *Participant) Live() bool { return p.State == Approved || p.State == ChangeReview }

// owned says whether the principal applied for it.
func (p *Participant) owned(by *access.Principal) bool {
	return by != nil && by.Kind == access.Citizen && by.ID == p.ApplicantID
}

// reviewable says whether the principal may review it.
func (p *Participant) reviewable(by *access.Principal) bool {
	return by.May(access.ParticipantAudit) && by.Covers(p.AreaCode)
}

// visible says whether the principal may see that it exists.
func (p *Participant) visible(by *access.Principal) bool {
	return p.Live() || p.owned(by) || by.May(access.ParticipantView) && by.Covers(p.AreaCode)
}

// USCC is the unified social credit code: public for who takes part, else for
// the applicant and the workers of the area.
func (p *Participant) USCC(ctx context.Context) *string {
	if !p.visible(access.From(ctx)) {
		return nil
	}
	return &p.Code
}

// private says whether the caller is the applicant or a reviewer.
func (p *Participant) private(ctx context.Context) bool {
	by := access.From(ctx)
	return p.owned(by) || p.reviewable(by)
}

// ReviewNote is the last review's, for applicant and reviewers.
func (p *Participant) ReviewNote(ctx context.Context) *string {
	if !p.private(ctx) {
		return nil
	}
	return p.Verdict
}

// PendingChange is the change under review, for applicant and reviewers.
func (p *Participant) PendingChange(ctx context.Context) *ParticipantChange {
	if !p.private(ctx) {
		return nil
	}
	return p.Pending
}

// Applicant is the citizen who applied, for themself and reviewers.
func (p *Participant) Applicant(ctx context.Context) *reference.Citizen {
	if !p.private(ctx) {
		return nil
	}
	return &reference.Citizen{ID: p.ApplicantID}
}

func (p *Participant) subject() history.Subject {
	return history.Subject{Kind: "Participant", ID: p.ID, AreaCode: p.AreaCode, OwnerID: &p.ApplicantID}
}

// Qualification is a licence or certificate.
type Qualification struct {
	Name       string  `json:"name"`
	Number     string  `json:"number"`
	ValidUntil *string `json:"validUntil,omitempty"` // YYYY-MM-DD; nil for ever
}

// Qualifications are kept as one JSON value.
type Qualifications []*Qualification

// Scan implements sql.Scanner.
func (q *Qualifications) Scan(value any) error { return scanJSON(value, q) }

// Value implements driver.Valuer.
func (q Qualifications) Value() (driver.Value, error) {
	if q == nil {
		q = Qualifications{}
	}
	return valueJSON(q)
}

// ParticipantChange is what an approved participant wants to change; nil stays.
type ParticipantChange struct {
	Name         *string        `json:"name,omitempty"`
	Introduction *string        `json:"introduction,omitempty"`
	Phone        *string        `json:"phone,omitempty"`
	Held         Qualifications `json:"qualifications,omitempty"`
}

// Qualifications are those that it wants to hold instead; nil stays.
func (c *ParticipantChange) Qualifications() []*Qualification { return c.Held }

// Scan implements sql.Scanner.
func (c *ParticipantChange) Scan(value any) error { return scanJSON(value, c) }

// Value implements driver.Valuer.
func (c *ParticipantChange) Value() (driver.Value, error) {
	if c == nil {
		return nil, nil
	}
	return valueJSON(c)
}

func scanJSON(value, into any) error {
	switch text := value.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(text, into)
	case string:
		return json.Unmarshal([]byte(text), into)
	default:
		return fmt.Errorf("participant: JSON column holds %T", value)
	}
}

func valueJSON(value any) (driver.Value, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// ParticipantEvent is one line of a participant's history.
type ParticipantEvent struct{ history.Line }

// Action is what was done.
func (e *ParticipantEvent) Action() ParticipantAction { return ParticipantAction(e.Done) }

// From is the state before; nil for the application.
func (e *ParticipantEvent) From() *ParticipantState { return (*ParticipantState)(e.Before) }

// To is the state after.
func (e *ParticipantEvent) To() ParticipantState { return ParticipantState(e.After) }

// ParticipantConnection is one page of participants.
type ParticipantConnection struct {
	Edges    []*ParticipantEdge
	Nodes    []*Participant
	PageInfo *keyset.PageInfo
}

// ParticipantEdge is a participant with its cursor.
type ParticipantEdge struct {
	Cursor string
	Node   *Participant
}

func connect(page keyset.Page, found []*Participant) *ParticipantConnection {
	key := func(p *Participant) []string { return []string{p.ID} }
	found, info := keyset.Of(page, found, key)
	c := &ParticipantConnection{Edges: make([]*ParticipantEdge, len(found)), Nodes: found, PageInfo: info}
	for i, p := range found {
		c.Edges[i] = &ParticipantEdge{Cursor: keyset.Cursor(key(p)...), Node: p}
	}
	return c
}
