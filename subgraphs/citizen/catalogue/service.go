// Package catalogue holds the service catalogue 服务目录: the services of the
// city's departments with their categories, from draft over approval to
// publication.
//
// Start reading at Service; what may follow what is in state.go, who may do it
// in manage.go, lists in catalogue.go, the SQL in store.go and write.go, and the checked-in list of the 230
// services in source.go.
package catalogue

import (
	"crypto/md5" // spreads viewers, keeps no secret: PostgreSQL has it built in
	"encoding/binary"
	"time"

	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// ServiceKind is how a service is used.
type ServiceKind string

// The kinds.
const (
	KindQuery        ServiceKind = "QUERY"
	KindApplication  ServiceKind = "APPLICATION"
	KindBooking      ServiceKind = "BOOKING"
	KindPayment      ServiceKind = "PAYMENT"
	KindCertificate  ServiceKind = "CERTIFICATE"
	KindDirectory    ServiceKind = "DIRECTORY"
	KindPublication  ServiceKind = "PUBLICATION"
	KindConsultation ServiceKind = "CONSULTATION"
	KindLink         ServiceKind = "LINK"
)

// Client is a sort of client program that services are offered on.
type Client string

// The clients.
const (
	App         Client = "APP"
	MiniProgram Client = "MINIPROGRAM"
	Workbench   Client = "WORKBENCH"
	Screen      Client = "SCREEN"
	Partner     Client = "PARTNER"
)

// AssuranceLevel is how surely the platform knows who a citizen is, L0 to L3.
type AssuranceLevel string

// The levels.
const (
	L0 AssuranceLevel = "L0"
	L1 AssuranceLevel = "L1"
	L2 AssuranceLevel = "L2"
	L3 AssuranceLevel = "L3"
)

// Service is one service of the catalogue. Names repeat in the city's list;
// Code is the key for people, ID for programs.
type Service struct {
	ID             string           `db:"id"`
	Code           string           `db:"code"`
	SeqNo          *int             `db:"seq_no"` // 1–230 in the city's list; nil for later ones
	Name           string           `db:"name"`
	Summary        string           `db:"summary"`
	Department     *Department      `db:"department"`
	Category       *ServiceCategory `db:"category"`
	Kind           ServiceKind      `db:"kind"`
	Channels       []Client         `db:"-"`
	AssuranceLevel AssuranceLevel   `db:"assurance_level"`
	Eligibility    *string          `db:"eligibility"`
	Materials      []string         `db:"-"`
	FeeFen         *int             `db:"fee_fen"`
	Contact        *string          `db:"contact"`
	AreaCode       string           `db:"area_code"` // whose workers manage it
	UseCount       int              `db:"use_count"`

	State       ServiceState       `db:"state"`
	Publication ServicePublication `db:"publication"`
	Health      ServiceHealth      `db:"health"`
	HealthNote  *string            `db:"health_note"`

	Version   int       `db:"version"`
	CreatedAt time.Time `db:"created_at"`
	UpdatedAt time.Time `db:"updated_at"`

	// EntryLines are the service's entries as stored; package entry reads them.
	EntryLines []EntryLine `db:"-"`

	// where the row stood in the list that it was read for
	Miss      int `db:"miss"`
	SortOrder int `db:"sort_order"`
}

// IsEntity marks a federation entity.
func (*Service) IsEntity() {}

// EntryLine is an entry as stored: nil inherits.
type EntryLine struct {
	ID          string  `db:"id" json:"id"`
	ServiceID   string  `db:"service_id" json:"-"`
	Client      string  `db:"client" json:"client"` // "" for the master
	Title       *string `db:"title" json:"title"`
	Summary     *string `db:"summary" json:"summary"`
	Target      *string `db:"target" json:"target"`
	SortOrder   *int    `db:"sort_order" json:"sort_order"`
	MinVersion  *string `db:"min_version" json:"min_version"`
	GreyPercent *int    `db:"grey_percent" json:"grey_percent"`
	Enabled     *bool   `db:"enabled" json:"enabled"`
	Version     int     `db:"version" json:"version"`
}

// Area is the area that manages the service.
func (s *Service) Area() *Area { return &Area{ID: s.AreaCode} }

// Offered says whether the service is offered on the client at all.
func (s *Service) Offered(client Client) bool {
	for _, channel := range s.Channels {
		if channel == client {
			return true
		}
	}
	return false
}

// GreyShare places a viewer of a service at a number from 0 to 99: a grey
// release of n percent is for those below n, the same ones at each look. Nobody
// (viewer "") is placed at 100.
func GreyShare(serviceID, viewer string) int {
	if viewer == "" {
		return 100
	}
	sum := md5.Sum([]byte(serviceID + viewer))
	return int(binary.BigEndian.Uint32(sum[:4]) % 100)
}

// ServiceCategory groups services for browsing. Its ID is a code such as "housing-fund".
type ServiceCategory struct {
	ID        string `db:"id"`
	Name      string `db:"name"`
	Summary   string `db:"summary"`
	SortOrder int    `db:"sort_order"`
}

// IsEntity marks a federation entity.
func (*ServiceCategory) IsEntity() {}

// Department is who runs a service: a department of the city or a public company.
type Department struct {
	ID   string `db:"id"`
	Name string `db:"name"`
}

// Area stands for the platform's Area; its ID is the twelve digit code.
type Area struct{ ID string }

// IsEntity marks a federation entity.
func (*Area) IsEntity() {}

// Worker stands for the platform's Worker.
type Worker struct{ ID string }

// IsEntity marks a federation entity.
func (*Worker) IsEntity() {}

// ServiceChange is one line of a service's history.
type ServiceChange struct {
	ServiceID   string             `db:"service_id"`
	Action      ServiceAction      `db:"action"`
	Version     int                `db:"version"`
	State       ServiceState       `db:"state"`
	Publication ServicePublication `db:"publication"`
	Note        *string            `db:"note"`
	ActorKind   string             `db:"actor_kind"`
	ActorID     string             `db:"actor_id"`
	At          time.Time          `db:"at"`
}

// Worker is who did it; nil when the platform itself did.
func (c *ServiceChange) Worker() *Worker {
	if c.ActorKind != "worker" {
		return nil
	}
	return &Worker{ID: c.ActorID}
}

// ServiceConnection is one page of services.
type ServiceConnection struct {
	Edges    []*ServiceEdge
	Nodes    []*Service
	PageInfo *keyset.PageInfo
	// Filter is what the page was read with, for counting.
	Filter Filter
}

// ServiceEdge is a service with its cursor.
type ServiceEdge struct {
	Cursor string
	Node   *Service
}
