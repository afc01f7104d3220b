package definition

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
)

// Variable is one thing that an instance is told at its start.
type Variable struct {
	Name     string   `json:"name"`
	Label    string   `json:"label"` // Chinese
	Type     Type     `json:"type"`
	Required bool     `json:"required,omitempty"`
	Options  []string `json:"options,omitempty"` // of a text: the only ones
	Max      *int64   `json:"max,omitempty"`     // of an integer; of a text its length
}

// Type is a variable's type.
type Type string

// The types. Amounts are integers, in fen.
const (
	Integer Type = "INTEGER"
	Text    Type = "TEXT"
	Boolean Type = "BOOLEAN"
	Date    Type = "DATE"    // YYYY-MM-DD; compares as it sorts
	Workers Type = "WORKERS" // IDs of workers
)

// The longest text of a variable, and the most workers that one may name.
const (
	maxText    = 500
	maxWorkers = 20
)

// zero is what a variable that was not given counts as.
func (t Type) zero() any {
	switch t {
	case Integer:
		return int64(0)
	case Boolean:
		return false
	case Workers:
		return []string{}
	default:
		return ""
	}
}

// Values reads the variables from JSON and checks them: unknown ones and wrong
// types are refused, those not given get their zero. field is the input's path.
func (d *Definition) Values(text, field string) (map[string]any, error) {
	given := map[string]json.RawMessage{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &given); err != nil {
			return nil, fault.Invalid(field, "表单内容须为 JSON 对象").Because(err)
		}
	}
	for name := range given {
		if _, known := d.variables[name]; !known {
			return nil, fault.Invalid(field, "表单中没有“%s”这一项", cut(name))
		}
	}
	values := make(map[string]any, len(d.Variables))
	for _, v := range d.Variables {
		value, err := v.read(given[v.Name], field+"."+v.Name)
		if err != nil {
			return nil, err
		}
		values[v.Name] = value
	}
	return values, nil
}

func (v Variable) read(text json.RawMessage, field string) (any, error) {
	if len(text) == 0 || string(text) == "null" {
		if v.Required {
			return nil, fault.Invalid(field, "请填写%s", v.Label)
		}
		return v.Type.zero(), nil
	}
	wrong := fault.Invalid(field, "%s的格式不正确", v.Label)
	switch v.Type {
	case Integer:
		var n int64
		if json.Unmarshal(text, &n) != nil {
			return nil, wrong
		}
		if limit := v.limit(math.MaxInt32 * 1000); n < 0 || n > limit {
			return nil, fault.Invalid(field, "%s须在 0 到 %d 之间", v.Label, limit)
		}
		return n, nil
	case Boolean:
		var b bool
		if json.Unmarshal(text, &b) != nil {
			return nil, wrong
		}
		return b, nil
	case Workers:
		ids := []string{}
		if json.Unmarshal(text, &ids) != nil || len(ids) > maxWorkers || len(input.IDs(ids)) != len(ids) {
			return nil, wrong
		}
		sorted := slices.Sorted(slices.Values(ids))
		if len(slices.Compact(sorted)) != len(ids) {
			return nil, fault.Invalid(field, "%s中有重复的人员", v.Label)
		}
		if v.Required && len(ids) == 0 {
			return nil, fault.Invalid(field, "请选择%s", v.Label)
		}
		return ids, nil
	}
	var s string
	if json.Unmarshal(text, &s) != nil || !utf8.ValidString(s) {
		return nil, wrong
	}
	if v.Type == Date {
		if s == "" && !v.Required {
			return s, nil
		}
		if !date(s) {
			return nil, fault.Invalid(field, "%s的格式应为 2026-03-01", v.Label)
		}
		return s, nil
	}
	least := 0
	if v.Required {
		least = 1
	}
	s, err := input.Text(field, v.Label, s, least, int(v.limit(maxText)))
	if err != nil {
		return nil, err
	}
	if len(v.Options) > 0 && !slices.Contains(v.Options, s) {
		return nil, fault.Invalid(field, "%s不在可选范围内", v.Label)
	}
	return s, nil
}

func (v Variable) limit(usual int64) int64 {
	if v.Max != nil {
		return *v.Max
	}
	return usual
}

// Restore reads stored values, which were checked when they came in.
func (d *Definition) Restore(text []byte) (map[string]any, error) {
	given := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &given); err != nil {
		return nil, fmt.Errorf("definition: stored variables of %s: %w", d.Key, err)
	}
	values := make(map[string]any, len(d.Variables))
	for _, v := range d.Variables {
		v.Required, v.Options, v.Max = false, nil, nil
		value, err := v.read(given[v.Name], v.Name)
		if err != nil {
			return nil, fmt.Errorf("definition: stored variable of %s: %w", d.Key, err)
		}
		values[v.Name] = value
	}
	return values, nil
}

// IDs gives the workers that the variable names.
func IDs(values map[string]any, variable string) []string {
	switch v := values[variable].(type) {
	case []string:
		return v
	default:
		return nil
	}
}
