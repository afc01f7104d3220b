package catalogue

import (
	"regexp"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// CreateServiceInput describes a new service.
type CreateServiceInput struct {
	Code           string
	Name           string
	Summary        string
	DepartmentID   string
	CategoryID     string
	Kind           ServiceKind
	Channels       []Client
	AssuranceLevel AssuranceLevel
	Eligibility    *string
	Materials      []string
	FeeFen         *int
	Contact        *string
	AreaID         *string
}

// UpdateServiceInput changes a draft; what is nil stays as it is.
type UpdateServiceInput struct {
	ID              string
	ExpectedVersion int
	Name            *string
	Summary         *string
	DepartmentID    *string
	CategoryID      *string
	Kind            *ServiceKind
	Channels        []Client
	AssuranceLevel  *AssuranceLevel
	Eligibility     *string
	Materials       []string
	FeeFen          *int
	Contact         *string
}

// ReviewServiceInput is a verdict; a refusal needs a note.
type ReviewServiceInput struct {
	ID              string
	ExpectedVersion int
	Decision        ReviewDecision
	Note            *string
}

// SetServiceHealthInput says how a published service works; all but OK needs a note.
type SetServiceHealthInput struct {
	ID              string
	ExpectedVersion int
	Health          ServiceHealth
	Note            *string
}

// maxFee is a million yuan: a slip of the hand, not a fee, lies beyond.
const maxFee = 100_000_000

var codeForm = regexp.MustCompile(`^[A-Z][A-Z0-9-]{1,31}$`)

// check cleans the texts of a service in place and refuses what cannot be.
func (s *Service) check() (err error) {
	if !codeForm.MatchString(s.Code) {
		return fault.Invalid("input.code", "服务代码须以大写字母开头，由 2 到 32 位大写字母、数字或短横线组成")
	}
	if s.Name, err = input.Text("input.name", "名称", s.Name, 2, 60); err != nil {
		return err
	}
	if s.Summary, err = input.Text("input.summary", "一句话说明", s.Summary, 2, 200); err != nil {
		return err
	}
	if s.Eligibility, err = input.Optional("input.eligibility", "办理条件", s.Eligibility, 1000); err != nil {
		return err
	}
	if s.Contact, err = input.Optional("input.contact", "咨询方式", s.Contact, 200); err != nil {
		return err
	}
	if len(s.Materials) > 30 {
		return fault.Invalid("input.materials", "所需材料不能超过 30 项")
	}
	for i := range s.Materials {
		if s.Materials[i], err = input.Text("input.materials", "所需材料", s.Materials[i], 1, 200); err != nil {
			return err
		}
	}
	if s.FeeFen != nil {
		if err := input.Amount("input.feeFen", "费用", *s.FeeFen, maxFee); err != nil {
			return err
		}
	}
	if len(s.Channels) == 0 || len(s.Channels) > 5 {
		return fault.Invalid("input.channels", "请选择 1 到 5 种客户端")
	}
	return nil
}

// apply puts what the input gives into the draft.
func (in UpdateServiceInput) apply(s *Service) {
	set(&s.Name, in.Name)
	set(&s.Summary, in.Summary)
	set(&s.Department.ID, in.DepartmentID)
	set(&s.Category.ID, in.CategoryID)
	set(&s.Kind, in.Kind)
	set(&s.AssuranceLevel, in.AssuranceLevel)
	if in.Channels != nil {
		s.Channels = in.Channels
	}
	if in.Materials != nil {
		s.Materials = in.Materials
	}
	if in.Eligibility != nil {
		s.Eligibility = in.Eligibility
	}
	if in.FeeFen != nil {
		s.FeeFen = in.FeeFen
	}
	if in.Contact != nil {
		s.Contact = in.Contact
	}
}

func set[T any](field *T, given *T) {
	if given != nil {
		*field = *given
	}
}
