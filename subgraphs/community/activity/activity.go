// Package activity holds community activities 社区活动 and the registrations for
// them. Places are never overbooked: a registration takes its place under the
// activity's row lock, and the table refuses more than the capacity besides.
//
// Start reading at Activity and Registration, then Desk.Register in
// registration_desk.go.
package activity

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// Activity is one event that people of the area may come to.
type Activity struct {
	ID              string        `db:"id"`
	AreaCode        string        `db:"area_code"`
	Title           string        `db:"title"`
	Summary         string        `db:"summary"`
	Place           string        `db:"place"`
	StartsAt        time.Time     `db:"starts_at"`
	EndsAt          time.Time     `db:"ends_at"`
	Capacity        int           `db:"capacity"`
	RegisteredCount int           `db:"confirmed_count"` // places taken
	WaitlistedCount int           `db:"waitlisted_count"`
	State           ActivityState `db:"state"`
	CancelReason    *string       `db:"cancel_reason"`
	Version         int           `db:"version"` // of what workers edit; registrations do not count it up
}

// IsEntity marks the type as an entity of the federation.
func (Activity) IsEntity() {}

// Remaining is the number of free places.
func (a *Activity) Remaining() int { return max(a.Capacity-a.RegisteredCount, 0) }

// SeenBy says whether the principal may see the activity: drafts are for
// workers of the area, whatever was published is public.
func (a *Activity) SeenBy(p *access.Principal) bool {
	return a.State != Draft || p != nil && p.Kind == access.System || a.ManagedBy(p)
}

// ManagedBy says whether the principal is a worker who runs the area's activities.
func (a *Activity) ManagedBy(p *access.Principal) bool {
	return p != nil && p.Kind == access.Worker && p.May(access.ActivityManage) && p.Covers(a.AreaCode)
}

// ActivityState is where an activity stands.
type ActivityState string

// The states of an activity.
const (
	Draft     ActivityState = "DRAFT"
	Published ActivityState = "PUBLISHED"
	Closed    ActivityState = "CLOSED"
	Cancelled ActivityState = "CANCELLED"
)

var stateNames = map[ActivityState]string{Draft: "草稿", Published: "已发布", Closed: "已结束", Cancelled: "已取消"}

// transitions: from which states an activity may enter a state. What is not
// here is refused with CONFLICT.
var transitions = map[ActivityState][]ActivityState{
	Published: {Draft},
	Closed:    {Published},
	Cancelled: {Published},
}

// Registration is one citizen's place, or place in the waiting list.
type Registration struct {
	ID           string            `db:"id"`
	Seq          int64             `db:"seq"` // the order of the waiting list
	ActivityID   string            `db:"activity_id"`
	AreaCode     string            `db:"area_code"`
	CitizenID    string            `db:"citizen_id"`
	State        RegistrationState `db:"state"`
	RegisteredAt time.Time         `db:"registered_at"`
	// WaitlistPosition counts from 1; nil for whoever does not wait.
	WaitlistPosition *int `db:"position"`
}

// SeenBy says whether the principal may see whose registration it is.
func (r *Registration) SeenBy(p *access.Principal) bool {
	if p == nil {
		return false
	}
	if p.Kind == access.Citizen {
		return p.ID == r.CitizenID
	}
	return p.May(access.ActivityManage) && p.Covers(r.AreaCode)
}

// RegistrationState is where a registration stands.
type RegistrationState string

// The states of a registration.
const (
	Waitlisted RegistrationState = "WAITLISTED"
	Confirmed  RegistrationState = "CONFIRMED"
	Attended   RegistrationState = "ATTENDED"
	Absent     RegistrationState = "ABSENT"
	Withdrawn  RegistrationState = "WITHDRAWN"
)

var registrationNames = map[RegistrationState]string{
	Waitlisted: "候补", Confirmed: "已确认", Attended: "已到场", Absent: "未到场", Withdrawn: "已退出",
}

// registrationTransitions: from which states a registration may enter a state.
var registrationTransitions = map[RegistrationState][]RegistrationState{
	Confirmed: {Waitlisted},
	Attended:  {Confirmed},
	Absent:    {Confirmed},
	Withdrawn: {Waitlisted, Confirmed},
}
