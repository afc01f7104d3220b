package participant

import (
	"regexp"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// QualificationInput is a licence or certificate as given.
type QualificationInput struct {
	Name       string
	Number     string
	ValidUntil *string
}

// ApplyParticipantInput is an application.
type ApplyParticipantInput struct {
	USCC           string
	Name           string
	Kind           ParticipantKind
	Introduction   string
	Phone          *string
	AreaID         string
	Qualifications []*QualificationInput
}

// ReviewParticipantInput is a verdict; a refusal needs a note.
type ReviewParticipantInput struct {
	ID              string
	ExpectedVersion int
	Decision        ReviewDecision
	Note            *string
}

// ChangeParticipantInput is what is to change; nil stays.
type ChangeParticipantInput struct {
	ID              string
	ExpectedVersion int
	Name            *string
	Introduction    *string
	Phone           *string
	Qualifications  []*QualificationInput
}

const maxQualifications = 20

// phoneForm takes Chinese land lines, mobiles and service numbers.
var phoneForm = regexp.MustCompile(`^(\+86)?[0-9]{3,4}-?[0-9]{3,8}(-[0-9]{1,6})?$`)

// Phone checks a business's phone number; nil and empty give nil.
func Phone(field string, phone *string) (*string, error) {
	clean, err := input.Optional(field, "电话", phone, 24)
	if err != nil || clean == nil {
		return nil, err
	}
	if !phoneForm.MatchString(*clean) {
		return nil, fault.Invalid(field, "电话号码格式不正确，例如 028-12345678")
	}
	return clean, nil
}

// participant checks the application and makes what is to be stored of it.
func (in ApplyParticipantInput) participant() (*Participant, error) {
	p := &Participant{Kind: in.Kind, AreaCode: in.AreaID, State: Applied, Version: 1, Code: strings.ToUpper(strings.TrimSpace(in.USCC))}
	if !ValidUSCC(p.Code) {
		return nil, fault.Invalid("input.uscc", "统一社会信用代码不正确，请核对 18 位代码")
	}
	var err error
	if p.Name, err = input.Text("input.name", "名称", in.Name, 2, 100); err != nil {
		return nil, err
	}
	if p.Introduction, err = input.Text("input.introduction", "简介", in.Introduction, 1, 1000); err != nil {
		return nil, err
	}
	if p.Phone, err = Phone("input.phone", in.Phone); err != nil {
		return nil, err
	}
	if err = input.AreaCode("input.areaId", in.AreaID); err != nil {
		return nil, err
	}
	p.Held, err = qualifications(in.Qualifications)
	return p, err
}

// change checks the input and makes the pending change of it.
func (in ChangeParticipantInput) change() (*ParticipantChange, error) {
	if in.Name == nil && in.Introduction == nil && in.Phone == nil && in.Qualifications == nil {
		return nil, fault.Invalid("input", "没有要变更的内容")
	}
	c := new(ParticipantChange)
	if in.Name != nil {
		name, err := input.Text("input.name", "名称", *in.Name, 2, 100)
		if err != nil {
			return nil, err
		}
		c.Name = &name
	}
	if in.Introduction != nil {
		introduction, err := input.Text("input.introduction", "简介", *in.Introduction, 1, 1000)
		if err != nil {
			return nil, err
		}
		c.Introduction = &introduction
	}
	var err error
	if c.Phone, err = Phone("input.phone", in.Phone); err != nil {
		return nil, err
	}
	if in.Qualifications != nil {
		c.Held, err = qualifications(in.Qualifications)
	}
	return c, err
}

// apply puts an approved change into the participant.
func (c *ParticipantChange) apply(p *Participant) {
	if c.Name != nil {
		p.Name = *c.Name
	}
	if c.Introduction != nil {
		p.Introduction = *c.Introduction
	}
	if c.Phone != nil {
		p.Phone = c.Phone
	}
	if c.Held != nil {
		p.Held = c.Held
	}
}

func qualifications(given []*QualificationInput) (Qualifications, error) {
	if len(given) > maxQualifications {
		return nil, fault.Invalid("input.qualifications", "资质不能超过 %d 项", maxQualifications)
	}
	all := make(Qualifications, len(given))
	for i, g := range given {
		q := &Qualification{ValidUntil: g.ValidUntil}
		var err error
		if q.Name, err = input.Text("input.qualifications.name", "资质名称", g.Name, 1, 100); err != nil {
			return nil, err
		}
		if q.Number, err = input.Text("input.qualifications.number", "证书编号", g.Number, 1, 60); err != nil {
			return nil, err
		}
		if g.ValidUntil != nil {
			if _, err := time.Parse(time.DateOnly, *g.ValidUntil); err != nil {
				return nil, fault.Invalid("input.qualifications.validUntil", "有效期须为 YYYY-MM-DD 格式的日期")
			}
		}
		all[i] = q
	}
	return all, nil
}
