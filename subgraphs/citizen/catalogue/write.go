package catalogue

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/bigram"
)

// vectors are the two texts that make the search column: the name, and all
// else that people may look for.
func vectors(s *Service, department, category string) (name, rest string) {
	return bigram.Vector(s.Name), bigram.Vector(s.Summary, department, category, s.Code)
}

// searchSQL builds the column of the two texts at the places given.
const searchSQL = `setweight($%d::text::tsvector, 'A') || setweight($%d::text::tsvector, 'B')`

// insert writes a new service with its master entry.
func insert(ctx context.Context, tx sqlx.ExtContext, s *Service, entryID, by string) error {
	name, rest := vectors(s, s.Department.Name, s.Category.Name)
	_, err := tx.ExecContext(ctx, `INSERT INTO citizen.service (id, code, seq_no, name, summary, department_id, category_id, kind, channels,
		assurance_level, eligibility, materials, fee_fen, contact, state, publication, health, area_code, edited, version, created_by, updated_by, search)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'OK', $17, $18, $19, $20, $20, `+
		fmt.Sprintf(searchSQL, 21, 22)+`)`,
		s.ID, s.Code, s.SeqNo, s.Name, s.Summary, s.Department.ID, s.Category.ID, string(s.Kind), pq.Array(s.Channels),
		string(s.AssuranceLevel), s.Eligibility, pq.Array(s.Materials), s.FeeFen, s.Contact, string(s.State), string(s.Publication),
		s.AreaCode, s.SeqNo == nil, s.Version, by, name, rest)
	if err != nil {
		return fmt.Errorf("catalogue: writing service %s: %w", s.Code, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO citizen.service_entry (id, service_id, client, target, sort_order, grey_percent, enabled, version, updated_by)
		VALUES ($1, $2, '', $3, $4, 100, true, 1, $5)`, entryID, s.ID, "/services/"+s.Code, s.SortOrder, by)
	if err != nil {
		return fmt.Errorf("catalogue: writing the master entry of %s: %w", s.Code, err)
	}
	return nil
}

// update writes what may change of a service, at its new version. edited marks
// its description as people's own, which the checked-in catalogue then leaves alone.
func update(ctx context.Context, tx sqlx.ExtContext, s *Service, edited bool, by string) error {
	name, rest := vectors(s, s.Department.Name, s.Category.Name)
	_, err := tx.ExecContext(ctx, `UPDATE citizen.service SET name = $2, summary = $3, department_id = $4, category_id = $5, kind = $6, channels = $7,
		assurance_level = $8, eligibility = $9, materials = $10, fee_fen = $11, contact = $12, state = $13, publication = $14,
		health = $15, health_note = $16, edited = edited OR $21, version = $17, updated_at = now(), updated_by = $18, search = `+
		fmt.Sprintf(searchSQL, 19, 20)+` WHERE id = $1`,
		s.ID, s.Name, s.Summary, s.Department.ID, s.Category.ID, string(s.Kind), pq.Array(s.Channels), string(s.AssuranceLevel), s.Eligibility,
		pq.Array(s.Materials), s.FeeFen, s.Contact, string(s.State), string(s.Publication), string(s.Health), s.HealthNote, s.Version, by, name, rest, edited)
	if err != nil {
		return fmt.Errorf("catalogue: changing service %s: %w", s.Code, err)
	}
	return nil
}

// remember appends a line to the service's history.
func remember(ctx context.Context, tx sqlx.ExtContext, s *Service, action ServiceAction, note *string, by *access.Principal) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO citizen.service_change (service_id, action, version, state, publication, note, actor_kind, actor_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		s.ID, string(action), s.Version, string(s.State), string(s.Publication), note, string(by.Kind), by.ID)
	if err != nil {
		return fmt.Errorf("catalogue: history of service %s: %w", s.Code, err)
	}
	return nil
}

// historyLimit bounds the lines of history that are shown.
const historyLimit = 50

// histories reads the newest lines of each service.
func histories(ctx context.Context, tx sqlx.QueryerContext, ids []string) (map[string][]*ServiceChange, error) {
	var lines []*ServiceChange
	err := sqlx.SelectContext(ctx, tx, &lines, `SELECT h.service_id, h.action, h.version, h.state, h.publication, h.note, h.actor_kind, h.actor_id, h.at
		FROM unnest($1::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
			SELECT service_id, id, action, version, state, publication, note, actor_kind, actor_id, at FROM citizen.service_change
			WHERE service_id = wanted.id ORDER BY id DESC LIMIT $2) h
		ORDER BY h.service_id, h.id DESC`, pq.Array(ids), historyLimit)
	if err != nil {
		return nil, fmt.Errorf("catalogue: reading history: %w", err)
	}
	by := make(map[string][]*ServiceChange, len(ids))
	for _, id := range ids {
		by[id] = []*ServiceChange{}
	}
	for _, line := range lines {
		by[line.ServiceID] = append(by[line.ServiceID], line)
	}
	return by, nil
}
