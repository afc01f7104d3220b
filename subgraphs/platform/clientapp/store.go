package clientapp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

const columns = `id, client_id, name, summary, homepage, kind, audience, own_client, unit_id, area_code, redirect_uris, logout_uris, scopes, operations,
	granted_scopes, granted_operations, daily_quota, rate_per_second, state, state_reason, created_by, submitted_by, reviewed_by, version, created_at, updated_at`

// one gives the application that the condition finds, nil if there is none.
func one(ctx context.Context, tx sqlx.ExtContext, where string, args ...any) (*ClientApp, error) {
	var a ClientApp
	err := sqlx.GetContext(ctx, tx, &a, `SELECT `+columns+` FROM platform.client_app WHERE `+where, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("clientapp: reading: %w", err)
	}
	return &a, nil
}

func locked(ctx context.Context, tx sqlx.ExtContext, id string) (*ClientApp, error) {
	return one(ctx, tx, `id = $1 FOR UPDATE`, id)
}

func byIDs(ctx context.Context, tx sqlx.ExtContext, ids []string) (list []*ClientApp, err error) {
	if err := sqlx.SelectContext(ctx, tx, &list, `SELECT `+columns+` FROM platform.client_app WHERE id = ANY($1)`, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("clientapp: reading: %w", err)
	}
	return list, nil
}

// list gives applications, the newest first.
func list(ctx context.Context, tx sqlx.ExtContext, prefixes []string, unitID string, f Filter, before string, limit int) (found []*ClientApp, err error) {
	w := new(condition.Where)
	w.Add("area_code ^@ ANY(?::text[])", pq.Array(prefixes))
	w.Add("id < ?", before)
	if unitID != "" {
		w.Add("unit_id = ?", unitID)
	}
	if len(f.States) > 0 {
		w.Add("state = ANY(?::text[])", pq.Array(f.States))
	}
	if f.Search != "" {
		w.Add("strpos(lower(name), lower(?)) > 0", f.Search)
	}
	bound := w.Arg(limit)
	if err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM platform.client_app WHERE `+w.String()+` ORDER BY id DESC LIMIT `+bound, w.Args()...); err != nil {
		return nil, fmt.Errorf("clientapp: listing: %w", err)
	}
	return found, nil
}

func insert(ctx context.Context, tx sqlx.ExtContext, a *ClientApp) error {
	_, err := sqlx.NamedExecContext(ctx, tx, `
		INSERT INTO platform.client_app (`+columns+`)
		VALUES (:id, :client_id, :name, :summary, :homepage, :kind, :audience, :own_client, :unit_id, :area_code, :redirect_uris, :logout_uris, :scopes, :operations,
			:granted_scopes, :granted_operations, :daily_quota, :rate_per_second, :state, :state_reason, :created_by, :submitted_by, :reviewed_by, :version, :created_at, :updated_at)`, a.stored())
	if err != nil {
		return fmt.Errorf("clientapp: inserting: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx sqlx.ExtContext, a *ClientApp) error {
	_, err := sqlx.NamedExecContext(ctx, tx, `
		UPDATE platform.client_app SET name = :name, summary = :summary, homepage = :homepage, kind = :kind, audience = :audience, own_client = :own_client,
			redirect_uris = :redirect_uris, logout_uris = :logout_uris, scopes = :scopes, operations = :operations, granted_scopes = :granted_scopes,
			granted_operations = :granted_operations, daily_quota = :daily_quota, rate_per_second = :rate_per_second, state = :state, state_reason = :state_reason,
			submitted_by = :submitted_by, reviewed_by = :reviewed_by, version = :version, updated_at = :updated_at
		WHERE id = :id`, a.stored())
	if err != nil {
		return fmt.Errorf("clientapp: updating: %w", err)
	}
	return nil
}

// stored is the application without nil arrays, which would be NULL.
func (a *ClientApp) stored() *ClientApp {
	c := *a
	for _, list := range []*pq.StringArray{&c.RedirectURIs, &c.LogoutURIs, &c.Asked, &c.AskedOperations, &c.Granted, &c.GrantedOperations} {
		if *list == nil {
			*list = pq.StringArray{}
		}
	}
	return &c
}

// unitArea gives the area of an active unit.
func unitArea(ctx context.Context, tx sqlx.ExtContext, unitID string) (code string, err error) {
	err = sqlx.GetContext(ctx, tx, &code, `SELECT area_code FROM platform.org_unit WHERE id = $1 AND state = 'ACTIVE'`, unitID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fault.New(fault.Conflict, "所在单位已停用，不能申请应用")
	}
	if err != nil {
		return "", fmt.Errorf("clientapp: the unit's area: %w", err)
	}
	return code, nil
}

func insertHistory(ctx context.Context, tx sqlx.ExtContext, id, appID string, at time.Time, workerID string, action Action, from, to State, reason string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.client_app_history (id, client_app_id, at, worker_id, action, from_state, to_state, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, appID, at, workerID, action, from, to, reason)
	if err != nil {
		return fmt.Errorf("clientapp: history: %w", err)
	}
	return nil
}

// maxHistory bounds the lines that are shown of one application.
const maxHistory = 100

func histories(ctx context.Context, tx sqlx.ExtContext, ids []string) (lines []*Event, err error) {
	err = sqlx.SelectContext(ctx, tx, &lines, `
		SELECT h.id, h.client_app_id, h.at, h.worker_id, h.action, h.from_state, h.to_state, h.reason
		FROM unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL (
			SELECT id, client_app_id, at, worker_id, action, from_state, to_state, reason FROM platform.client_app_history
			WHERE client_app_id = asked.id ORDER BY id DESC LIMIT $2) h
		ORDER BY h.id DESC`, pq.Array(ids), maxHistory)
	if err != nil {
		return nil, fmt.Errorf("clientapp: history: %w", err)
	}
	return lines, nil
}

const counts = `(expires_at IS NULL OR expires_at > $2)`

func countingSecrets(ctx context.Context, tx sqlx.ExtContext, appID string, now time.Time) (n int, err error) {
	err = sqlx.GetContext(ctx, tx, &n, `SELECT count(*) FROM platform.client_app_secret WHERE client_app_id = $1 AND `+counts, appID, now)
	if err != nil {
		return 0, fmt.Errorf("clientapp: counting keys: %w", err)
	}
	return n, nil
}

// insertSecret keeps a new key, and lets those before end at the time.
func insertSecret(ctx context.Context, tx sqlx.ExtContext, s *Secret, hash []byte, others time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE platform.client_app_secret SET expires_at = $3 WHERE client_app_id = $1 AND `+counts+` AND (expires_at IS NULL OR expires_at > $3)`,
		s.ClientAppID, s.CreatedAt, others)
	if err == nil {
		_, err = tx.ExecContext(ctx, `
			INSERT INTO platform.client_app_secret (id, client_app_id, hash, hint, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			s.ID, s.ClientAppID, hash, s.Hint, s.CreatedBy, s.CreatedAt)
	}
	if err != nil {
		return fmt.Errorf("clientapp: keeping a key: %w", err)
	}
	return nil
}

type secretHash struct {
	ID   string `db:"id"`
	Hash []byte `db:"hash"`
}

func secretHashes(ctx context.Context, tx sqlx.ExtContext, appID string, now time.Time) (found []secretHash, err error) {
	err = sqlx.SelectContext(ctx, tx, &found, `SELECT id, hash FROM platform.client_app_secret WHERE client_app_id = $1 AND `+counts+` LIMIT 10`, appID, now)
	if err != nil {
		return nil, fmt.Errorf("clientapp: reading keys: %w", err)
	}
	return found, nil
}

// usedSecret notes the use of a key, once a minute.
func usedSecret(ctx context.Context, tx sqlx.ExtContext, id string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE platform.client_app_secret SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2::timestamptz - interval '1 minute')`, id, now)
	if err != nil {
		return fmt.Errorf("clientapp: noting the use of a key: %w", err)
	}
	return nil
}

