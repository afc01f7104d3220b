package messagetemplate

import (
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

func hold(t *testing.T) *MessageTemplate {
	t.Helper()
	in := Input{Key: "water-off", Name: "停水", Class: Community, Title: "{{where}}停水", Body: "{{where}}将于{{from}}停水，约 {{hours}} 小时。",
		Variables: []*MessageVariable{{Name: "where", Label: "地点", Kind: Text, MaxLength: 40}, {Name: "from", Label: "开始", Kind: Time, MaxLength: 20}, {Name: "hours", Label: "时长", Kind: Number, MaxLength: 5}}}
	made, err := in.template()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func values(where string) []Value {
	return []Value{{"where", where}, {"from", "2026-03-01 09:30"}, {"hours", "2.5"}}
}

// What a value holds stays mere text, whatever it looks like.
func TestValuesAreNeverReadAsATemplate(t *testing.T) {
	for _, value := range []string{"{{from}}", "{{where}}", "}}{{hours}}{{", "{{ .Secret }}", "${from}", "%s %n %x", "<script>alert(1)</script>", "'; DROP TABLE x; --", "$1 \\1", "{%if%}"} {
		filled, err := hold(t).Fill("input.variables", values(value))
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		if want := value + "将于2026-03-01 09:30停水，约 2.5 小时。"; filled.Body != want || filled.Title != value+"停水" {
			t.Errorf("%q became %q, %q", value, filled.Title, filled.Body)
		}
	}
}

func TestHostileValues(t *testing.T) {
	template := hold(t)
	for name, given := range map[string][]Value{
		"a line break":             values("三号院\n【市民云】您的验证码是 123456"),
		"a null":                   values("三号院\x00"),
		"an escape":                values("\x1b[31m三号院"),
		"text that runs back":      values("三号院\u202egnol"),
		"nothing that is seen":     values("三号\u200b院"),
		"not UTF-8":                values("三号院\xff"),
		"too long":                 values(strings.Repeat("院", 41)),
		"empty":                    values("   "),
		"a foreign address":        values("详见 http://evil.example/x"),
		"without a scheme":         values("详见evil-bank.com/pay领取"),
		"www":                      values("www.evil.example"),
		"wide letters":             values("ｅｖｉｌ．ｃｏｍ"),
		"the government's inside":  values("https://chengdu.gov.cn.evil.com/"),
		"the government as user":   values("https://chengdu.gov.cn@evil.com/"),
		"at the end of a sentence": values("请打开evil.com."),
		"a script":                 values("javascript:alert(1)"),
		"an application":           values("weixin://dl/business"),
		"no such variable":         append(values("三号院"), Value{"other", "x"}),
		"twice":                    append(values("三号院"), Value{"where", "x"}),
		"missing":                  values("三号院")[:2],
		"no time":                  {{"where", "三号院"}, {"from", "2026-13-01 09:30"}, {"hours", "2"}},
		"no number":                {{"where", "三号院"}, {"from", "2026-03-01 09:30"}, {"hours", "{{x}}"}},
	} {
		if _, err := template.Fill("input.variables", given); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, fine := range []string{"https://www.chengdu.gov.cn/a", "sczwfw.gov.cn", "第3.5号院", "A.B 座", "拨打 12345", "2号楼.东侧"} {
		if _, err := template.Fill("input.variables", values(fine)); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
}

func TestHostileTemplates(t *testing.T) {
	link := func(text string) *string { return &text }
	for name, change := range map[string]func(*Input){
		"a placeholder that is open":  func(in *Input) { in.Body = "{{where" },
		"one that is closed only":     func(in *Input) { in.Body = "where}}" },
		"a function in it":            func(in *Input) { in.Body = `{{printf "%s" where}}` },
		"one in another":              func(in *Input) { in.Body = "{{wh{{where}}ere}}" },
		"a variable without a name":   func(in *Input) { in.Body = "{{}}" },
		"one that is not declared":    func(in *Input) { in.Body = "{{other}}" },
		"one that is not used":        func(in *Input) { in.Variables = append(in.Variables, &MessageVariable{"x", "甲", Text, 5}) },
		"no length":                   func(in *Input) { in.Variables[0].MaxLength = 0 },
		"no kind":                     func(in *Input) { in.Variables[0].Kind = "HTML" },
		"a foreign address":           func(in *Input) { in.Body = "{{where}} https://evil.example" },
		"a foreign address in title":  func(in *Input) { in.Title = "{{where}} evil.com" },
		"a link that leaves":          func(in *Input) { in.Link = link("https://evil.example") },
		"a link to a script":          func(in *Input) { in.Link = link("javascript:alert(1)") },
		"a link to another host":      func(in *Input) { in.Link = link("//evil.example/x") },
		"a link upwards":              func(in *Input) { in.Link = link("activity/../../admin") },
		"a link with a variable":      func(in *Input) { in.Link = link("activity/{{where}}") },
		"a key with a path":           func(in *Input) { in.Key = "../x" },
		"a class that does not exist": func(in *Input) { in.Class = "ALL" },
	} {
		in := Input{Key: "water-off", Name: "停水", Class: Community, Title: "停水", Body: "{{where}}停水", Variables: []*MessageVariable{{"where", "地点", Text, 20}}}
		if _, err := in.template(); err != nil {
			t.Fatal(err)
		}
		change(&in)
		if _, err := in.template(); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}
