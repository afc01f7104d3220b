// Package favourite holds the services that citizens marked as favourites. Only
// the citizen sees and changes them; row-level security says so too.
//
// Start reading at Favourites.
package favourite

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
)

// FavouriteServiceInput names the service to mark.
type FavouriteServiceInput struct{ ServiceID string }

// UnfavouriteServiceInput names the service to unmark.
type UnfavouriteServiceInput struct{ ServiceID string }

// limit is how many favourites a citizen may have.
const limit = 200

// Favourites reads and changes the signed-in citizen's favourites.
type Favourites struct {
	db        *database.DB
	catalogue *catalogue.Catalogue
	now       func() time.Time
}

// New makes the favourites over the database.
func New(db *database.DB, c *catalogue.Catalogue, now func() time.Time) *Favourites {
	return &Favourites{db: db, catalogue: c, now: now}
}

// Add marks a published service; one that is marked stays so.
func (f *Favourites) Add(ctx context.Context, in FavouriteServiceInput) (*catalogue.Service, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	service, err := f.service(ctx, in.ServiceID)
	if err != nil {
		return nil, err
	}
	return service, f.db.Write(ctx, func(tx *sqlx.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO citizen.favourite (citizen_id, service_id, created_at)
			SELECT $1, $2, $3 WHERE (SELECT count(*) FROM citizen.favourite WHERE citizen_id = $1) < $4
				OR EXISTS (SELECT FROM citizen.favourite WHERE citizen_id = $1 AND service_id = $2)
			ON CONFLICT DO NOTHING`, citizen.ID, service.ID, f.now(), limit)
		if err != nil {
			return fmt.Errorf("favourite: marking %s: %w", service.Code, err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			return err
		}
		var marked bool
		err = tx.GetContext(ctx, &marked, `SELECT EXISTS (SELECT FROM citizen.favourite WHERE citizen_id = $1 AND service_id = $2)`, citizen.ID, service.ID)
		if err == nil && !marked {
			err = fault.New(fault.Full, "最多可收藏 %d 项服务", limit)
		}
		return err
	})
}

// Remove unmarks a service; one that is not marked stays so.
func (f *Favourites) Remove(ctx context.Context, in UnfavouriteServiceInput) (*catalogue.Service, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	service, err := f.service(ctx, in.ServiceID)
	if err != nil {
		return nil, err
	}
	return service, f.db.Write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM citizen.favourite WHERE citizen_id = $1 AND service_id = $2`, citizen.ID, service.ID)
		if err != nil {
			return fmt.Errorf("favourite: unmarking %s: %w", service.Code, err)
		}
		return nil
	})
}

func (f *Favourites) service(ctx context.Context, id string) (*catalogue.Service, error) {
	found, err := f.catalogue.Find(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, fault.New(fault.NotFound, "未找到该服务，或服务尚未发布")
	}
	return found[id], nil
}

// List gives the citizen's newest favourites that are still published. All are
// read, at most limit: hidden ones take no place of others.
func (f *Favourites) List(ctx context.Context, first int) ([]*catalogue.Service, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	err = f.db.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &ids, `SELECT service_id FROM citizen.favourite WHERE citizen_id = $1
			ORDER BY created_at DESC, service_id LIMIT $2`, citizen.ID, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("favourite: listing: %w", err)
	}
	published, err := f.catalogue.Published(ctx)
	if err != nil {
		return nil, err
	}
	return published.Ordered(ids, first), nil
}

// Marked says which of the services are the citizen's favourites.
func (f *Favourites) Marked(ctx context.Context, serviceIDs []string) (map[string]bool, error) {
	citizen, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	marked := map[string]bool{}
	err = f.db.Read(ctx, func(tx *sqlx.Tx) error {
		var ids []string
		err := tx.SelectContext(ctx, &ids, `SELECT service_id FROM citizen.favourite WHERE citizen_id = $1 AND service_id = ANY($2::uuid[])`,
			citizen.ID, pq.Array(serviceIDs))
		if err != nil {
			return fmt.Errorf("favourite: looking which are marked: %w", err)
		}
		for _, id := range ids {
			marked[id] = true
		}
		return nil
	})
	return marked, err
}
