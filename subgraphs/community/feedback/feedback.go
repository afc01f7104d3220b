// Package feedback holds the community's feedback cases 意见反馈: what a citizen
// reports, how it is dealt with step by step, within which time, and what is
// counted of it.
//
// Start reading at FeedbackCase, then the allowed transitions in transition.go
// and Desk.change in change.go. Statistics are in statistics.go.
package feedback

import (
	"time"

	"github.com/lib/pq"
)

// FeedbackCase is one matter that a citizen brought to the community.
type FeedbackCase struct {
	ID           string         `db:"id"`
	Number       string         `db:"number"`
	AreaCode     string         `db:"area_code"` // of the community
	Class        FeedbackClass  `db:"class"`
	State        FeedbackState  `db:"state"`
	Title        string         `db:"title"`
	Content      string         `db:"content"`
	FileIDs      pq.StringArray `db:"pictures"`
	Anonymous    bool           `db:"anonymous"` // workers may not see the citizen
	CitizenID    string         `db:"citizen_id"`
	AssigneeID   *string        `db:"assignee_id"` // the worker who deals with it
	CreatedAt    time.Time      `db:"created_at"`
	UpdatedAt    time.Time      `db:"updated_at"`
	DueAt        time.Time      `db:"due_at"`        // the last second of the last work day
	WaitingSince *time.Time     `db:"waiting_since"` // the clock stands still since
	// ClosedAt is when the present result (reply, refusal, duplicate) was given.
	ClosedAt      *time.Time `db:"closed_at"`
	Reply         *string    `db:"reply"`
	Question      *string    `db:"question"`
	DuplicateOf   *string    `db:"duplicate_of"` // the other case's number
	Rating        *int       `db:"rating"`       // 1–5, of the present result
	RatingComment *string    `db:"rating_comment"`
	Version       int        `db:"version"`
}

// IsEntity marks the type as an entity of the federation.
func (FeedbackCase) IsEntity() {}

// OverdueAt says whether the case is overdue at the moment: not yet dealt with,
// the clock running, and past its last day.
func (c *FeedbackCase) OverdueAt(now time.Time) bool {
	return c.State.Open() && c.WaitingSince == nil && now.After(c.DueAt)
}

// FeedbackClass says what the case is about.
type FeedbackClass string

// The classes.
const (
	Environment   FeedbackClass = "ENVIRONMENT"
	Facility      FeedbackClass = "FACILITY"
	Safety        FeedbackClass = "SAFETY"
	Parking       FeedbackClass = "PARKING"
	Property      FeedbackClass = "PROPERTY"
	Neighbourhood FeedbackClass = "NEIGHBOURHOOD"
	Welfare       FeedbackClass = "WELFARE"
	Consultation  FeedbackClass = "CONSULTATION"
	Other         FeedbackClass = "OTHER"
)

// Classes are all classes, in the order of the schema. Do not change.
var Classes = []FeedbackClass{Environment, Facility, Safety, Parking, Property, Neighbourhood, Welfare, Consultation, Other}

// limits are the work days within which a case of the class is to be answered.
var limits = map[FeedbackClass]int{
	Safety: 2, Environment: 3, Parking: 5, Facility: 5, Property: 5, Consultation: 3, Neighbourhood: 7, Welfare: 7, Other: 5,
}

// Limit is the number of work days within which a case of the class is to be answered.
func (c FeedbackClass) Limit() int { return limits[c] }

// FeedbackEvent is one step of a case's history; it is never changed.
type FeedbackEvent struct {
	ID       string         `db:"id"`
	CaseID   string         `db:"case_id"`
	Seq      int            `db:"seq"`
	At       time.Time      `db:"at"`
	Action   FeedbackAction `db:"action"`
	From     *FeedbackState `db:"from_state"` // nil for the first
	To       FeedbackState  `db:"to_state"`
	Actor    FeedbackActor  `db:"actor"`
	WorkerID *string        `db:"worker_id"`
	Note     *string        `db:"note"`
}

// FeedbackActor says who took a step.
type FeedbackActor string

// The actors.
const (
	ByCitizen FeedbackActor = "CITIZEN"
	ByWorker  FeedbackActor = "WORKER"
	BySystem  FeedbackActor = "SYSTEM"
)
