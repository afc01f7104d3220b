package communityservice

import (
	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/supply/notice"
)

// ChangedSubject is the subject of Changed.
const ChangedSubject = "supply.communityservice.changed"

// Changed is the event of every action on a service.
type Changed struct {
	ServiceID     string                 `json:"serviceId"`
	ParticipantID string                 `json:"participantId"`
	AreaCode      string                 `json:"areaCode"`
	Action        CommunityServiceAction `json:"action"`
	From          CommunityServiceState  `json:"from,omitempty"`
	State         CommunityServiceState  `json:"state"`
	Areas         []string               `json:"areas,omitempty"` // of a distribution
	Version       int                    `json:"version"`
}

// notice tells the owner what reviewers decided, and reviewers what waits for them.
func (s *CommunityService) notice(action CommunityServiceAction, note *string, by access.Kind) *notice.Request {
	link := "communityservice/" + s.ID
	if action == Submit {
		return &notice.Request{Recipient: notice.Reviewers(access.OfferingReview), Topic: "communityservice", Title: "有新的社区服务待审核", Body: s.Name, Link: link}
	}
	title := map[CommunityServiceAction]string{
		Approve: "社区服务审核通过，已上架", Reject: "社区服务审核未通过", Delist: "社区服务已下架", List: "社区服务已重新上架", Distribute: "社区服务已分发到社区",
	}[action]
	if title == "" || by == access.Citizen { // nobody is told what they did themselves
		return nil
	}
	body := s.Name
	if note != nil {
		body += "：" + *note
	}
	return &notice.Request{Recipient: notice.Recipient{CitizenID: s.OwnerID}, Topic: "communityservice", Title: title, Body: body, Link: link}
}
