package messagetemplate

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/pattern"
)

// Wording is a text with placeholders {{name}}, taken apart. There is nothing
// else to it: no conditions, no functions, and a value is never read again for
// placeholders, so whatever a variable holds stays mere text.
type Wording struct {
	texts []string // one more than names: before, between and after the placeholders
	names []string
}

var variableName = pattern.New(`^[a-z][a-zA-Z0-9]{0,29}$`)

// ReadWording takes the text apart. A brace pair that is no placeholder is
// refused, with the field.
func ReadWording(field, text string) (Wording, error) {
	var w Wording
	for {
		before, rest, opened := strings.Cut(text, "{{")
		if strings.Contains(before, "}}") {
			return Wording{}, fault.Invalid(field, "“}}”之前缺少“{{”")
		}
		w.texts = append(w.texts, before)
		if !opened {
			return w, nil
		}
		name, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return Wording{}, fault.Invalid(field, "“{{”之后缺少“}}”")
		}
		if name = strings.TrimSpace(name); !variableName.MatchString(name) {
			return Wording{}, fault.Invalid(field, "变量名须以小写字母开头，只含字母和数字，最多 30 个字符")
		}
		w.names, text = append(w.names, name), after
	}
}

// Names are the variables used, each once.
func (w Wording) Names() []string {
	names := slices.Clone(w.names)
	slices.Sort(names)
	return slices.Compact(names)
}

// Fill puts the values in; a value that is missing leaves nothing.
func (w Wording) Fill(values map[string]string) string {
	var b strings.Builder
	for i, text := range w.texts {
		b.WriteString(text)
		if i < len(w.names) {
			b.WriteString(values[w.names[i]])
		}
	}
	return b.String()
}

// Kind is what a variable's value must look like.
type Kind string

// The kinds.
const (
	Text   Kind = "TEXT"   // any text without control characters
	Number Kind = "NUMBER" // digits, with a sign and a decimal point at most
	Date   Kind = "DATE"   // 2026-03-01
	Time   Kind = "TIME"   // 2026-03-01 09:30
)

var forms = map[Kind]struct {
	form *pattern.Pattern
	says string
}{
	Number: {pattern.New(`^-?[0-9]{1,15}(\.[0-9]{1,6})?$`), "须为数字"},
	Date:   {pattern.New(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`), "须为日期，例如 2026-03-01"},
	Time:   {pattern.New(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) ([01][0-9]|2[0-3]):[0-5][0-9]$`), "须为时间，例如 2026-03-01 09:30"},
}

// MessageVariable is what a sender fills in.
type MessageVariable struct {
	Name      string `json:"name"`
	Label     string `json:"label"`
	Kind      Kind   `json:"kind"`
	MaxLength int    `json:"maxLength"` // in characters
}

// Value is one value that a sender gave.
type Value struct{ Name, Value string }

// Check says whether the values are exactly those of the variables, and each
// fits; the refusal names the field "<field>.<name>".
func Check(field string, variables []MessageVariable, values []Value) (map[string]string, error) {
	given := map[string]string{}
	for _, v := range values {
		at := field + "." + v.Name
		i := slices.IndexFunc(variables, func(known MessageVariable) bool { return known.Name == v.Name })
		if i < 0 {
			return nil, fault.Invalid(at, "模板没有变量“%s”", clip(v.Name))
		}
		if _, twice := given[v.Name]; twice {
			return nil, fault.Invalid(at, "变量“%s”重复填写", v.Name)
		}
		text := strings.TrimSpace(v.Value)
		if err := variables[i].check(at, text); err != nil {
			return nil, err
		}
		given[v.Name] = text
	}
	for _, v := range variables {
		if _, ok := given[v.Name]; !ok {
			return nil, fault.Invalid(field+"."+v.Name, "请填写%s", v.Label)
		}
	}
	return given, nil
}

func (v MessageVariable) check(at, text string) error {
	switch {
	case text == "":
		return fault.Invalid(at, "请填写%s", v.Label)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, hidden):
		return fault.Invalid(at, "%s含有不允许的字符", v.Label)
	case utf8.RuneCountInString(text) > v.MaxLength:
		return fault.Invalid(at, "%s不能超过 %d 个字", v.Label, v.MaxLength)
	}
	if foreignAddress(text) != "" {
		return fault.Invalid(at, "%s含有不允许的网址，只能使用政府网站的网址", v.Label)
	}
	if f, ok := forms[v.Kind]; ok && !f.form.MatchString(text) {
		return fault.Invalid(at, "%s%s", v.Label, f.says)
	}
	return nil
}

// hidden says that a character steers a terminal or the direction of writing, or
// is not seen: with these a text reads otherwise than it is.
func hidden(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }

// clip keeps what somebody sent from filling an answer.
func clip(text string) string {
	if r := []rune(text); len(r) > 30 {
		return string(r[:30]) + "…"
	}
	return text
}
