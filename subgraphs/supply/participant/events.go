package participant

import (
	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/supply/notice"
)

// ChangedSubject is the subject of Changed.
const ChangedSubject = "supply.participant.changed"

// Changed is the event of every action on a participant.
type Changed struct {
	ParticipantID string            `json:"participantId"`
	AreaCode      string            `json:"areaCode"`
	Action        ParticipantAction `json:"action"`
	From          ParticipantState  `json:"from,omitempty"`
	State         ParticipantState  `json:"state"`
	Version       int               `json:"version"`
}

// notice tells the applicant what others decided, and reviewers what waits for them.
func (p *Participant) notice(action ParticipantAction) *notice.Request {
	titles := map[ParticipantAction]string{
		Approve: "入驻信息审核通过", Reject: "入驻信息审核未通过", Suspend: "入驻资格已暂停", Resume: "入驻资格已恢复", Exit: "已退出服务平台",
	}
	link := "participant/" + p.ID
	if action == Apply || action == Change {
		return &notice.Request{Recipient: notice.Reviewers(access.ParticipantAudit), Topic: "participant", Title: "有新的入驻信息待审核", Body: p.Name, Link: link}
	}
	title := titles[action]
	if title == "" {
		return nil
	}
	body := p.Name
	if p.Verdict != nil {
		body += "：" + *p.Verdict
	}
	return &notice.Request{Recipient: notice.Recipient{CitizenID: p.ApplicantID}, Topic: "participant", Title: title, Body: body, Link: link}
}