// maxShownSecrets bounds the keys that are shown of one application.
const maxShownSecrets = 20

func secrets(ctx context.Context, tx sqlx.ExtContext, ids []string) (found []*Secret, err error) {
	err = sqlx.SelectContext(ctx, tx, &found, `
		SELECT s.id, s.client_app_id, s.hint, s.created_by, s.created_at, s.expires_at, s.used_at
		FROM unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL (
			SELECT id, client_app_id, hint, created_by, created_at, expires_at, used_at FROM platform.client_app_secret
			WHERE client_app_id = asked.id ORDER BY created_at DESC LIMIT $2) s
		ORDER BY s.created_at DESC`, pq.Array(ids), maxShownSecrets)
	if err != nil {
		return nil, fmt.Errorf("clientapp: reading keys: %w", err)
	}
	return found, nil
}

func days(ctx context.Context, tx sqlx.ExtContext, ids []string, from, to string) (found []*Day, err error) {
	err = sqlx.SelectContext(ctx, tx, &found, `
		SELECT client_app_id, to_char(day, 'YYYY-MM-DD') AS day, calls, errors, refusals FROM platform.client_app_day
		WHERE client_app_id = ANY($1) AND day BETWEEN $2::date AND $3::date ORDER BY client_app_id, day DESC`, pq.Array(ids), from, to)
	if err != nil {
		return nil, fmt.Errorf("clientapp: statistics: %w", err)
	}
	return found, nil
}

// add adds to a day's figures.
func add(ctx context.Context, tx sqlx.ExtContext, d Day) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.client_app_day AS d (client_app_id, day, calls, errors, refusals) VALUES ($1, $2::date, $3, $4, $5)
		ON CONFLICT (client_app_id, day) DO UPDATE SET calls = d.calls + excluded.calls, errors = d.errors + excluded.errors, refusals = d.refusals + excluded.refusals`,
		d.ClientAppID, d.Day, d.Calls, d.Errors, d.Refusals)
	if err != nil {
		return fmt.Errorf("clientapp: statistics: %w", err)
	}
	return nil
}
