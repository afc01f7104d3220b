package audit

import (
	"context"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// Service searches the log, within the caller's data scope: auditors search all
// of it, the three administrators what they and the two others did.
type Service struct {
	DB  *database.DB
	Now func() time.Time
}

// AuditOutcome says whether something was done.
type AuditOutcome string

// The outcomes.
const (
	OutcomeDone    AuditOutcome = "DONE"
	OutcomeRefused AuditOutcome = "REFUSED"
)

// AuditEntryFilter chooses entries; what is nil does not matter.
type AuditEntryFilter struct {
	ActorID    *string
	TargetID   *string
	TargetKind *string
	Subgraph   *string
	Action     *string
	Outcome    *AuditOutcome
	Code       *string // the refusal's code
	RequestID  *string
	AreaID     *string // and all below
	From       *time.Time
	To         *time.Time // not included
}

// maxFilter bounds each text of a filter, in characters.
const maxFilter = 100

// texts are the filter's texts: their names in the schema, and their columns.
func (f *AuditEntryFilter) texts() []filterText {
	return []filterText{{"actorId", "actor_id", f.ActorID}, {"targetId", "target_id", f.TargetID}, {"targetKind", "target_kind", f.TargetKind},
		{"subgraph", "subgraph", f.Subgraph}, {"action", "action", f.Action}, {"code", "result", f.Code}, {"requestId", "request", f.RequestID}}
}

type filterText struct {
	name, column string
	value        *string
}

// check refuses what cannot be asked for.
func (f *AuditEntryFilter) check(field string) error {
	for _, t := range f.texts() {
		if t.value != nil && (*t.value == "" || len(*t.value) > maxFilter) {
			return fault.Invalid(field+"."+t.name, "请填写 1 到 %d 个字符", maxFilter)
		}
	}
	if f.AreaID != nil && !division.Valid(*f.AreaID) {
		return fault.Invalid(field+".areaId", "请填写十二位区划代码")
	}
	if f.From != nil && f.To != nil && !f.From.Before(*f.To) {
		return fault.Invalid(field+".to", "结束时间须晚于开始时间")
	}
	return nil
}

// reader gives the caller, who may search some of the log, and whether only
// what administrators did.
func reader(ctx context.Context) (p *access.Principal, administratorsOnly bool, err error) {
	if p = access.From(ctx); p.May(access.AuditView) {
		return p, false, nil
	}
	p, err = access.Require(ctx, access.AuditOfAdmins)
	return p, true, err
}

// KeyColumns is the number of columns of a list's key: day and seq.
const KeyColumns = 2

// Page is a page of entries.
type Page struct {
	Entries []*AuditEntry
	Info    *keyset.PageInfo
}

// Key is the entry's key in lists.
func (e *AuditEntry) Key() []string { return []string{e.Day, strconv.FormatInt(e.Seq, 10)} }

// List gives a page of the chosen entries, newest first.
func (s *Service) List(ctx context.Context, f AuditEntryFilter, page keyset.Page) (Page, error) {
	p, administratorsOnly, err := reader(ctx)
	if err != nil {
		return Page{}, err
	}
	if err := f.check("filter"); err != nil {
		return Page{}, err
	}
	if page.After != nil && !key(page.After) {
		return Page{}, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*AuditEntry
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, p.Scopes(), administratorsOnly, f, page.After, page.Limit())
		return err
	})
	if err != nil {
		return Page{}, err
	}
	found, info := keyset.Of(page, rows, (*AuditEntry).Key)
	return Page{Entries: found, Info: info}, nil
}

func key(after []string) bool {
	_, badDay := time.Parse(dayLayout, after[0])
	_, badSeq := strconv.ParseInt(after[1], 10, 64)
	return badDay == nil && badSeq == nil
}

// ByIDs gives the entries of the IDs that the caller may see, by ID. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*AuditEntry, error) {
	known := input.IDs(ids)
	found := make(map[string]*AuditEntry, len(known))
	p, administratorsOnly, refused := reader(ctx)
	if refused != nil || len(known) == 0 {
		return found, nil // nothing that this caller may see
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		rows, err := byIDs(ctx, tx, p.Scopes(), administratorsOnly, known)
		for _, e := range rows {
			found[e.ID] = e
		}
		return err
	})
}

// ByID gives the entry; nil when there is none that the caller may see.
func (s *Service) ByID(ctx context.Context, id string) (*AuditEntry, error) {
	if _, _, err := reader(ctx); err != nil {
		return nil, err
	}
	found, err := s.ByIDs(ctx, []string{id})
	return found[id], err
}
