package demand

import (
	"context"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
)

const (
	// every is how often overdue demands are looked for.
	every = time.Minute
	// chunk is how many expire in one transaction.
	chunk = 100
)

// Run lets demands expire whose window is over, until the context ends. Any
// number of processes may run it.
func (ds *Demands) Run(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := ds.Expire(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "demands not expired, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Expire lets all open demands expire whose window is over by now.
func (ds *Demands) Expire(ctx context.Context) error {
	ctx = access.AsSystem(ctx, "demand")
	expiry, err := next(Expire, Open)
	if err != nil {
		return err
	}
	for {
		expired := 0
		err := ds.db.Write(ctx, func(tx *sqlx.Tx) error {
			found, err := overdue(ctx, tx, ds.now(), chunk)
			if err != nil {
				return err
			}
			for _, d := range found {
				if err := move(ctx, tx, d, expiry, nil); err != nil {
					return err
				}
			}
			expired = len(found)
			return nil
		})
		if err != nil || expired < chunk {
			return err
		}
	}
}
