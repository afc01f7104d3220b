package demand

import (
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/supply/communityservice"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// PublishDemandInput describes a new demand.
type PublishDemandInput struct {
	Title      string
	Content    string
	Category   communityservice.SupplyCategory
	AreaID     string
	BudgetFen  *int
	WindowFrom time.Time
	WindowTo   time.Time
	AsDraft    bool
}

// UpdateDemandInput changes a draft; nil stays.
type UpdateDemandInput struct {
	ID              string
	ExpectedVersion int
	Title           *string
	Content         *string
	Category        *communityservice.SupplyCategory
	BudgetFen       *int
	WindowFrom      *time.Time
	WindowTo        *time.Time
}

// ReviewDemandInput is a verdict; a refusal needs a note.
type ReviewDemandInput struct {
	ID              string
	ExpectedVersion int
	Decision        participant.ReviewDecision
	Note            *string
}

const (
	// maxBudget is ten million yuan.
	maxBudget = 1_000_000_000
	// maxWindow bounds how long a demand may be open.
	maxWindow = 366 * 24 * time.Hour
)

// check cleans the texts in place and refuses what cannot be; now is the moment of asking.
func (d *Demand) check(now time.Time) (err error) {
	if d.Title, err = input.Text("input.title", "标题", d.Title, 2, 60); err != nil {
		return err
	}
	if d.Content, err = input.Text("input.content", "内容", d.Content, 2, 2000); err != nil {
		return err
	}
	if err = input.AreaCode("input.areaId", d.AreaCode); err != nil {
		return err
	}
	if d.BudgetFen != nil {
		if err = input.Amount("input.budgetFen", "预算", *d.BudgetFen, maxBudget); err != nil {
			return err
		}
	}
	switch {
	case !d.WindowFrom.Before(d.WindowTo):
		return fault.Invalid("input.windowTo", "结束时间须晚于开始时间")
	case !d.WindowTo.After(now):
		return fault.Invalid("input.windowTo", "结束时间须晚于现在")
	case d.WindowTo.Sub(now) > maxWindow || d.WindowFrom.Before(now.Add(-maxWindow)):
		return fault.Invalid("input.windowTo", "服务时间须在一年之内")
	}
	return nil
}

func (in UpdateDemandInput) apply(d *Demand) {
	set(&d.Title, in.Title)
	set(&d.Content, in.Content)
	set(&d.Category, in.Category)
	set(&d.WindowFrom, in.WindowFrom)
	set(&d.WindowTo, in.WindowTo)
	if in.BudgetFen != nil {
		d.BudgetFen = in.BudgetFen
	}
}

func set[T any](field *T, given *T) {
	if given != nil {
		*field = *given
	}
}
