package demand

import (
	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/supply/notice"
)

// ChangedSubject is the subject of Changed.
const ChangedSubject = "supply.demand.changed"

// Changed is the event of every action on a demand.
type Changed struct {
	DemandID string       `json:"demandId"`
	AreaCode string       `json:"areaCode"`
	Action   DemandAction `json:"action"`
	From     DemandState  `json:"from,omitempty"`
	State    DemandState  `json:"state"`
	Version  int          `json:"version"`
}

// notice tells the publishing citizen what others decided, and reviewers what
// waits for them.
func (d *Demand) notice(action DemandAction, note *string) *notice.Request {
	link := "demand/" + d.ID
	if action == Submit {
		return &notice.Request{Recipient: notice.Reviewers(access.DemandReview), Topic: "demand", Title: "有新的需求待审核", Body: d.Title, Link: link}
	}
	title := map[DemandAction]string{Approve: "需求审核通过，已公开", Reject: "需求审核未通过", Expire: "需求已过期"}[action]
	if title == "" || d.CitizenID == nil {
		return nil
	}
	body := d.Title
	if note != nil {
		body += "：" + *note
	}
	return &notice.Request{Recipient: notice.Recipient{CitizenID: *d.CitizenID}, Topic: "demand", Title: title, Body: body, Link: link}
}
