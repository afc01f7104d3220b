package activity

import (
	"context"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

// waitlistFactor bounds the waiting list to so many times the capacity.
const waitlistFactor = 2

// asPlatform is the scope in which places are given: a citizen's own hand may
// neither count others' registrations nor write one (row-level security). What
// is done in it names the citizen in every statement.
func asPlatform(ctx context.Context) context.Context { return access.AsSystem(ctx, "registration") }

// Register takes a place for the signed-in citizen, or the end of the waiting
// list when all are taken. Asking again gives CONFLICT.
func (s *Desk) Register(ctx context.Context, in RegisterForActivityInput) (*Registration, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if !input.ID(in.ActivityID) {
		return nil, errNotFound
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	ctx = asPlatform(ctx)
	r := &Registration{ID: id.String(), CitizenID: p.ID, State: Confirmed}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		a, err := lock(ctx, tx, in.ActivityID)
		if err != nil {
			return err
		}
		if a == nil || a.State == Draft {
			return errNotFound
		}
		at := s.now()
		if a.State != Published || !a.EndsAt.After(at) {
			return fault.New(fault.Conflict, "活动已停止报名")
		}
		mine, err := active(ctx, tx, a.ID, p.ID)
		if err != nil {
			return err
		}
		if mine != nil {
			return fault.New(fault.Conflict, "您已报名，请勿重复报名")
		}
		r.ActivityID, r.AreaCode, r.RegisteredAt = a.ID, a.AreaCode, at
		taken, waiting := 1, 0
		if a.Remaining() == 0 {
			if a.WaitlistedCount >= a.Capacity*waitlistFactor {
				return fault.New(fault.Full, "名额与候补均已满")
			}
			taken, waiting, r.State = 0, 1, Waitlisted
		}
		if err := insertRegistration(ctx, tx, r); err != nil {
			return err
		}
		if err := count(ctx, tx, a, taken, waiting); err != nil {
			return err
		}
		if r.State == Waitlisted {
			position := a.WaitlistedCount
			r.WaitlistPosition = &position
		}
		return announce(ctx, tx, a, at)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Withdraw gives the signed-in citizen's place back; who waits longest moves up
// and is told.
func (s *Desk) Withdraw(ctx context.Context, in WithdrawRegistrationInput) (*Registration, error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if !input.ID(in.ActivityID) {
		return nil, errNotFound
	}
	ctx = asPlatform(ctx)
	var r *Registration
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		a, err := lock(ctx, tx, in.ActivityID)
		if err != nil {
			return err
		}
		if a == nil || a.State == Draft {
			return errNotFound
		}
		if r, err = active(ctx, tx, a.ID, p.ID); err != nil {
			return err
		}
		if r == nil {
			return fault.New(fault.NotFound, "您没有报名该活动")
		}
		if a.State != Published || !a.StartsAt.After(s.now()) || !slices.Contains(registrationTransitions[Withdrawn], r.State) {
			return fault.New(fault.Conflict, "活动已开始或已结束，不能退出报名")
		}
		return s.vacate(ctx, tx, a, r)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// vacate withdraws the registration of the locked activity; who waits longest
// gets the place and is told.
func (s *Desk) vacate(ctx context.Context, tx *sqlx.Tx, a *Activity, r *Registration) error {
	was, at := r.State, s.now()
	if err := setState(ctx, tx, r, Withdrawn, at); err != nil {
		return err
	}
	if was == Waitlisted {
		if err := count(ctx, tx, a, 0, -1); err != nil {
			return err
		}
		return announce(ctx, tx, a, at)
	}
	next, err := firstWaiting(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	if next == nil {
		if err := count(ctx, tx, a, -1, 0); err != nil {
			return err
		}
		return announce(ctx, tx, a, at)
	}
	if err := setState(ctx, tx, next, Confirmed, at); err != nil {
		return err
	}
	if err := count(ctx, tx, a, 0, -1); err != nil { // the place changes hands
		return err
	}
	return announce(ctx, tx, a, at, tell(a, next.CitizenID, "候补成功", "您的候补已转为正式报名。"))
}

// CheckIn says that the registered citizen came.
func (s *Desk) CheckIn(ctx context.Context, in CheckInInput) (r *Registration, err error) {
	p, err := access.Require(ctx, access.ActivityManage)
	if err != nil {
		return nil, err
	}
	notFound := fault.New(fault.NotFound, "未找到该报名，或不在您的管辖范围内")
	if !input.ID(in.RegistrationID) {
		return nil, notFound
	}
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if r, err = registrationOf(ctx, tx, in.RegistrationID); err != nil {
			return err
		}
		if r == nil || !p.Covers(r.AreaCode) {
			return notFound
		}
		a, err := lock(ctx, tx, r.ActivityID)
		if err != nil {
			return err
		}
		if a == nil {
			return notFound
		}
		if r, err = registrationOf(ctx, tx, in.RegistrationID); err != nil { // again, now that nothing moves
			return err
		}
		if a.State != Published || !slices.Contains(registrationTransitions[Attended], r.State) {
			return fault.New(fault.Conflict, "报名当前为“%s”，活动当前为“%s”，不能签到", registrationNames[r.State], stateNames[a.State])
		}
		at := s.now()
		if err := setState(ctx, tx, r, Attended, at); err != nil {
			return err
		}
		return announce(ctx, tx, a, at)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Mine gives the signed-in citizen's registrations for the activities, in their
// order, nil where there is none; one store call.
func (s *Desk) Mine(ctx context.Context, activityIDs []string) ([]*Registration, error) {
	ordered := make([]*Registration, len(activityIDs))
	p := access.From(ctx)
	if p == nil || p.Kind != access.Citizen {
		return ordered, nil
	}
	ctx = asPlatform(ctx) // to count who waits before
	byActivity := map[string]*Registration{}
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		rows, err := registrationsOf(ctx, tx, p.ID, activityIDs)
		for _, r := range rows {
			byActivity[r.ActivityID] = r
		}
		return err
	})
	for i, id := range activityIDs {
		ordered[i] = byActivity[id]
	}
	return ordered, err
}

// OfCitizen gives a page of the citizen's own registrations, newest first;
// nobody else may ask.
func (s *Desk) OfCitizen(ctx context.Context, citizenID string, page keyset.Page) (rows []*Registration, err error) {
	p, err := access.RequireCitizen(ctx)
	if err != nil {
		return nil, err
	}
	if p.ID != citizenID {
		return nil, fault.New(fault.Forbidden, "仅本人可查看")
	}
	if err := checkSeq(page); err != nil {
		return nil, err
	}
	ctx = asPlatform(ctx) // to count who waits before
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		rows, err = ofCitizen(ctx, tx, p.ID, page)
		return err
	})
	return rows, err
}

// OfActivity gives a page of the activity's registrations, first come first, to
// a worker who runs it.
func (s *Desk) OfActivity(ctx context.Context, a *Activity, states []RegistrationState, page keyset.Page) (rows []*Registration, err error) {
	if _, err := access.RequireArea(ctx, access.ActivityManage, a.AreaCode); err != nil {
		return nil, err
	}
	if err := checkSeq(page); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		rows, err = ofActivity(ctx, tx, a.ID, states, page)
		return err
	})
	return rows, err
}

// RegistrationKey is a registration's key in lists, for keyset.
func RegistrationKey(r *Registration) []string { return []string{strconv.FormatInt(r.Seq, 10)} }

func checkSeq(page keyset.Page) error {
	if page.After == nil {
		return nil
	}
	if _, err := strconv.ParseInt(page.After[0], 10, 64); err != nil {
		return fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	return nil
}
