package communityservice

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/bigram"
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

const columns = `s.id, s.participant_id, s.area_code, s.citizen_id, s.name, s.summary, s.description, s.category, s.price_fen, s.price_unit,
	s.hours, s.phone, s.state, s.offered, s.delisted_by, s.review_note, s.listed_at, s.version, s.created_at, s.updated_at`

// Filter chooses services of the managed list: one owner's, or those of
// participants in the areas of Scope.
type Filter struct {
	OwnerID       string
	Scope         string
	Prefixes      []string // of area codes, where the scope is not one area
	AreaID        *string
	ParticipantID *string
	Category      *SupplyCategory
	States        []CommunityServiceState
	Search        string
	OnShelf       bool // only what everybody may see
}

func list(ctx context.Context, tx sqlx.QueryerContext, f Filter, page keyset.Page) ([]*CommunityService, error) {
	w := new(condition.Where)
	if f.OwnerID != "" {
		w.Add("s.citizen_id = ?", f.OwnerID)
	} else if f.Prefixes != nil {
		w.Add("s.area_code ^@ ANY(?::text[])", pq.Array(f.Prefixes))
	} else {
		below(w, "s.area_code", f.Scope)
	}
	if f.AreaID != nil {
		below(w, "s.area_code", *f.AreaID)
	}
	if f.OnShelf {
		w.Add("s.state = 'LISTED' AND s.offered")
	}
	if f.ParticipantID != nil {
		w.Add("s.participant_id = ?", *f.ParticipantID)
	}
	if f.Category != nil {
		w.Add("s.category = ?", string(*f.Category))
	}
	if len(f.States) > 0 {
		w.Add("s.state = ANY(?)", pq.Array(f.States))
	}
	if f.Search != "" {
		query, _ := bigram.Query(f.Search)
		w.Add("s.search @@ ?::tsquery", query)
	}
	if page.After != nil {
		w.Add("s.id < ?::uuid", page.After[0])
	}
	var found []*CommunityService
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.community_service s WHERE `+w.String()+
		` ORDER BY s.id DESC LIMIT `+strconv.Itoa(page.Limit()), w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("communityservice: listing: %w", err)
	}
	return found, nil
}

// below adds that the column's area is the given one or lies in it: a range, so
// that an index serves it; ':' is the character after '9'.
func below(w *condition.Where, column, area string) {
	prefix := w.Arg(division.Prefix(area))
	w.Add(column + " >= " + prefix + " AND " + column + " < " + prefix + " || ':'")
}

// ByIDs reads the services of the IDs that row-level security shows, in no order.
func ByIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*CommunityService, error) {
	var found []*CommunityService
	err := sqlx.SelectContext(database.PlannedOnce(ctx), tx, &found, `SELECT `+columns+` FROM supply.community_service s WHERE s.id = ANY($1::uuid[])`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("communityservice: reading: %w", err)
	}
	return found, nil
}

func lock(ctx context.Context, tx sqlx.QueryerContext, id string) (*CommunityService, error) {
	var found []*CommunityService
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.community_service s WHERE s.id = $1 FOR UPDATE`, id)
	if err != nil {
		return nil, fmt.Errorf("communityservice: reading one to change: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

func vector(s *CommunityService) string {
	return bigram.Vector(s.Name, s.Summary, s.Category.Name(), s.Description)
}

func insert(ctx context.Context, tx sqlx.QueryerContext, s *CommunityService) error {
	err := sqlx.GetContext(ctx, tx, s, `INSERT INTO supply.community_service (id, participant_id, area_code, citizen_id, name, summary, description, category,
		price_fen, price_unit, hours, phone, state, offered, search, version, updated_by)
		VALUES ($1, $2, $3, $4::uuid, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text::tsvector, $16, $4::uuid::text) RETURNING created_at, updated_at`,
		s.ID, s.ParticipantID, s.AreaCode, s.OwnerID, s.Name, s.Summary, s.Description, string(s.Category), s.PriceFen, s.PriceUnit,
		s.Hours, s.Phone, string(s.State), s.Offered, vector(s), s.Version)
	if err != nil {
		return fmt.Errorf("communityservice: writing: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx sqlx.QueryerContext, s *CommunityService, by string) error {
	err := sqlx.GetContext(ctx, tx, &s.UpdatedAt, `UPDATE supply.community_service SET name = $2, summary = $3, description = $4, category = $5,
		price_fen = $6, price_unit = $7, hours = $8, phone = $9, state = $10, delisted_by = $11, review_note = $12, listed_at = $13,
		search = $14::text::tsvector, version = $15, updated_by = $16, updated_at = now() WHERE id = $1 RETURNING updated_at`,
		s.ID, s.Name, s.Summary, s.Description, string(s.Category), s.PriceFen, s.PriceUnit, s.Hours, s.Phone, string(s.State),
		s.DelistedBy, s.Verdict, s.ListedAt, vector(s), s.Version, by)
	if err != nil {
		return fmt.Errorf("communityservice: changing: %w", err)
	}
	return nil
}

func distribute(ctx context.Context, tx sqlx.ExecerContext, serviceID string, areas []string, workerID string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO supply.distribution (service_id, area_code, worker_id)
		SELECT $1, code, $3 FROM unnest($2::text[]) AS wanted (code) ON CONFLICT DO NOTHING`, serviceID, pq.Array(areas), workerID)
	if err != nil {
		return fmt.Errorf("communityservice: distributing: %w", err)
	}
	return nil
}

func withdraw(ctx context.Context, tx sqlx.ExecerContext, serviceID string, areas []string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM supply.distribution WHERE service_id = $1 AND area_code = ANY($2)`, serviceID, pq.Array(areas))
	if err != nil {
		return fmt.Errorf("communityservice: withdrawing a distribution: %w", err)
	}
	return nil
}

// distributions reads one page of each service's areas.
func distributions(ctx context.Context, tx sqlx.QueryerContext, ids []string, after string, limit int) (map[string][]*Distribution, error) {
	var rows []*Distribution
	err := sqlx.SelectContext(ctx, tx, &rows, `SELECT d.service_id, d.area_code, d.at FROM unnest($1::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
			SELECT service_id, area_code, at FROM supply.distribution WHERE service_id = wanted.id AND area_code > $2 ORDER BY area_code LIMIT $3) d
		ORDER BY d.service_id, d.area_code`, pq.Array(ids), after, limit)
	if err != nil {
		return nil, fmt.Errorf("communityservice: reading distributions: %w", err)
	}
	by := make(map[string][]*Distribution, len(ids))
	for _, d := range rows {
		by[d.ServiceID] = append(by[d.ServiceID], d)
	}
	return by, nil
}
