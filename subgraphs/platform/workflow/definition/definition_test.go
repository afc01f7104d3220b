package definition_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
)

func TestBuiltinsAreInOrder(t *testing.T) {
	all, err := definition.Builtins()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 {
		t.Fatalf("%d definitions", len(all))
	}
}

// small is a definition that passes; tests break one thing of it.
const small = `{
  "key": "leave", "name": "请假", "module": "APPROVAL", "link": "workflow/{instance}", "starters": ["COMMUNITY_WORKER"], "start": "REVIEW",
  "variables": [{"name": "days", "label": "天数", "type": "INTEGER", "required": true, "max": 30}, {"name": "kind", "label": "类别", "type": "TEXT", "options": ["A", "B"]},
    {"name": "signers", "label": "会签人", "type": "WORKERS"}, {"name": "urgent", "label": "紧急", "type": "BOOLEAN"}, {"name": "from", "label": "起", "type": "DATE"}],
  "states": [
    {"name": "REVIEW", "label": "审批", "kind": "TASK", "workdays": 2, "escalate": "SUPERVISOR", "seats": [{"role": "SUPERVISOR", "level": "STREET"}],
     "actions": [{"name": "APPROVE", "label": "同意", "agrees": true, "to": [{"when": "days > 3", "to": "SECOND"}, {"to": "DONE"}]}]},
    {"name": "SECOND", "label": "复审", "kind": "TASK", "sign": "ALL", "seats": [{"role": "LEADER", "level": "DISTRICT"}],
     "actions": [{"name": "APPROVE", "label": "同意", "agrees": true, "to": [{"to": "DONE"}]}]},
    {"name": "DONE", "label": "完成", "kind": "END", "outcome": "APPROVED"}
  ]
}`

func TestFaultsAreRefusedWithFieldAndSentence(t *testing.T) {
	if _, problems := definition.Parse([]byte(small)); len(problems) > 0 {
		t.Fatalf("the sound one: %v", problems)
	}
	for name, c := range map[string]struct{ old, new, field, message string }{
		"no JSON":        {`{`, `<`, "", "不是有效的 JSON"},
		"unknown entry":  {`"start"`, `"colour": 1, "start"`, "colour", "没有这一项"},
		"wrong type":     {`"workdays": 2`, `"workdays": "two"`, "states.workdays", "类型不正确"},
		"key":            {`"leave"`, `"Leave it"`, "key", "标识"},
		"module":         {`"APPROVAL"`, `"OTHER"`, "module", "不在可选范围内"},
		"link leads out": {`"workflow/{instance}"`, `"https://elsewhere.example/{instance}"`, "link", "站内路径"},
		"unknown role":   {`"starters": ["COMMUNITY_WORKER"]`, `"starters": ["EMPEROR"]`, "starters[0]", "没有“EMPEROR”"},
		"dead role":      {`"role": "LEADER", "level": "DISTRICT"`, `"role": "COMMUNITY_WORKER", "level": "DISTRICT"`, "states[1].seats[0].role", "无人可担任"},
		"no seat":        {`"seats": [{"role": "LEADER", "level": "DISTRICT"}]`, `"seats": []`, "states[1].seats", "至少有一个办理人"},
		"target missing": {`{"to": "DONE"}]}]},
    {"name": "SECOND"`, `{"to": "GONE"}]}]},
    {"name": "SECOND"`, "states[0].actions[0].to[1].to", "“GONE”不存在"},
		"start missing": {`"start": "REVIEW"`, `"start": "BEGIN"`, "start", "不存在"},
		"unreachable":   {`{"when": "days > 3", "to": "SECOND"}, `, ``, "states[1]", "无法到达"},
		"no end": {`"agrees": true, "to": [{"to": "DONE"}]}]},
    {"name": "DONE"`, `"agrees": true, "to": [{"to": "SECOND"}]}]},
    {"name": "DONE"`, "states[1]", "无法到达结束状态"},
		"two states of one name": {`"name": "SECOND"`, `"name": "REVIEW"`, "states[1].name", "重复"},
		"reserved":               {`{"name": "APPROVE", "label": "同意", "agrees": true, "to": [{"when"`, `{"name": "WITHDRAW", "label": "同意", "agrees": true, "to": [{"when"`, "states[0].actions[0].name", "保留"},
		"joint without agreeing": {`"agrees": true, "to": [{"to": "DONE"}]}]},
    {"name": "DONE"`, `"to": [{"to": "DONE"}]}]},
    {"name": "DONE"`, "states[1].actions", "会签"},
		"condition of unknown":   {`days > 3`, `weeks > 3`, "states[0].actions[0].to[0].when", "无法识别"},
		"condition of a type":    {`days > 3`, `kind > 3`, "states[0].actions[0].to[0].when", "无法识别"},
		"condition is no truth":  {`days > 3`, `days + 3`, "states[0].actions[0].to[0].when", "无法识别"},
		"condition that loops":   {`days > 3`, `any(signers, # == 'x')`, "states[0].actions[0].to[0].when", ""},
		"condition that indexes": {`days > 3`, `signers[9] == 'x'`, "states[0].actions[0].to[0].when", "不允许"},
		"condition that divides": {`days > 3`, `days % 0 == 1`, "states[0].actions[0].to[0].when", "不允许"},
		"condition that matches": {`days > 3`, `kind matches '(a+)+'`, "states[0].actions[0].to[0].when", "不允许"},
		"condition too long":     {`days > 3`, `days > 3` + strings.Repeat(" or days > 3", 20), "states[0].actions[0].to[0].when", "长度"},
		"condition too deep":     {`days > 3`, strings.Repeat("not ", 45) + `urgent`, "states[0].actions[0].to[0].when", ""},
		"last branch conditional": {`{"to": "DONE"}]}]},
    {"name": "SECOND"`, `{"when": "urgent", "to": "DONE"}]}]},
    {"name": "SECOND"`, "states[0].actions[0].to[1].when", "无路可走"},
		"escalation without limit": {`"workdays": 2, `, ``, "states[0].escalate", "没有时限"},
		"waiting for nobody":       {`"kind": "END", "outcome": "APPROVED"`, `"kind": "WAIT"`, "states[2].kind", "等待状态"},
		"end without outcome":      {`"kind": "END", "outcome": "APPROVED"`, `"kind": "END"`, "states[2].outcome", "结果"},
		"variable as seat":         {`{"role": "LEADER", "level": "DISTRICT"}`, `{"variable": "days"}`, "states[1].seats[0].variable", "不是人员变量"},
		"empty variable as seat":   {`{"role": "LEADER", "level": "DISTRICT"}`, `{"variable": "signers"}`, "states[1].seats[0].variable", "替补角色"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(small, c.old) {
				t.Fatalf("the test does not break anything: %s", c.old)
			}
			d, problems := definition.Parse([]byte(strings.Replace(small, c.old, c.new, 1)))
			if d != nil || len(problems) == 0 {
				t.Fatal("accepted")
			}
			for _, p := range problems {
				if p.Field == c.field && strings.Contains(p.Message, c.message) && strings.ContainsFunc(p.Message, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
					refused := definition.Refuse(problems, "input.body")
					if refused.Code != fault.InvalidInput || !strings.HasPrefix(refused.Field, "input.body") {
						t.Errorf("refused with %v", refused)
					}
					return
				}
			}
			t.Errorf("got %v, want %s: %s", problems, c.field, c.message)
		})
	}
}

