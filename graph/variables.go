package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/execute"
)

// codeInput says that a variable's value does not fit its type.
const codeInput = "INVALID_INPUT"

// variables reads and checks the client's variables: the coerced values are for what the gateway
// decides itself, the raw ones go on to the subgraphs as they came.
func (e *Engine) variables(op *Operation, raw json.RawMessage, request *execute.Request) gqlerror.List {
	if len(op.definition.VariableDefinitions) == 0 {
		return nil
	}
	var given map[string]any
	if raw = bytes.TrimSpace(raw); len(raw) > 0 && string(raw) != "null" {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		err := decoder.Decode(&given)
		if err == nil {
			if _, more := decoder.Token(); more != io.EOF {
				err = errors.New("more than one value")
			}
		}
		if err == nil {
			err = json.Unmarshal(raw, &request.Raw)
		}
		if err != nil {
			return coded(codeInput, gqlerror.List{gqlerror.Errorf("variables 须是一个 JSON 对象")})
		}
	}
	values, err := validator.VariableValues(e.public, op.definition, given)
	if err != nil {
		var refused *gqlerror.Error
		if !errors.As(err, &refused) {
			refused = gqlerror.Wrap(err)
		}
		return coded(codeInput, gqlerror.List{refused})
	}
	request.Values = values
	return nil
}

// key tells whether two calls of queries or subscriptions are the same in all that decides their answer.
func (o *Operation) key(call Call) string {
	key := make([]byte, 0, 64+len(call.View)+len(call.Variables))
	for n := o.number; n > 0; n >>= 7 {
		key = append(key, byte(n&0x7f)|0x80)
	}
	key = append(key, 0)
	key = dispatch.AppendCaller(key, call.View, call.Header)
	return string(append(key, call.Variables...))
}
