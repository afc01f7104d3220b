// Package institution keeps what was changed of units, posts, workers and
// delegations, and by whom: the three administrators see each other's deeds.
// Record also tells the audit log and the other subgraphs.
//
// Start reading at Change and Record; reading is Service's.
package institution

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// SubjectKind is what was changed.
type SubjectKind string

// The kinds of subjects.
const (
	OfUnit       SubjectKind = "UNIT"
	OfPost       SubjectKind = "POST"
	OfWorker     SubjectKind = "WORKER"
	OfDelegation SubjectKind = "DELEGATION"
)

// targets are the subjects in the audit log.
var targets = map[SubjectKind]string{OfUnit: "OrgUnit", OfPost: "Post", OfWorker: "Worker", OfDelegation: "Delegation"}

// ChangedSubject is the event of every change.
const ChangedSubject = "platform.institution.changed"

// InstitutionChange is one change, as it is kept.
type InstitutionChange struct {
	ID          string      `db:"id" json:"id"`
	At          time.Time   `db:"at" json:"at"`
	ActorID     string      `db:"actor_id" json:"actorId"`
	ActorName   string      `db:"actor_name" json:"-"`
	ActorRole   access.Role `db:"actor_role" json:"actorRole"`
	SubjectKind SubjectKind `db:"subject_kind" json:"subjectKind"`
	SubjectID   string      `db:"subject_id" json:"subjectId"`
	SubjectName string      `db:"subject_name" json:"-"`
	AreaCode    string      `db:"area_code" json:"areaCode"`
	Action      string      `db:"action" json:"action"`
	Detail      string      `db:"detail" json:"-"`
}

// Role is the administrator's role that the actor acted by; nil for none.
func (c *InstitutionChange) Role() *access.Role {
	if c.ActorRole == "" {
		return nil
	}
	return &c.ActorRole
}

// Subject is what a change is about.
type Subject struct {
	Kind     SubjectKind
	ID, Name string
	AreaCode string
}

// Record keeps that the context's principal did the action to the subject, in
// the transaction of the change: here, in the audit log and as an event. detail
// is a Chinese sentence; before and after are for the audit log.
func Record(ctx context.Context, tx sqlx.ExtContext, at time.Time, s Subject, action, detail string, before, after any) error {
	p := access.From(ctx)
	if p == nil {
		if p = access.ConfinedFrom(ctx); p == nil {
			return fmt.Errorf("institution: %s without anybody", action)
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("institution: %w", err)
	}
	change := InstitutionChange{ID: id.String(), At: at, ActorID: p.ID, ActorName: p.Name, SubjectKind: s.Kind, SubjectID: s.ID,
		SubjectName: s.Name, AreaCode: s.AreaCode, Action: action, Detail: detail}
	if held := access.Administrators(p.Roles); len(held) > 0 {
		change.ActorRole = held[0]
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO platform.institution_change (id, at, actor_id, actor_name, actor_role, subject_kind, subject_id, subject_name, area_code, action, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		change.ID, at, change.ActorID, change.ActorName, change.ActorRole, s.Kind, s.ID, s.Name, s.AreaCode, action, detail)
	if err != nil {
		return fmt.Errorf("institution: recording %s: %w", action, err)
	}
	audit.Change(ctx, audit.Target{Kind: targets[s.Kind], ID: s.ID, Area: s.AreaCode}, before, after)
	return outbox.Append(ctx, tx, "platform", outbox.Message{Subject: ChangedSubject, AreaCode: s.AreaCode, Payload: change})
}

// Service reads the changes, for who may see permissions, within the data scope.
type Service struct{ DB *database.DB }

// Filter chooses changes.
type Filter struct {
	SubjectID string      // "" is any
	Role      access.Role // by which administrator; "" is anybody
}

// Page is a page of changes.
type Page struct {
	Changes []*InstitutionChange
	Info    *keyset.PageInfo
}

// Key is a change's key in lists.
func Key(c *InstitutionChange) []string { return []string{c.ID} }

// List gives a page of the changes in the caller's scope, the newest first.
func (s *Service) List(ctx context.Context, f Filter, page keyset.Page) (Page, error) {
	p, err := access.Require(ctx, access.PermissionView)
	if err != nil {
		return Page{}, err
	}
	if f.SubjectID != "" && !input.ID(f.SubjectID) {
		return Page{}, fault.Invalid("subjectId", "标识无效")
	}
	after := "ffffffff-ffff-ffff-ffff-ffffffffffff"
	if page.After != nil {
		if after = page.After[0]; !input.ID(after) {
			return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
		}
	}
	var rows []*InstitutionChange
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return sqlx.SelectContext(ctx, tx, &rows, `
			SELECT id, at, actor_id, actor_name, actor_role, subject_kind, subject_id, subject_name, area_code, action, detail
			FROM platform.institution_change
			WHERE area_code ^@ ANY($1::text[]) AND ($2 = '' OR subject_id::text = $2) AND ($3 = '' OR actor_role = $3) AND id < $4::uuid
			ORDER BY id DESC LIMIT $5`, p.Scopes(), f.SubjectID, string(f.Role), after, page.Limit())
	})
	if err != nil {
		return Page{}, fmt.Errorf("institution: listing changes: %w", err)
	}
	found, info := keyset.Of(page, rows, Key)
	return Page{Changes: found, Info: info}, nil
}
