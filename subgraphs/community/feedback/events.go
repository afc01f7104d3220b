package feedback

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// The subjects that this concept sends.
const (
	SubjectChanged      = "community.feedback.changed"
	subjectNotification = "community.notification.requested"
)

// Changed is the payload of SubjectChanged: one change of one case.
type Changed struct {
	CaseID     string         `json:"caseId"`
	Number     string         `json:"number"`
	AreaCode   string         `json:"areaCode"`
	Class      FeedbackClass  `json:"class"`
	State      FeedbackState  `json:"state"`
	From       FeedbackState  `json:"from,omitempty"`
	Title      string         `json:"title"`
	CitizenID  string         `json:"citizenId"`
	AssigneeID *string        `json:"assigneeId"`
	Action     FeedbackAction `json:"action"`
	At         time.Time      `json:"at"`
}

// recipient is who gets a notification: a citizen, a worker, or all workers of
// the area who may do the action.
type recipient struct {
	CitizenID string        `json:"citizenId,omitempty"`
	WorkerID  string        `json:"workerId,omitempty"`
	AreaCode  string        `json:"areaCode,omitempty"`
	Action    access.Action `json:"action,omitempty"`
}

type notification struct {
	RequestID string    `json:"requestId"`
	Recipient recipient `json:"recipient"`
	Topic     string    `json:"topic"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	Link      string    `json:"link"`
}

// announce puts the change's event, its report to the workflow and its
// notification into the outbox.
func announce(ctx context.Context, tx sqlx.ExtContext, c *FeedbackCase, action FeedbackAction, doer *access.Principal, from FeedbackState, at time.Time) error {
	messages := []outbox.Message{{Subject: SubjectChanged, AreaCode: c.AreaCode, Payload: Changed{
		CaseID: c.ID, Number: c.Number, AreaCode: c.AreaCode, Class: c.Class, State: c.State, From: from,
		Title: c.Title, CitizenID: c.CitizenID, AssigneeID: c.AssigneeID, Action: action, At: at,
	}}}
	version := c.Version
	if action != Submit {
		version++ // update counts it up last
	}
	messages = append(messages, told(c, action, doer, version))
	if to, title, body, ok := notice(c, action); ok {
		messages = append(messages, notify(c, to, title, body))
	}
	return outbox.Append(ctx, tx, "community", messages...)
}

func notify(c *FeedbackCase, to recipient, title, body string) outbox.Message {
	return outbox.Message{Subject: subjectNotification, AreaCode: c.AreaCode, Payload: notification{
		RequestID: uuid.Must(uuid.NewV7()).String(), Recipient: to, Topic: "feedback", Title: title, Body: body, Link: "feedback/" + c.ID,
	}}
}

// notice says who is told of the action, and what; false when nobody is.
func notice(c *FeedbackCase, action FeedbackAction) (to recipient, title, body string, ok bool) {
	citizen := recipient{CitizenID: c.CitizenID}
	workers := recipient{AreaCode: c.AreaCode, Action: access.FeedbackHandle}
	handler := workers
	if c.AssigneeID != nil {
		handler = recipient{WorkerID: *c.AssigneeID}
	}
	subject := c.Number + "《" + c.Title + "》"
	switch action {
	case Submit:
		return workers, "新的意见反馈", subject + "，请及时受理。", true
	case Assign:
		return handler, "意见反馈已分派", subject + "，请及时办理。", true
	case Return:
		return workers, "意见反馈被退回", subject + "，请重新分派。", true
	case Take:
		return citizen, "您的意见反馈已受理", subject + "，工作人员正在办理。", true
	case RequestInfo:
		return citizen, "请补充信息", subject + "：" + *c.Question, true
	case SupplyInfo:
		return handler, "居民已补充信息", subject + "，请继续办理。", true
	case Reply:
		return citizen, "您的意见反馈已答复", subject + "，请查看并评价。", true
	case Reject:
		return citizen, "您的意见反馈未予受理", subject + "：" + *c.Reply, true
	case MarkDuplicate:
		return citizen, "您的意见反馈已合并", subject + "，与 " + *c.DuplicateOf + " 为同一事项。", true
	case Reopen:
		return workers, "意见反馈被重新打开", subject + "，请重新办理。", true
	default: // closing and rating disturb nobody
		return recipient{}, "", "", false
	}
}
