package definition

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

//go:embed builtin/*.json
var builtin embed.FS

// MaxBody bounds a definition, in bytes.
const MaxBody = 64 << 10

// Problem is one fault of a definition: where, as a path such as
// "states[1].actions[0].to[0].when", and what, in Chinese.
type Problem struct {
	Field   string
	Message string
}

// Parse reads a definition and checks it whole. It gives all problems that it
// finds; with any, the definition cannot be used.
func Parse(body []byte) (*Definition, []Problem) {
	d := &Definition{}
	if len(body) > MaxBody {
		return nil, []Problem{{"", fmt.Sprintf("流程定义不能超过 %d KB", MaxBody>>10)}}
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(d); err != nil {
		return nil, []Problem{unreadable(err)}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, []Problem{{"", "流程定义之后还有多余的内容"}}
	}
	d.defaults()
	if problems := d.check(); len(problems) > 0 {
		return nil, problems
	}
	return d, nil
}

func unreadable(err error) Problem {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return Problem{wrong.Field, "类型不正确"}
	}
	if text := err.Error(); len(text) > 21 && text[:21] == "json: unknown field \"" {
		return Problem{text[21 : len(text)-1], "没有这一项"}
	}
	return Problem{"", "流程定义不是有效的 JSON"}
}

// defaults fills in what an empty choice means.
func (d *Definition) defaults() {
	if d.Withdraw == "" {
		d.Withdraw = WithdrawNever
	}
	if d.Resubmit == "" {
		d.Resubmit = ResubmitStart
	}
	d.states, d.variables = map[string]*State{}, map[string]Variable{}
	for i := range d.States {
		s := &d.States[i]
		if s.Kind == KindTask && s.Sign == "" {
			s.Sign = SignAny
		}
		d.states[s.Name] = s
	}
	for _, v := range d.Variables {
		d.variables[v.Name] = v
	}
}

// Refuse makes the refusal of the problems: it names the first one's field
// below the prefix, and says how many there are.
func Refuse(problems []Problem, prefix string) *fault.Fault {
	first := problems[0]
	field := prefix
	if first.Field != "" {
		field += "." + first.Field
	}
	if len(problems) == 1 {
		return fault.Invalid(field, "%s", first.Message)
	}
	return fault.Invalid(field, "%s（共 %d 处问题）", first.Message, len(problems))
}

// Builtin is one definition that comes with the platform.
type Builtin struct {
	*Definition
	Body []byte
}

// Builtins gives the definitions that come with the platform, by their file's name.
func Builtins() ([]Builtin, error) {
	names, err := fs.Glob(builtin, "builtin/*.json")
	if err != nil {
		return nil, err
	}
	all := make([]Builtin, len(names))
	for i, name := range names {
		body, err := builtin.ReadFile(name)
		if err != nil {
			return nil, err
		}
		d, problems := Parse(body)
		if len(problems) > 0 {
			return nil, fmt.Errorf("definition: %s: %s: %s", name, problems[0].Field, problems[0].Message)
		}
		all[i] = Builtin{d, body}
	}
	return all, nil
}

func date(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// cut shortens what somebody typed, to be said back.
func cut(text string) string {
	if runes := []rune(text); len(runes) > 20 {
		return string(runes[:20]) + "…"
	}
	return text
}
