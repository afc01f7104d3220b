package realname

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

// ApplyOfflineVerificationInput books a place at a counter.
type ApplyOfflineVerificationInput struct {
	ConsentID string
	Identity  IdentityClaim
	SlotID    string
	Materials []string // receipts; may come later
}

// ApplyOffline books a place at a counter for the signed-in citizen. With
// materials it is SUBMITTED at once.
func (s *Service) ApplyOffline(ctx context.Context, in ApplyOfflineVerificationInput) (v *IdentityVerification, err error) {
	a, err := s.admit(ctx, Offline, in.ConsentID, in.Identity)
	if err != nil {
		return nil, err
	}
	files, err := s.materials(ctx, in.Materials, a.principal)
	if err != nil {
		return nil, err
	}
	if !input.ID(in.SlotID) {
		return nil, fault.Invalid("input.slotId", "请选择预约时段")
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if v, err = s.begun(ctx, tx, a, Offline, a.principal.ID); err != nil {
			return err
		}
		counter, err := takeSlot(ctx, tx, in.SlotID, s.Now())
		if err != nil {
			return err
		}
		if counter == nil {
			return fault.New(fault.Full, "该时段已约满或已不可预约，请选择其他时段")
		}
		v.AreaCode, v.SlotID, v.Provider = counter.AreaCode, &in.SlotID, "counter"
		if err := s.create(ctx, tx, v, a.principal); err != nil || len(files) == 0 {
			return err
		}
		if err := s.attach(ctx, tx, v.ID, "MATERIAL", files...); err != nil {
			return err
		}
		return s.move(ctx, tx, v, change{to: Submitted, action: Submit, by: a.principal})
	})
	if err != nil {
		return nil, err
	}
	return s.opened(v)
}

// VerificationMaterialsInput brings the materials of an application.
type VerificationMaterialsInput struct {
	VerificationID  string
	Materials       []string
	ExpectedVersion int
}

// SubmitMaterials brings the signed-in citizen's materials to the counter's case.
func (s *Service) SubmitMaterials(ctx context.Context, in VerificationMaterialsInput) (*IdentityVerification, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	files, err := s.materials(ctx, in.Materials, p)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fault.Invalid("input.materials", "请上传材料")
	}
	return s.own(ctx, p, in.VerificationID, in.ExpectedVersion, func(tx *sqlx.Tx, v *IdentityVerification) error {
		if v.Method != Offline {
			return fault.New(fault.Conflict, "该核验方式不需要材料")
		}
		if err := s.attach(ctx, tx, v.ID, "MATERIAL", files...); err != nil {
			return err
		}
		return s.move(ctx, tx, v, change{to: Submitted, action: Submit, by: p})
	})
}

// Withdraw takes the signed-in citizen's own verification back, as long as
// nobody has looked at it. A place at a counter is free again.
func (s *Service) Withdraw(ctx context.Context, id string, version int) (*IdentityVerification, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.own(ctx, p, id, version, func(tx *sqlx.Tx, v *IdentityVerification) error {
		return s.move(ctx, tx, v, change{to: Withdrawn, action: Withdraw, by: p})
	})
	s.wake()
	return v, err
}

// own changes the citizen's own verification at the version.
func (s *Service) own(ctx context.Context, p *access.Principal, id string, version int, apply func(*sqlx.Tx, *IdentityVerification) error) (v *IdentityVerification, err error) {
	if !input.ID(id) {
		return nil, errMissing
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if v, err = s.take(ctx, tx, id); err != nil {
			return err
		}
		if v == nil || v.CitizenID != p.ID {
			return errMissing
		}
		if v.Version != version {
			return errStale
		}
		return apply(tx, v)
	})
	if err != nil {
		return nil, err
	}
	return s.opened(v)
}

// FileOfflineVerificationInput is what a worker files for a citizen who came.
type FileOfflineVerificationInput struct {
	CitizenID     string
	TermsVersion  string
	ConsentSigned bool // the citizen has signed the terms on paper
	Identity      IdentityClaim
	Materials     []string // receipts of the worker's uploads
}

// FileOffline files the case of a citizen of the caller's scope who came without
// an appointment. Who files may not judge it.
func (s *Service) FileOffline(ctx context.Context, in FileOfflineVerificationInput) (v *IdentityVerification, err error) {
	p, err := access.Require(ctx, access.RealNameExamine)
	if err != nil {
		return nil, err
	}
	missing := fault.New(fault.NotFound, "未找到该市民，或不在您的管辖范围内")
	if !input.ID(in.CitizenID) {
		return nil, missing
	}
	seen, err := s.Citizens.ByIDs(ctx, []string{in.CitizenID}) // through the caller's own row-level security
	if err != nil {
		return nil, err
	}
	c := seen[in.CitizenID]
	if c == nil || !p.Covers(c.AreaCode) {
		return nil, missing
	}
	if !in.ConsentSigned {
		return nil, errConsent
	}
	consent, err := s.agreed(in.CitizenID, Offline, in.TermsVersion)
	if err != nil {
		return nil, err
	}
	consent.RecordedBy, consent.Client = &p.ID, access.RemoteOf(ctx).Client
	a := admitted{principal: p, consent: consent}
	if a.document, err = document.Parse("input.identity", in.Identity.DocumentKind, in.Identity.DocumentNumber, in.Identity.FullName, s.Now()); err != nil {
		return nil, err
	}
	files, err := s.materials(ctx, in.Materials, p)
	if err != nil {
		return nil, err
	}
	if err := s.counted(ctx, in.CitizenID, a.document); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		if err := s.recordConsent(ctx, tx, consent, p); err != nil {
			return err
		}
		if v, err = s.begun(ctx, tx, a, Offline, in.CitizenID); err != nil {
			return err
		}
		v.AreaCode, v.FiledBy, v.Provider = c.AreaCode, &p.ID, "counter"
		if err := s.create(ctx, tx, v, p); err != nil {
			return err
		}
		if err := s.attach(ctx, tx, v.ID, "MATERIAL", files...); err != nil {
			return err
		}
		return s.move(ctx, tx, v, change{to: Submitted, action: Submit, by: p})
	})
	if err != nil {
		return nil, err
	}
	return s.opened(v)
}
