package activity

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/community/area"
)

// Desk is all that can be done with activities; it asks for the principal's
// permission and scope before every step.
type Desk struct {
	DB    *database.DB
	Clock func() time.Time
}

// now is the moment, as precise as the database keeps it.
func (s *Desk) now() time.Time { return s.Clock().Truncate(time.Microsecond) }

var errNotFound = fault.New(fault.NotFound, "未找到该活动，或您无权查看")

// Activity gives one activity that the principal may see.
func (s *Desk) Activity(ctx context.Context, id string) (*Activity, error) {
	activities, err := s.Activities(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if activities[0] == nil {
		return nil, errNotFound
	}
	return activities[0], nil
}

// Activities gives the activities of the IDs in their order, nil where there is
// none that the principal may see; one store call.
func (s *Desk) Activities(ctx context.Context, ids []string) ([]*Activity, error) {
	p := access.From(ctx)
	valid := make([]string, 0, len(ids))
	for _, id := range ids {
		if input.ID(id) {
			valid = append(valid, id)
		}
	}
	found := map[string]*Activity{}
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		activities, err := many(ctx, tx, valid)
		for _, a := range activities {
			if a.SeenBy(p) {
				found[a.ID] = a
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	ordered := make([]*Activity, len(ids))
	for i, id := range ids {
		ordered[i] = found[strings.ToLower(id)]
	}
	return ordered, nil
}

// Published gives a page of each area's published activities, by start, in the
// order of the areas; one store call. They are public.
func (s *Desk) Published(ctx context.Context, codes []string, page keyset.Page, upcomingOnly bool) ([][]*Activity, error) {
	if err := checkKey(page); err != nil {
		return nil, err
	}
	var now *time.Time
	if upcomingOnly {
		at := s.now()
		now = &at
	}
	known := make([]string, 0, len(codes))
	for _, code := range codes {
		if area.Exists(code) && !slices.Contains(known, code) {
			known = append(known, code)
		}
	}
	var byArea map[string][]*Activity
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		byArea, err = published(ctx, tx, known, page, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	ordered := make([][]*Activity, len(codes))
	for i, code := range codes {
		ordered[i] = byArea[code]
	}
	return ordered, nil
}

// Managed gives a page of the activities in the worker's scope, late ones first.
func (s *Desk) Managed(ctx context.Context, code string, states []ActivityState, page keyset.Page) (activities []*Activity, err error) {
	p, err := access.Require(ctx, access.ActivityManage)
	if err != nil {
		return nil, err
	}
	var prefixes []string
	switch {
	case code == "" && p.Prefixes != nil:
		prefixes = p.Scopes()
	case code == "":
		code = p.AreaCode
		fallthrough
	default:
		if !area.Exists(code) || !p.Covers(code) {
			return nil, fault.New(fault.NotFound, "未找到该区域，或不在您的管辖范围内")
		}
		prefixes = []string{division.Prefix(code)}
	}
	if err := checkKey(page); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		activities, err = managed(ctx, tx, prefixes, states, page)
		return err
	})
	return activities, err
}

// Key is an activity's key in lists, for keyset.
func Key(a *Activity) []string {
	return []string{a.StartsAt.UTC().Format(time.RFC3339Nano), a.ID}
}

// KeyColumns is the number of Key's columns.
const KeyColumns = 2

func checkKey(page keyset.Page) error {
	if page.After == nil {
		return nil
	}
	if _, err := time.Parse(time.RFC3339Nano, page.After[0]); err != nil || !input.ID(page.After[1]) {
		return fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	return nil
}

// Create makes a draft.
func (s *Desk) Create(ctx context.Context, in CreateActivityInput) (*Activity, error) {
	p, err := access.Require(ctx, access.ActivityManage)
	if err != nil {
		return nil, err
	}
	if !area.Exists(in.AreaID) || !p.Covers(in.AreaID) {
		return nil, fault.New(fault.NotFound, "未找到该区域，或不在您的管辖范围内")
	}
	at := s.now()
	if err := in.check(at); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	a := &Activity{ID: id.String(), AreaCode: in.AreaID, Title: in.Title, Summary: in.Summary, Place: in.Place,
		StartsAt: in.StartsAt.Truncate(time.Microsecond), EndsAt: in.EndsAt.Truncate(time.Microsecond), Capacity: in.Capacity, State: Draft, Version: 1}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if err := insert(ctx, tx, a, p.ID, at); err != nil {
			return err
		}
		audit.Change(ctx, a.target(), nil, a.audited())
		return announce(ctx, tx, a, at)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Publish opens the activity for registration.
func (s *Desk) Publish(ctx context.Context, in PublishActivityInput) (*Activity, error) {
	return s.change(ctx, in.ID, in.ExpectedVersion, Published, func(_ context.Context, _ *sqlx.Tx, a *Activity, at time.Time) ([]outbox.Message, error) {
		if !a.EndsAt.After(at) {
			return nil, fault.New(fault.Conflict, "活动时间已过，不能发布")
		}
		return nil, nil
	})
}

// Close ends the activity; when it has begun, whoever did not check in was absent.
func (s *Desk) Close(ctx context.Context, in CloseActivityInput) (*Activity, error) {
	return s.change(ctx, in.ID, in.ExpectedVersion, Closed, closing)
}

func closing(ctx context.Context, tx *sqlx.Tx, a *Activity, at time.Time) ([]outbox.Message, error) {
	if a.StartsAt.After(at) {
		return nil, nil
	}
	return nil, finish(ctx, tx, a.ID, at)
}

// Cancel calls the activity off, and tells everybody who registered.
func (s *Desk) Cancel(ctx context.Context, in CancelActivityInput) (*Activity, error) {
	reason, err := input.Text("input.reason", "理由", in.Reason, 2, 500)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, in.ID, in.ExpectedVersion, Cancelled, func(ctx context.Context, tx *sqlx.Tx, a *Activity, _ time.Time) ([]outbox.Message, error) {
		a.CancelReason = &reason
		citizens, err := attendees(ctx, tx, a.ID)
		if err != nil {
			return nil, err
		}
		notices := make([]outbox.Message, len(citizens))
		for i, citizen := range citizens {
			notices[i] = tell(a, citizen, "活动已取消", "已取消："+reason)
		}
		return notices, nil
	})
}

// change checks permission, scope, version and state, in this order, and makes
// the change and its events in one transaction.
func (s *Desk) change(ctx context.Context, id string, expectedVersion int, to ActivityState,
	apply func(context.Context, *sqlx.Tx, *Activity, time.Time) ([]outbox.Message, error),
) (changed *Activity, err error) {
	p, err := access.Require(ctx, access.ActivityManage)
	if err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, errNotFound
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		a, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if a == nil || !p.Covers(a.AreaCode) {
			return errNotFound
		}
		if expectedVersion >= 0 && a.Version != expectedVersion {
			return fault.New(fault.Conflict, "该活动刚被他人变更，请刷新后重试")
		}
		if !slices.Contains(transitions[to], a.State) {
			return fault.New(fault.Conflict, "活动当前为“%s”，不能变更为“%s”", stateNames[a.State], stateNames[to])
		}
		at, before := s.now(), a.audited()
		notices, err := apply(ctx, tx, a, at)
		if err != nil {
			return err
		}
		a.State = to
		if err := enter(ctx, tx, a, at); err != nil {
			return err
		}
		changed = a
		audit.Change(ctx, a.target(), before, a.audited())
		return announce(ctx, tx, a, at, notices...)
	})
	return changed, err
}

// target is the activity in the audit log.
func (a *Activity) target() audit.Target {
	return audit.Target{Kind: "Activity", ID: a.ID, Area: a.AreaCode}
}

// audited is what the audit log says of the activity as it stands.
func (a *Activity) audited() map[string]any {
	return map[string]any{"state": a.State, "title": a.Title, "startsAt": a.StartsAt, "endsAt": a.EndsAt, "capacity": a.Capacity, "cancelReason": a.CancelReason}
}
