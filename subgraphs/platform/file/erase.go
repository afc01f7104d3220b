package file

import (
	"context"
	"fmt"
	"io"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// ErrHeld says that a file cannot go, as it is held.
var ErrHeld = fault.New(fault.Conflict, "文件处于法律保全中，不能删除")

// Erase takes the content of the file away for good, at once: neither the time
// that files of its kind are kept nor the grace of a deletion counts for
// evidence of a person. The row stays, PURGED. Only a hold keeps it: ErrHeld.
// For other services of the platform; what is erased already is no error.
func (s *Service) Erase(ctx context.Context, id, why string) error {
	ctx = access.AsSystem(ctx, "file")
	now := s.Now()
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		f, err := forUpdate(ctx, tx, id)
		if err != nil || f == nil || f.State == Purged {
			return err
		}
		if f.Held {
			return ErrHeld
		}
		if f.DeletedAt == nil {
			if err := s.delete(ctx, tx, f, why); err != nil {
				return err
			}
		}
		return s.purge(ctx, tx, f, now)
	})
	if err != nil {
		return err
	}
	return s.removeContent(ctx, now)
}

// Content reads a small file, at most MaxBytes, that is served at all. For
// other services of the platform, which have asked who may.
func (s *Service) Content(ctx context.Context, f *FileAsset) ([]byte, error) {
	if f.State == Scanning {
		return nil, fault.New(fault.Conflict, "文件正在进行安全检查，请稍后再试")
	}
	if f.State != Available || f.Verdict != clean {
		return nil, gone()
	}
	content, _, err := s.Files.Get(ctx, f.Key)
	if err != nil {
		return nil, fmt.Errorf("file: reading: %w", err)
	}
	defer func() { _ = content.Close() }()
	text, err := io.ReadAll(io.LimitReader(content, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("file: reading: %w", err)
	}
	if len(text) > MaxBytes {
		return nil, fault.New(fault.InvalidInput, "文件过大")
	}
	return text, nil
}

// Find gives the files of the IDs, by ID, in whatever state. For other services
// of the platform. One statement.
func (s *Service) Find(ctx context.Context, ids []string) (map[string]*FileAsset, error) {
	return s.find(access.AsSystem(ctx, "file"), ids)
}
