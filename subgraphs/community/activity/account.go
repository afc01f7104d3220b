package activity

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/account"
)

// Keeper moves and erases registrations when an account ends. Where both
// accounts are registered one place is enough: the better one stays, the other
// goes to who waits longest. Who cancels gives back the places of activities
// that are still to come; those of the past keep their place in the figures,
// with nobody's name.
func (s *Desk) Keeper() account.Keeper {
	return account.Keeper{Name: "registration", Merge: s.merge, Erase: s.erase}
}

// rank says which of two registrations of one person stays.
var rank = []RegistrationState{Attended, Confirmed, Waitlisted, Absent}

func (s *Desk) merge(ctx context.Context, tx *sqlx.Tx, from, to string) error {
	both, err := sharedBy(ctx, tx, from, to)
	if err != nil {
		return err
	}
	for _, id := range both {
		a, err := lock(ctx, tx, id)
		if err != nil || a == nil {
			return err
		}
		theirs, err := active(ctx, tx, id, from)
		if err != nil {
			return err
		}
		own, err := active(ctx, tx, id, to)
		if err != nil {
			return err
		}
		if theirs == nil || own == nil {
			continue
		}
		goes := theirs
		if slices.Index(rank, theirs.State) < slices.Index(rank, own.State) {
			goes = own
		}
		if err := s.giveUp(ctx, tx, a, goes); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE community.registration SET citizen_id = $2 WHERE citizen_id = $1`, from, to)
	if err != nil {
		return fmt.Errorf("activity: merging registrations: %w", err)
	}
	return nil
}

// giveUp withdraws a registration. Its place is free again where the activity
// is still to come; of a past one it just counts no more.
func (s *Desk) giveUp(ctx context.Context, tx *sqlx.Tx, a *Activity, r *Registration) error {
	at := s.now()
	if a.State == Published && a.StartsAt.After(at) {
		return s.vacate(ctx, tx, a, r)
	}
	was := r.State
	if err := setState(ctx, tx, r, Withdrawn, at); err != nil {
		return err
	}
	if was == Waitlisted {
		return count(ctx, tx, a, 0, -1)
	}
	return count(ctx, tx, a, -1, 0)
}

func (s *Desk) erase(ctx context.Context, tx *sqlx.Tx, citizenID string) error {
	coming, err := comingOf(ctx, tx, citizenID, s.now())
	if err != nil {
		return err
	}
	for _, id := range coming {
		a, err := lock(ctx, tx, id)
		if err != nil || a == nil {
			return err
		}
		r, err := active(ctx, tx, id, citizenID)
		if err != nil {
			return err
		}
		if r != nil && slices.Contains(registrationTransitions[Withdrawn], r.State) {
			if err := s.vacate(ctx, tx, a, r); err != nil {
				return err
			}
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE community.registration SET citizen_id = gen_random_uuid() WHERE citizen_id = $1`, citizenID)
	if err != nil {
		return fmt.Errorf("activity: erasing registrations: %w", err)
	}
	return nil
}
