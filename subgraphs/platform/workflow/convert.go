package workflow

import (
	"encoding/json"
	"fmt"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// running is the instance as the engine moves it, with the tasks of its round.
func (i *WorkflowInstance) running(tasks []*WorkflowTask) (engine.Instance, error) {
	values, err := i.definition.Restore([]byte(i.Variables))
	if err != nil {
		return engine.Instance{}, err
	}
	run := engine.Instance{ID: i.ID, SubjectID: i.SubjectID, AreaCode: i.AreaCode, Initiator: i.initiator(), Variables: values, Status: i.Status, Outcome: i.Outcome,
		State: i.State, Round: i.Round, Trail: i.Trail, Decided: i.Decided, DueAt: i.DueAt, Version: i.Version}
	for _, t := range tasks {
		run.Tasks = append(run.Tasks, t.running())
	}
	return run, nil
}

func (t *WorkflowTask) running() engine.Task {
	return engine.Task{ID: t.ID, Round: t.Round, State: t.State, Seq: t.Seq, Kind: t.Kind, ParentID: t.ParentID, Status: t.Status, WorkerID: t.WorkerID,
		Post: engine.Post{Role: t.Role, Area: t.RoleArea}, DelegateID: t.DelegateID, DelegateUntil: t.DelegateUntil, Escalation: t.Escalation,
		Superior: engine.Post{Role: t.SuperiorRole, Area: t.SuperiorArea}, OpenedAt: t.OpenedAt, DueAt: t.DueAt, CheckAt: t.CheckAt,
		DecidedAt: t.DecidedAt, DecidedBy: t.DecidedBy, Decision: t.Decision}
}

func stored(instanceID string, t engine.Task) *WorkflowTask {
	return &WorkflowTask{ID: t.ID, InstanceID: instanceID, Round: t.Round, State: t.State, Seq: t.Seq, Kind: t.Kind, ParentID: t.ParentID, Status: t.Status, WorkerID: t.WorkerID,
		Role: t.Post.Role, RoleArea: t.Post.Area, DelegateID: t.DelegateID, DelegateUntil: t.DelegateUntil, Escalation: t.Escalation,
		SuperiorRole: t.Superior.Role, SuperiorArea: t.Superior.Area, OpenedAt: t.OpenedAt, DueAt: t.DueAt, CheckAt: t.CheckAt,
		DecidedAt: t.DecidedAt, DecidedBy: t.DecidedBy, Decision: t.Decision}
}

// take sets what the engine's step made of the instance.
func (i *WorkflowInstance) take(run engine.Instance) error {
	variables, err := json.Marshal(run.Variables)
	if err != nil {
		return fmt.Errorf("workflow: writing variables: %w", err)
	}
	i.Variables, i.Status, i.Outcome, i.State, i.Round, i.Trail = string(variables), run.Status, run.Outcome, run.State, run.Round, append([]string{}, run.Trail...)
	i.Decided, i.DueAt, i.Version = run.Decided, run.DueAt, run.Version
	return nil
}

// actorOf is the principal as the engine knows it: the person, and the roles
// where the worker acts now.
func actorOf(p *access.Principal) engine.Actor {
	a := engine.Actor{Person: engine.Person{Kind: p.Kind, ID: p.ID}}
	if p.Kind == access.Worker {
		for _, role := range p.Roles {
			a.Posts = append(a.Posts, engine.Post{Role: role, Area: p.AreaCode})
		}
	}
	return a
}

// actionLabels are the names of the actions that every workflow has.
var actionLabels = map[string]string{
	engine.Start: "发起", engine.ReturnPrevious: "退回上一环节", engine.ReturnInitiator: "退回发起人", engine.Transfer: "转办", engine.DelegateTask: "委托",
	engine.RevokeDelegate: "收回委托", engine.AddBefore: "前加签", engine.AddAfter: "后加签", engine.Sign: "签署意见", engine.Withdraw: "撤回", engine.Resubmit: "重新提交",
	engine.Urge: "催办", engine.Comment: "补充意见", engine.Overdue: "超期提醒", engine.HandedOver: "离职移交", "SUBMIT": "提交", "SYNC": "接入",
}

// Label is the action in Chinese, as the definition has it in the state.
func Label(d *definition.Definition, state, action string) string {
	if s := d.State(state); s != nil {
		if a := s.Action(action); a != nil {
			return a.Label
		}
	}
	if label, known := actionLabels[action]; known {
		return label
	}
	for i := range d.States {
		if a := d.States[i].Action(action); a != nil {
			return a.Label
		}
	}
	return action
}

func actions(d *definition.Definition, state string, names []string) []*WorkflowAction {
	list := make([]*WorkflowAction, len(names))
	for i, name := range names {
		list[i] = &WorkflowAction{Name: name, Label: Label(d, state, name), InModule: d.External}
		switch name {
		case engine.ReturnPrevious, engine.ReturnInitiator, engine.Comment, engine.Sign:
			list[i].CommentRequired = true
		case engine.Transfer, engine.DelegateTask, engine.AddBefore, engine.AddAfter:
			list[i].TargetRequired = true
		}
		if s := d.State(state); s != nil {
			if a := s.Action(name); a != nil {
				list[i].CommentRequired = a.Comment
			}
		}
	}
	return list
}

// StateLabel is the task's state in Chinese.
func (t *WorkflowTask) StateLabel() string { return labelOf(t.of.definition, t.State) }

// ActionLabel is the line's action in Chinese.
func (e *WorkflowEvent) ActionLabel() string { return Label(e.of.definition, e.From, e.Action) }

// ToLabel is the state that the line led to, in Chinese.
func (e *WorkflowEvent) ToLabel() string { return labelOf(e.of.definition, e.To) }

func labelOf(d *definition.Definition, state string) string {
	if state == engine.AtInitiator {
		return "待发起人修改"
	}
	if s := d.State(state); s != nil {
		return s.Label
	}
	return state
}
