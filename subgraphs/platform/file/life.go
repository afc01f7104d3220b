package file

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const (
	// grace is how long a deleted file may be brought back.
	grace = 30 * day
	// maxVersions bounds how often a file is replaced.
	maxVersions = 100
)

// changed writes the change of a locked file: row, history and event.
func (s *Service) changed(ctx context.Context, tx *sqlx.Tx, f *FileAsset, c change) error {
	c.to = f.State
	if err := update(ctx, tx, f); err != nil {
		return err
	}
	if err := record(ctx, tx, f.ID, c); err != nil {
		return err
	}
	audit.Change(ctx, audit.Target{Kind: "FileAsset", ID: f.ID, Area: f.AreaCode}, f.before, f.audited())
	f.before = f.audited()
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: "platform.file.changed", AreaCode: f.AreaCode, Payload: map[string]any{
		"fileId": f.ID, "action": c.action, "from": c.from, "state": f.State, "version": f.Version,
		"ownerKind": f.OwnerKind, "ownerId": f.OwnerID, "areaCode": f.AreaCode, "at": c.at,
	}})
}

func notFound() error { return fault.New(fault.NotFound, "文件不存在，或您无权操作") }

// owned locks the caller's own file.
func owned(ctx context.Context, tx *sqlx.Tx, id string) (*FileAsset, error) {
	if !input.ID(id) {
		return nil, notFound()
	}
	f, err := forUpdate(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if f == nil || !f.OwnedBy(access.From(ctx)) {
		return nil, notFound()
	}
	return f, nil
}

// Delete takes the caller's file out of service. Within the grace Restore
// brings it back; nothing that is held is deleted.
func (s *Service) Delete(ctx context.Context, id string) (f *FileAsset, err error) {
	if _, err := uploader(ctx); err != nil {
		return nil, err
	}
	return f, s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if f, err = owned(ctx, tx, id); err != nil {
			return err
		}
		if f.Held {
			return fault.New(fault.Conflict, "文件处于法律保全中，不能删除")
		}
		if !f.State.may(Deleted) {
			return fault.New(fault.Conflict, "文件已删除")
		}
		return s.delete(ctx, tx, f, "")
	})
}

func (s *Service) delete(ctx context.Context, tx *sqlx.Tx, f *FileAsset, note string) error {
	was, now := f.State, s.Now()
	f.State, f.DeletedAt = Deleted, &now
	return s.changed(ctx, tx, f, change{action: "delete", from: was, note: note, at: now})
}

// Restore brings a deleted file back, as long as that is possible.
func (s *Service) Restore(ctx context.Context, id string) (f *FileAsset, err error) {
	if _, err := uploader(ctx); err != nil {
		return nil, err
	}
	return f, s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if f, err = owned(ctx, tx, id); err != nil {
			return err
		}
		now := s.Now()
		if f.State != Deleted || !f.State.may(f.Verdict.state()) {
			return fault.New(fault.Conflict, "文件不在可恢复的状态")
		}
		if !now.Before(f.DeletedAt.Add(grace)) {
			return fault.New(fault.Conflict, "已超过恢复期限，不能恢复")
		}
		f.State, f.DeletedAt = f.Verdict.state(), nil
		return s.changed(ctx, tx, f, change{action: "restore", from: Deleted, at: now})
	})
}

