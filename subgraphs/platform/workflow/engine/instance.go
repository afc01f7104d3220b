// Package engine moves workflow instances: an instance and an act give a new
// instance and what follows from it, or a refusal. It does no I/O, asks no clock
// and draws no numbers; what it needs to know of the world it is given. So it is
// tested with random definitions and random acts.
//
// Start reading at Instance, then Step in step.go: deciding is in decide.go,
// passing tasks on in pass.go, entering states in enter.go, time limits in
// overdue.go, those who leave in handover.go, instances whose states a module
// keeps in sync.go.
package engine

import (
	"slices"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// Status says whether an instance is under way.
type Status string

// The statuses.
const (
	Running   Status = "RUNNING"
	Ended     Status = "ENDED"
	Withdrawn Status = "WITHDRAWN"
)

// Instance is one run of a definition. The token is its State: a running
// instance stands in exactly one. Step never changes the one that it is given.
type Instance struct {
	ID        string
	SubjectID string // what it is about, in its module; "" if nothing
	AreaCode  string
	Initiator Person
	Variables map[string]any
	Status    Status
	Outcome   string // of the end that was reached
	// State is where it stands; AtInitiator when it was returned to who began it.
	State string
	// Round counts the states entered; a task belongs to the round that made it.
	Round   int
	Trail   []string // the states left on the way here, the last one last
	Decided bool     // somebody has decided, so that it is not untouched any more
	DueAt   *time.Time
	Version int
	Tasks   []Task // of the present round; after a step also those that it ended
}

// AtInitiator is the state of an instance that was returned to its initiator.
const AtInitiator = "AT_INITIATOR"

// Person is a citizen, a worker, or the system.
type Person struct {
	Kind access.Kind
	ID   string
}

// TaskStatus says where a task stands.
type TaskStatus string

// The statuses of a task.
const (
	Waiting   TaskStatus = "WAITING"   // its turn has not come
	Open      TaskStatus = "OPEN"      // in somebody's inbox
	Done      TaskStatus = "DONE"      // decided
	Cancelled TaskStatus = "CANCELLED" // the instance went on without it
)

// TaskKind says how a task came about.
type TaskKind string

// The kinds of tasks.
const (
	Seated TaskKind = "SEATED" // by the state's seats
	Before TaskKind = "BEFORE" // 前加签: signs before the task that it was added to goes on
	After  TaskKind = "AFTER"  // 后加签: signs after it
	Amend  TaskKind = "AMEND"  // the initiator's, of a returned instance
)

// Post is a role in an area.
type Post struct {
	Role access.Role
	Area string
}

// Task is one seat taken: somebody's sign-off in one round.
type Task struct {
	ID       string
	Round    int
	State    string
	Seq      int // the order among the seats
	Kind     TaskKind
	ParentID string // of an added one
	Status   TaskStatus
	WorkerID string // who is to sign; "" for whoever holds Post
	Post     Post
	// DelegateID may sign in the holder's place until DelegateUntil.
	DelegateID    string
	DelegateUntil *time.Time
	// Escalation counts the calls of a superior; Superior may sign too.
	Escalation int
	Superior   Post
	OpenedAt   *time.Time
	DueAt      *time.Time
	CheckAt    *time.Time // when the time limit is looked at next; nil never
	DecidedAt  *time.Time
	DecidedBy  string
	Decision   string // the action's name
}

// Actor is who acts, with all posts held now.
type Actor struct {
	Person
	Posts []Post
}

func (a Actor) holds(p Post) bool { return p.Role != "" && slices.Contains(a.Posts, p) }

// Standing says how the actor stands to the task.
type Standing int

// The standings, the stronger ones later.
const (
	Stranger Standing = iota
	Delegate          // signs for the holder, and passes nothing on
	Holder            // holds the task, or was called as the superior
)

// Standing tells whether the task is the actor's to sign at the moment.
func (t *Task) Standing(a Actor, now time.Time) Standing {
	switch {
	case a.Kind != access.Worker:
		return Stranger
	case t.own(a), a.holds(t.Superior):
		return Holder
	case t.DelegateID != "" && t.DelegateID == a.ID && t.DelegateUntil != nil && now.Before(*t.DelegateUntil):
		return Delegate
	default:
		return Stranger
	}
}

// own says whether the task was the actor's from the beginning.
func (t *Task) own(a Actor) bool {
	return t.WorkerID != "" && t.WorkerID == a.ID || t.WorkerID == "" && a.holds(t.Post)
}

// Task gives the instance's task of the ID; nil if there is none.
func (i *Instance) Task(id string) *Task {
	for n := range i.Tasks {
		if i.Tasks[n].ID == id {
			return &i.Tasks[n]
		}
	}
	return nil
}

// clone gives a copy that shares nothing that a step changes.
func (i *Instance) clone() Instance {
	next := *i
	next.Trail, next.Tasks = slices.Clone(i.Trail), slices.Clone(i.Tasks)
	return next
}
