package definition

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/pattern"
)

// The bounds of a definition.
const (
	maxStates   = 40
	maxActions  = 16
	maxSeats    = 12
	maxBranches = 8
	maxVars     = 30
	maxWorkdays = 60
	maxLabel    = 30
)

var (
	keyForm      = pattern.New(`^[a-z][a-z0-9-]{1,39}$`)
	variableForm = pattern.New(`^[a-z][A-Za-z0-9]{0,39}$`)
	nameForm     = pattern.New(`^[A-Z][A-Z0-9_]{0,39}$`)
	linkForm     = pattern.New(`^[a-z][a-z/-]*(\{instance\}|\{subject\})?$`)
)

// checker collects the problems of one definition.
type checker struct {
	d        *Definition
	problems []Problem
}

func (c *checker) add(field, format string, args ...any) {
	c.problems = append(c.problems, Problem{field, fmt.Sprintf(format, args...)})
}

func (c *checker) label(field, text string) {
	if n := utf8.RuneCountInString(text); n == 0 || n > maxLabel {
		c.add(field, "请填写中文名称，不超过 %d 个字", maxLabel)
	}
}

func oneOf[T comparable](c *checker, field string, value T, choices ...T) {
	if !slices.Contains(choices, value) {
		c.add(field, "“%v”不在可选范围内", value)
	}
}

// check finds what is wrong with the form of the parts, and then, when they are
// right, with the whole: whether each state is reached and can be left.
func (d *Definition) check() []Problem {
	c := &checker{d: d}
	if !keyForm.MatchString(d.Key) {
		c.add("key", "标识须为小写字母、数字和连字符，以字母开头，2 到 40 个字符")
	}
	c.label("name", d.Name)
	oneOf(c, "module", d.Module, Modules...)
	if !linkForm.MatchString(d.Link) {
		c.add("link", "链接须为站内路径，可含 {instance} 或 {subject}")
	}
	oneOf(c, "withdraw", d.Withdraw, WithdrawNever, WithdrawUntouched, WithdrawAlways)
	oneOf(c, "resubmit", d.Resubmit, ResubmitStart, ResubmitReturner)
	for i, role := range d.Starters {
		c.role(fmt.Sprintf("starters[%d]", i), role, "")
	}
	if d.External && len(d.Starters) > 0 {
		c.add("starters", "由业务模块驱动的流程不能由工作人员直接发起")
	}
	c.checkVariables()
	c.checkStates()
	c.seats("cc", d.Cc)
	if len(c.problems) == 0 {
		c.whole()
	}
	return c.problems
}

func (c *checker) role(field string, role access.Role, level division.Level) {
	switch {
	case !Known(role):
		c.add(field, "没有“%s”这一角色", cut(string(role)))
	case !held(role, level):
		c.add(field, "角色“%s”在该层级无人可担任，任务将无人办理", role)
	}
}

func (c *checker) checkVariables() {
	if len(c.d.Variables) > maxVars {
		c.add("variables", "变量不能超过 %d 个", maxVars)
		return
	}
	seen := map[string]bool{areaLevel: true}
	for i, v := range c.d.Variables {
		at := fmt.Sprintf("variables[%d]", i)
		if !variableForm.MatchString(v.Name) {
			c.add(at+".name", "变量名须为字母和数字，以小写字母开头")
		} else if seen[v.Name] {
			c.add(at+".name", "变量“%s”重复", v.Name)
		}
		seen[v.Name] = true
		c.label(at+".label", v.Label)
		oneOf(c, at+".type", v.Type, Integer, Text, Boolean, Date, Workers)
		if len(v.Options) > 0 && v.Type != Text {
			c.add(at+".options", "仅文本变量可以限定选项")
		}
		if v.Max != nil && (*v.Max < 1 || v.Type != Integer && (v.Type != Text || *v.Max > 2000)) {
			c.add(at+".max", "上限须为正数，仅适用于整数和不超过 2000 字的文本")
		}
	}
}

