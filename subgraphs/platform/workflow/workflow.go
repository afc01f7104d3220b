// Package workflow runs the workflows 工作流: instances of definitions that stand
// in the database by version, move by package engine, and appear in the inbox.
// Other subgraphs start instances by events <subgraph>.workflow.requested and
// learn of them by platform.workflow.changed.
//
// Start reading at WorkflowInstance and Service; starting is in start.go, acting
// in act.go, what the modules report in follow.go, time limits in timer.go, who
// leaves in handover.go, the life of definitions in define.go. What a step writes is in save.go.
package workflow

import (
	"log/slog"
	"slices"
	"time"

	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// Service is all that can be done with workflows; it asks for the caller's
// standing before every step.
type Service struct {
	DB    *database.DB
	Now   func() time.Time
	Log   *slog.Logger
	parts library
}

// New makes the service.
func New(db *database.DB, now func() time.Time, log *slog.Logger) *Service {
	return &Service{DB: db, Now: func() time.Time { return now().Truncate(time.Microsecond) }, Log: log}
}

// WorkflowInstance is one run of a definition, as it is stored.
type WorkflowInstance struct {
	ID                string            `db:"id"`
	DefinitionKey     string            `db:"definition_key"`
	DefinitionVersion int               `db:"definition_version"`
	Module            definition.Module `db:"module"`
	SubjectID         string            `db:"subject_id"`
	SubjectVersion    int               `db:"subject_version"`
	Title             string            `db:"title"`
	AreaCode          string            `db:"area_code"`
	State             string            `db:"state"`
	Status            engine.Status     `db:"status"`
	Outcome           string            `db:"outcome"`
	InitiatorKind     access.Kind       `db:"initiator_kind"`
	InitiatorID       string            `db:"initiator_id"`
	Variables         string            `db:"variables"` // JSON
	Trail             pq.StringArray    `db:"trail"`
	Decided           bool              `db:"decided"`
	Round             int               `db:"round"`
	Participants      pq.StringArray    `db:"participants"`
	DueAt             *time.Time        `db:"due_at"`
	UrgedAt           *time.Time        `db:"urged_at"`
	CreatedAt         time.Time         `db:"created_at"`
	UpdatedAt         time.Time         `db:"updated_at"`
	EndedAt           *time.Time        `db:"ended_at"`
	Version           int               `db:"version"`
	// Delegated says that a task of it is delegated to the caller now.
	Delegated bool `db:"delegated"`

	definition *definition.Definition
}

// IsEntity marks the type as an entity of the federation.
func (*WorkflowInstance) IsEntity() {}

// Definition is the version that the instance runs on.
func (i *WorkflowInstance) Definition() *definition.Definition { return i.definition }

// StateLabel is the state in Chinese.
func (i *WorkflowInstance) StateLabel() string {
	if i.Status == engine.Withdrawn {
		return "已撤回"
	}
	return labelOf(i.definition, i.State)
}

// OverdueAt says whether the present state's time limit has run out.
func (i *WorkflowInstance) OverdueAt(now time.Time) bool {
	return i.Status == engine.Running && i.DueAt != nil && now.After(*i.DueAt)
}

func (i *WorkflowInstance) initiator() engine.Person {
	return engine.Person{Kind: i.InitiatorKind, ID: i.InitiatorID}
}

// BegunBy says whether the principal began the instance.
func (i *WorkflowInstance) BegunBy(p *access.Principal) bool {
	return p != nil && p.Kind == i.InitiatorKind && p.ID == i.InitiatorID
}

// SeenBy says whether the principal may see the instance with all that was
// said in it: workers who began it, take or took part, or watch over the area.
// A delegate sees it as long as the delegation lasts.
func (i *WorkflowInstance) SeenBy(p *access.Principal) bool {
	switch {
	case p == nil || p.Kind == access.Citizen:
		return false
	case p.Kind == access.System, i.BegunBy(p), i.Delegated, p.May(access.WorkflowView) && p.Covers(i.AreaCode):
		return true
	}
	for _, addressee := range inbox.Addressees(p) {
		if slices.Contains(i.Participants, addressee) {
			return true
		}
	}
	return false
}

// WorkflowTask is one seat of one round, as it is stored.
type WorkflowTask struct {
	ID            string            `db:"id"`
	InstanceID    string            `db:"instance_id"`
	Round         int               `db:"round"`
	State         string            `db:"state"`
	Seq           int               `db:"seq"`
	Kind          engine.TaskKind   `db:"kind"`
	ParentID      string            `db:"parent_id"`
	Status        engine.TaskStatus `db:"status"`
	WorkerID      string            `db:"worker_id"`
	Role          access.Role       `db:"role"`
	RoleArea      string            `db:"role_area"`
	DelegateID    string            `db:"delegate_id"`
	DelegateUntil *time.Time        `db:"delegate_until"`
	Escalation    int               `db:"escalation"`
	SuperiorRole  access.Role       `db:"superior_role"`
	SuperiorArea  string            `db:"superior_area"`
	OpenedAt      *time.Time        `db:"opened_at"`
	DueAt         *time.Time        `db:"due_at"`
	CheckAt       *time.Time        `db:"check_at"`
	DecidedAt     *time.Time        `db:"decided_at"`
	DecidedBy     string            `db:"decided_by"`
	Decision      string            `db:"decision"`
	// The names of those who take part are for all who see the instance.
	WorkerName, DelegateName, DecidedByName string

	of *WorkflowInstance
}

// Of is the instance of a task that Tasks gave.
func (t *WorkflowTask) Of() *WorkflowInstance { return t.of }

// OverdueAt says whether the task waits past its time limit.
func (t *WorkflowTask) OverdueAt(now time.Time) bool {
	return t.Status == engine.Open && t.DueAt != nil && now.After(*t.DueAt)
}

// WorkflowEvent is one line of an instance's history; it is never changed.
type WorkflowEvent struct {
	ID         string    `db:"id"`
	InstanceID string    `db:"instance_id"`
	Seq        int       `db:"seq"`
	At         time.Time `db:"at"`
	Action     string    `db:"action"`
	From       string    `db:"from_state"`
	To         string    `db:"to_state"`
	ActorKind  ActorKind `db:"actor_kind"`
	ActorID    string    `db:"actor_id"`
	ForID      string    `db:"for_id"`
	TaskID     *string   `db:"task_id"`
	TargetID   string    `db:"target_id"`
	Comment    string    `db:"comment"`
	// The names of those who take part are for all who see the instance.
	ActorName, OnBehalfOfName, TargetName string

	of *WorkflowInstance
}

// Of is the instance of a line that Histories gave.
func (e *WorkflowEvent) Of() *WorkflowInstance { return e.of }

// ActorKind is access.Kind in capitals, as the schema has it.
type ActorKind string

// The kinds.
const (
	ByCitizen ActorKind = "CITIZEN"
	ByWorker  ActorKind = "WORKER"
	BySystem  ActorKind = "SYSTEM"
)

// WorkflowAction is something that the caller may do now.
type WorkflowAction struct {
	Name  string
	Label string // Chinese
	// CommentRequired and TargetRequired say what has to come with it.
	CommentRequired, TargetRequired bool
	// InModule says that the module's own operation does it, not the workflow's.
	InModule bool
}
