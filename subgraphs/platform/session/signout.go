package session

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// SignOut ends the caller's session, or all of the caller's sessions on all
// devices. It gives the number of sessions that ended.
func (s *Service) SignOut(ctx context.Context, everywhere bool) (int, error) {
	p := access.From(ctx)
	if p == nil {
		p = access.ConfinedFrom(ctx)
	}
	if p == nil || p.Kind == access.System {
		return 0, fault.New(fault.Unauthenticated, "请先登录")
	}
	session := p.Session
	if everywhere {
		session = ""
	} else if session == "" {
		return 0, nil
	}
	var ended []string
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		ended, err = s.end(ctx, tx, p.Kind, p.ID, session, signedOut)
		return err
	})
	if err != nil {
		return 0, err
	}
	s.forget(ctx, ended...)
	return len(ended), nil
}

// EndedSubject is the event of an ended session.
const EndedSubject = "platform.session.ended"

// Ended is the payload of EndedSubject.
type Ended struct {
	SessionID   string      `json:"sessionId"`
	Kind        access.Kind `json:"kind"`
	PrincipalID string      `json:"principalId"`
	Reason      string      `json:"reason"`
}

// end ends sessions (see store.go) and says so. After the commit call forget.
func (s *Service) end(ctx context.Context, tx sqlx.ExtContext, kind access.Kind, principalID, sessionID string, why reason) ([]string, error) {
	ids, err := end(ctx, tx, kind, principalID, sessionID, why, s.Now())
	if err != nil {
		return nil, err
	}
	messages := make([]outbox.Message, len(ids))
	for i, id := range ids {
		messages[i] = outbox.Message{Subject: EndedSubject,
			Payload: Ended{SessionID: id, Kind: kind, PrincipalID: principalID, Reason: string(why)}}
		audit.Change(ctx, audit.Target{Kind: "Session", ID: id}, map[string]any{"kind": kind, "principalId": principalID}, map[string]any{"ended": why})
	}
	return ids, outbox.Append(ctx, tx, "platform", messages...)
}

const sweepEvery = time.Hour

// Run removes what is no longer needed, each hour, until the context ends.
func (s *Service) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "old sessions not removed, will try again", "error", err)
		}
	}
}

// Sweep removes up to a thousand sessions that expired a month ago, and locks
// of yesterday.
func (s *Service) Sweep(ctx context.Context) error {
	return s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error { return sweep(ctx, tx, s.Now()) })
}
