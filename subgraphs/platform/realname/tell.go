package realname

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
)

// The events of verifications: of each decision, and of each end of what was verified.
const (
	SubjectDecided = "platform.realname.decided"
	SubjectEnded   = "platform.realname.ended"
)

// Decided is the payload of both; nothing in it is personal.
type Decided struct {
	VerificationID string                  `json:"verificationId"`
	CitizenID      string                  `json:"citizenId"`
	Method         VerificationMethod      `json:"method"`
	State          VerificationState       `json:"state"`
	Failure        VerificationFailure     `json:"failure,omitempty"`
	Level          *citizen.AssuranceLevel `json:"level,omitempty"` // that it gave
	Simulated      bool                    `json:"simulated"`
	At             time.Time               `json:"at"`
}

// definitionKey is the workflow that puts cases of the counters into the inbox.
const definitionKey = "realname-counter"

// subjectWorkflow is where the workflow is told of each step at a counter. This
// package stays the truth; the workflow puts the case into the inbox of whose
// turn it is, and keeps the time limit.
const subjectWorkflow = "platform.workflow.requested"

// messages are what others are told of a step. line is the ID of its line.
func (s *Service) messages(v *IdentityVerification, from VerificationState, c change, line string) []outbox.Message {
	var list []outbox.Message
	decided := Decided{VerificationID: v.ID, CitizenID: v.CitizenID, Method: v.Method, State: v.State, Failure: v.FailureCode, Level: v.Level, Simulated: v.Simulated, At: v.UpdatedAt}
	switch {
	case v.State == Expired || v.State == Revoked:
		list = append(list, outbox.Message{Subject: SubjectEnded, AreaCode: v.AreaCode, Payload: decided})
	case !v.State.Open():
		list = append(list, outbox.Message{Subject: SubjectDecided, AreaCode: v.AreaCode, Payload: decided})
	}
	if title, body := notice(v, c); title != "" {
		list = append(list, citizen.LinkedNotice(line, v.CitizenID, title, body, "realname"))
	}
	if v.Method == Offline && (v.State == Submitted || from == Submitted || from == InReview) {
		list = append(list, outbox.Message{Subject: subjectWorkflow, AreaCode: v.AreaCode, Payload: request(v, c)})
	}
	return list
}

func request(v *IdentityVerification, c change) workflow.Request {
	by := workflow.Person{Kind: c.by.Kind, ID: c.by.ID}
	started := workflow.Person{Kind: access.Citizen, ID: v.CitizenID}
	if v.FiledBy != nil {
		started = workflow.Person{Kind: access.Worker, ID: *v.FiledBy}
	}
	action := string(c.action)
	if c.action == Withdraw {
		action = "RECALL" // the other name is the workflow's own
	}
	return workflow.Request{RequestID: v.ID, Definition: definitionKey, SubjectID: v.ID, AreaCode: v.AreaCode, Title: "线下实名核验 " + number(v.ID), Initiator: started,
		Report: &workflow.Report{State: string(v.State), Action: action, Actor: by, Version: v.Version}}
}

// number is how people call a verification.
func number(id string) string { return "SM" + id[len(id)-8:] }

// notice is what the citizen is told of a step; "" for nothing.
func notice(v *IdentityVerification, c change) (title, body string) {
	if c.action == Lower || c.action == Displace {
		return "实名等级已调整", "您的实名等级已调整，原因：" + c.note + "。如有疑问，请联系服务热线。"
	}
	switch v.State {
	case Verified:
		title, body = "实名认证已通过", fmt.Sprintf("您的账户已完成实名认证，实名等级为 %s。如非本人操作，请立即联系服务热线。", *v.Level)
		if v.Simulated {
			body += "（本次核验由模拟器作出）"
		}
	case Rejected:
		title, body = "线下核验未通过", "您的线下实名核验未通过，原因："+v.Reason+"。补正后可重新申请。"
	case Failed:
		if v.Method == Offline || v.FailureCode == IdentityTaken {
			title, body = "实名认证未完成", messages[v.FailureCode]+"。"
		}
	case InReview:
		title, body = "线下核验进入复核", "您的线下实名核验已完成初核，正由另一名工作人员复核。"
	case Expired:
		if c.action == Expire {
			title, body = "实名认证已到期", "您的实名认证已满有效期，实名等级已调整为 L1，重新认证后恢复。"
		}
	case Revoked:
		title, body = "实名认证已取消", "您的实名认证已取消，原因："+c.note+"。"
	}
	return title, body
}

// TellAll tells the workflow of all cases at counters that wait, for those that
// were loaded and not lived through. The transaction sees them all.
func TellAll(ctx context.Context, tx sqlx.ExecerContext) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.outbox (id, subject, area_code, payload)
		SELECT gen_random_uuid(), '`+subjectWorkflow+`', area_code, jsonb_build_object(
			'requestId', id, 'definition', '`+definitionKey+`', 'subjectId', id, 'areaCode', area_code, 'title', '线下实名核验 SM' || right(id::text, 8),
			'initiator', jsonb_build_object('kind', 'citizen', 'id', citizen_id),
			'report', jsonb_build_object('state', state, 'action', 'SYNC', 'actor', jsonb_build_object('kind', 'system', 'id', 'realname'), 'version', version))
		FROM platform.realname_verification WHERE method = 'OFFLINE' AND state IN ('SUBMITTED', 'IN_REVIEW') ORDER BY created_at, id`)
	if err != nil {
		return fmt.Errorf("realname: telling the workflow of all cases: %w", err)
	}
	return nil
}
