package citizen

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// CitizenPersonalField is what may be revealed of a citizen.
type CitizenPersonalField string

// The fields.
const PersonalMobile CitizenPersonalField = "MOBILE"

// Revealed is a citizen with what was asked for in full.
type Revealed struct {
	Citizen *Citizen
	Mobile  *string // E.164; nil when not asked for
}

// Reveal shows personal data of a citizen in full to a worker who may, who has
// the citizen in the data scope, and who says what for. The look stands in the
// audit log before it happens: both are one transaction.
func (s *Service) Reveal(ctx context.Context, id string, fields []CitizenPersonalField, purpose string) (*Revealed, error) {
	p, err := access.Require(ctx, access.CitizenReveal)
	if err != nil {
		return nil, err
	}
	purpose = strings.TrimSpace(purpose)
	if n := utf8.RuneCountInString(purpose); n < 4 || n > 200 || !utf8.ValidString(purpose) {
		return nil, fault.Invalid("input.purpose", "请写明查看的目的，4 到 200 个字")
	}
	audit.For(ctx, purpose)
	if len(fields) == 0 || len(fields) > 10 {
		return nil, fault.Invalid("input.fields", "请选择要查看的信息")
	}
	notFound := fault.New(fault.NotFound, "未找到该市民，或不在您的管辖范围内")
	if !input.ID(id) {
		return nil, notFound
	}
	var shown *Revealed
	err = s.db.Write(ctx, func(tx *sqlx.Tx) error {
		rows, err := byIDs(ctx, tx, []string{id})
		if err != nil {
			return err
		}
		if len(rows) != 1 || rows[0].AreaCode == "" || !p.Covers(rows[0].AreaCode) {
			return notFound
		}
		made := &Revealed{}
		if made.Citizen, err = s.open(&rows[0]); err != nil {
			return err
		}
		for _, field := range fields {
			if field == PersonalMobile && len(rows[0].Mobile) > 0 {
				mobile, err := s.plain(&rows[0])
				if err != nil {
					return err
				}
				if mobile != "" {
					made.Mobile = &mobile
				}
			}
		}
		shown = made
		audit.Change(ctx, audit.Target{Kind: "Citizen", ID: id, Area: rows[0].AreaCode}, nil, map[string]any{"revealed": fields})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return shown, nil
}
