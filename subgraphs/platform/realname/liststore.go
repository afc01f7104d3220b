package realname

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// casesOf gives a page of the cases at the counters of an area and all below it.
func casesOf(ctx context.Context, tx sqlx.QueryerContext, areaCode string, states []VerificationState, page keyset.Page) ([]*IdentityVerification, error) {
	if len(states) == 0 {
		states = []VerificationState{Submitted, InReview}
	}
	texts := make([]string, len(states))
	for i, state := range states {
		texts[i] = string(state)
	}
	area, id := after(page)
	return many[IdentityVerification](ctx, tx, "cases of an area", `SELECT `+columns+` FROM platform.realname_verification v
		WHERE v.method = 'OFFLINE' AND v.area_code >= $1 AND v.area_code < $1 || ':' AND v.state = ANY($2) AND (v.area_code, v.id) > ($3, $4::uuid)
		ORDER BY v.area_code, v.id LIMIT $5`, division.Prefix(areaCode), pq.Array(texts), area, id, page.Limit())
}

func ofCitizen(ctx context.Context, tx sqlx.QueryerContext, citizenID string, page keyset.Page) ([]*IdentityVerification, error) {
	before := identifier.Last
	if page.After != nil {
		before = page.After[0]
	}
	return many[IdentityVerification](ctx, tx, "of a citizen", `SELECT `+columns+` FROM platform.realname_verification v
		WHERE v.citizen_id = $1 AND v.id < $2::uuid ORDER BY v.id DESC LIMIT $3`, citizenID, before, page.Limit())
}

func names(ctx context.Context, tx sqlx.QueryerContext, ids []string) (map[string]string, error) {
	list, err := many[struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}](ctx, tx, "names", `SELECT id, name FROM platform.worker WHERE id = ANY($1::uuid[])`, pq.Array(ids))
	called := make(map[string]string, len(list))
	for _, w := range list {
		called[w.ID] = w.Name
	}
	return called, err
}

func materialsOf(ctx context.Context, tx sqlx.QueryerContext, verificationID string) (ids []string, err error) {
	err = sqlx.SelectContext(ctx, tx, &ids, `SELECT file_id FROM platform.realname_evidence WHERE verification_id = $1 AND erased_at IS NULL ORDER BY id`, verificationID)
	if err != nil {
		return nil, fmt.Errorf("realname: materials: %w", err)
	}
	return ids, nil
}
