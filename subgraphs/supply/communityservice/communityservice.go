// Package communityservice holds the services that participants supply to
// communities 社区服务: from draft over review to the shelves of the service
// supermarket, and the areas that they are distributed to.
//
// Start reading at CommunityService; what may follow what is in state.go, who
// may do it in manage.go, lists in services.go, the shelves in shelf.go, the SQL
// in store.go.
package communityservice

import (
	"context"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/batch"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/supply/history"
	"github.com/citizencloud/citizencloud/subgraphs/supply/reference"
)

// SupplyCategory is what a service or a demand is about.
type SupplyCategory string

// Categories are all, in the order of the schema.
var Categories = [...]SupplyCategory{"HOUSEKEEPING", "ELDERLY_CARE", "CHILD_CARE", "HEALTH", "EDUCATION", "CULTURE_SPORT",
	"REPAIR", "DAILY_LIFE", "CATERING", "LEGAL", "PROPERTY", "VOLUNTEERING"}

var categoryNames = map[SupplyCategory]string{"HOUSEKEEPING": "家政保洁", "ELDERLY_CARE": "养老服务", "CHILD_CARE": "托幼与儿童", "HEALTH": "健康与康复",
	"EDUCATION": "教育培训", "CULTURE_SPORT": "文化体育", "REPAIR": "维修安装", "DAILY_LIFE": "便民生活", "CATERING": "餐饮助餐", "LEGAL": "法律咨询",
	"PROPERTY": "物业与环境", "VOLUNTEERING": "志愿公益"}

// Name is the category's Chinese name, by which people search.
func (c SupplyCategory) Name() string { return categoryNames[c] }

// CommunityService is one service of a participant. What not everybody may see
// is reached by the methods that take the context.
type CommunityService struct {
	ID          string                `db:"id"`
	Name        string                `db:"name"`
	Summary     string                `db:"summary"`
	Description string                `db:"description"`
	Category    SupplyCategory        `db:"category"`
	PriceFen    int                   `db:"price_fen"`
	PriceUnit   string                `db:"price_unit"`
	Hours       *string               `db:"hours"`
	Phone       *string               `db:"phone"`
	State       CommunityServiceState `db:"state"`
	ListedAt    *time.Time            `db:"listed_at"`
	Version     int                   `db:"version"`
	CreatedAt   time.Time             `db:"created_at"`
	UpdatedAt   time.Time             `db:"updated_at"`

	ParticipantID string  `db:"participant_id"`
	AreaCode      string  `db:"area_code"`  // the participant's
	OwnerID       string  `db:"citizen_id"` // the participant's applicant
	Offered       bool    `db:"offered"`    // the participant takes part
	DelistedBy    *string `db:"delisted_by"`
	Verdict       *string `db:"review_note"`

	siblings *batch.Siblings[*CommunityService]
}

// Siblings are the services of the list that it was read with; nil when it was
// read alone.
func (s *CommunityService) Siblings() *batch.Siblings[*CommunityService] { return s.siblings }

// IsEntity marks a federation entity.
func (*CommunityService) IsEntity() {}

// OnShelf says whether everybody may see it.
func (s *CommunityService) OnShelf() bool { return s.State == Listed && s.Offered }

func (s *CommunityService) owned(by *access.Principal) bool {
	return by != nil && by.Kind == access.Citizen && by.ID == s.OwnerID
}

func (s *CommunityService) reviewable(by *access.Principal) bool {
	return by.May(access.OfferingReview) && by.Covers(s.AreaCode)
}

func (s *CommunityService) private(ctx context.Context) bool {
	by := access.From(ctx)
	return s.owned(by) || s.reviewable(by)
}

func (s *CommunityService) visible(ctx context.Context) bool { return s.OnShelf() || s.private(ctx) }

// ReviewNote is the last review's, for owner and reviewers.
func (s *CommunityService) ReviewNote(ctx context.Context) *string {
	if !s.private(ctx) {
		return nil
	}
	return s.Verdict
}

func (s *CommunityService) subject() history.Subject {
	return history.Subject{Kind: "CommunityService", ID: s.ID, AreaCode: s.AreaCode, OwnerID: &s.OwnerID}
}

// Distribution shows a service in an area and all below it.
type Distribution struct {
	ServiceID string    `db:"service_id"`
	AreaCode  string    `db:"area_code"`
	At        time.Time `db:"at"`
}

// Area is where the service is shown.
func (d *Distribution) Area() *reference.Area { return &reference.Area{ID: d.AreaCode} }

// DistributionConnection is one page of distributions.
type DistributionConnection struct {
	Edges    []*DistributionEdge
	Nodes    []*Distribution
	PageInfo *keyset.PageInfo
}

// DistributionEdge is a distribution with its cursor.
type DistributionEdge struct {
	Cursor string
	Node   *Distribution
}

// CommunityServiceEvent is one line of a service's history.
type CommunityServiceEvent struct{ history.Line }

// Action is what was done.
func (e *CommunityServiceEvent) Action() CommunityServiceAction {
	return CommunityServiceAction(e.Done)
}

// From is the state before; nil for the first line.
func (e *CommunityServiceEvent) From() *CommunityServiceState {
	return (*CommunityServiceState)(e.Before)
}

// To is the state after.
func (e *CommunityServiceEvent) To() CommunityServiceState { return CommunityServiceState(e.After) }

// CommunityServiceConnection is one page of services.
type CommunityServiceConnection struct {
	Edges    []*CommunityServiceEdge
	Nodes    []*CommunityService
	PageInfo *keyset.PageInfo
}

// CommunityServiceEdge is a service with its cursor.
type CommunityServiceEdge struct {
	Cursor string
	Node   *CommunityService
}

func connect(page keyset.Page, found []*CommunityService, key func(*CommunityService) []string) *CommunityServiceConnection {
	found, info := keyset.Of(page, found, key)
	c := &CommunityServiceConnection{Edges: make([]*CommunityServiceEdge, len(found)), Nodes: found, PageInfo: info}
	if found == nil {
		c.Nodes = []*CommunityService{}
	}
	siblings := batch.NewSiblings(found)
	for i, s := range found {
		s.siblings = siblings
		c.Edges[i] = &CommunityServiceEdge{Cursor: keyset.Cursor(key(s)...), Node: s}
	}
	return c
}
