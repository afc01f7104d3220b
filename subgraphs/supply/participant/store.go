package participant

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

const columns = `id, uscc, name, kind, introduction, phone, area_code, qualifications, state, review_note, pending, citizen_id, version, created_at, updated_at`

// Filter chooses participants of a list. Scope is the area that the caller works for.
type Filter struct {
	Scope    string
	Prefixes []string // of area codes, where the scope is not one area
	AreaID   *string
	States   []ParticipantState
	Kind     *ParticipantKind
	Search   string
}

func list(ctx context.Context, tx sqlx.QueryerContext, f Filter, page keyset.Page) ([]*Participant, error) {
	w := new(condition.Where)
	if f.AreaID == nil && f.Prefixes != nil {
		w.Add("area_code ^@ ANY(?::text[])", pq.Array(f.Prefixes))
	} else {
		area := f.Scope
		if f.AreaID != nil {
			area = *f.AreaID
		}
		prefix := w.Arg(division.Prefix(area))
		w.Add("area_code >= " + prefix + " AND area_code < " + prefix + " || ':'")
	}
	if len(f.States) > 0 {
		w.Add("state = ANY(?)", pq.Array(f.States))
	}
	if f.Kind != nil {
		w.Add("kind = ?", string(*f.Kind))
	}
	if f.Search != "" {
		query, _ := bigram.Query(f.Search)
		w.Add("search @@ ?::tsquery", query)
	}
	if page.After != nil {
		w.Add("id < ?::uuid", page.After[0])
	}
	var found []*Participant
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.participant WHERE `+w.String()+
		` ORDER BY id DESC LIMIT `+strconv.Itoa(page.Limit()), w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("participant: listing: %w", err)
	}
	return found, nil
}

// ownLimit bounds the participants that one citizen sees as their own.
const ownLimit = 20

func ofCitizen(ctx context.Context, tx sqlx.QueryerContext, citizenID string) ([]*Participant, error) {
	var found []*Participant
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.participant WHERE citizen_id = $1 ORDER BY id DESC LIMIT $2`, citizenID, ownLimit)
	if err != nil {
		return nil, fmt.Errorf("participant: reading a citizen's: %w", err)
	}
	return found, nil
}

// ByIDs reads the participants of the IDs that row-level security shows, in no order.
func ByIDs(ctx context.Context, tx sqlx.QueryerContext, ids []string) ([]*Participant, error) {
	var found []*Participant
	err := sqlx.SelectContext(database.PlannedOnce(ctx), tx, &found, `SELECT `+columns+` FROM supply.participant WHERE id = ANY($1::uuid[])`, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("participant: reading: %w", err)
	}
	return found, nil
}

// lock reads a participant that the caller may change, and holds it; nil if there is none.
func lock(ctx context.Context, tx sqlx.QueryerContext, id string) (*Participant, error) {
	var found []*Participant
	err := sqlx.SelectContext(ctx, tx, &found, `SELECT `+columns+` FROM supply.participant WHERE id = $1 FOR UPDATE`, id)
	if err != nil {
		return nil, fmt.Errorf("participant: reading one to change: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

func vector(p *Participant) string { return bigram.Vector(p.Name, p.Introduction, p.Code) }

func insert(ctx context.Context, tx sqlx.QueryerContext, p *Participant) error {
	err := sqlx.GetContext(ctx, tx, p, `INSERT INTO supply.participant (id, uscc, name, kind, introduction, phone, area_code, qualifications, state, citizen_id, search, version, updated_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::uuid, $11::text::tsvector, $12, $10::uuid::text) RETURNING created_at, updated_at`,
		p.ID, p.Code, p.Name, string(p.Kind), p.Introduction, p.Phone, p.AreaCode, p.Held, string(p.State), p.ApplicantID, vector(p), p.Version)
	if err != nil {
		return fmt.Errorf("participant: writing: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx sqlx.QueryerContext, p *Participant, by string) error {
	err := sqlx.GetContext(ctx, tx, &p.UpdatedAt, `UPDATE supply.participant SET name = $2, introduction = $3, phone = $4, qualifications = $5, state = $6,
		review_note = $7, pending = $8, search = $9::text::tsvector, version = $10, updated_by = $11, updated_at = now() WHERE id = $1 RETURNING updated_at`,
		p.ID, p.Name, p.Introduction, p.Phone, p.Held, string(p.State), p.Verdict, p.Pending, vector(p), p.Version, by)
	if err != nil {
		return fmt.Errorf("participant: changing: %w", err)
	}
	return nil
}

// offer shows or hides all services of the participant.
func offer(ctx context.Context, tx sqlx.ExecerContext, p *Participant) error {
	_, err := tx.ExecContext(ctx, `UPDATE supply.community_service SET offered = $2 WHERE participant_id = $1 AND offered <> $2`, p.ID, p.Live())
	if err != nil {
		return fmt.Errorf("participant: showing or hiding services: %w", err)
	}
	return nil
}
