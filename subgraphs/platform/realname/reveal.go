package realname

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

// Revealed is somebody in plain.
type Revealed struct {
	CitizenID string
	Document  document.Document
	// Of a case at a counter: the case, and its materials.
	Verification *IdentityVerification
	Materials    []*file.FileAsset
}

// looking asks for the action and the purpose of a look at plain data.
func looking(ctx context.Context, purpose string) (*access.Principal, error) {
	p, err := access.Require(ctx, access.RealNameReveal)
	if err != nil {
		return nil, err
	}
	if purpose, err = input.Text("input.purpose", "查看的目的", purpose, 4, 200); err != nil {
		return nil, err
	}
	audit.For(ctx, purpose)
	return p, nil
}

// shown writes the look into the audit log in one transaction with reading what
// is shown: what cannot be recorded is not shown.
func (s *Service) shown(ctx context.Context, target audit.Target, fields []string, read func(tx *sqlx.Tx) error) error {
	return s.write(ctx, func(tx *sqlx.Tx) error {
		if err := read(tx); err != nil {
			return err
		}
		audit.Change(ctx, target, nil, map[string]any{"revealed": fields})
		return nil
	})
}

// Reveal shows name and number of a citizen of the caller's scope in plain.
func (s *Service) Reveal(ctx context.Context, citizenID, purpose string) (*Revealed, error) {
	p, err := looking(ctx, purpose)
	if err != nil {
		return nil, err
	}
	seen, err := s.identityFor(ctx, citizenID)
	if err != nil {
		return nil, err
	}
	if seen == nil {
		return nil, errNoIdentity
	}
	made := &Revealed{CitizenID: citizenID}
	err = s.shown(ctx, audit.Target{Kind: "Citizen", ID: citizenID, Area: p.AreaCode}, []string{"fullName", "documentNumber"}, func(tx *sqlx.Tx) error {
		r, err := identityOf(ctx, tx, citizenID, false)
		if err != nil {
			return err
		}
		if r == nil {
			return errNoIdentity
		}
		made.Document, err = s.plain(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// RevealVerification shows what a case at a counter of the caller's scope
// claims in plain, with its materials, as long as it is not decided.
func (s *Service) RevealVerification(ctx context.Context, id, purpose string) (*Revealed, error) {
	p, err := looking(ctx, purpose)
	if err != nil {
		return nil, err
	}
	v, err := s.ByID(ctx, id)
	if err != nil {
		return nil, err
	}
	if v == nil || v.Method != Offline || !p.Covers(v.AreaCode) {
		return nil, errMissing
	}
	made := &Revealed{CitizenID: v.CitizenID, Verification: v}
	var files []string
	err = s.shown(ctx, audit.Target{Kind: "IdentityVerification", ID: v.ID, Area: v.AreaCode}, []string{"fullName", "documentNumber", "materials"}, func(tx *sqlx.Tx) error {
		now, err := locked(ctx, tx, v.ID)
		if err != nil {
			return err
		}
		if now == nil || !now.State.Open() {
			return fault.New(fault.Conflict, "该核验已办结，个人信息与材料已清除")
		}
		if made.Document, err = s.claim(now); err != nil {
			return err
		}
		files, err = materialsOf(ctx, tx, v.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := s.Files.Find(ctx, files)
	if err != nil {
		return nil, err
	}
	for _, id := range files {
		if f := found[id]; f != nil {
			made.Materials = append(made.Materials, f)
		}
	}
	return made, nil
}

// Find gives the citizen of the caller's scope who has proven the number, which
// is searched by exact match only. That somebody elsewhere has it is not told.
func (s *Service) Find(ctx context.Context, kind document.Kind, number, purpose string) (citizenID string, err error) {
	p, err := looking(ctx, purpose)
	if err != nil {
		return "", err
	}
	if !slices.Contains(document.Kinds, kind) {
		return "", fault.Invalid("input.documentKind", "没有这一证件类型")
	}
	clean, err := document.Number("input.documentNumber", kind, number, s.Now())
	if err != nil {
		return "", err
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		r, err := one[RealName](ctx, tx, "by number", `SELECT `+identityColumns+` FROM platform.realname_identity WHERE number_index = ANY($1)`,
			pq.ByteaArray(s.index.All(Identity(kind, clean))))
		if err != nil {
			return err
		}
		if r == nil {
			return errNoIdentity
		}
		seen, err := s.Citizens.InScope(ctx, tx, r.CitizenID, p)
		if err != nil {
			return fmt.Errorf("realname: by number: %w", err)
		}
		if !seen {
			return errNoIdentity
		}
		citizenID = r.CitizenID
		audit.Change(ctx, audit.Target{Kind: "Citizen", ID: r.CitizenID, Area: p.AreaCode}, nil, map[string]any{"foundBy": "documentNumber"})
		return nil
	})
	return citizenID, err
}
