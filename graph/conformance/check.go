package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph/reference"
	"github.com/citizencloud/citizencloud/graph/validate"
)

// Answer is what one schema with all the data answers to an operation: the
// data, and the root fields in the order in which they ran.
func Answer(ctx context.Context, universe *Universe, query string, variables json.RawMessage) ([]byte, []string, error) {
	want, err := Expect(ctx, universe, query, variables)
	if err == nil && len(want.Errors) > 0 {
		err = fmt.Errorf("conformance: the one schema fails: %w", want.Errors)
	}
	return want.Data, want.Roots, err
}

// Expected is the answer of one schema with all the data.
type Expected struct {
	Data   []byte
	Errors gqlerror.List
	// Roots are the root fields in the order in which they ran.
	Roots []string
}

// Expect is Answer where fields may fail.
func Expect(ctx context.Context, universe *Universe, query string, variables json.RawMessage) (Expected, error) {
	document, errs := validate.Parse(query, validate.Limits{})
	if len(errs) == 0 {
		errs = validate.Document(universe.Super.Public, document, validate.Limits{})
	}
	if len(errs) > 0 {
		return Expected{}, fmt.Errorf("conformance: %w", errs)
	}
	operation := document.Operations[0]
	values, errs := validate.Coerce(universe.Super.Public, operation, variables)
	if len(errs) > 0 {
		return Expected{}, fmt.Errorf("conformance: %w", errs)
	}
	monolith := &Monolith{Universe: universe, Variables: values}
	data, errs := reference.Execute(ctx, rooted(universe.Super.Public, operation), operation, values, monolith)
	return Expected{data, errs, monolith.Roots}, nil
}

// rooted is the schema for the reference, which takes a subscription's event
// as a query of the subscription root.
func rooted(schema *ast.Schema, operation *ast.OperationDefinition) *ast.Schema {
	if operation.Operation != ast.Subscription {
		return schema
	}
	copied := *schema
	copied.Query = schema.Subscription
	return &copied
}

// Compare says how a gateway's whole answer differs from the expected data, ""
// when it does not. The order of keys counts only where it is to: it depends on
// the variables where a field is asked several times under different conditions,
// which the gateway's plan does not follow.
func Compare(want, body []byte, ordered bool) string {
	got, difference := read(body)
	if len(got.Errors) > 0 {
		return fmt.Sprintf("errors: %v", got.Errors)
	}
	if difference == "" {
		difference = compareData(want, got.Data, ordered)
	}
	return difference
}

// CompareFailing is Compare where fields fail: there must be errors when, and
// only when, the one schema has some, each of a place where there is null: at its
// end or, where it bubbled or a sibling's did, before.
func CompareFailing(want Expected, body []byte) string {
	got, difference := read(body)
	if difference == "" {
		difference = compareData(want.Data, got.Data, true)
	}
	if difference != "" {
		return difference
	}
	if (len(got.Errors) == 0) != (len(want.Errors) == 0) {
		return fmt.Sprintf("got errors %v\nwant errors %v", got.Errors, want.Errors)
	}
	var data any
	if err := json.Unmarshal(got.Data, &data); err != nil {
		return err.Error()
	}
	for _, err := range got.Errors {
		if !nullAt(data, err.Path) {
			return fmt.Sprintf("an error at %q, where there is no null: %s\nwant errors %v", err.Path, err.Message, want.Errors)
		}
	}
	return ""
}

// nullAt says whether a path leads to null.
func nullAt(value any, path ast.Path) bool {
	for _, element := range path {
		switch element := element.(type) {
		case ast.PathName:
			object, _ := value.(map[string]any)
			if value == nil {
				return true
			}
			var there bool
			if value, there = object[string(element)]; !there {
				return false
			}
		case ast.PathIndex:
			list, _ := value.([]any)
			if value == nil {
				return true
			}
			if int(element) >= len(list) {
				return false
			}
			value = list[element]
		}
	}
	return value == nil
}

type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors gqlerror.List   `json:"errors"`
}

func read(body []byte) (got answer, difference string) {
	if err := json.Unmarshal(body, &got); err != nil {
		difference = fmt.Sprintf("the answer is no JSON: %v: %s", err, body)
	}
	return got, difference
}

func compareData(want, data []byte, ordered bool) string {
	var a, b bytes.Buffer
	if err := json.Compact(&a, want); err != nil {
		return err.Error()
	}
	if err := json.Compact(&b, data); err != nil {
		return err.Error()
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) && (ordered || sorted(a.Bytes()) != sorted(b.Bytes())) {
		return fmt.Sprintf("got  %s\nwant %s", b.Bytes(), a.Bytes())
	}
	return ""
}

// sorted is the JSON with the keys of every object sorted.
func sorted(text []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err.Error()
	}
	out, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
