package realname

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const maxMaterials = 10

// receipt gives the uploaded file that the receipt, which must be the
// principal's own, stands for.
func (s *Service) receipt(ctx context.Context, field, text string, p *access.Principal, kinds ...file.Kind) (*file.FileAsset, error) {
	proof, err := s.Verifier.Receipt(text, p.ID)
	if err != nil {
		return nil, fault.Invalid(field, "上传凭证无效或已过期，请重新上传").Because(err)
	}
	found, err := s.Files.Find(ctx, []string{proof.FileID})
	if err != nil {
		return nil, err
	}
	f := found[proof.FileID]
	switch {
	case f == nil || !f.OwnedBy(p) || f.DeletedAt != nil || f.State == file.Quarantined:
		return nil, fault.Invalid(field, "上传凭证对应的文件已不可用，请重新上传")
	case !slices.Contains(kinds, f.Kind):
		return nil, fault.Invalid(field, "文件的类型不符合要求，请上传照片")
	}
	return f, nil
}

// materials gives the files of the receipts.
func (s *Service) materials(ctx context.Context, receipts []string, p *access.Principal) ([]*file.FileAsset, error) {
	if len(receipts) > maxMaterials {
		return nil, fault.Invalid("input.materials", "材料不能超过 %d 份", maxMaterials)
	}
	var files []*file.FileAsset
	for i, text := range receipts {
		f, err := s.receipt(ctx, fmt.Sprintf("input.materials[%d]", i), text, p, file.Picture, file.Document)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// attach makes the files evidence of the verification. A file is so once.
func (s *Service) attach(ctx context.Context, tx sqlx.ExecerContext, verificationID, kind string, files ...*file.FileAsset) error {
	for _, f := range files {
		id, err := identifier.New()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO platform.realname_evidence (id, verification_id, kind, file_id, added_at) VALUES ($1, $2, $3, $4, $5)`,
			id, verificationID, kind, f.ID, s.Now())
		if database.Duplicate(err, "realname_evidence_file_id_key") {
			return fault.New(fault.Conflict, "该文件已用于另一次核验，请重新上传")
		}
		if err != nil {
			return fmt.Errorf("realname: keeping evidence: %w", err)
		}
	}
	return nil
}

// giveUpEvidence lets the verification's evidence go at the time.
func giveUpEvidence(ctx context.Context, tx sqlx.ExecerContext, verificationID string, at time.Time) error {
	return execute(ctx, tx, "giving evidence up", `UPDATE platform.realname_evidence SET erase_at = $2 WHERE verification_id = $1 AND erase_at IS NULL`, verificationID, at)
}

// evidence is a file that belongs to a verification.
type evidence struct {
	ID     string `db:"id"`
	FileID string `db:"file_id"`
}

const eraseBatch = 100

// EraseDue erases the evidence whose time is over, up to a hundred files, and
// gives their number. What a legal hold keeps stays, and is tried again.
func (s *Service) EraseDue(ctx context.Context) (erased int, err error) {
	ctx = asSystem(ctx)
	var due []*evidence
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		due, err = many[evidence](ctx, tx, "what is to be erased", `
			SELECT e.id, e.file_id FROM platform.realname_evidence e JOIN platform.file f ON f.id = e.file_id
			WHERE e.erased_at IS NULL AND e.erase_at <= $1 AND NOT f.held ORDER BY e.erase_at LIMIT $2`, s.Now(), eraseBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, e := range due {
		err := s.Files.Erase(ctx, e.FileID, "real-name evidence")
		if errors.Is(err, file.ErrHeld) {
			continue
		}
		if err != nil {
			return erased, err
		}
		err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
			return execute(ctx, tx, "noting what is erased", `UPDATE platform.realname_evidence SET erased_at = $2 WHERE id = $1`, e.ID, s.Now())
		})
		if err != nil {
			return erased, err
		}
		erased++
	}
	return erased, nil
}

// wake has Run look at once for what is to be erased.
func (s *Service) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}
