package citizen

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// SetLevel sets the account's assurance level; detail says by what. For package
// realname, which alone decides on it, inside its transaction as the system. An
// account that may not act is refused a rise.
func (s *Service) SetLevel(ctx context.Context, tx sqlx.ExtContext, id string, level AssuranceLevel, detail string) error {
	found, err := lock(ctx, tx, id)
	if err != nil {
		return err
	}
	r := found[id]
	if r == nil {
		return fmt.Errorf("citizen: the level of nobody")
	}
	if level > r.AssuranceLevel && r.State != Active {
		return errEnded
	}
	if level == r.AssuranceLevel {
		return nil
	}
	now := s.now()
	_, err = tx.ExecContext(ctx, `UPDATE platform.citizen SET assurance_level = $2, version = version + 1, updated_at = $3 WHERE id = $1`, id, level, now)
	if err != nil {
		return fmt.Errorf("citizen: setting the level: %w", err)
	}
	return s.record(ctx, tx, id, LevelChanged, detail+" "+string(r.AssuranceLevel)+"→"+string(level), now, map[string]any{"assuranceLevel": level})
}

// Standing refuses accounts that may not act. It locks the account, so that two
// of its requests go one after the other.
func (s *Service) Standing(ctx context.Context, tx sqlx.ExtContext, id string) error {
	_, err := lockActive(ctx, tx, id)
	return err
}

// Lock keeps all others who change the account waiting until the transaction ends.
func (s *Service) Lock(ctx context.Context, tx sqlx.ExtContext, id string) error {
	_, err := lock(ctx, tx, id)
	return err
}

// InScope says whether the worker's data scope has the account.
func (s *Service) InScope(ctx context.Context, tx sqlx.ExtContext, id string, p *access.Principal) (bool, error) {
	rows, err := byIDs(ctx, tx, []string{id})
	return err == nil && len(rows) == 1 && rows[0].AreaCode != "" && p.Covers(rows[0].AreaCode), err
}
