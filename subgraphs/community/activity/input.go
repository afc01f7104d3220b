package activity

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// CreateActivityInput is a new activity.
type CreateActivityInput struct {
	AreaID   string
	Title    string
	Summary  string
	Place    string
	StartsAt time.Time
	EndsAt   time.Time
	Capacity int
}

// PublishActivityInput opens an activity for registration.
type PublishActivityInput struct {
	ID              string
	ExpectedVersion int
}

// CloseActivityInput ends an activity.
type CloseActivityInput struct {
	ID              string
	ExpectedVersion int
}

// CancelActivityInput calls an activity off.
type CancelActivityInput struct {
	ID              string
	ExpectedVersion int
	Reason          string
}

// RegisterForActivityInput asks for a place.
type RegisterForActivityInput struct{ ActivityID string }

// WithdrawRegistrationInput gives a place back.
type WithdrawRegistrationInput struct{ ActivityID string }

// CheckInInput says that somebody came.
type CheckInInput struct{ RegistrationID string }

func (in *CreateActivityInput) check(now time.Time) (err error) {
	if in.Title, err = input.Text("input.title", "标题", in.Title, 2, 60); err != nil {
		return err
	}
	if in.Summary, err = input.Text("input.summary", "简介", in.Summary, 2, 2000); err != nil {
		return err
	}
	if in.Place, err = input.Text("input.place", "地点", in.Place, 2, 100); err != nil {
		return err
	}
	if in.StartsAt.Before(now) {
		return fault.Invalid("input.startsAt", "开始时间须晚于现在")
	}
	if in.StartsAt.After(now.AddDate(2, 0, 0)) {
		return fault.Invalid("input.startsAt", "开始时间须在两年之内")
	}
	if !in.EndsAt.After(in.StartsAt) || in.EndsAt.After(in.StartsAt.AddDate(1, 0, 0)) {
		return fault.Invalid("input.endsAt", "结束时间须晚于开始时间，且在一年之内")
	}
	if in.Capacity < 1 || in.Capacity > 10000 {
		return fault.Invalid("input.capacity", "名额须在 1 到 10000 之间")
	}
	return nil
}
