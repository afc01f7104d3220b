package definition

import (
	"fmt"
	"slices"
)

// actions checks a state's actions and compiles their conditions.
func (c *checker) actions(at string, s *State) {
	if len(s.Actions) > maxActions {
		c.add(at+".actions", "动作不能超过 %d 个", maxActions)
	}
	if s.Kind != KindEnd && len(s.Actions) == 0 {
		c.add(at+".actions", "状态“%s”没有动作，进入后无法离开", s.Label)
	}
	seen, agreeing := map[string]bool{}, 0
	for i := range s.Actions {
		a, at := &s.Actions[i], fmt.Sprintf("%s.actions[%d]", at, i)
		switch {
		case !nameForm.MatchString(a.Name):
			c.add(at+".name", "动作名须为大写字母、数字和下划线")
		case slices.Contains(reserved, a.Name):
			c.add(at+".name", "“%s”是系统保留的动作名", a.Name)
		case seen[a.Name]:
			c.add(at+".name", "动作“%s”重复", a.Name)
		}
		seen[a.Name] = true
		c.label(at+".label", a.Label)
		oneOf(c, at+".by", a.By, "", ByInitiator, BySystem)
		if a.By != "" && !c.d.External {
			c.add(at+".by", "仅由业务模块驱动的流程可以指定执行者")
		}
		if a.Agrees {
			agreeing++
		}
		if s.Kind == KindEnd && (!c.d.External || len(a.To) != 1 || a.To[0].To != s.Name) {
			c.add(at, "结束状态不能再离开")
		}
		c.branches(at, a)
	}
	if agreeing > 1 {
		c.add(at+".actions", "同一状态只能有一个“同意”动作")
	}
	if s.Kind == KindTask && s.Sign != SignAny && agreeing != 1 {
		c.add(at+".actions", "会签和依次签须有一个“同意”动作")
	}
}

// reserved are the names of the actions that every workflow has.
var reserved = []string{
	"START", "RETURN_PREVIOUS", "RETURN_INITIATOR", "TRANSFER", "DELEGATE", "REVOKE_DELEGATE", "ADD_SIGNER_BEFORE", "ADD_SIGNER_AFTER",
	"SIGN", "WITHDRAW", "RESUBMIT", "URGE", "COMMENT", "OVERDUE", "SYNC", "HANDED_OVER",
}

func (c *checker) branches(at string, a *Action) {
	if n := len(a.To); n == 0 || n > maxBranches {
		c.add(at+".to", "动作须有 1 到 %d 个去向", maxBranches)
		return
	}
	for i := range a.To {
		b, at := &a.To[i], fmt.Sprintf("%s.to[%d]", at, i)
		if c.d.states[b.To] == nil {
			c.add(at+".to", "状态“%s”不存在", cut(b.To))
		}
		last := i == len(a.To)-1
		switch {
		case last && b.When != "":
			c.add(at+".when", "最后一个去向不能带条件，否则可能无路可走")
		case !last && b.When == "":
			c.add(at+".when", "只有最后一个去向可以不带条件")
		case b.When != "":
			compiled, err := compile(b.When, c.d.Variables)
			if err != nil {
				c.add(at+".when", "%s", firstLine(err))
			}
			b.holds = compiled
		}
	}
}

// firstLine is what people see of the error; what follows is for the log.
func firstLine(err error) string {
	text := err.Error()
	if i := slices.Index([]byte(text), '\n'); i >= 0 {
		return text[:i]
	}
	return text
}

// whole checks that each state is reached from the start, and that from each an
// end is reached: no instance can be lost in a definition that passes.
func (c *checker) whole() {
	forward, backward := map[string][]string{}, map[string][]string{}
	var ends []string
	for i := range c.d.States {
		s := &c.d.States[i]
		if s.Kind == KindEnd {
			ends = append(ends, s.Name)
		}
		for _, a := range s.Actions {
			for _, b := range a.To {
				forward[s.Name] = append(forward[s.Name], b.To)
				backward[b.To] = append(backward[b.To], s.Name)
			}
		}
	}
	reached, ending := spread(forward, c.d.Start), spread(backward, ends...)
	for i := range c.d.States {
		s, at := &c.d.States[i], fmt.Sprintf("states[%d]", i)
		if !reached[s.Name] {
			c.add(at, "状态“%s”从起始状态无法到达", s.Label)
		}
		if !ending[s.Name] {
			c.add(at, "从状态“%s”出发无法到达结束状态", s.Label)
		}
	}
}

// spread gives all that is reached from the states over the edges.
func spread(edges map[string][]string, from ...string) map[string]bool {
	seen := map[string]bool{}
	for _, name := range from {
		seen[name] = true
	}
	for len(from) > 0 {
		name := from[0]
		from = from[1:]
		for _, next := range edges[name] {
			if !seen[next] {
				seen[next] = true
				from = append(from, next)
			}
		}
	}
	return seen
}
