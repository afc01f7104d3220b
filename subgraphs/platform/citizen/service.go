package citizen

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/mask"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// Service answers questions about citizens, and changes a citizen's own profile.
type Service struct {
	db    *database.DB
	keys  *personal.Keys
	index personal.Indexer
	now   func() time.Time
}

// New makes the service.
func New(db *database.DB, keys *personal.Keys, now func() time.Time) *Service {
	return &Service{db: db, keys: keys, index: keys.Indexer(mobileField), now: now}
}

const mobileField = "citizen.mobile"

// Seal encrypts the mobile number (E.164) of the citizen, and makes its blind
// index. The demonstration data needs it too.
func Seal(keys *personal.Keys, index personal.Indexer, id, mobile string) (sealed, blind []byte) {
	return keys.Seal(place(id), mobile), index.Of(mobile)
}

// Indexer makes the blind indexes of mobile numbers.
func Indexer(keys *personal.Keys) personal.Indexer { return keys.Indexer(mobileField) }

func place(id string) string { return mobileField + "/" + id }

// visible says whether the caller may see the account: oneself, and with
// citizen.view who lives in the data scope.
func visible(p *access.Principal, c *Citizen) bool {
	if p == nil {
		return false
	}
	return p.Kind == access.Citizen && p.ID == c.ID || c.AreaCode != "" && p.May(access.CitizenView) && p.Covers(c.AreaCode) || p.Kind == access.System
}

// ByIDs gives the citizens of the IDs that the caller may see, by ID. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*Citizen, error) {
	known, p := input.IDs(ids), access.From(ctx)
	found := make(map[string]*Citizen, len(known))
	if len(known) == 0 || p == nil {
		return found, nil
	}
	return found, s.db.Read(ctx, func(tx *sqlx.Tx) error {
		rows, err := byIDs(ctx, tx, known)
		if err != nil {
			return err
		}
		for i := range rows {
			if !visible(p, &rows[i].Citizen) {
				continue
			}
			c, err := s.open(&rows[i])
			if err != nil {
				return err
			}
			found[c.ID] = c
		}
		return nil
	})
}

func (s *Service) open(r *row) (*Citizen, error) {
	mobile, err := s.plain(r)
	if err != nil {
		return nil, err
	}
	if mobile == "" {
		return &r.Citizen, nil
	}
	r.Citizen.Mobile = &mobile
	return &r.Citizen, nil
}

// UpdateProfile changes the signed-in citizen's own profile.
func (s *Service) UpdateProfile(ctx context.Context, changes Changes) (*Citizen, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if changes, err = changes.Check(); err != nil {
		return nil, err
	}
	var changed *Citizen
	err = s.db.Write(ctx, func(tx *sqlx.Tx) error {
		if changes.AreaCode != nil {
			if exists, err := areaExists(ctx, tx, *changes.AreaCode); err != nil {
				return err
			} else if !exists {
				return fault.Invalid("input.areaId", "没有这个社区，请重新选择")
			}
		}
		before, err := byIDs(ctx, tx, []string{p.ID})
		if err != nil {
			return err
		}
		ok, err := update(ctx, tx, p.ID, changes, s.now())
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.Conflict, "账户当前状态不允许修改资料")
		}
		rows, err := byIDs(ctx, tx, []string{p.ID})
		if err != nil {
			return err
		}
		if len(rows) != 1 {
			return fmt.Errorf("citizen: %d rows of one ID after a change", len(rows))
		}
		if changed, err = s.open(&rows[0]); err != nil {
			return err
		}
		for i := range before {
			audit.Change(ctx, audit.Target{Kind: "Citizen", ID: p.ID, Area: changed.AreaCode}, before[i].audited(), rows[0].audited())
		}
		return outbox.Append(ctx, tx, "platform", outbox.Message{
			Subject: "platform.citizen.changed", AreaCode: changed.AreaCode, Payload: map[string]string{"citizenId": p.ID}})
	})
	return changed, err
}

// audited is what the audit log says of the account as it stands.
func (c *Citizen) audited() map[string]any {
	return map[string]any{"nickname": mask.Name(c.Nickname), "areaId": c.AreaCode, "state": c.State, "assuranceLevel": c.AssuranceLevel}
}

// SignIn gives the account of the mobile number (E.164), made now when there
// is none. Locked and ended accounts are refused. For package session, inside
// its transaction as the system.
func (s *Service) SignIn(ctx context.Context, tx sqlx.ExtContext, mobile string) (c *Citizen, isNew bool, err error) {
	indexes := s.index.All(mobile)
	found, err := byMobile(ctx, tx, indexes)
	if err != nil {
		return nil, false, err
	}
	if found == nil {
		if isNew, err = s.register(ctx, tx, mobile, indexes); err != nil {
			return nil, false, err
		}
		if found, err = byMobile(ctx, tx, indexes); err != nil {
			return nil, false, err
		}
		if found == nil {
			return nil, false, fmt.Errorf("citizen: a new account cannot be found")
		}
	}
	c, err = s.admit(ctx, tx, found)
	return c, isNew, err
}

// Admit is SignIn for the account of the ID, whose holder has shown it to be theirs.
func (s *Service) Admit(ctx context.Context, tx sqlx.ExtContext, id string) (*Citizen, error) {
	rows, err := byIDs(ctx, tx, []string{id})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errEnded
	}
	return s.admit(ctx, tx, &rows[0])
}

var errEnded = fault.New(fault.Locked, "账户已锁定或注销，请联系服务热线")

// admit lets the account's holder in: signing in withdraws a cancellation.
func (s *Service) admit(ctx context.Context, tx sqlx.ExtContext, r *row) (*Citizen, error) {
	if r.State == Cancelling {
		back, err := s.withdraw(ctx, tx, r.ID)
		if err != nil {
			return nil, err
		}
		if back {
			r.State = Active
		}
	}
	if r.State != Active {
		return nil, errEnded
	}
	return s.open(r)
}

// register makes the account. While the keys of the index change, one number has
// several indexes, and its uniqueness does not keep two processes apart: the
// lock of the index that both know does.
func (s *Service) register(ctx context.Context, tx sqlx.ExtContext, mobile string, indexes [][]byte) (bool, error) {
	if len(indexes) > 1 {
		if err := holdNumber(ctx, tx, indexes[len(indexes)-1]); err != nil {
			return false, err
		}
		if found, err := byMobile(ctx, tx, indexes); err != nil || found != nil {
			return false, err
		}
	}
	id, err := identifier.New()
	if err != nil {
		return false, err
	}
	c := &Citizen{ID: id, Nickname: "市民" + strings.ToUpper(id[len(id)-6:]), AssuranceLevel: L0, State: Active, RegisteredAt: s.now()}
	made, err := insert(ctx, tx, c, s.keys.Seal(place(id), mobile), s.index.Of(mobile))
	if err != nil || !made {
		return false, err
	}
	return true, outbox.Append(ctx, tx, "platform", outbox.Message{
		Subject: "platform.citizen.registered", Payload: map[string]string{"citizenId": id}})
}

// Acting gives the citizen as a principal without a session; nil when the
// account may not act. For package session, inside its transaction as the system.
func (s *Service) Acting(ctx context.Context, tx sqlx.ExtContext, id string) (*access.Principal, error) {
	rows, err := byIDs(ctx, tx, []string{id})
	if err != nil || len(rows) == 0 || rows[0].State != Active {
		return nil, err
	}
	return rows[0].Principal(), nil
}
