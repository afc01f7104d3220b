package worker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/post"
)

// Hat is in which post of one's own, or by which delegation, a worker acts: one
// at a time, so that no role of one post reaches the area of another.
type Hat struct {
	AssignmentID string
	DelegationID string // "" in a post of one's own
}

// Acting is a worker as a principal without a session.
type Acting struct {
	Principal *access.Principal
	Until     time.Time // when the delegation that is acted by ends; zero for none
	// Administrator says that some post or delegation of the worker carries an
	// administrator's role: then signing in takes a second factor.
	Administrator bool
	PasswordDue   bool
}

// hat is a present post or delegation of a worker.
type hat struct {
	WorkerName   string         `db:"name"`
	PasswordDue  bool           `db:"password_due"`
	AssignmentID string         `db:"assignment_id"`
	DelegationID string         `db:"delegation_id"`
	AreaCode     string         `db:"area_code"`
	UnitID       string         `db:"unit_id"`
	Names        pq.StringArray `db:"roles"`
	DataScope    post.DataScope `db:"data_scope"`
	ScopeAreas   pq.StringArray `db:"scope_areas"`
	Streets      pq.StringArray `db:"streets"` // of a functional zone among the areas
	Until        *time.Time     `db:"until"`
}

// maxHats bounds the posts and delegations that are looked at.
const maxHats = 100

// zoneStreets are the streets that a functional zone among a's areas runs.
const zoneStreets = `ARRAY(SELECT z.code FROM platform.area z WHERE z.level = 'STREET'
	AND z.zone_code = ANY (CASE a.data_scope WHEN 'CUSTOM' THEN a.scope_areas ELSE ARRAY[u.area_code] END) ORDER BY z.code)`

// hats gives the present posts of an active worker, the primary first, and
// after them the present delegations, of active units all. A delegation gives
// no role that the post behind it has lost, and stops with who gave it.
func hats(ctx context.Context, tx sqlx.ExtContext, id string, now time.Time) ([]hat, error) {
	var found []hat
	err := sqlx.SelectContext(ctx, tx, &found, `
		SELECT w.name, w.password_due, h.assignment_id, h.delegation_id, h.area_code, h.unit_id, h.roles, h.data_scope, h.scope_areas, h.streets, h.until
		FROM platform.worker w CROSS JOIN LATERAL (
			SELECT a.id AS assignment_id, '' AS delegation_id, u.area_code, a.unit_id, a.roles, a.data_scope, a.scope_areas, `+zoneStreets+` AS streets,
			       NULL::timestamptz AS until, a.is_primary, a.valid_from
			FROM platform.assignment a JOIN platform.org_unit u ON u.id = a.unit_id AND u.state = 'ACTIVE'
			WHERE a.worker_id = w.id AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to >= $2)
			UNION ALL
			SELECT a.id, d.id::text, u.area_code, a.unit_id, ARRAY(SELECT unnest(d.roles) INTERSECT SELECT unnest(a.roles) ORDER BY 1),
			       a.data_scope, a.scope_areas, `+zoneStreets+`, d.ends_at, false, d.starts_at::date
			FROM platform.delegation d
			JOIN platform.assignment a ON a.id = d.assignment_id AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to >= $2)
			JOIN platform.org_unit u ON u.id = a.unit_id AND u.state = 'ACTIVE'
			JOIN platform.worker f ON f.id = d.from_worker_id AND f.state = 'ACTIVE'
			WHERE d.to_worker_id = w.id AND d.revoked_at IS NULL AND d.starts_at <= $3 AND d.ends_at > $3
		) h
		WHERE w.id = $1 AND w.state = 'ACTIVE'
		ORDER BY h.delegation_id <> '', h.is_primary DESC, h.valid_from DESC, h.assignment_id, h.delegation_id LIMIT $4`, id, Day(now), now, maxHats)
	if err != nil {
		return nil, fmt.Errorf("worker: acting: %w", err)
	}
	return found, nil
}

// Acting gives the worker in the wanted post or by the wanted delegation, or
// where that does not count any more, in the primary post; nil when the worker
// may not act: suspended, left, without a present post of their own, or in
// units that are suspended. For package session, inside its transaction as the system.
func (s *Service) Acting(ctx context.Context, tx sqlx.ExtContext, id string, wanted Hat) (*Acting, error) {
	found, err := hats(ctx, tx, id, s.Now())
	if err != nil || len(found) == 0 || found[0].DelegationID != "" {
		return nil, err
	}
	chosen := found[0]
	acting := &Acting{PasswordDue: chosen.PasswordDue}
	for _, h := range found {
		if wanted != (Hat{}) && h.DelegationID == wanted.DelegationID && (h.AssignmentID == wanted.AssignmentID || wanted.AssignmentID == "") {
			chosen = h
		}
		acting.Administrator = acting.Administrator || slices.ContainsFunc(roles(h.Names), access.Role.Administrator)
	}
	if chosen.Until != nil {
		acting.Until = *chosen.Until
	}
	acting.Principal = &access.Principal{Kind: access.Worker, ID: id, Name: chosen.WorkerName, AreaCode: chosen.AreaCode,
		Prefixes: chosen.DataScope.Prefixes(chosen.AreaCode, chosen.ScopeAreas, chosen.Streets),
		UnitID:   chosen.UnitID, AssignmentID: chosen.AssignmentID, DelegationID: chosen.DelegationID, Roles: roles(chosen.Names)}
	return acting, nil
}

// beijing is the time by which days begin and end.
var beijing = time.FixedZone("CST", 8*60*60)

// Day is the day of the moment, YYYY-MM-DD.
func Day(at time.Time) string { return at.In(beijing).Format(time.DateOnly) }
