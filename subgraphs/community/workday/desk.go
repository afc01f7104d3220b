package workday

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// Workday is one day that departs from the plain week.
type Workday struct {
	Day  string `db:"day"` // YYYY-MM-DD
	Work bool   `db:"work"`
	Name string `db:"name"`
}

// SetWorkdayInput declares a day.
type SetWorkdayInput struct {
	Day  string
	Work bool
	Name string
}

// ClearWorkdayInput takes a declaration back.
type ClearWorkdayInput struct{ Day string }

// longest is the longest stretch of days that may be asked for.
const longest = 400

// Desk keeps the calendar for the administrator.
type Desk struct{ DB *database.DB }

// Days lists the departures from the first to the last day; they are public.
func (d *Desk) Days(ctx context.Context, first, last string) (days []*Workday, err error) {
	from, err := date("from", first)
	if err != nil {
		return nil, err
	}
	to, err := date("to", last)
	if err != nil {
		return nil, err
	}
	if to.Before(from) || to.After(from.AddDate(0, 0, longest)) {
		return nil, fault.Invalid("to", "结束日期须不早于起始日期，且相距不超过 %d 天", longest)
	}
	err = d.DB.Read(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &days,
			`SELECT to_char(day, 'YYYY-MM-DD') AS day, work, name FROM community.workday w WHERE w.day BETWEEN $1::date AND $2::date ORDER BY w.day`, first, last)
	})
	if err != nil {
		return nil, fmt.Errorf("workday: listing: %w", err)
	}
	return days, nil
}

// Set declares the day work or holiday.
func (d *Desk) Set(ctx context.Context, in SetWorkdayInput) (*Workday, error) {
	if _, err := access.Require(ctx, access.WorkdayManage); err != nil {
		return nil, err
	}
	if _, err := date("input.day", in.Day); err != nil {
		return nil, err
	}
	name, err := input.Text("input.name", "名称", in.Name, 1, 40)
	if err != nil {
		return nil, err
	}
	err = d.DB.Write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO community.workday (day, work, name) VALUES ($1, $2, $3)
			ON CONFLICT (day) DO UPDATE SET work = excluded.work, name = excluded.name`, in.Day, in.Work, name)
		if err != nil {
			return err
		}
		return announce(ctx, tx, Changed{Day: in.Day, Work: &in.Work, Name: name})
	})
	if err != nil {
		return nil, fmt.Errorf("workday: setting %s: %w", in.Day, err)
	}
	return &Workday{Day: in.Day, Work: in.Work, Name: name}, nil
}

// Clear makes the day one of the plain week again.
func (d *Desk) Clear(ctx context.Context, in ClearWorkdayInput) error {
	if _, err := access.Require(ctx, access.WorkdayManage); err != nil {
		return err
	}
	if _, err := date("input.day", in.Day); err != nil {
		return err
	}
	err := d.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM community.workday WHERE day = $1`, in.Day); err != nil {
			return err
		}
		return announce(ctx, tx, Changed{Day: in.Day})
	})
	if err != nil {
		return fmt.Errorf("workday: clearing %s: %w", in.Day, err)
	}
	return nil
}

// SubjectChanged is told of each change of the calendar.
const SubjectChanged = "community.workday.changed"

// Changed is the payload of SubjectChanged.
type Changed struct {
	Day  string `json:"day"`
	Work *bool  `json:"work"` // nil when the day is one of the plain week again
	Name string `json:"name"`
}

func announce(ctx context.Context, tx sqlx.ExtContext, changed Changed) error {
	return outbox.Append(ctx, tx, "community", outbox.Message{Subject: SubjectChanged, Payload: changed})
}

// date reads a day of the years that can be planned for.
func date(field, day string) (time.Time, error) {
	at, err := Parse(day)
	if err != nil || at.Year() < 2020 || at.Year() > 2100 {
		return time.Time{}, fault.Invalid(field, "日期格式应为 2026-03-01")
	}
	return at, nil
}
