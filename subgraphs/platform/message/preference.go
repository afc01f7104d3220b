package message

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
)

type class = messagetemplate.Class

// MessagePreference is whether a citizen gets messages of a class.
type MessagePreference struct {
	Class        class `db:"class"`
	Allowed      bool  `db:"allowed"`
	MayOptOut    bool  `db:"-"`
	DailyLimit   *int  `db:"-"`
	QuietAtNight bool  `db:"-"`
}

// Preferences gives the citizen's own, one a class.
func (s *Service) Preferences(ctx context.Context) ([]*MessagePreference, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	var kept []MessagePreference
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &kept, `SELECT class, allowed FROM platform.message_preference WHERE citizen_id = $1`, p.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("message: preferences: %w", err)
	}
	list := make([]*MessagePreference, len(messagetemplate.Classes))
	for i, c := range messagetemplate.Classes {
		list[i] = preference(c, !slices.ContainsFunc(kept, func(k MessagePreference) bool { return k.Class == c && !k.Allowed }))
	}
	return list, nil
}

func preference(c class, allowed bool) *MessagePreference {
	rule := rules[c]
	p := &MessagePreference{Class: c, Allowed: allowed || !rule.MayOptOut, MayOptOut: rule.MayOptOut, QuietAtNight: rule.Quiet}
	if rule.Cap > 0 {
		p.DailyLimit = &rule.Cap
	}
	return p
}

// SetPreference says whether the citizen wants messages of the class from now on.
func (s *Service) SetPreference(ctx context.Context, c class, allowed bool) (*MessagePreference, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if !rules[c].MayOptOut && !allowed {
		return nil, fault.Invalid("input.class", "此类消息不能退订")
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.message_preference (citizen_id, class, allowed, updated_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (citizen_id, class) DO UPDATE SET allowed = excluded.allowed, updated_at = excluded.updated_at`, p.ID, c, allowed, s.Now())
		if err != nil {
			return fmt.Errorf("message: setting a preference: %w", err)
		}
		audit.Change(ctx, audit.Target{Kind: "Citizen", ID: p.ID, Area: p.AreaCode}, nil, map[string]any{"messages": c, "allowed": allowed})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return preference(c, allowed), nil
}

// Clicked notes that the recipient followed a notification; it counts as read
// too. One that was sent by no message is only read. It gives whether it was
// the first time.
func (s *Service) Clicked(ctx context.Context, notificationID string) (bool, error) {
	p := access.From(ctx)
	if p == nil || p.Kind == access.System {
		return false, fault.New(fault.Unauthenticated, "请先登录")
	}
	if !input.ID(notificationID) {
		return false, fault.New(fault.NotFound, "未找到该通知")
	}
	first := false
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		result, err := tx.ExecContext(ctx, `
			UPDATE platform.notification SET read_at = coalesce(read_at, $4) WHERE id = $1 AND recipient_kind = $2 AND recipient_id = $3`,
			notificationID, p.Kind, p.ID, s.Now())
		if err != nil {
			return fmt.Errorf("message: reading by click: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return fault.New(fault.NotFound, "未找到该通知").Because(err)
		}
		result, err = tx.ExecContext(ctx, `
			UPDATE platform.message_delivery SET clicked_at = $4 WHERE id = $1 AND recipient_kind = $2 AND recipient_id = $3 AND clicked_at IS NULL`,
			notificationID, p.Kind, p.ID, s.Now())
		if err != nil {
			return fmt.Errorf("message: click: %w", err)
		}
		n, err := result.RowsAffected()
		first = n == 1
		return err
	})
	return first, err
}

const pushPlace = "push.token/" // what a device's token is sealed for, with the row's ID

// RegisterDevice keeps the vendor's token of the caller's installation; the
// installation's last user gets the pushes.
func (s *Service) RegisterDevice(ctx context.Context, installationID, vendor, token string) error {
	p := access.From(ctx)
	if p == nil || p.Kind == access.System {
		return fault.New(fault.Unauthenticated, "请先登录")
	}
	if !input.ID(installationID) {
		return fault.Invalid("input.installationId", "安装标识须为 UUID")
	}
	if token == "" || len(token) > 300 {
		return fault.Invalid("input.token", "推送令牌有误")
	}
	id, err := identifier.New()
	if err != nil {
		return err
	}
	sealed, now := s.Keys.Seal(pushPlace+id, token), s.Now()
	ctx = access.AsSystem(ctx, "message") // the row may be another user's of the same device
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM platform.push_device WHERE installation_id = $1`, installationID); err != nil {
			return fmt.Errorf("message: registering a device: %w", err)
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.push_device (id, recipient_kind, recipient_id, installation_id, vendor, token, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id, p.Kind, p.ID, installationID, vendor, sealed, now)
		if err != nil {
			return fmt.Errorf("message: registering a device: %w", err)
		}
		return nil
	})
}
