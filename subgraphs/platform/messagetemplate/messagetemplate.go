// Package messagetemplate holds the wordings that messages to many are sent
// with 消息模板: with typed variables, in versions, each approved by another
// person than wrote it. What was approved does not change: a new version does.
//
// Start reading at MessageTemplate and its states; placeholders are in
// wording.go, addresses in texts in link.go, what people may do in service.go, the SQL in store.go.
package messagetemplate

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// Class is what sort of message it is; people's choices and quiet hours go by it.
type Class string

// The classes.
const (
	Emergency Class = "EMERGENCY" // 应急通知: passes quiet hours, limits and choices
	Affairs   Class = "AFFAIRS"   // 政务通知
	Community Class = "COMMUNITY" // 社区通知
	Activity  Class = "ACTIVITY"  // 活动通知
	Promotion Class = "PROMOTION" // 便民推荐
)

// Classes are all of them, in the order that people are shown.
var Classes = []Class{Emergency, Affairs, Community, Activity, Promotion}

// State is where a version stands.
type State string

// The states: DRAFT→SUBMITTED→APPROVED→RETIRED; SUBMITTED→DRAFT (sent back).
const (
	Draft     State = "DRAFT"
	Submitted State = "SUBMITTED"
	Approved  State = "APPROVED"
	Retired   State = "RETIRED"
)

var transitions = map[State][]State{
	Draft:     {Submitted},
	Submitted: {Approved, Draft},
	Approved:  {Retired},
}

// may refuses a transition that the table does not have.
func (s State) may(to State) error {
	if !slices.Contains(transitions[s], to) {
		return fault.New(fault.Conflict, "模板当前状态不允许此操作，请刷新后重试")
	}
	return nil
}

// MessageTemplate is one version of a template.
type MessageTemplate struct {
	ID            string     `db:"id"`
	Key           string     `db:"key"`
	Version       int        `db:"version"`
	State         State      `db:"state"`
	Name          string     `db:"name"`
	Class         Class      `db:"class"`
	Title         string     `db:"title"`
	Body          string     `db:"body"`
	Link          *string    `db:"link"`
	AreaCode      string     `db:"area_code"`
	CreatedBy     string     `db:"created_by"`
	CreatedAt     time.Time  `db:"created_at"`
	SubmittedAt   *time.Time `db:"submitted_at"`
	ReviewedBy    *string    `db:"reviewed_by"`
	ReviewedAt    *time.Time `db:"reviewed_at"`
	ReviewComment *string    `db:"review_comment"`
	RetiredAt     *time.Time `db:"retired_at"`
	RowVersion    int        `db:"row_version"`

	Variables []*MessageVariable `db:"-"`
	Kept      []byte             `db:"variables"` // Variables, as the table has them
}

// Filled is a template's wording with the values in it.
type Filled struct{ Title, Body, Link string }

// Fill checks the values and puts them in; field is the input they came in.
func (t *MessageTemplate) Fill(field string, values []Value) (Filled, error) {
	variables := make([]MessageVariable, len(t.Variables))
	for i, v := range t.Variables {
		variables[i] = *v
	}
	given, err := Check(field, variables, values)
	if err != nil {
		return Filled{}, err
	}
	title, err := ReadWording(field, t.Title)
	if err != nil {
		return Filled{}, err
	}
	body, err := ReadWording(field, t.Body)
	if err != nil {
		return Filled{}, err
	}
	filled := Filled{Title: title.Fill(given), Body: body.Fill(given)}
	if t.Link != nil {
		filled.Link = *t.Link
	}
	if utf8.RuneCountInString(filled.Title) > maxTitle || utf8.RuneCountInString(filled.Body) > maxBody {
		return Filled{}, fault.Invalid(field, "填入变量后，标题不能超过 %d 个字，正文不能超过 %d 个字", maxTitle, maxBody)
	}
	return filled, nil
}