func (c *checker) checkStates() {
	d := c.d
	if n := len(d.States); n < 2 || n > maxStates {
		c.add("states", "状态须有 2 到 %d 个", maxStates)
		return
	}
	seen := map[string]bool{}
	for i := range d.States {
		s, at := &d.States[i], fmt.Sprintf("states[%d]", i)
		if !nameForm.MatchString(s.Name) {
			c.add(at+".name", "状态名须为大写字母、数字和下划线")
		} else if seen[s.Name] {
			c.add(at+".name", "状态“%s”重复", s.Name)
		}
		seen[s.Name] = true
		c.label(at+".label", s.Label)
		oneOf(c, at+".kind", s.Kind, KindTask, KindWait, KindEnd)
		c.form(at, s)
		c.actions(at, s)
	}
	switch start := d.states[d.Start]; {
	case start == nil:
		c.add("start", "起始状态“%s”不存在", cut(d.Start))
	case start.Kind == KindEnd:
		c.add("start", "起始状态不能是结束状态")
	}
}

// form checks what belongs to the state's kind, and that nothing else is there.
func (c *checker) form(at string, s *State) {
	if s.Kind != KindTask {
		if len(s.Seats) > 0 || s.Workdays != 0 || s.Escalate != "" || len(s.Allow) > 0 || s.Sign != "" {
			c.add(at, "仅办理状态可以设置办理人、时限和办理权限")
		}
		if s.Kind == KindWait && !c.d.External {
			c.add(at+".kind", "等待状态仅用于由业务模块驱动的流程")
		}
		if (s.Kind == KindEnd) != nameForm.MatchString(s.Outcome) {
			c.add(at+".outcome", "结束状态须写明结果（大写字母），其他状态不写")
		}
		return
	}
	if s.Outcome != "" {
		c.add(at+".outcome", "办理状态没有结果")
	}
	oneOf(c, at+".sign", s.Sign, SignAny, SignAll, SignSequential)
	if len(s.Seats) == 0 {
		c.add(at+".seats", "办理状态须至少有一个办理人")
	}
	c.seats(at+".seats", s.Seats)
	if s.Workdays < 0 || s.Workdays > maxWorkdays {
		c.add(at+".workdays", "时限须在 0 到 %d 个工作日之间", maxWorkdays)
	}
	if s.Escalate != "" {
		c.role(at+".escalate", s.Escalate, "")
		if s.Workdays == 0 {
			c.add(at+".escalate", "没有时限的状态不会超期，不能设置升级")
		}
	}
	for i, power := range s.Allow {
		oneOf(c, fmt.Sprintf("%s.allow[%d]", at, i), power, Powers...)
	}
	if c.d.External && (len(s.Allow) > 0 || s.Sign != SignAny || s.NotInitiator) {
		c.add(at, "由业务模块驱动的流程不能设置会签和办理权限")
	}
}

func (c *checker) seats(at string, seats []Seat) {
	if len(seats) > maxSeats {
		c.add(at, "办理人不能超过 %d 个", maxSeats)
	}
	for i, seat := range seats {
		at := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case seat.Initiator && (seat.Role != "" || seat.Variable != "" || seat.Each):
			c.add(at, "发起人不能与角色或变量同时设置")
		case !seat.Initiator && seat.Role == "" && seat.Variable == "":
			c.add(at, "请设置角色、变量或发起人")
		}
		if seat.Role != "" {
			if seat.Level != "" {
				oneOf(c, at+".level", seat.Level, division.City, division.District, division.Street, division.Community)
			}
			c.role(at+".role", seat.Role, seat.Level)
		} else if seat.Level != "" || seat.Each {
			c.add(at, "层级与逐人仅适用于角色")
		}
		if v := c.d.variables[seat.Variable]; seat.Variable != "" && v.Type != Workers {
			c.add(at+".variable", "“%s”不是人员变量", cut(seat.Variable))
		} else if seat.Variable != "" && seat.Role == "" && !v.Required {
			c.add(at+".variable", "人员变量“%s”可不填，须同时设置替补角色", seat.Variable)
		}
	}
}
