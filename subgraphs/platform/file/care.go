package file

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// maxRetention is how far in the future a retention may be set: permanent
// documents belong into an archive 档案, which this is not.
const maxRetention = 30 * 365 * day

// caresFor says whether the principal looks after files of the area: places
// holds on them or reviews what the scanner found.
func caresFor(p *access.Principal, areaCode string) bool {
	return access.Decide(p, access.FileHold, areaCode) == access.Allowed || access.Decide(p, access.FileReview, areaCode) == access.Allowed
}

// CareFilter narrows the list of files that need care; empty takes all of them.
type CareFilter struct {
	States   []State
	HeldOnly bool
}

// everyState are those that a file with content has.
var everyState = []State{Scanning, Available, Quarantined, Deleted, Archived}

// InCare gives a page of the files of the area and below which wait for the
// scanner, are quarantined, deleted, archived or held, newest first. Other
// files are nobody's but their owners' to list. It asks for file.hold or
// file.review in the area.
func (s *Service) InCare(ctx context.Context, areaCode string, filter CareFilter, page keyset.Page) (Page, error) {
	p, err := access.Require(ctx, access.FileHold)
	if err != nil {
		p, err = access.Require(ctx, access.FileReview)
	}
	if err != nil {
		return Page{}, err
	}
	if !caresFor(p, areaCode) {
		return Page{}, fault.New(fault.NotFound, "未找到该区划，或不在您的管辖范围内")
	}
	if err := checkCursor(page); err != nil {
		return Page{}, err
	}
	if len(filter.States) == 0 {
		filter.States = everyState
	}
	return s.page(ctx, page, func(tx *sqlx.Tx) ([]*FileAsset, error) { return inCare(ctx, tx, areaCode, filter, page) })
}

// attend changes a file in the caller's scope, for a reason. It asks for the action there.
func (s *Service) attend(ctx context.Context, action access.Action, id string, do func(*sqlx.Tx, *access.Principal, *FileAsset, time.Time) error) (f *FileAsset, err error) {
	p, err := access.Require(ctx, action)
	if err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound()
	}
	return f, s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if f, err = forUpdate(ctx, tx, id); err != nil {
			return err
		}
		if f == nil || f.AreaCode == "" || access.Decide(p, action, f.AreaCode) != access.Allowed {
			return notFound()
		}
		return do(tx, p, f, s.Now())
	})
}

// Extend keeps the content at least until the time. It asks for file.hold in the file's area.
func (s *Service) Extend(ctx context.Context, id string, until time.Time, reason string) (*FileAsset, error) {
	reason, err := input.Text("input.reason", "延长事由", reason, 1, 500)
	if err != nil {
		return nil, err
	}
	return s.attend(ctx, access.FileHold, id, func(tx *sqlx.Tx, _ *access.Principal, f *FileAsset, at time.Time) error {
		if !until.After(f.RetainUntil) {
			return fault.Invalid("input.until", "须晚于现有的保留期")
		}
		if until.After(at.Add(maxRetention)) {
			return fault.Invalid("input.until", "保留期不能超过 30 年")
		}
		f.RetainUntil = until.Truncate(time.Second)
		return s.changed(ctx, tx, f, change{action: "extend", from: f.State, note: reason, at: at})
	})
}

// Clear overrules the scanner: what it found is no malware, and the content is
// given out again, whichever file has it. So it asks for file.review in the
// area of every such file.
func (s *Service) Clear(ctx context.Context, id, reason string) (*FileAsset, error) {
	reason, err := input.Text("input.reason", "放行事由", reason, 1, 500)
	if err != nil {
		return nil, err
	}
	cleared, err := s.attend(ctx, access.FileReview, id, func(tx *sqlx.Tx, p *access.Principal, f *FileAsset, at time.Time) error {
		if f.State != Quarantined || !f.State.may(Available) {
			return fault.New(fault.Conflict, "文件不在隔离中")
		}
		elsewhere, err := s.uploadedIn(ctx, f.Hash)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(elsewhere, func(code string) bool { return access.Decide(p, access.FileReview, code) != access.Allowed }) {
			return fault.New(fault.Forbidden, "管辖范围以外也有相同内容的文件，请由上级放行")
		}
		if overruled, err := overrule(ctx, tx, f.Hash, p.ID, reason, at); err != nil || !overruled {
			return err
		}
		f.Verdict, f.State = clean, Available
		return s.changed(ctx, tx, f, change{action: "clear", from: Quarantined, note: reason, at: at})
	})
	if err == nil {
		s.wake() // the other files of the content
	}
	return cleared, err
}

// uploadedIn are the areas whose files have the content, all of them.
func (s *Service) uploadedIn(ctx context.Context, hash []byte) (codes []string, err error) {
	ctx = access.AsSystem(ctx, "file")
	return codes, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		codes, err = areasOf(ctx, tx, hash)
		return err
	})
}

// Discard deletes a quarantined file, whoever owns it. It asks for file.review in the file's area.
func (s *Service) Discard(ctx context.Context, id, reason string) (*FileAsset, error) {
	reason, err := input.Text("input.reason", "删除事由", reason, 1, 500)
	if err != nil {
		return nil, err
	}
	return s.attend(ctx, access.FileReview, id, func(tx *sqlx.Tx, _ *access.Principal, f *FileAsset, _ time.Time) error {
		switch {
		case f.State != Quarantined:
			return fault.New(fault.Conflict, "文件不在隔离中")
		case f.Held:
			return fault.New(fault.Conflict, "文件处于法律保全中，不能删除")
		}
		return s.delete(ctx, tx, f, reason)
	})
}

// PurgeAfter is when the content goes at the earliest; nil while it does not.
func (f *FileAsset) PurgeAfter() *time.Time {
	if f.DeletedAt == nil || f.Held {
		return nil
	}
	at := f.DeletedAt.Add(grace)
	if f.RetainUntil.After(at) {
		at = f.RetainUntil
	}
	return &at
}
