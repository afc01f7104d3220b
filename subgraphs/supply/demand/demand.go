// Package demand holds what citizens and communities ask for 需求: from draft
// over review to open, then matched with a community service and fulfilled.
//
// Start reading at Demand; what may follow what is in state.go, who may do it
// in manage.go, lists in demands.go and board.go, the SQL in store.go.
package demand

import (
	"context"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/communityservice"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/reference"
)

// Demand is something that is asked for in an area, within a window of time.
// What not everybody may see is reached by the methods that take the context.
type Demand struct {
	ID         string                          `db:"id"`
	Title      string                          `db:"title"`
	Content    string                          `db:"content"`
	Category   communityservice.SupplyCategory `db:"category"`
	AreaCode   string                          `db:"area_code"`
	BudgetFen  *int                            `db:"budget_fen"` // nil is to be agreed
	WindowFrom time.Time                       `db:"window_from"`
	WindowTo   time.Time                       `db:"window_to"`
	State      DemandState                     `db:"state"`
	OpenedAt   *time.Time                      `db:"opened_at"`
	Version    int                             `db:"version"`
	CreatedAt  time.Time                       `db:"created_at"`
	UpdatedAt  time.Time                       `db:"updated_at"`

	CitizenID *string `db:"citizen_id"` // who published it; nil for a community's
	WorkerID  *string `db:"worker_id"`  // who published it for the community
	ServiceID *string `db:"community_service_id"`
	Verdict   *string `db:"review_note"`

	siblings *batch.Siblings[*Demand]
}

// Siblings are the demands of the list that it was read with; nil when it was
// read alone.
func (d *Demand) Siblings() *batch.Siblings[*Demand] { return d.siblings }

// IsEntity marks a federation entity.
func (*Demand) IsEntity() {}

// Area is where it is asked for.
func (d *Demand) Area() *reference.Area { return &reference.Area{ID: d.AreaCode} }

// PublishedByCommunity says whether a worker published it.
func (d *Demand) PublishedByCommunity() bool { return d.WorkerID != nil }

// public says whether everybody may see it.
func (d *Demand) public() bool {
	switch d.State {
	case Open, Matched, Fulfilled, Closed:
		return true
	default:
		return false
	}
}

// published says whether the principal stands on the publisher's side: the
// citizen, or for a community's demand whoever may publish there.
func (d *Demand) published(by *access.Principal) bool {
	if by == nil {
		return false
	}
	if d.CitizenID != nil {
		return by.Kind == access.Citizen && by.ID == *d.CitizenID
	}
	return by.Kind == access.Worker && by.May(access.DemandPublish) && by.Covers(d.AreaCode)
}

func (d *Demand) reviewable(by *access.Principal) bool {
	return by.May(access.DemandReview) && by.Covers(d.AreaCode)
}

func (d *Demand) private(ctx context.Context) bool {
	by := access.From(ctx)
	return d.published(by) || d.reviewable(by)
}

func (d *Demand) visible(ctx context.Context) bool { return d.public() || d.private(ctx) }

// ReviewNote is the last review's, for publisher and reviewers.
func (d *Demand) ReviewNote(ctx context.Context) *string {
	if !d.private(ctx) {
		return nil
	}
	return d.Verdict
}

// Publisher is the citizen who published it, for themself and reviewers.
func (d *Demand) Publisher(ctx context.Context) *reference.Citizen {
	if d.CitizenID == nil || !d.private(ctx) {
		return nil
	}
	return &reference.Citizen{ID: *d.CitizenID}
}

func (d *Demand) subject() history.Subject {
	return history.Subject{Kind: "Demand", ID: d.ID, AreaCode: d.AreaCode, OwnerID: d.CitizenID}
}

// DemandEvent is one line of a demand's history.
type DemandEvent struct{ history.Line }

// Action is what was done.
func (e *DemandEvent) Action() DemandAction { return DemandAction(e.Done) }

// From is the state before; nil for the first line.
func (e *DemandEvent) From() *DemandState { return (*DemandState)(e.Before) }

// To is the state after.
func (e *DemandEvent) To() DemandState { return DemandState(e.After) }

// DemandConnection is one page of demands.
type DemandConnection struct {
	Edges    []*DemandEdge
	Nodes    []*Demand
	PageInfo *keyset.PageInfo
}

// DemandEdge is a demand with its cursor.
type DemandEdge struct {
	Cursor string
	Node   *Demand
}

func connect(page keyset.Page, found []*Demand, key func(*Demand) []string) *DemandConnection {
	found, info := keyset.Of(page, found, key)
	c := &DemandConnection{Edges: make([]*DemandEdge, len(found)), Nodes: append([]*Demand{}, found...), PageInfo: info}
	siblings := batch.NewSiblings(found)
	for i, d := range found {
		d.siblings = siblings
		c.Edges[i] = &DemandEdge{Cursor: keyset.Cursor(key(d)...), Node: d}
	}
	return c
}
