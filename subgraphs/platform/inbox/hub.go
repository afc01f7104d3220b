package inbox

import (
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/subgraphs/platform/session"
)

// queueSize is how many changes a listener may lag behind.
const queueSize = 256

// NewHub makes what tells the listeners of this process, by addressee, what
// changed in their inboxes. A listener whose session ends is cut off.
func NewHub(bus event.Live) *event.Hub[Moved] {
	return event.NewHub(bus, queueSize, map[string]event.Take[Moved]{
		SubjectChanged: func(h *event.Hub[Moved], e event.Event) {
			var change Change
			if e.Read(&change) != nil {
				return
			}
			for _, moved := range change.Items {
				h.Give(moved.Addressee, moved)
			}
		},
		session.EndedSubject: func(h *event.Hub[Moved], e event.Event) {
			var ended session.Ended
			if e.Read(&ended) == nil {
				h.Cut(OfWorker(ended.PrincipalID), ended.SessionID)
			}
		},
	})
}
