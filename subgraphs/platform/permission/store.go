package permission

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/post"
)

// held is a post with how many hold it.
type held struct {
	Unit      string         `db:"unit"`
	Post      string         `db:"post"`
	AreaCode  string         `db:"area_code"`
	Roles     pq.StringArray `db:"roles"`
	DataScope post.DataScope `db:"data_scope"`
	Areas     pq.StringArray `db:"scope_areas"`
	Workers   int            `db:"workers"`
}

func (h held) has(role access.Role) bool { return slices.Contains(h.Roles, string(role)) }

// maxRows bounds the posts of the matrix: Chengdu has some 3,300 units.
const maxRows = 20_000

// posts gives the active posts of the scope that carry a role, by area and
// unit, each with the number of active workers to whom it was granted.
func posts(ctx context.Context, tx sqlx.ExtContext, scopes []string) ([]held, error) {
	var found []held
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT u.name AS unit, p.name AS post, p.area_code, p.roles, p.data_scope, p.scope_areas, count(w.id) AS workers
		FROM platform.post p
		JOIN platform.org_unit u ON u.id = p.unit_id
		LEFT JOIN platform.assignment a ON a.post_id = p.id AND a.roles <> '{}' AND a.valid_from <= current_date AND (a.valid_to IS NULL OR a.valid_to >= current_date)
		LEFT JOIN platform.worker w ON w.id = a.worker_id AND w.state = 'ACTIVE'
		WHERE p.state = 'ACTIVE' AND p.roles <> '{}' AND p.area_code ^@ ANY($1::text[])
		GROUP BY p.id, u.id ORDER BY p.area_code, u.name, p.name, p.id LIMIT $2`, pq.Array(scopes), maxRows)
	if err != nil {
		return nil, fmt.Errorf("permission: reading posts: %w", err)
	}
	return found, nil
}
