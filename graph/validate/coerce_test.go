package validate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/graph/validate"
)

func TestCoerce(t *testing.T) {
	for _, test := range []struct {
		name, definition, raw string
		want                  string // the values as JSON, or after "!" a part of the error
	}{
		{"none", `$x: Int`, ``, `{}`},
		{"null document", `$x: Int`, `null`, `{}`},
		{"not an object", `$x: Int`, `[1]`, `!must be a JSON object`},
		{"not JSON", `$x: Int`, `{`, `!not valid JSON`},
		{"bad number", `$x: Any`, `{"x": 01}`, `!not valid JSON`},
		{"explicit null", `$x: Int = 3`, `{"x": null}`, `{"x":null}`},
		{"default", `$x: Int = 3`, `{}`, `{"x":3}`},
		{"required", `$x: Int!`, `{}`, `!"$x" of required type "Int!" was not provided`},
		{"null for non-null", `$x: Int!`, `{"x": null}`, `!must not be null`},
		{"int", `$x: Int`, `{"x": -2147483648}`, `{"x":-2147483648}`},
		{"int out of range", `$x: Int`, `{"x": 2147483648}`, `!32-bit`},
		{"int of whole float", `$x: Int`, `{"x": 3.0}`, `{"x":3}`},
		{"int of fraction", `$x: Int`, `{"x": 3.5}`, `!32-bit`},
		{"int of string", `$x: Int`, `{"x": "3"}`, `!which is no Int`},
		{"float of int", `$x: Float`, `{"x": 3}`, `{"x":3}`},
		{"float infinite", `$x: Float`, `{"x": 1e999}`, `!which is no Float`},
		{"string of int", `$x: String`, `{"x": 3}`, `!which is no String`},
		{"boolean of string", `$x: Boolean`, `{"x": "true"}`, `!which is no Boolean`},
		{"id of int", `$x: ID`, `{"x": 12345678901234567890}`, `{"x":"12345678901234567890"}`},
		{"id of fraction", `$x: ID`, `{"x": 1.5}`, `!which is no ID`},
		{"list of one", `$x: [[Int]]`, `{"x": 3}`, `{"x":[[3]]}`},
		{"null in list", `$x: [Int!]`, `{"x": [1, null]}`, `!"$x[1]" of non-null type`},
		{"enum", `$x: Kind`, `{"x": "SMALL"}`, `{"x":"SMALL"}`},
		{"enum in lower case", `$x: Kind`, `{"x": "small"}`, `!does not exist in "Kind"`},
		{"enum of int", `$x: Kind`, `{"x": 1}`, `!value of the enum`},
		{"custom scalar", `$x: Any`, `{"x": {"b": 1.50, "a": [1e2, "é"]}}`, `{"x":{"b":1.50,"a":[1e2,"é"]}}`},
		{"object with defaults", `$x: Filter`, `{"x": {"text": "a", "inner": {"text": "b", "limit": 1}}}`, `{"x":{"inner":{"limit":1,"text":"b"},"limit":5,"text":"a"}}`},
		{"object lacks", `$x: Filter`, `{"x": {"inner": {}}}`, `!"$x.text" of required type`},
		{"unknown input field", `$x: Filter`, `{"x": {"text": "a", "secret": 1}}`, `!field "secret", which is not defined`},
		{"object of list", `$x: Filter`, `{"x": [1]}`, `!must be an object`},
		{"one of", `$x: One`, `{"x": {"a": 1}}`, `{"x":{"a":1}}`},
		{"one of two", `$x: One`, `{"x": {"a": 1, "b": "c"}}`, `!exactly one field`},
		{"one of null", `$x: One`, `{"x": {"a": null}}`, `!not null`},
		{"default object", `$x: Filter = {text: "a", kinds: SMALL}`, `{}`, `{"x":{"kinds":["SMALL"],"limit":5,"text":"a"}}`},
		{"nothing declared", `$y: Int`, `{"x": 1}`, `{}`},
		{"too deep", `$x: Any`, `{"x": ` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, `!not valid JSON`},
	} {
		t.Run(test.name, func(t *testing.T) {
			document, errs := validate.Parse(`query(`+test.definition+`) { me { id } }`, validate.Limits{})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			values, errs := validate.Coerce(schema, document.Operations[0], json.RawMessage(test.raw))
			if part, fails := strings.CutPrefix(test.want, "!"); fails {
				if len(errs) == 0 || !strings.Contains(errs[0].Message, part) || errs[0].Extensions["code"] != validate.CodeVariables {
					t.Errorf("got %v, %v; want error %q", values, errs, part)
				}
				return
			}
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			got, err := json.Marshal(values)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
		})
	}
}
