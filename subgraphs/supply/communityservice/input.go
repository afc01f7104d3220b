package communityservice

import (
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/supply/participant"
)

// CreateCommunityServiceInput describes a new service.
type CreateCommunityServiceInput struct {
	ParticipantID string
	Name          string
	Summary       string
	Description   string
	Category      SupplyCategory
	PriceFen      int
	PriceUnit     string
	Hours         *string
	Phone         *string
}

// UpdateCommunityServiceInput changes a draft; nil stays.
type UpdateCommunityServiceInput struct {
	ID              string
	ExpectedVersion int
	Name            *string
	Summary         *string
	Description     *string
	Category        *SupplyCategory
	PriceFen        *int
	PriceUnit       *string
	Hours           *string
	Phone           *string
}

// ReviewCommunityServiceInput is a verdict; a refusal needs a note.
type ReviewCommunityServiceInput struct {
	ID              string
	ExpectedVersion int
	Decision        participant.ReviewDecision
	Note            *string
}

// maxPrice is a hundred thousand yuan: a slip of the hand lies beyond.
const maxPrice = 10_000_000

// maxAreas bounds the areas of one distribution.
const maxAreas = 100

// check cleans the texts in place and refuses what cannot be.
func (s *CommunityService) check() (err error) {
	if s.Name, err = input.Text("input.name", "名称", s.Name, 2, 60); err != nil {
		return err
	}
	if s.Summary, err = input.Text("input.summary", "一句话说明", s.Summary, 2, 120); err != nil {
		return err
	}
	if s.Description, err = input.Text("input.description", "详细介绍", s.Description, 1, 5000); err != nil {
		return err
	}
	if err = input.Amount("input.priceFen", "价格", s.PriceFen, maxPrice); err != nil {
		return err
	}
	if s.PriceUnit, err = input.Text("input.priceUnit", "计价单位", s.PriceUnit, 1, 10); err != nil {
		return err
	}
	if s.Hours, err = input.Optional("input.hours", "服务时间", s.Hours, 100); err != nil {
		return err
	}
	s.Phone, err = participant.Phone("input.phone", s.Phone)
	return err
}

func (in UpdateCommunityServiceInput) apply(s *CommunityService) {
	set(&s.Name, in.Name)
	set(&s.Summary, in.Summary)
	set(&s.Description, in.Description)
	set(&s.Category, in.Category)
	set(&s.PriceFen, in.PriceFen)
	set(&s.PriceUnit, in.PriceUnit)
	if in.Hours != nil {
		s.Hours = in.Hours
	}
	if in.Phone != nil {
		s.Phone = in.Phone
	}
}

func set[T any](field *T, given *T) {
	if given != nil {
		*field = *given
	}
}

func checkAreas(codes []string) error {
	if len(codes) == 0 || len(codes) > maxAreas {
		return fault.Invalid("input.areaIds", "请选择 1 到 %d 个区域", maxAreas)
	}
	for _, code := range codes {
		if err := input.AreaCode("input.areaIds", code); err != nil {
			return err
		}
	}
	return nil
}
