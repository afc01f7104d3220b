package workflow

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// SubjectChanged is told of each step of each instance.
const SubjectChanged = "platform.workflow.changed"

// Changed is the payload of SubjectChanged.
type Changed struct {
	InstanceID        string            `json:"instanceId"`
	DefinitionKey     string            `json:"definition"`
	DefinitionVersion int               `json:"definitionVersion"`
	Module            definition.Module `json:"module"`
	SubjectID         string            `json:"subjectId,omitempty"`
	RequestID         string            `json:"requestId,omitempty"` // of the start
	AreaCode          string            `json:"areaCode"`
	State             string            `json:"state"`
	From              string            `json:"from,omitempty"`
	Status            engine.Status     `json:"status"`
	Outcome           string            `json:"outcome,omitempty"`
	Action            string            `json:"action"`
	ActorKind         access.Kind       `json:"actorKind"`
	ActorID           string            `json:"actorId"`
	Version           int               `json:"version"`
	At                time.Time         `json:"at"`
}

// saving is one step that is written: all of it, or nothing, in the
// transaction of the system that the step was decided in.
type saving struct {
	s         *Service
	tx        *sqlx.Tx
	w         *world
	i         *WorkflowInstance
	before    []engine.Task
	after     engine.Instance
	effects   engine.Effects
	requestID string // of a start, if it has one
	fresh     bool
	ccIDs     []string // workers whom the initiator named to be told
}

func (v saving) write(ctx context.Context) error {
	if v.w.err != nil {
		return v.w.err
	}
	i, now := v.i, v.w.now
	if err := i.take(v.after); err != nil {
		return err
	}
	i.UpdatedAt, i.EndedAt = now, nil
	if i.Status != engine.Running {
		i.EndedAt = &now
	}
	entries := v.entries()
	for _, e := range entries {
		if e.ExpiresAt == nil && !slices.Contains(i.Participants, e.Addressee) { // delegates take part when they act
			i.Participants = append(i.Participants, e.Addressee)
		}
	}
	write := update
	if v.fresh {
		write = func(ctx context.Context, tx sqlx.ExtContext, i *WorkflowInstance) error {
			return insert(ctx, tx, i, v.requestID)
		}
	}
	if err := write(ctx, v.tx, i); err != nil {
		return err
	}
	if err := v.tasks(ctx); err != nil {
		return err
	}
	for _, line := range v.effects.Lines {
		if err := record(ctx, v.tx, i.ID, now, line); err != nil {
			return err
		}
	}
	matter := inbox.Matter{InstanceID: i.ID, Module: string(i.Module), Title: i.Title, Label: i.StateLabel(), Link: i.definition.LinkOf(i.ID, i.SubjectID), AreaCode: i.AreaCode}
	if err := inbox.Settle(ctx, v.tx, matter, entries); err != nil {
		return err
	}
	return outbox.Append(ctx, v.tx, "platform", append(v.events(), v.notices()...)...)
}

// tasks writes those that the step made or changed.
func (v saving) tasks(ctx context.Context) error {
	old := make(map[string]engine.Task, len(v.before))
	for _, t := range v.before {
		old[t.ID] = t
	}
	for _, t := range v.after.Tasks {
		if was, known := old[t.ID]; known && reflect.DeepEqual(was, t) {
			continue
		}
		if err := putTask(ctx, v.tx, v.i.ID, stored(v.i.ID, t)); err != nil {
			return err
		}
	}
	return nil
}

// entries are what is to be in inboxes after the step: the open tasks as
// to-dos, what was decided in it as done, the initiator's own, and who is told.
func (v saving) entries() []inbox.Entry {
	now := v.w.now
	var entries []inbox.Entry
	for _, t := range v.after.Tasks {
		switch {
		case t.Status == engine.Open:
			e := inbox.Entry{Addressee: addressee(t.WorkerID, t.Post), List: inbox.Todo, TaskID: t.ID, At: *t.OpenedAt, DueAt: t.DueAt}
			entries = append(entries, e)
			if t.Superior.Role != "" {
				e.Addressee = addressee("", t.Superior)
				entries = append(entries, e)
			}
			if t.DelegateID != "" {
				e.Addressee, e.ExpiresAt = inbox.OfWorker(t.DelegateID), t.DelegateUntil
				entries = append(entries, e)
			}
		case t.Status == engine.Done && slices.Contains(v.effects.Closed, t.ID):
			entries = append(entries, inbox.Entry{Addressee: inbox.OfWorker(t.DecidedBy), List: inbox.Done, At: now})
		}
	}
	if v.i.InitiatorKind == access.Worker {
		entries = append(entries, inbox.Entry{Addressee: inbox.OfWorker(v.i.InitiatorID), List: inbox.Mine, At: now})
	}
	for _, seat := range v.effects.Cc {
		entries = append(entries, inbox.Entry{Addressee: addressee(seat.WorkerID, seat.Post), List: inbox.Cc, At: now})
	}
	for _, id := range v.ccIDs {
		entries = append(entries, inbox.Entry{Addressee: inbox.OfWorker(id), List: inbox.Cc, At: now})
	}
	return entries
}

func addressee(workerID string, post engine.Post) string {
	if workerID != "" {
		return inbox.OfWorker(workerID)
	}
	return inbox.OfPost(post.Role, post.Area)
}

func (v saving) events() []outbox.Message {
	messages := make([]outbox.Message, 0, len(v.effects.Lines))
	i := v.i
	for _, line := range v.effects.Lines {
		messages = append(messages, outbox.Message{Subject: SubjectChanged, AreaCode: i.AreaCode, Payload: Changed{
			InstanceID: i.ID, DefinitionKey: i.DefinitionKey, DefinitionVersion: i.DefinitionVersion, Module: i.Module, SubjectID: i.SubjectID, RequestID: v.requestID,
			AreaCode: i.AreaCode, State: i.State, From: line.From, Status: i.Status, Outcome: i.Outcome, Action: line.Action,
			ActorKind: line.Actor.Kind, ActorID: line.Actor.ID, Version: i.Version, At: v.w.now}})
	}
	return messages
}
