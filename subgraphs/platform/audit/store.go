package audit

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
)

const columns = `to_char(day, 'YYYY-MM-DD') AS day, seq, id, at, subgraph, action, result, actor_kind, actor_id, actor_name, actor_roles, actor_unit, actor_post,
	session, area_code, client, address, request, trace, purpose, target_kind, target_id, before, after, input, hash`

const sealColumns = `to_char(day, 'YYYY-MM-DD') AS day, count, previous, root, final, key_id, signature, sealed_at`

// lastSeal is the newest day's; nil when the log is empty.
func lastSeal(ctx context.Context, tx sqlx.QueryerContext) (*Seal, error) {
	var s Seal
	err := sqlx.GetContext(ctx, tx, &s, `SELECT `+sealColumns+` FROM platform.audit_seal ORDER BY platform.audit_seal.day DESC LIMIT 1`)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit: reading the last seal: %w", err)
	}
	return &s, nil
}

func putSeal(ctx context.Context, tx sqlx.ExecerContext, s *Seal) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO platform.audit_seal (day, count, previous, root, final, key_id, signature, sealed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (day) DO UPDATE SET count = excluded.count, root = excluded.root, final = excluded.final, key_id = excluded.key_id,
			signature = excluded.signature, sealed_at = excluded.sealed_at`,
		s.Day, s.Count, s.Previous, s.Root, s.Final, s.KeyID, s.Signature, s.SealedAt)
	if err != nil {
		return fmt.Errorf("audit: putting the seal of %s: %w", s.Day, err)
	}
	return nil
}

// partition makes sure that the day's month has its partition.
func partition(ctx context.Context, tx sqlx.ExecerContext, day string) error {
	if _, err := tx.ExecContext(ctx, `SELECT platform.audit_partition($1::date)`, day); err != nil {
		return fmt.Errorf("audit: making the partition of %s: %w", day, err)
	}
	return nil
}

// unseen drops the entries that the log holds, and repetitions. An entry's ID
// tells when it was made: it cannot stand in the log before.
func unseen(ctx context.Context, tx sqlx.QueryerContext, entries []*AuditEntry) ([]*AuditEntry, error) {
	ids, since := make([]string, len(entries)), time.Now()
	for i, e := range entries {
		ids[i] = e.ID
		if e.At.Before(since) {
			since = e.At
		}
	}
	var held []string
	err := sqlx.SelectContext(ctx, tx, &held, `SELECT id FROM platform.audit_entry WHERE id = ANY($1) AND day >= $2`,
		pq.Array(ids), dayOf(since.Add(-24*time.Hour)))
	if err != nil {
		return nil, fmt.Errorf("audit: looking for repetitions: %w", err)
	}
	seen := map[string]bool{}
	for _, id := range held {
		seen[id] = true
	}
	return slices.DeleteFunc(entries, func(e *AuditEntry) bool {
		again := seen[e.ID]
		seen[e.ID] = true
		return again
	}), nil
}

// fillPosts tells the posts of the workers among the actors, as they are now.
func fillPosts(ctx context.Context, tx sqlx.QueryerContext, entries []*AuditEntry) error {
	var ids []string
	for _, e := range entries {
		if e.ActorKind == string(access.Worker) && uuid.Validate(e.ActorID) == nil && !slices.Contains(ids, e.ActorID) {
			ids = append(ids, e.ActorID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var posts []struct {
		ID   string `db:"worker_id"`
		Post string `db:"post"`
	}
	err := sqlx.SelectContext(ctx, tx, &posts, `SELECT DISTINCT ON (worker_id) worker_id, post FROM platform.assignment
		WHERE worker_id = ANY($1) AND is_primary ORDER BY worker_id, valid_from DESC`, pq.Array(ids))
	if err != nil {
		return fmt.Errorf("audit: reading posts: %w", err)
	}
	of := make(map[string]string, len(posts))
	for _, p := range posts {
		of[p.ID] = p.Post
	}
	for _, e := range entries {
		e.ActorPost = of[e.ActorID]
	}
	return nil
}

// insert writes the entries in one statement.
func insert(ctx context.Context, tx sqlx.ExecerContext, entries []*AuditEntry) error {
	type row struct {
		Day        string    `json:"day"`
		Seq        int64     `json:"seq"`
		ID         string    `json:"id"`
		At         time.Time `json:"at"`
		Subgraph   string    `json:"subgraph"`
		Action     string    `json:"action"`
		Result     string    `json:"result"`
		ActorKind  string    `json:"actor_kind"`
		ActorID    string    `json:"actor_id"`
		ActorName  string    `json:"actor_name"`
		ActorRoles []string  `json:"actor_roles"`
		ActorUnit  string    `json:"actor_unit"`
		ActorPost  string    `json:"actor_post"`
		Session    string    `json:"session"`
		AreaCode   string    `json:"area_code"`
		Client     string    `json:"client"`
		Address    string    `json:"address"`
		Request    string    `json:"request"`
		Trace      string    `json:"trace"`
		Purpose    string    `json:"purpose"`
		TargetKind string    `json:"target_kind"`
		TargetID   string    `json:"target_id"`
		Before     string    `json:"before"`
		After      string    `json:"after"`
		Input      string    `json:"input"`
		Hash       string    `json:"hash"`
	}
	rows := make([]row, len(entries))
	for i, e := range entries {
		rows[i] = row{e.Day, e.Seq, e.ID, e.At, e.Subgraph, e.Action, e.Result, e.ActorKind, e.ActorID, e.ActorName, e.ActorRoles, e.ActorUnit, e.ActorPost,
			e.Session, e.AreaCode, e.Client, e.Address, e.Request, e.Trace, e.Purpose, e.TargetKind, e.TargetID, e.Before, e.After, e.Input, hex.EncodeToString(e.Hash)}
	}
	encoded, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.audit_entry (day, seq, id, at, subgraph, action, result, actor_kind, actor_id, actor_name, actor_roles, actor_unit, actor_post,
			session, area_code, client, address, request, trace, purpose, target_kind, target_id, before, after, input, hash)
		SELECT day, seq, id, at, subgraph, action, result, actor_kind, actor_id, actor_name, actor_roles, actor_unit, actor_post,
			session, area_code, client, address, request, trace, purpose, target_kind, target_id, before, after, input, decode(hash, 'hex')
		FROM json_to_recordset($1::json) AS r (day date, seq bigint, id uuid, at timestamptz, subgraph text, action text, result text, actor_kind text,
			actor_id text, actor_name text, actor_roles text[], actor_unit text, actor_post text, session text, area_code text, client text, address text,
			request text, trace text, purpose text, target_kind text, target_id text, before text, after text, input text, hash text)
		ORDER BY seq`, string(encoded))
	if err != nil {
		return fmt.Errorf("audit: appending %d entries: %w", len(entries), err)
	}
	return nil
}
