package activity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// registrationColumns count the position of whoever waits on the way.
const registrationColumns = `r.id, r.seq, r.activity_id, r.area_code, r.citizen_id, r.state, r.registered_at,
	CASE WHEN r.state = 'WAITLISTED' THEN (SELECT count(*) FROM community.registration w
		WHERE w.activity_id = r.activity_id AND w.state = 'WAITLISTED' AND w.seq <= r.seq) END AS position`

// active reads the citizen's registration that was not withdrawn; nil for none.
func active(ctx context.Context, tx sqlx.QueryerContext, activityID, citizenID string) (*Registration, error) {
	return registration(ctx, tx, `r.activity_id = $1 AND r.citizen_id = $2 AND r.state <> 'WITHDRAWN'`, activityID, citizenID)
}

// registrationOf reads a registration; nil for none that the transaction's principal may see.
func registrationOf(ctx context.Context, tx sqlx.QueryerContext, id string) (*Registration, error) {
	return registration(ctx, tx, `r.id = $1`, id)
}

// firstWaiting reads who waits longest; nil when nobody does.
func firstWaiting(ctx context.Context, tx sqlx.QueryerContext, activityID string) (*Registration, error) {
	return registration(ctx, tx, `r.activity_id = $1 AND r.state = 'WAITLISTED' ORDER BY r.seq LIMIT 1`, activityID)
}

func registration(ctx context.Context, tx sqlx.QueryerContext, where string, args ...any) (*Registration, error) {
	var r Registration
	err := sqlx.GetContext(ctx, tx, &r, `SELECT `+registrationColumns+` FROM community.registration r WHERE `+where, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("activity: reading a registration: %w", err)
	}
	return &r, nil
}

// registrationsOf reads the citizen's registrations for the activities that
// were not withdrawn; one statement.
func registrationsOf(ctx context.Context, tx sqlx.QueryerContext, citizenID string, activityIDs []string) ([]*Registration, error) {
	var rows []*Registration
	err := sqlx.SelectContext(database.PlannedOnce(ctx), tx, &rows,
		`SELECT `+registrationColumns+` FROM community.registration r WHERE r.citizen_id = $1 AND r.activity_id = ANY($2) AND r.state <> 'WITHDRAWN'`,
		citizenID, pq.Array(activityIDs))
	if err != nil {
		return nil, fmt.Errorf("activity: reading a citizen's registrations: %w", err)
	}
	return rows, nil
}

// ofCitizen reads a page of the citizen's registrations, newest first.
func ofCitizen(ctx context.Context, tx sqlx.QueryerContext, citizenID string, page keyset.Page) ([]*Registration, error) {
	args := []any{citizenID}
	after := ""
	if page.After != nil {
		args = append(args, page.After[0])
		after = " AND r.seq < $2::bigint"
	}
	return registrations(ctx, tx, `r.citizen_id = $1`+after+` ORDER BY r.seq DESC LIMIT `+strconv.Itoa(page.Limit()), args...)
}

// ofActivity reads a page of the activity's registrations, first come first.
func ofActivity(ctx context.Context, tx sqlx.QueryerContext, activityID string, states []RegistrationState, page keyset.Page) ([]*Registration, error) {
	args := []any{activityID}
	where := `r.activity_id = $1`
	if len(states) > 0 {
		args = append(args, pq.Array(states))
		where += " AND r.state = ANY($2)"
	}
	if page.After != nil {
		args = append(args, page.After[0])
		where += " AND r.seq > $" + strconv.Itoa(len(args)) + "::bigint"
	}
	return registrations(ctx, tx, where+` ORDER BY r.seq LIMIT `+strconv.Itoa(page.Limit()), args...)
}

func registrations(ctx context.Context, tx sqlx.QueryerContext, where string, args ...any) ([]*Registration, error) {
	var rows []*Registration
	err := sqlx.SelectContext(ctx, tx, &rows, `SELECT `+registrationColumns+` FROM community.registration r WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("activity: listing registrations: %w", err)
	}
	return rows, nil
}

func insertRegistration(ctx context.Context, tx sqlx.ExtContext, r *Registration) error {
	err := sqlx.GetContext(ctx, tx, &r.Seq,
		`INSERT INTO community.registration (id, activity_id, area_code, citizen_id, state, registered_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING seq`,
		r.ID, r.ActivityID, r.AreaCode, r.CitizenID, r.State, r.RegisteredAt)
	if err != nil {
		return fmt.Errorf("activity: inserting a registration: %w", err)
	}
	audit.Change(ctx, r.target(), nil, map[string]any{"state": r.State, "activityId": r.ActivityID})
	return nil
}

func setState(ctx context.Context, tx sqlx.ExtContext, r *Registration, to RegistrationState, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE community.registration SET state = $2, updated_at = $3 WHERE id = $1`, r.ID, to, at)
	if err != nil {
		return fmt.Errorf("activity: registration %s to %s: %w", r.ID, to, err)
	}
	audit.Change(ctx, r.target(), map[string]any{"state": r.State}, map[string]any{"state": to})
	r.State, r.WaitlistPosition = to, nil
	return nil
}

// target is the registration in the audit log.
func (r *Registration) target() audit.Target {
	return audit.Target{Kind: "Registration", ID: r.ID, Area: r.AreaCode}
}

// finish marks who did not come.
func finish(ctx context.Context, tx sqlx.ExtContext, activityID string, at time.Time) error {
	_, err := tx.ExecContext(ctx,
		`UPDATE community.registration SET state = 'ABSENT', updated_at = $2 WHERE activity_id = $1 AND state = 'CONFIRMED'`, activityID, at)
	if err != nil {
		return fmt.Errorf("activity: marking who was absent from %s: %w", activityID, err)
	}
	return nil
}

// attendees reads who is to be told of a cancellation.
func attendees(ctx context.Context, tx sqlx.QueryerContext, activityID string) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids,
		`SELECT citizen_id FROM community.registration WHERE activity_id = $1 AND state IN ('CONFIRMED', 'WAITLISTED') ORDER BY seq`, activityID)
	if err != nil {
		return nil, fmt.Errorf("activity: reading who registered for %s: %w", activityID, err)
	}
	return ids, nil
}

// sharedBy reads the activities that both citizens are registered for, in an
// order that all who lock several keep.
func sharedBy(ctx context.Context, tx sqlx.QueryerContext, one, other string) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids, `
		SELECT activity_id FROM community.registration WHERE citizen_id = $1 AND state <> 'WITHDRAWN'
		INTERSECT SELECT activity_id FROM community.registration WHERE citizen_id = $2 AND state <> 'WITHDRAWN' ORDER BY 1`, one, other)
	if err != nil {
		return nil, fmt.Errorf("activity: reading what two are registered for: %w", err)
	}
	return ids, nil
}

// comingOf reads the published activities still to begin that the citizen is registered for.
func comingOf(ctx context.Context, tx sqlx.QueryerContext, citizenID string, now time.Time) ([]string, error) {
	var ids []string
	err := sqlx.SelectContext(ctx, tx, &ids, `
		SELECT a.id FROM community.registration r JOIN community.activity a ON a.id = r.activity_id
		WHERE r.citizen_id = $1 AND r.state <> 'WITHDRAWN' AND a.state = 'PUBLISHED' AND a.starts_at > $2 ORDER BY a.id`, citizenID, now)
	if err != nil {
		return nil, fmt.Errorf("activity: reading what is to come for a citizen: %w", err)
	}
	return ids, nil
}
