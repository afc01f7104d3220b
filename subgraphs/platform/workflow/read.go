package workflow

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// Instance gives one instance that the caller may see.
func (s *Service) Instance(ctx context.Context, id string) (*WorkflowInstance, error) {
	if access.From(ctx) == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	found, err := s.ByIDs(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, errNotFound
	}
	return found[id], nil
}

// ByIDs gives the instances of the IDs that the caller may see, by ID. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*WorkflowInstance, error) {
	known, p := input.IDs(ids), access.From(ctx)
	found := make(map[string]*WorkflowInstance, len(known))
	if len(known) == 0 || p == nil {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := instances(ctx, tx, known, p.ID, s.Now())
		if err != nil {
			return err
		}
		for _, i := range list {
			if i.SeenBy(p) {
				found[i.ID] = i
				if err := s.bind(ctx, tx, i); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Tasks gives the tasks of all rounds of the instances, which the caller sees,
// in order. Two statements.
func (s *Service) Tasks(ctx context.Context, of []*WorkflowInstance) (map[*WorkflowInstance][]*WorkflowTask, error) {
	ids, byID := known(of)
	found := make(map[*WorkflowInstance][]*WorkflowTask, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	var list []*WorkflowTask
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		list, err = tasks(ctx, tx, ids, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	var people []string
	for _, t := range list {
		t.of = byID[t.InstanceID]
		found[t.of] = append(found[t.of], t)
		people = append(people, t.WorkerID, t.DelegateID, t.DecidedBy)
	}
	called, err := s.Names(ctx, people)
	for _, t := range list {
		t.WorkerName, t.DelegateName, t.DecidedByName = called[t.WorkerID], called[t.DelegateID], called[t.DecidedBy]
	}
	return found, err
}

// Histories gives the histories of the instances, which the caller sees. Two
// statements.
func (s *Service) Histories(ctx context.Context, of []*WorkflowInstance) (map[*WorkflowInstance][]*WorkflowEvent, error) {
	ids, byID := known(of)
	found := make(map[*WorkflowInstance][]*WorkflowEvent, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	var list []*WorkflowEvent
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		list, err = histories(ctx, tx, ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	var people []string
	for _, e := range list {
		e.of = byID[e.InstanceID]
		found[e.of] = append(found[e.of], e)
		people = append(people, e.ForID, e.TargetID)
		if e.ActorKind == ByWorker {
			people = append(people, e.ActorID)
		}
	}
	called, err := s.Names(ctx, people)
	for _, e := range list {
		e.OnBehalfOfName, e.TargetName = called[e.ForID], called[e.TargetID]
		if e.ActorKind == ByWorker {
			e.ActorName = called[e.ActorID]
		}
	}
	return found, err
}

func known(of []*WorkflowInstance) (ids []string, byID map[string]*WorkflowInstance) {
	byID = make(map[string]*WorkflowInstance, len(of))
	for _, i := range of {
		if i != nil {
			ids, byID[i.ID] = append(ids, i.ID), i
		}
	}
	return ids, byID
}

// Names gives the names of workers who take part in what the caller sees.
func (s *Service) Names(ctx context.Context, ids []string) (called map[string]string, err error) {
	ctx = access.AsSystem(ctx, "workflow")
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		called, err = names(ctx, tx, ids)
		return err
	})
	return called, err
}

// Initiators gives the names of the workers who began the instances; it leaves
// out those that somebody else began. One statement.
func (s *Service) Initiators(ctx context.Context, of []*WorkflowInstance) (map[*WorkflowInstance]string, error) {
	var ids []string
	for _, i := range of {
		if i != nil && i.InitiatorKind == access.Worker {
			ids = append(ids, i.InitiatorID)
		}
	}
	found := make(map[*WorkflowInstance]string, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	called, err := s.Names(ctx, ids)
	for _, i := range of {
		if i != nil && i.InitiatorKind == access.Worker {
			found[i] = called[i.InitiatorID]
		}
	}
	return found, err
}

// MayNow lists what the caller may do with the task now.
func (s *Service) MayNow(ctx context.Context, i *WorkflowInstance, t *WorkflowTask) []*WorkflowAction {
	p := access.From(ctx)
	if p == nil {
		return []*WorkflowAction{}
	}
	run := engine.Instance{Status: i.Status, Initiator: i.initiator(), Trail: i.Trail}
	task := t.running()
	return actions(i.definition, t.State, engine.Allowed(i.definition, &run, &task, actorOf(p), s.Now()))
}

// OfInstance lists what the caller may do with the instance itself.
func (s *Service) OfInstance(ctx context.Context, i *WorkflowInstance) []*WorkflowAction {
	p := access.From(ctx)
	if p == nil || i.Status != engine.Running {
		return []*WorkflowAction{}
	}
	names := []string{}
	if d := i.definition; i.BegunBy(p) && !d.External && (d.Withdraw == definition.WithdrawAlways || d.Withdraw == definition.WithdrawUntouched && (!i.Decided || i.State == engine.AtInitiator)) {
		names = append(names, engine.Withdraw)
	}
	if state := i.definition.State(i.State); i.urgedBy(p) && state != nil && state.Kind == definition.KindTask && (i.UrgedAt == nil || !s.Now().Before(i.UrgedAt.Add(urgePause))) {
		names = append(names, engine.Urge)
	}
	if p.Kind == access.Worker {
		names = append(names, engine.Comment)
	}
	list := actions(i.definition, "", names)
	for _, a := range list {
		a.InModule = false
	}
	return list
}

// OfItems lists what the caller may do with each of the own inbox items, by ID. Two
// statements for all.
func (s *Service) OfItems(ctx context.Context, items []*inbox.InboxItem) (map[string][]*WorkflowAction, error) {
	found := make(map[string][]*WorkflowAction, len(items))
	var todo []*inbox.InboxItem
	var taskIDs []string
	for _, item := range items {
		found[item.ID] = []*WorkflowAction{}
		if item.List == inbox.Todo && item.TaskID != nil {
			todo, taskIDs = append(todo, item), append(taskIDs, *item.TaskID)
		}
	}
	if len(todo) == 0 {
		return found, nil
	}
	behind, err := s.BehindItems(ctx, todo)
	if err != nil {
		return nil, err
	}
	var present []*WorkflowTask
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		present, err = tasksByIDs(ctx, tx, taskIDs)
		return err
	})
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*WorkflowTask, len(present))
	for _, t := range present {
		byID[t.ID] = t
	}
	for _, item := range todo {
		if i, t := behind[item.ID], byID[*item.TaskID]; i != nil && t != nil {
			found[item.ID] = s.MayNow(ctx, i, t)
		}
	}
	return found, nil
}

// BehindItems gives the instance of each of the caller's inbox items, by ID. One
// statement for all.
func (s *Service) BehindItems(ctx context.Context, items []*inbox.InboxItem) (map[string]*WorkflowInstance, error) {
	ids := make([]string, len(items))
	for n, item := range items {
		ids[n] = item.InstanceID
	}
	byID, err := s.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*WorkflowInstance, len(items))
	for _, item := range items {
		found[item.ID] = byID[item.InstanceID]
	}
	return found, nil
}
