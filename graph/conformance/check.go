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
	document, errs := validate.Parse(query, validate.Limits{})
	if len(errs) == 0 {
		errs = validate.Document(universe.Super.Public, document, validate.Limits{})
	}
	if len(errs) > 0 {
		return nil, nil, fmt.Errorf("conformance: %w", errs)
	}
	operation := document.Operations[0]
	values, errs := validate.Coerce(universe.Super.Public, operation, variables)
	if len(errs) > 0 {
		return nil, nil, fmt.Errorf("conformance: %w", errs)
	}
	monolith := &Monolith{Universe: universe, Variables: values}
	data, errs := reference.Execute(ctx, rooted(universe.Super.Public, operation), operation, values, monolith)
	if len(errs) > 0 {
		return nil, nil, fmt.Errorf("conformance: the one schema fails: %w", errs)
	}
	return data, monolith.Roots, nil
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
	var got struct {
		Data   json.RawMessage `json:"data"`
		Errors gqlerror.List   `json:"errors"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return fmt.Sprintf("the answer is no JSON: %v: %s", err, body)
	}
	if len(got.Errors) > 0 {
		return fmt.Sprintf("errors: %v", got.Errors)
	}
	var a, b bytes.Buffer
	if err := json.Compact(&a, want); err != nil {
		return err.Error()
	}
	if err := json.Compact(&b, got.Data); err != nil {
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
