package citizen

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Mobile gives the account's number (E.164) in plain; "" where there is none.
// For package session, which sends codes to it.
func (s *Service) Mobile(ctx context.Context, id string) (mobile string, err error) {
	err = s.db.Read(access.AsSystem(ctx, "citizen"), func(tx *sqlx.Tx) error {
		rows, err := byIDs(ctx, tx, []string{id})
		if err != nil || len(rows) == 0 {
			return err
		}
		mobile, err = s.plain(&rows[0])
		return err
	})
	return mobile, err
}

// plain opens the row's number; "" where there is none.
func (s *Service) plain(r *row) (string, error) {
	if r.Mobile == nil {
		return "", nil
	}
	mobile, err := s.keys.Open(place(r.ID), r.Mobile)
	if err != nil {
		return "", fmt.Errorf("citizen: %w", err)
	}
	return mobile, nil
}

// RevealOwnMobilePayload is a citizen's own number in full.
type RevealOwnMobilePayload struct {
	Mobile    string // in E.164
	CitizenID string
}

// Concerns says whether the number is the principal's own.
func (o *RevealOwnMobilePayload) Concerns(p *access.Principal) bool {
	return p != nil && p.Kind == access.Citizen && p.ID == o.CitizenID
}

// RevealOwn shows the signed-in citizen the whole number of their own account,
// after a recent proof of who they are; it is written into the audit log.
func (s *Service) RevealOwn(ctx context.Context) (*RevealOwnMobilePayload, error) {
	p, err := access.RequireRecent(ctx, access.Recent)
	if err != nil {
		return nil, err
	}
	if p.Kind != access.Citizen {
		return nil, fault.New(fault.Forbidden, "此操作仅限市民本人")
	}
	mobile, err := s.Mobile(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	if mobile == "" {
		return nil, fault.New(fault.Conflict, "账户尚未绑定手机号")
	}
	audit.Change(ctx, audit.Target{Kind: "Citizen", ID: p.ID, Area: p.AreaCode}, nil, map[string]any{"revealed": "mobile"})
	return &RevealOwnMobilePayload{Mobile: mobile, CitizenID: p.ID}, nil
}

// errTaken says that another account has the number.
var errTaken = fault.New(fault.Conflict, "该手机号已属于其他账户")

// lock locks the accounts in the order of their IDs, so that no two
// transactions wait for each other.
func lock(ctx context.Context, tx sqlx.ExtContext, ids ...string) (map[string]*row, error) {
	var rows []row
	err := sqlx.SelectContext(ctx, tx, &rows, `SELECT `+columns+` FROM platform.citizen WHERE id = ANY($1) ORDER BY id FOR UPDATE`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("citizen: locking: %w", err)
	}
	found := make(map[string]*row, len(rows))
	for i := range rows {
		found[rows[i].ID] = &rows[i]
	}
	return found, nil
}

// lockActive is lock for one account that must be active.
func lockActive(ctx context.Context, tx sqlx.ExtContext, id string) (*row, error) {
	found, err := lock(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if r := found[id]; r != nil && r.State == Active {
		return r, nil
	}
	return nil, fault.New(fault.Conflict, "账户当前状态不允许此操作")
}

// Holder gives the account of the number; "" if there is none. It keeps all
// others who want the number waiting until the transaction ends.
func (s *Service) Holder(ctx context.Context, tx sqlx.ExtContext, mobile string) (string, error) {
	indexes := s.index.All(mobile)
	if err := holdNumber(ctx, tx, indexes[len(indexes)-1]); err != nil {
		return "", err
	}
	found, err := byMobile(ctx, tx, indexes)
	if err != nil || found == nil {
		return "", err
	}
	return found.ID, nil
}

// SetMobile gives the active account the number, which nobody else may have, in
// the transaction, which is the system's. The first number is one thing,
// another number another: the account must have had none or one accordingly.
func (s *Service) SetMobile(ctx context.Context, tx sqlx.ExtContext, id, mobile string, first bool) error {
	holder, err := s.Holder(ctx, tx, mobile)
	if err != nil {
		return err
	}
	if holder == id {
		return fault.Invalid("input.mobile", "这已经是您账户的手机号")
	}
	if holder != "" {
		return errTaken
	}
	r, err := lockActive(ctx, tx, id)
	if err != nil {
		return err
	}
	if (r.Mobile == nil) != first {
		return fault.New(fault.Conflict, "账户的手机号刚刚已更改，请刷新后重试")
	}
	now := s.now()
	sealed, index := s.keys.Seal(place(id), mobile), s.index.Of(mobile)
	_, err = tx.ExecContext(ctx, `UPDATE platform.citizen SET mobile = $2, mobile_index = $3, version = version + 1, updated_at = $4 WHERE id = $1`,
		id, sealed, index, now)
	if database.Duplicate(err, "citizen_mobile") {
		return errTaken
	}
	if err != nil {
		return fmt.Errorf("citizen: setting the number: %w", err)
	}
	action := MobileChanged
	if first {
		action = MobileBound
	}
	return s.record(ctx, tx, id, action, "", now, map[string]any{"mobileChanged": now})
}
