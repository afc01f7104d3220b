package notification

import (
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/platform/session"
)

// queueSize is how many notifications a listener may lag behind.
const queueSize = 64

// NewHub makes what hands each new notification to the listeners of its
// recipient in this process. A listener whose session ends is cut off.
func NewHub(bus event.Live) *event.Hub[*Notification] {
	return event.NewHub(bus, queueSize, map[string]event.Take[*Notification]{
		createdSubject: func(h *event.Hub[*Notification], e event.Event) {
			var created Created
			if e.Read(&created) == nil {
				give(h, created)
			}
		},
		placedSubject: func(h *event.Hub[*Notification], e event.Event) {
			var placing Placing
			if e.Read(&placing) != nil {
				return
			}
			for _, to := range placing.To {
				give(h, Created{
					NotificationID: to.ID, RecipientKind: to.Kind, RecipientID: to.RecipientID,
					Topic: placing.Topic, Title: placing.Title, Body: placing.Body, Link: placing.Link, CreatedAt: placing.CreatedAt,
				})
			}
		},
		session.EndedSubject: func(h *event.Hub[*Notification], e event.Event) {
			var ended session.Ended
			if e.Read(&ended) == nil {
				h.Cut(Recipient{Kind: ended.Kind, ID: ended.PrincipalID}.topic(), ended.SessionID)
			}
		},
	})
}

// give hands a new notification to its recipient's listeners.
func give(h *event.Hub[*Notification], created Created) {
	h.Give(Recipient{Kind: created.RecipientKind, ID: created.RecipientID}.topic(), created.notification())
}

// topic is the recipient's in the hub.
func (r Recipient) topic() string { return string(r.Kind) + " " + r.ID }
