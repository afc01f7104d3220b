package citizen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

// LinkedAccount is a third-party account that signs a citizen in.
type LinkedAccount struct {
	ID        string          `db:"id"`
	CitizenID string          `db:"citizen_id"`
	Provider  thirdparty.Name `db:"provider"`
	LinkedAt  time.Time       `db:"linked_at"`
	UsedAt    time.Time       `db:"used_at"`
}

const (
	linkField   = "citizen.identity"
	linkColumns = `id, citizen_id, provider, linked_at, used_at`
)

// LinkedAccounts gives those of the signed-in citizen themselves, oldest first:
// at most one of each provider.
func (s *Service) LinkedAccounts(ctx context.Context, id string) (found []*LinkedAccount, err error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if p.ID != id {
		return nil, fault.New(fault.Forbidden, "绑定的账户仅限本人查看")
	}
	return found, s.db.Read(ctx, func(tx *sqlx.Tx) error {
		err := tx.SelectContext(ctx, &found, `SELECT `+linkColumns+` FROM platform.citizen_identity WHERE citizen_id = $1 ORDER BY linked_at, id`, id)
		if err != nil {
			return fmt.Errorf("citizen: linked accounts: %w", err)
		}
		return nil
	})
}

// sealedSubject is what is sealed and indexed of the provider's name for a person.
func sealedSubject(provider thirdparty.Name, subject string) string {
	return string(provider) + ":" + subject
}

// SealLink encrypts the provider's name for a person, of the link's ID, and makes
// its blind index. The demonstration data needs it too.
func SealLink(keys *personal.Keys, id string, provider thirdparty.Name, subject string) (sealed, blind []byte) {
	return keys.Seal(linkField+"/"+id, sealedSubject(provider, subject)), keys.Indexer(linkField).Of(sealedSubject(provider, subject))
}

// byLink finds and locks the link of the provider's subject; nil if there is none.
func (s *Service) byLink(ctx context.Context, tx sqlx.ExtContext, provider thirdparty.Name, subject string) (*LinkedAccount, error) {
	var found LinkedAccount
	err := sqlx.GetContext(ctx, tx, &found, `SELECT `+linkColumns+` FROM platform.citizen_identity WHERE provider = $1 AND subject_index = ANY($2) FOR UPDATE`,
		provider, pq.Array(s.keys.Indexer(linkField).All(sealedSubject(provider, subject))))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("citizen: by third party: %w", err)
	}
	return &found, nil
}

// SignInByLink gives the account of the provider's subject, made now (without a
// number) when there is none. For package session, inside its transaction as
// the system.
func (s *Service) SignInByLink(ctx context.Context, tx sqlx.ExtContext, provider thirdparty.Name, subject string) (c *Citizen, isNew bool, err error) {
	if err := s.holdSubject(ctx, tx, provider, subject); err != nil {
		return nil, false, err
	}
	link, err := s.byLink(ctx, tx, provider, subject)
	if err != nil {
		return nil, false, err
	}
	now := s.now()
	if link == nil {
		id, err := identifier.New()
		if err != nil {
			return nil, false, err
		}
		made := &Citizen{ID: id, Nickname: "市民" + strings.ToUpper(id[len(id)-6:]), AssuranceLevel: L0, State: Active, RegisteredAt: now}
		if _, err := insert(ctx, tx, made, nil, nil); err != nil {
			return nil, false, err
		}
		if err := s.insertLink(ctx, tx, id, provider, subject, now); err != nil {
			return nil, false, err
		}
		return made, true, outbox.Append(ctx, tx, "platform", outbox.Message{Subject: "platform.citizen.registered", Payload: map[string]string{"citizenId": id}})
	}
	if _, err := tx.ExecContext(ctx, `UPDATE platform.citizen_identity SET used_at = $2 WHERE id = $1`, link.ID, now); err != nil {
		return nil, false, fmt.Errorf("citizen: using a link: %w", err)
	}
	c, err = s.Admit(ctx, tx, link.CitizenID)
	return c, false, err
}

// holdSubject keeps all others who bring the same subject waiting until the
// transaction ends.
func (s *Service) holdSubject(ctx context.Context, tx sqlx.ExecerContext, provider thirdparty.Name, subject string) error {
	indexes := s.keys.Indexer(linkField).All(sealedSubject(provider, subject))
	return holdNumber(ctx, tx, indexes[len(indexes)-1])
}

func (s *Service) insertLink(ctx context.Context, tx sqlx.ExtContext, citizenID string, provider thirdparty.Name, subject string, at time.Time) error {
	id, err := identifier.New()
	if err != nil {
		return err
	}
	sealed, blind := SealLink(s.keys, id, provider, subject)
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.citizen_identity (id, citizen_id, provider, subject, subject_index, linked_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`,
		id, citizenID, provider, sealed, blind, at)
	if database.Duplicate(err, "citizen_identity_citizen") {
		return fault.New(fault.Conflict, "您的账户已绑定另一个%s账户，请先解除绑定", provider.Label())
	}
	if err != nil {
		return fmt.Errorf("citizen: linking: %w", err)
	}
	return nil
}

// Link links the provider's subject to the active account. Where it signs in
// another account, that one is merged into this one, if agreed to and if it has
// no number of its own; its ID is given. In the transaction, as the system.
func (s *Service) Link(ctx context.Context, tx sqlx.ExtContext, id string, provider thirdparty.Name, subject string, merge bool) (merged string, err error) {
	if err := s.holdSubject(ctx, tx, provider, subject); err != nil {
		return "", err
	}
	link, err := s.byLink(ctx, tx, provider, subject)
	if err != nil {
		return "", err
	}
	switch {
	case link != nil && link.CitizenID == id:
		return "", fault.New(fault.Conflict, "该%s账户已绑定，无需重复绑定", provider.Label())
	case link != nil && !merge:
		return "", fault.New(fault.Conflict, "该%s账户已用于另一个市民云账户，确认合并后可绑定", provider.Label())
	case link != nil:
		return link.CitizenID, s.Merge(ctx, tx, link.CitizenID, id)
	}
	if _, err := lockActive(ctx, tx, id); err != nil {
		return "", err
	}
	now := s.now()
	if err := s.insertLink(ctx, tx, id, provider, subject, now); err != nil {
		return "", err
	}
	return "", s.record(ctx, tx, id, Linked, string(provider), now, map[string]any{"linked": provider})
}

// Unlink removes the link to the provider. The last way to sign in stays.
func (s *Service) Unlink(ctx context.Context, tx sqlx.ExtContext, id string, provider thirdparty.Name) error {
	r, err := lockActive(ctx, tx, id)
	if err != nil {
		return err
	}
	if r.Mobile == nil {
		return fault.New(fault.Conflict, "请先绑定手机号，再解除%s绑定，否则将无法登录", provider.Label())
	}
	result, err := tx.ExecContext(ctx, `DELETE FROM platform.citizen_identity WHERE citizen_id = $1 AND provider = $2`, id, provider)
	if err != nil {
		return fmt.Errorf("citizen: unlinking: %w", err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return fault.New(fault.NotFound, "您的账户没有绑定%s", provider.Label())
	}
	return s.record(ctx, tx, id, Unlinked, string(provider), s.now(), map[string]any{"unlinked": provider})
}