func TestVariablesAreChecked(t *testing.T) {
	d, _ := definition.Parse([]byte(small))
	const worker = "00000000-0000-7000-8000-000000000001"
	for text, field := range map[string]string{
		`{"days": 2}`: "", `{"days": 2, "kind": "A", "urgent": true, "signers": ["` + worker + `"]}`: "",
		`{"days": 2, "from": "2026-03-01"}`: "", `{"days": 2, "from": ""}`: "", `{"days": 2, "from": "2026-02-30"}`: "v.from", `{"days": 2, "from": "March"}`: "v.from",
		`{}`: "v.days", `{"days": null}`: "v.days", `{"days": "2"}`: "v.days", `{"days": 2.5}`: "v.days", `{"days": -1}`: "v.days", `{"days": 31}`: "v.days",
		`{"days": 2, "kind": "C"}`: "v.kind", `{"days": 2, "urgent": 1}`: "v.urgent", `{"days": 2, "more": 1}`: "v", `[1]`: "v", `{`: "v",
		`{"days": 2, "signers": ["me"]}`: "v.signers", `{"days": 2, "signers": ["` + worker + `","` + worker + `"]}`: "v.signers",
	} {
		_, err := d.Values(text, "v")
		var field2 string
		if f, ok := err.(*fault.Fault); ok {
			field2 = f.Field
		}
		if field2 != field || (err != nil) != (field != "") {
			t.Errorf("%s: got %v, want a fault at %q", text, err, field)
		}
	}
}

func TestConditionsChooseTheBranch(t *testing.T) {
	d, _ := definition.Parse([]byte(strings.Replace(small, "days > 3", "days > 3 and kind in ['A'] or areaLevel == 'CITY' or 'x' in signers", 1)))
	action := d.State("REVIEW").Action("APPROVE")
	for _, c := range []struct{ values, area, want string }{
		{`{"days": 4, "kind": "A"}`, "510104017001", "SECOND"},
		{`{"days": 4, "kind": "B"}`, "510104017001", "DONE"},
		{`{"days": 3, "kind": "A"}`, "510104017001", "DONE"},
		{`{"days": 1}`, "510100000000", "SECOND"},
	} {
		values, err := d.Values(c.values, "v")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(values)
		restored, err := d.Restore(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, values := range []map[string]any{values, restored} {
			if got := d.Next(action, values, c.area); got != c.want {
				t.Errorf("%s in %s leads to %s, want %s", c.values, c.area, got, c.want)
			}
		}
	}
}
