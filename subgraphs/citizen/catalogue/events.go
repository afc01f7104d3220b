package catalogue

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// ChangedSubject is the subject of Changed.
const ChangedSubject = "citizen.service.changed"

// Changed is the event of every change of a service or of its entries: caches
// and other copies renew what they hold of it.
type Changed struct {
	ServiceID   string             `json:"serviceId"`
	Code        string             `json:"code"`
	Action      string             `json:"action"`
	State       ServiceState       `json:"state"`
	Publication ServicePublication `json:"publication"`
	Health      ServiceHealth      `json:"health"`
	Version     int                `json:"version"`
}

// Announce writes the event of a change into the outbox.
func Announce(ctx context.Context, tx sqlx.ExtContext, s *Service, action string) error {
	return outbox.Append(ctx, tx, "citizen", outbox.Message{Subject: ChangedSubject, AreaCode: s.AreaCode, Payload: Changed{
		ServiceID: s.ID, Code: s.Code, Action: action, State: s.State, Publication: s.Publication, Health: s.Health, Version: s.Version,
	}})
}
