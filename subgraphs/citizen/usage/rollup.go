package usage

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
)

const (
	// every is how long a use waits to be counted, at most.
	every = 2 * time.Second
	// renewal is how often what counts as recent is computed anew.
	renewal = time.Hour
	// batch is how many uses one transaction counts.
	batch = 5000
	// recentDays is how far "recent" goes back.
	recentDays = 30
	// keepDays is how long counts by day are kept.
	keepDays = 400
)

// Run counts uses until the context ends. Any number of processes may run it.
func (u *Usage) Run(ctx context.Context, log *slog.Logger) error {
	count, renew := time.NewTicker(every), time.NewTicker(renewal)
	defer count.Stop()
	defer renew.Stop()
	if err := u.Renew(ctx); err != nil && ctx.Err() == nil {
		log.WarnContext(ctx, "popularity not renewed, will try again", "error", err)
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-count.C:
			err = u.Count(ctx)
		case <-renew.C:
			err = u.Renew(ctx)
		}
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "uses not counted, will try again", "error", err)
		}
	}
}

// Count counts all uses that are recorded by now, each once: it is taken away
// in the transaction that counts it.
func (u *Usage) Count(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "usage")
	for {
		counted := 0
		err := u.db.Write(ctx, func(tx *sqlx.Tx) error {
			// Processes take turns: two that count the same service at once would
			// lock its rows in different orders.
			var turn bool
			if err := tx.GetContext(ctx, &turn, `SELECT pg_try_advisory_xact_lock(hashtext('citizen.usage'))`); err != nil || !turn {
				return err
			}
			return tx.GetContext(ctx, &counted, `WITH taken AS (
					DELETE FROM citizen.uncounted_use WHERE id IN (SELECT id FROM citizen.uncounted_use ORDER BY id LIMIT $1)
					RETURNING service_id, client, left(area_code, 6) || '000000' AS district, (at AT TIME ZONE 'Asia/Shanghai')::date AS day
				), daily AS (
					INSERT INTO citizen.daily_use (area_code, day, service_id, client, uses)
					SELECT district, day, service_id, client, count(*) FROM taken GROUP BY district, day, service_id, client
					ON CONFLICT (area_code, day, service_id, client) DO UPDATE SET uses = daily_use.uses + excluded.uses
				), popular AS (
					INSERT INTO citizen.popularity (area_code, service_id, total, recent)
					SELECT area_code, service_id, count(*), count(*)
					FROM taken CROSS JOIN LATERAL (SELECT DISTINCT unnest(ARRAY[district, $2]) AS area_code) areas
					GROUP BY area_code, service_id
					ON CONFLICT (area_code, service_id) DO UPDATE SET total = popularity.total + excluded.total, recent = popularity.recent + excluded.recent
				)
				SELECT count(*) FROM taken`, batch, division.CityCode)
		})
		if err != nil {
			return fmt.Errorf("usage: counting: %w", err)
		}
		if counted > 0 {
			u.renewRanking(ctx)
		}
		if counted < batch {
			return nil
		}
	}
}

// Renew computes anew what was used in the last thirty days, and drops counts
// by day that are too old to be shown.
func (u *Usage) Renew(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "usage")
	err := u.db.Write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('citizen.usage'))`); err != nil {
			return err
		}
		today := u.now()
		if _, err := tx.ExecContext(ctx, `DELETE FROM citizen.daily_use WHERE day < ($1::timestamptz AT TIME ZONE 'Asia/Shanghai')::date - $2::int`, today, keepDays); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE citizen.popularity o SET recent = COALESCE(n.uses, 0)
			FROM citizen.popularity old LEFT JOIN (
				SELECT areas.area_code, service_id, sum(uses) AS uses
				FROM citizen.daily_use CROSS JOIN LATERAL (SELECT DISTINCT unnest(ARRAY[daily_use.area_code, $3]) AS area_code) areas
				WHERE day > ($1::timestamptz AT TIME ZONE 'Asia/Shanghai')::date - $2::int
				GROUP BY areas.area_code, service_id
			) n ON n.area_code = old.area_code AND n.service_id = old.service_id
			WHERE o.area_code = old.area_code AND o.service_id = old.service_id AND o.recent <> COALESCE(n.uses, 0)`, today, recentDays, division.CityCode)
		return err
	})
	if err != nil {
		return fmt.Errorf("usage: renewing popularity: %w", err)
	}
	u.renewRanking(ctx)
	return nil
}

// renewRanking brings the new counts into this process's copy; other processes
// see them when theirs grows old.
func (u *Usage) renewRanking(ctx context.Context) {
	if err := u.ranking.Renew(ctx); err != nil {
		u.ranking.Drop()
	}
}
