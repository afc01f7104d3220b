package realname

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

var errSameEyes = fault.New(fault.Forbidden, "经办、初核与复核须由不同的工作人员办理")

// ExamineVerificationInput is what the first pair of eyes found.
type ExamineVerificationInput struct {
	VerificationID  string
	ExpectedVersion int
	Passed          bool
	Note            *string
}

// Examine records what the first worker found, who has the citizen and the
// document before them: SUBMITTED→IN_REVIEW. It decides nothing.
func (s *Service) Examine(ctx context.Context, in ExamineVerificationInput) (*IdentityVerification, error) {
	p, err := access.Require(ctx, access.RealNameExamine)
	if err != nil {
		return nil, err
	}
	note, err := input.Optional("input.note", "初核意见", in.Note, 200)
	if err != nil {
		return nil, err
	}
	if !in.Passed && note == nil {
		return nil, fault.Invalid("input.note", "认为不通过的，请写明理由")
	}
	return s.reviewed(ctx, p, in.VerificationID, in.ExpectedVersion, func(tx *sqlx.Tx, v *IdentityVerification, _ document.Document) error {
		now := s.Now()
		v.ExaminedBy, v.ExaminedAt, v.Passed = &p.ID, &now, &in.Passed
		if note != nil {
			v.Note = *note
		}
		return s.move(ctx, tx, v, change{to: InReview, action: Examine, by: p})
	})
}

// DecideVerificationInput is the decision of the second pair of eyes.
type DecideVerificationInput struct {
	VerificationID  string
	ExpectedVersion int
	Approve         bool
	Reason          *string
}

// Decide ends a case that another worker has examined: IN_REVIEW→VERIFIED or
// REJECTED, with the reason that the citizen is told.
func (s *Service) Decide(ctx context.Context, in DecideVerificationInput) (*IdentityVerification, error) {
	p, err := access.Require(ctx, access.RealNameDecide)
	if err != nil {
		return nil, err
	}
	reason, err := input.Optional("input.reason", "原因", in.Reason, 200)
	if err != nil {
		return nil, err
	}
	if !in.Approve && (reason == nil || len([]rune(*reason)) < 4) {
		return nil, fault.Invalid("input.reason", "不通过的，请写明原因，4 到 200 个字")
	}
	v, err := s.reviewed(ctx, p, in.VerificationID, in.ExpectedVersion, func(tx *sqlx.Tx, v *IdentityVerification, d document.Document) error {
		if v.ExaminedBy == nil {
			return fault.New(fault.Conflict, "该核验尚未初核")
		}
		v.DecidedBy = &p.ID
		if reason != nil {
			v.Reason = *reason
		}
		if !in.Approve {
			return s.move(ctx, tx, v, change{to: Rejected, action: Decide, by: p})
		}
		return s.settle(ctx, tx, v, d, change{action: Decide, by: p})
	})
	s.wake()
	return v, err
}

// reviewed changes a counter's case of the caller's scope, which is neither the
// caller's own filing, nor one that the caller has looked at before, nor about
// somebody of the caller's name.
func (s *Service) reviewed(ctx context.Context, p *access.Principal, id string, version int, apply func(*sqlx.Tx, *IdentityVerification, document.Document) error) (v *IdentityVerification, err error) {
	if seen, err := s.ByID(ctx, id); err != nil { // through the caller's own row-level security
		return nil, err
	} else if seen == nil || seen.Method != Offline || !p.Covers(seen.AreaCode) {
		return nil, errMissing
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if v, err = s.take(ctx, tx, id); err != nil {
			return err
		}
		if v == nil || v.Method != Offline || !p.Covers(v.AreaCode) {
			return errMissing
		}
		if v.Version != version {
			return errStale
		}
		if v.State != Submitted && v.State != InReview {
			return fault.New(fault.Conflict, "核验当前的状态不允许此操作")
		}
		for _, before := range []*string{v.FiledBy, v.ExaminedBy} {
			if before != nil && strings.EqualFold(*before, p.ID) {
				return errSameEyes
			}
		}
		d, err := s.claim(v)
		if err != nil {
			return err
		}
		name, err := s.nameOf(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if d.Name == name {
			return fault.New(fault.Forbidden, "申请人与您同名，须回避，请由其他工作人员办理")
		}
		return apply(tx, v, d)
	})
	if err != nil {
		return nil, err
	}
	return s.opened(v)
}

// nameOf is the worker's name.
func (s *Service) nameOf(ctx context.Context, tx sqlx.QueryerContext, workerID string) (string, error) {
	found, err := one[string](ctx, tx, "a worker's name", `SELECT name FROM platform.worker WHERE id = $1`, workerID)
	if err != nil || found == nil {
		return "", err
	}
	return *found, nil
}
