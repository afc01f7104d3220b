package workflow

import (
	"slices"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// maxTold bounds how many holders of a post are told of one step.
const maxTold = 20

// notices are the notifications that the step asks for: each person once. A
// module of an external definition tells of its own steps itself; of time
// limits and urging the workflow does.
func (v saving) notices() []outbox.Message {
	told := map[string]bool{}
	var messages []outbox.Message
	tell := func(kind access.Kind, id, title, body string) {
		if id == "" || told[id] {
			return
		}
		told[id] = true
		to := notification.Addressee{WorkerID: id}
		if kind == access.Citizen {
			to = notification.Addressee{CitizenID: id}
		}
		messages = append(messages, outbox.Message{Subject: "platform.notification.requested", AreaCode: v.i.AreaCode, Payload: notification.Request{
			RequestID: uuid.Must(uuid.NewV7()).String(), Recipient: to, Topic: topics[v.i.Module], Title: title, Body: body, Link: v.i.definition.LinkOf(v.i.ID, v.i.SubjectID),
		}})
	}
	holders := func(t *engine.Task) []string {
		ids := []string{t.WorkerID}
		if t.WorkerID == "" {
			ids = v.w.holdersOf(t.Post)
		}
		ids = slices.Clone(ids)
		if t.DelegateID != "" && v.w.now.Before(*t.DelegateUntil) {
			ids = append(ids, t.DelegateID)
		}
		if t.Superior.Role != "" {
			ids = append(ids, v.w.holdersOf(t.Superior)...)
		}
		return ids[:min(len(ids), maxTold)]
	}
	subject := "《" + v.i.Title + "》"
	for _, line := range v.effects.Lines {
		t := v.after.Task(line.TaskID)
		switch line.Action {
		case engine.Overdue:
			for _, id := range holders(t) {
				tell(access.Worker, id, "待办已超期", subject+"已超过办理时限，请尽快办理。")
			}
		case engine.Urge:
			for n := range v.after.Tasks {
				if v.after.Tasks[n].Status == engine.Open {
					for _, id := range holders(&v.after.Tasks[n]) {
						tell(access.Worker, id, "催办提醒", subject+"被催办，请尽快办理。")
					}
				}
			}
		case engine.HandedOver:
			tell(access.Worker, line.Target, "待办已移交给您", subject+"的原办理人已离职，请接续办理。")
		case engine.Transfer:
			tell(access.Worker, line.Target, "待办已转交给您", subject+"，请及时办理。")
		case engine.DelegateTask:
			tell(access.Worker, line.Target, "待办已委托给您", subject+"，请在委托期内代为办理。")
		}
	}
	if v.i.definition.External {
		return messages
	}
	for _, id := range v.effects.Opened {
		if t := v.after.Task(id); t.WorkerID != "" && t.Status == engine.Open {
			tell(access.Worker, t.WorkerID, "新的待办", subject+"待您办理："+v.i.StateLabel()+"。")
		}
	}
	if v.i.Status == engine.Ended {
		tell(v.i.InitiatorKind, v.i.InitiatorID, "流程已办结", subject+"："+v.i.StateLabel()+"。")
	}
	return messages
}

// topics are the notifications' topics of the modules; the others count as the system's.
var topics = map[definition.Module]string{definition.Feedback: "FEEDBACK", definition.Supply: "SUPPLY", definition.Service: "SERVICE"}
