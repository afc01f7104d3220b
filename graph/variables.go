package graph

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/citizencloud/citizencloud/graph/dispatch"
	"github.com/citizencloud/citizencloud/graph/execute"
	"github.com/citizencloud/citizencloud/graph/validate"
)

// variables checks the client's variables and encodes them, coerced, as the subgraphs get them.
func (e *Engine) variables(op *Operation, raw json.RawMessage, request *execute.Request) gqlerror.List {
	if len(op.definition.VariableDefinitions) == 0 {
		return nil
	}
	values, errs := validate.Coerce(e.public, op.definition, raw)
	if len(errs) > 0 {
		return errs
	}
	request.Values = values
	request.Raw = make(map[string]json.RawMessage, len(values))
	for name, value := range values {
		encoded, err := json.Marshal(value)
		if err != nil {
			return coded(validate.CodeVariables, gqlerror.List{gqlerror.Errorf("变量 %s 无法使用", name)})
		}
		request.Raw[name] = encoded
	}
	return nil
}

// key tells whether two calls of queries or subscriptions are the same in all
// that decides their answer; "" when the call may share with none.
func (o *Operation) key(call Call) string {
	key := make([]byte, 0, 64+len(call.View)+len(call.Variables))
	for n := o.number; n > 0; n >>= 7 {
		key = append(key, byte(n&0x7f)|0x80)
	}
	switch {
	case o.audience == forAll:
		key = append(key, 0, 'a')
	case o.audience == forScope && call.Scope != "":
		key = append(key, 0, 's')
		key = append(append(key, call.Scope...), 0)
	case call.View != "":
		key = append(key, 0, 'p')
		key = dispatch.AppendCaller(key, call.View, call.Header)
	default:
		return ""
	}
	return string(append(key, call.Variables...))
}
