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
	"github.com/citizencloud/citizencloud/foundation/condition"
	"github.com/citizencloud/citizencloud/foundation/division"
)

const columns = `to_char(entry.day, 'YYYY-MM-DD') AS day, seq, id, at, subgraph, action, result, actor_kind, actor_id, actor_name, actor_roles, actor_unit, actor_post,
	delegation, session, area_code, client, address, request, trace, purpose, target_kind, target_id, before, after, input, hash`

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

// fillPosts tells the posts in which the workers among the actors acted: that of
// the assignment that the record names, else the primary one.
func fillPosts(ctx context.Context, tx sqlx.QueryerContext, entries []*AuditEntry) error {
	var workers, assignments []string
	for _, e := range entries {
		if e.ActorKind == string(access.Worker) && uuid.Validate(e.ActorID) == nil {
			workers = append(workers, e.ActorID)
		}
		if uuid.Validate(e.assignment) == nil {
			assignments = append(assignments, e.assignment)
		}
	}
	if len(workers) == 0 {
		return nil
	}
	var posts []struct {
		ID      string `db:"id"`
		Worker  string `db:"worker_id"`
		Post    string `db:"post"`
		Primary bool   `db:"is_primary"`
	}
	err := sqlx.SelectContext(ctx, tx, &posts, `SELECT id, worker_id, post, is_primary FROM platform.assignment
		WHERE id = ANY($1) OR worker_id = ANY($2) AND is_primary ORDER BY valid_from`, pq.Array(assignments), pq.Array(workers))
	if err != nil {
		return fmt.Errorf("audit: reading posts: %w", err)
	}
	of := make(map[string]string, 2*len(posts))
	for _, p := range posts {
		of[p.ID] = p.Post
		if p.Primary {
			of[p.Worker] = p.Post // the newest stays
		}
	}
	for _, e := range entries {
		post, named := of[e.assignment]
		if !named {
			post = of[e.ActorID]
		}
		e.ActorPost = post
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
		Delegation string    `json:"delegation"`
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
		rows[i] = row{e.Day, e.Seq, e.ID, e.At, e.Subgraph, e.Action, e.Result, e.ActorKind, e.ActorID, e.ActorName, e.Roles, e.ActorUnit, e.ActorPost, e.Delegation,
			e.Session, e.AreaCode, e.Client, e.Address, e.RequestID, e.TraceID, e.Purpose, e.TargetKind, e.TargetID, e.Before, e.After, e.Input, hex.EncodeToString(e.Digest)}
	}
	encoded, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.audit_entry (day, seq, id, at, subgraph, action, result, actor_kind, actor_id, actor_name, actor_roles, actor_unit, actor_post,
			delegation, session, area_code, client, address, request, trace, purpose, target_kind, target_id, before, after, input, hash)
		SELECT day, seq, id, at, subgraph, action, result, actor_kind, actor_id, actor_name, actor_roles, actor_unit, actor_post,
			delegation, session, area_code, client, address, request, trace, purpose, target_kind, target_id, before, after, input, decode(hash, 'hex')
		FROM json_to_recordset($1::json) AS r (day date, seq bigint, id uuid, at timestamptz, subgraph text, action text, result text, actor_kind text,
			actor_id text, actor_name text, actor_roles text[], actor_unit text, actor_post text, delegation text, session text, area_code text, client text, address text,
			request text, trace text, purpose text, target_kind text, target_id text, before text, after text, input text, hash text)
		ORDER BY seq`, string(encoded))
	if err != nil {
		return fmt.Errorf("audit: appending %d entries: %w", len(entries), err)
	}
	return nil
}

// shown limits a list to the scopes and, where the reader is no auditor, to what
// administrators did.
func shown(w *condition.Where, scopes []string, administratorsOnly bool) {
	w.Add("area_code ^@ ANY(?::text[])", pq.Array(scopes))
	if administratorsOnly {
		w.Add("actor_roles && ARRAY['SYSTEM_ADMIN', 'SECURITY_ADMIN', 'AUDIT_ADMIN']")
	}
}

// list gives the chosen entries, newest first, from behind the key after.
func list(ctx context.Context, tx sqlx.QueryerContext, scopes []string, administratorsOnly bool, f AuditEntryFilter, after []string, limit int) ([]*AuditEntry, error) {
	w := new(condition.Where)
	shown(w, scopes, administratorsOnly)
	for _, t := range f.texts() {
		if t.value != nil {
			w.Add(t.column+" = ?", *t.value)
		}
	}
	if f.Outcome != nil && *f.Outcome == OutcomeDone {
		w.Add("result = 'OK'")
	} else if f.Outcome != nil {
		w.Add("result <> 'OK'")
	}
	if f.AreaID != nil {
		w.Add("area_code ^@ ?", division.Prefix(*f.AreaID))
	}
	if f.From != nil { // nothing is appended before it was done
		w.Add("at >= ?", *f.From)
		w.Add("entry.day >= ?::date", dayOf(f.From.Add(-24*time.Hour)))
	}
	if f.To != nil {
		w.Add("at < ?", *f.To)
	}
	if after != nil {
		w.Add("(entry.day, seq) < (?::date, ?::bigint)", after[0], after[1])
	}
	var entries []*AuditEntry
	query := `SELECT ` + columns + ` FROM platform.audit_entry AS entry WHERE ` + w.String() + ` ORDER BY entry.day DESC, seq DESC LIMIT ` + w.Arg(limit)
	if err := sqlx.SelectContext(ctx, tx, &entries, query, w.Args()...); err != nil {
		return nil, fmt.Errorf("audit: list: %w", err)
	}
	return entries, nil
}

func byIDs(ctx context.Context, tx sqlx.QueryerContext, scopes []string, administratorsOnly bool, ids []string) ([]*AuditEntry, error) {
	w := new(condition.Where)
	shown(w, scopes, administratorsOnly)
	w.Add("id = ANY(?)", pq.Array(ids))
	var entries []*AuditEntry
	if err := sqlx.SelectContext(ctx, tx, &entries, `SELECT `+columns+` FROM platform.audit_entry AS entry WHERE `+w.String(), w.Args()...); err != nil {
		return nil, fmt.Errorf("audit: by IDs: %w", err)
	}
	return entries, nil
}
