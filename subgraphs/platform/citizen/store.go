package citizen

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/database"
)

const columns = `id, nickname, mobile, area_code, assurance_level, state, registered_at`

type row struct {
	Citizen
	Mobile []byte `db:"mobile"`
}

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string) ([]row, error) {
	var rows []row
	err := sqlx.SelectContext(database.PlannedOnce(ctx), tx, &rows, `SELECT `+columns+` FROM platform.citizen WHERE id = ANY($1)`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("citizen: by IDs: %w", err)
	}
	return rows, nil
}

// byMobile gives the account that stands under one of the number's blind
// indexes; nil if there is none.
func byMobile(ctx context.Context, tx sqlx.ExtContext, indexes [][]byte) (*row, error) {
	var found row
	err := sqlx.GetContext(ctx, tx, &found, `SELECT `+columns+` FROM platform.citizen WHERE mobile_index = ANY($1)`, pq.Array(indexes))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("citizen: by mobile: %w", err)
	}
	return &found, nil
}

// holdNumber keeps all others who register the number waiting until the
// transaction ends.
func holdNumber(ctx context.Context, tx sqlx.ExecerContext, index []byte) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "citizen.mobile "+hex.EncodeToString(index)); err != nil {
		return fmt.Errorf("citizen: waiting for the number: %w", err)
	}
	return nil
}

// insert makes the account, unless another request just made one for the same
// number: then it tells false.
func insert(ctx context.Context, tx sqlx.ExtContext, c *Citizen, mobile, index []byte) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO platform.citizen (id, nickname, mobile, mobile_index, area_code, assurance_level, state, registered_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (mobile_index) DO NOTHING`,
		c.ID, c.Nickname, mobile, index, c.AreaCode, c.AssuranceLevel, c.State, c.RegisteredAt)
	if err != nil {
		return false, fmt.Errorf("citizen: registering: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// update changes what is given, and tells whether there was such an account.
func update(ctx context.Context, tx sqlx.ExtContext, id string, c Changes, at time.Time) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		UPDATE platform.citizen
		SET nickname = coalesce($2, nickname), area_code = coalesce($3, area_code), version = version + 1, updated_at = $4
		WHERE id = $1 AND state = 'ACTIVE'`, id, c.Nickname, c.AreaCode, at)
	if err != nil {
		return false, fmt.Errorf("citizen: changing the profile: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// areaExists says whether the community is a valid one.
func areaExists(ctx context.Context, tx sqlx.ExtContext, code string) (bool, error) {
	var exists bool
	err := sqlx.GetContext(ctx, tx, &exists, `
		SELECT EXISTS (SELECT FROM platform.area WHERE code = $1 AND level = 'COMMUNITY' AND (valid_to IS NULL OR valid_to > current_date))`, code)
	if err != nil {
		return false, fmt.Errorf("citizen: looking for the community: %w", err)
	}
	return exists, nil
}
