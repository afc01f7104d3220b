package realname

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// change is one step of a verification.
type change struct {
	to     VerificationState
	action VerificationAction
	note   string // without personal data
	by     *access.Principal
}

// system is who does what time brings.
var system = &access.Principal{Kind: access.System, ID: "realname"}

// take gives the verification for a change; nil when there is none. The account
// is locked before it, as by whoever begins another one.
func (s *Service) take(ctx context.Context, tx *sqlx.Tx, id string) (*IdentityVerification, error) {
	found, err := byIDs(ctx, tx, []string{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if err := s.Citizens.Lock(ctx, tx, found[0].CitizenID); err != nil {
		return nil, err
	}
	return locked(ctx, tx, id)
}

// create writes a new verification, its first line and what the inbox is told.
func (s *Service) create(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, by *access.Principal) error {
	if err := insert(ctx, tx, v); err != nil {
		return err
	}
	return s.record(ctx, tx, v, "", change{to: v.State, action: Begin, by: by})
}

// move takes the verification, locked, to another state; all that the caller
// changed of it is written too. What is decided loses what it claimed, and its
// evidence is given up.
func (s *Service) move(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, c change) error {
	from := v.State
	if !v.Method.May(from, c.to) {
		return fault.New(fault.Conflict, "核验当前的状态不允许此操作")
	}
	now := s.Now()
	v.State, v.UpdatedAt = c.to, now
	v.Version++
	if from.Open() && !c.to.Open() {
		v.ClaimedName, v.ClaimedNumber, v.PlainName, v.PlainNumber = nil, nil, nil, nil
		v.DecidedAt = &now
		if err := giveUpEvidence(ctx, tx, v.ID, now.Add(s.Settings.EvidenceRetention)); err != nil {
			return err
		}
	}
	switch c.to {
	case Submitted:
		v.SubmittedAt = &now
	case Expired, Revoked, Withdrawn:
		v.EndedAt = &now
	}
	if err := update(ctx, tx, v); err != nil {
		return err
	}
	if c.to == Withdrawn && v.SlotID != nil {
		if err := freeSlot(ctx, tx, *v.SlotID, now); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, v, from, c)
}

// record writes the line of the step, its audit entry, and its events.
func (s *Service) record(ctx context.Context, tx *sqlx.Tx, v *IdentityVerification, from VerificationState, c change) error {
	id, err := identifier.New()
	if err != nil {
		return err
	}
	line := VerificationEvent{ID: id, VerificationID: v.ID, At: v.UpdatedAt, Action: c.action, From: string(from), To: c.to,
		ActorKind: string(c.by.Kind), ActorID: c.by.ID, Note: c.note}
	if err := insertLine(ctx, tx, line); err != nil {
		return err
	}
	var before any
	if from != "" {
		before = map[string]any{"state": from}
	}
	after := map[string]any{"state": v.State, "method": v.Method, "citizenId": v.CitizenID, "simulated": v.Simulated}
	if v.FailureCode != "" {
		after["failure"] = v.FailureCode
	}
	if v.Level != nil {
		after["level"] = *v.Level
	}
	if c.note != "" {
		after["note"] = c.note
	}
	audit.Change(ctx, audit.Target{Kind: "IdentityVerification", ID: v.ID, Area: v.AreaCode}, before, after)
	return outbox.Append(ctx, tx, "platform", s.messages(v, from, c, id)...)
}
