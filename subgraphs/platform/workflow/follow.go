package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// Request is the payload of <subgraph>.workflow.requested: a subgraph wants an
// instance begun, or tells where one stands whose states it keeps itself.
type Request struct {
	// RequestID is chosen by who asks; the same one asked twice begins once.
	RequestID  string          `json:"requestId"`
	Definition string          `json:"definition"`
	SubjectID  string          `json:"subjectId"` // what it is about, in the subgraph
	AreaCode   string          `json:"areaCode"`
	Title      string          `json:"title"`
	Initiator  Person          `json:"initiator"`
	Variables  json.RawMessage `json:"variables,omitempty"`
	Comment    string          `json:"comment,omitempty"`
	Report     *Report         `json:"report,omitempty"` // of an external definition
}

// Person is a citizen, a worker or the system.
type Person struct {
	Kind access.Kind `json:"kind"`
	ID   string      `json:"id"`
}

// Report says where an external instance stands.
type Report struct {
	State   string     `json:"state"`
	Action  string     `json:"action"`
	Actor   Person     `json:"actor"`
	DueAt   *time.Time `json:"dueAt,omitempty"`
	Version int        `json:"version"` // of the subject; older reports are passed over
}

const (
	requestedSubject = "*.workflow.requested"
	durable          = "platform-workflow"
)

// Consumer is where requests come from; *event.Bus is the real one.
type Consumer interface {
	ConsumeStored(ctx context.Context, durable, subject string, handle func(context.Context, event.Event) error) error
}

// Fulfil does what the event asks for. A request that can never be fulfilled is
// logged and done with; an error says that it may work later.
func (s *Service) Fulfil(ctx context.Context, e event.Event) error {
	var r Request
	if err := e.Read(&r); err != nil {
		s.Log.ErrorContext(ctx, "workflow request cannot be read", "event", e.ID, "subject", e.Subject, "error", err)
		return nil
	}
	err := s.fulfil(ctx, r)
	switch fault.CodeOf(err) {
	case "":
		return nil
	case fault.InvalidInput, fault.Forbidden, fault.NotFound:
		s.Log.ErrorContext(ctx, "workflow request cannot be fulfilled", "event", e.ID, "request", r.RequestID, "definition", r.Definition, "error", err)
		return nil
	default:
		s.Log.ErrorContext(ctx, "workflow request not fulfilled, will try again", "event", e.ID, "error", err)
		return err
	}
}

func (s *Service) fulfil(ctx context.Context, r Request) error {
	switch {
	case !input.ID(r.RequestID):
		return fault.Invalid("requestId", "请求标识须为 UUID")
	case !division.Valid(r.AreaCode):
		return fault.Invalid("areaCode", "区域编号须为 12 位区划代码")
	case r.Title == "" || r.Initiator.ID == "" || r.Initiator.Kind != access.Citizen && r.Initiator.Kind != access.Worker && r.Initiator.Kind != access.System:
		return fault.Invalid("initiator", "请求不完整")
	}
	if r.Report == nil {
		_, err := s.begin(ctx, beginning{key: r.Definition, title: r.Title, area: r.AreaCode, subject: r.SubjectID, requestID: r.RequestID,
			variables: string(r.Variables), comment: r.Comment, by: engine.Person(r.Initiator), check: notExternal})
		return err
	}
	if r.SubjectID == "" {
		return fault.Invalid("subjectId", "请求不完整")
	}
	ctx = access.AsSystem(ctx, "workflow")
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error { return s.follow(ctx, tx, r) })
}

func notExternal(d *definition.Definition) error {
	if d.External {
		return fault.Invalid("definition", "该流程由业务模块驱动，须报告状态")
	}
	return nil
}

// follow brings the subject's instance to where the report says, and makes it
// when there is none. Reports may come late, twice, or out of order.
func (s *Service) follow(ctx context.Context, tx *sqlx.Tx, r Request) error {
	i, err := lock(ctx, tx, "i.definition_key = $1 AND i.subject_id = $2", false, r.Definition, r.SubjectID)
	if err != nil {
		return err
	}
	if i != nil && r.Report.Version <= i.SubjectVersion {
		return nil
	}
	w := newWorld(ctx, tx, s.Now())
	fresh := i == nil
	if fresh {
		i = &WorkflowInstance{ID: uuid.Must(uuid.NewV7()).String(), DefinitionKey: r.Definition, SubjectID: r.SubjectID, AreaCode: r.AreaCode,
			InitiatorKind: r.Initiator.Kind, InitiatorID: r.Initiator.ID, CreatedAt: w.now, Participants: []string{}, Status: engine.Running, Variables: "{}"}
	}
	if err := s.edit(ctx, tx, i, r.Report.State); err != nil {
		return err
	}
	i.Title, i.SubjectVersion = r.Title, r.Report.Version
	var run engine.Instance
	if fresh {
		run = engine.Instance{ID: i.ID, SubjectID: i.SubjectID, AreaCode: i.AreaCode, Initiator: i.initiator(), Status: engine.Running}
	} else if run, err = s.load(ctx, tx, i); err != nil {
		return err
	}
	if run.Variables, err = i.definition.Values(string(r.Variables), "variables"); err != nil {
		return err
	}
	after, effects, err := engine.Follow(i.definition, run, engine.Report{State: r.Report.State, Action: r.Report.Action, Actor: engine.Person(r.Report.Actor),
		Comment: r.Comment, DueAt: r.Report.DueAt}, w.engine())
	if err := errors.Join(w.err, err); err != nil {
		return err
	}
	requestID := ""
	if fresh {
		requestID = r.RequestID
	}
	return saving{s: s, tx: tx, w: w, i: i, before: run.Tasks, after: after, effects: effects, requestID: requestID, fresh: fresh}.write(ctx)
}

// edit chooses the version that the external instance goes on by: its own as
// long as that knows the state, else the published one; the module decides.
func (s *Service) edit(ctx context.Context, tx *sqlx.Tx, i *WorkflowInstance, state string) error {
	if i.DefinitionVersion > 0 {
		if err := s.bind(ctx, tx, i); err != nil {
			return err
		}
		if i.definition.State(state) != nil {
			return nil
		}
	}
	e, d, err := s.published(ctx, tx, i.DefinitionKey)
	if err != nil {
		return err
	}
	i.DefinitionVersion, i.Module, i.definition = e.version, d.Module, d
	return nil
}

// KeepCalendar takes over the community's changes of the holiday calendar.
func (s *Service) KeepCalendar(ctx context.Context, e event.Event) error {
	var changed struct {
		Day  string `json:"day"`
		Work *bool  `json:"work"`
		Name string `json:"name"`
	}
	if err := e.Read(&changed); err != nil || !day(changed.Day) {
		s.Log.ErrorContext(ctx, "calendar change cannot be read", "event", e.ID)
		return nil
	}
	ctx = access.AsSystem(ctx, "workflow")
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) (err error) {
		if changed.Work == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM platform.workday WHERE day = $1::date`, changed.Day)
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO platform.workday (day, work, name) VALUES ($1::date, $2, $3)
			ON CONFLICT (day) DO UPDATE SET work = excluded.work, name = excluded.name`, changed.Day, *changed.Work, changed.Name)
		return err
	})
	if err != nil {
		return fmt.Errorf("workflow: keeping the calendar: %w", err)
	}
	return nil
}

func day(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}