// Replace gives the caller's file the content of another upload of theirs, by
// its receipt; the former content stays as a version. The upload that brought
// the new content is deleted: it goes on as this file.
func (s *Service) Replace(ctx context.Context, id, receipt string, expected int) (f *FileAsset, err error) {
	p, err := uploader(ctx)
	if err != nil {
		return nil, err
	}
	proof, err := s.Verifier.Receipt(receipt, p.ID)
	if err != nil {
		return nil, fault.Invalid("input.receipt", "上传凭证无效或已过期，请重新上传").Because(err)
	}
	if proof.FileID == id {
		return nil, fault.Invalid("input.receipt", "请先上传新的文件，再用它的凭证替换")
	}
	if !input.ID(id) {
		return nil, notFound()
	}
	return f, s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		locked := map[string]*FileAsset{}
		ids := []string{id, proof.FileID}
		slices.Sort(ids) // two who replace crosswise do not wait for each other
		for _, one := range ids {
			if locked[one], err = forUpdate(ctx, tx, one); err != nil {
				return err
			}
		}
		brought := locked[proof.FileID]
		if f = locked[id]; f == nil || !f.OwnedBy(p) {
			return notFound()
		}
		switch {
		case brought == nil || !brought.OwnedBy(p) || brought.DeletedAt != nil || brought.Version != 1 || brought.Held:
			return fault.Invalid("input.receipt", "上传凭证对应的文件已不可用，请重新上传")
		case f.DeletedAt != nil:
			return fault.New(fault.Conflict, "文件已删除，请先恢复")
		case f.Version != expected:
			return fault.New(fault.Conflict, "文件已被替换为第 %d 版，请刷新后重试", f.Version)
		case f.Version >= maxVersions:
			return fault.New(fault.Conflict, "文件的版本数已达上限 %d", maxVersions)
		case brought.Kind != f.Kind:
			return fault.Invalid("input.receipt", "只能用同类的文件替换")
		}
		return s.replace(ctx, tx, f, brought)
	})
}

func (s *Service) replace(ctx context.Context, tx *sqlx.Tx, f, brought *FileAsset) error {
	was, now := f.State, s.Now()
	f.Hash, f.SM3, f.Key, f.MediaType, f.Bytes, f.Width, f.Height = brought.Hash, brought.SM3, brought.Key, brought.MediaType, brought.Bytes, brought.Width, brought.Height
	f.Name, f.Verdict, f.State, f.Version = brought.Name, brought.Verdict, brought.Verdict.state(), f.Version+1
	if until := now.Add(rules[f.Kind].retain); until.After(f.RetainUntil) {
		f.RetainUntil = until
	}
	if err := insertVersion(ctx, tx, f, now); err != nil {
		return err
	}
	if err := s.changed(ctx, tx, f, change{action: "replace", from: was, note: brought.ID, at: now}); err != nil {
		return err
	}
	return s.delete(ctx, tx, brought, "replaces "+f.ID)
}

// PlaceHold keeps the file from being deleted and purged, whatever its owner
// does and however its time runs. It asks for file.hold in the file's area.
func (s *Service) PlaceHold(ctx context.Context, id, reason string) (*FileAsset, error) {
	reason, err := input.Text("input.reason", "保全事由", reason, 1, 500)
	if err != nil {
		return nil, err
	}
	return s.attend(ctx, access.FileHold, id, func(tx *sqlx.Tx, p *access.Principal, f *FileAsset, at time.Time) error {
		if f.Held {
			return fault.New(fault.Conflict, "文件已处于法律保全中")
		}
		hold, err := identifier.New()
		if err != nil {
			return err
		}
		f.Held = true
		if err := insertHold(ctx, tx, hold, f.ID, reason, p.ID, at); err != nil {
			return err
		}
		return s.changed(ctx, tx, f, change{action: "hold", from: f.State, note: reason, at: at})
	})
}

// ReleaseHold ends the hold; what the file's time was goes on.
func (s *Service) ReleaseHold(ctx context.Context, id, reason string) (*FileAsset, error) {
	reason, err := input.Text("input.reason", "解除事由", reason, 1, 500)
	if err != nil {
		return nil, err
	}
	return s.attend(ctx, access.FileHold, id, func(tx *sqlx.Tx, p *access.Principal, f *FileAsset, at time.Time) error {
		if !f.Held {
			return fault.New(fault.Conflict, "文件不在法律保全中")
		}
		f.Held = false
		if err := releaseHold(ctx, tx, f.ID, p.ID, at); err != nil {
			return err
		}
		return s.changed(ctx, tx, f, change{action: "release", from: f.State, note: reason, at: at})
	})
}