// The longest texts, in characters: those of a notification, which is one
// form of each message.
const (
	maxName      = 60
	maxTitle     = 60
	maxBody      = 500
	maxLink      = 200
	maxVariables = 20
	maxValue     = 200
	maxComment   = 200
)

// Input is what an author writes.
type Input struct {
	Key       string
	Name      string
	Class     Class
	Title     string
	Body      string
	Link      *string
	Variables []*MessageVariable
}

// template checks what the author wrote: every variable named is used and
// every one used is named.
func (in Input) template() (*MessageTemplate, error) {
	t := &MessageTemplate{Key: in.Key, Class: in.Class, State: Draft}
	if len(in.Key) < 3 || len(in.Key) > 60 || strings.Trim(in.Key, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return nil, fault.Invalid("input.key", "模板编号须为 3 到 60 个小写字母、数字或连字符")
	}
	if !slices.Contains(Classes, in.Class) {
		return nil, fault.Invalid("input.class", "不支持的消息类别")
	}
	var err error
	for _, text := range []struct {
		field, label, from string
		max                int
		into               *string
	}{
		{"input.name", "模板名称", in.Name, maxName, &t.Name}, {"input.title", "标题", in.Title, maxTitle, &t.Title}, {"input.body", "正文", in.Body, maxBody, &t.Body},
	} {
		if *text.into, err = input.Text(text.field, text.label, text.from, 1, text.max); err != nil {
			return nil, err
		}
	}
	for field, text := range map[string]string{"input.title": t.Title, "input.body": t.Body} {
		if foreignAddress(text) != "" {
			return nil, fault.Invalid(field, "含有不允许的网址，只能使用政府网站的网址")
		}
	}
	if t.Link, err = input.Optional("input.link", "跳转位置", in.Link, maxLink); err != nil {
		return nil, err
	}
	if t.Link != nil && (strings.Contains(*t.Link, ":") || strings.HasPrefix(*t.Link, "/") || strings.Contains(*t.Link, "..") || strings.ContainsAny(*t.Link, " \t\r\n\\{}")) {
		return nil, fault.Invalid("input.link", "跳转位置须为客户端内的路径，例如 activity/0194…")
	}
	used, err := namesOf(t)
	if err != nil {
		return nil, err
	}
	return t, t.declare(in.Variables, used)
}

func namesOf(t *MessageTemplate) ([]string, error) {
	title, err := ReadWording("input.title", t.Title)
	if err != nil {
		return nil, err
	}
	body, err := ReadWording("input.body", t.Body)
	return append(title.Names(), body.Names()...), err
}

func (t *MessageTemplate) declare(variables []*MessageVariable, used []string) error {
	if len(variables) > maxVariables {
		return fault.Invalid("input.variables", "变量不能超过 %d 个", maxVariables)
	}
	named := map[string]bool{}
	for _, v := range variables {
		if v == nil || !variableName.MatchString(v.Name) || named[v.Name] {
			return fault.Invalid("input.variables", "变量名须以小写字母开头，只含字母和数字，且不重复")
		}
		label, err := input.Text("input.variables."+v.Name, "变量说明", v.Label, 1, 30)
		if err != nil {
			return err
		}
		if _, formed := forms[v.Kind]; !formed && v.Kind != Text || v.MaxLength < 1 || v.MaxLength > maxValue {
			return fault.Invalid("input.variables."+v.Name, "变量长度须在 1 到 %d 之间", maxValue)
		}
		if !slices.Contains(used, v.Name) {
			return fault.Invalid("input.variables."+v.Name, "标题和正文没有用到变量“%s”", v.Name)
		}
		named[v.Name] = true
		t.Variables = append(t.Variables, &MessageVariable{Name: v.Name, Label: label, Kind: v.Kind, MaxLength: v.MaxLength})
	}
	for _, name := range used {
		if !named[name] {
			return fault.Invalid("input.variables", "请说明变量“%s”", name)
		}
	}
	return nil
}
