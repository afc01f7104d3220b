package workflow

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// StartWorkflowInput begins an instance.
type StartWorkflowInput struct {
	DefinitionKey string
	Title         string
	Variables     *string // JSON, as the definition wants them
	CcWorkerIds   []string
	RequestID     *string // chosen by the client; the same one sent twice begins once
	Comment       *string
}

// ActOnWorkflowInput is one action on an instance.
type ActOnWorkflowInput struct {
	InstanceID      string
	TaskID          *string
	Action          string
	ExpectedVersion int
	Comment         *string
	TargetWorkerID  *string
	Until           *time.Time
}

// UrgeWorkflowInput urges on an instance: by its ID, or by what it is about.
type UrgeWorkflowInput struct {
	InstanceID    *string
	DefinitionKey *string
	SubjectID     *string
}

// DraftWorkflowDefinitionInput makes or replaces the draft of a definition.
type DraftWorkflowDefinitionInput struct {
	Body            string
	ExpectedVersion *int // of the draft that is replaced
}

// WorkflowDefinitionStepInput moves a version of a definition on.
type WorkflowDefinitionStepInput struct {
	Key             string
	Version         int
	ExpectedVersion int
}

// maxComment bounds a comment, in characters.
const maxComment = 1000

func comment(text *string) (string, error) {
	clean, err := input.Optional("input.comment", "意见", text, maxComment)
	if clean == nil || err != nil {
		return "", err
	}
	return *clean, nil
}

// act reads the input as the engine takes it.
func (in ActOnWorkflowInput) act() (engine.Act, error) {
	a := engine.Act{Action: in.Action, Until: in.Until}
	if !input.ID(in.InstanceID) {
		return a, errNotFound
	}
	var err error
	if a.Comment, err = comment(in.Comment); err != nil {
		return a, err
	}
	if in.TaskID != nil {
		if !input.ID(*in.TaskID) {
			return a, fault.Invalid("input.taskId", "待办标识无效")
		}
		a.TaskID = *in.TaskID
	}
	if in.TargetWorkerID != nil {
		if !input.ID(*in.TargetWorkerID) {
			return a, fault.Invalid("input.targetWorkerId", "请选择工作人员")
		}
		a.Target = *in.TargetWorkerID
	}
	switch a.Action {
	case engine.Comment, engine.Sign:
		if a.Comment == "" {
			return a, fault.Invalid("input.comment", "请填写意见")
		}
	case engine.Urge, engine.Overdue, engine.Start, engine.HandedOver:
		return a, fault.Invalid("input.action", "不能执行该操作")
	}
	return a, nil
}
