package definition

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"github.com/citizencloud/citizencloud/foundation/division"
)

// The longest condition, in bytes and in parts.
const (
	maxCondition = 200
	maxNodes     = 40
)

// areaLevel is the name under which conditions know the level of the
// instance's area, such as "STREET".
const areaLevel = "areaLevel"

// program is a compiled condition; the zero one always holds.
type program struct{ code *vm.Program }

// compile compiles the condition over the variables. Only what always ends and
// always gives a value is let in: comparisons, and/or/not, in, + - *, texts'
// beginnings and ends, and a choice. There are no calls, loops or indexes.
func compile(condition string, variables []Variable) (program, error) {
	if len(condition) > maxCondition {
		return program{}, fmt.Errorf("长度不能超过 %d 个字符", maxCondition)
	}
	env := map[string]any{areaLevel: ""}
	for _, v := range variables {
		env[v.Name] = v.Type.zero()
	}
	guard := &guard{}
	code, err := expr.Compile(condition, expr.Env(env), expr.AsBool(), expr.DisableAllBuiltins(), expr.MaxNodes(maxNodes), expr.Patch(guard))
	if guard.refused != "" {
		return program{}, fmt.Errorf("不允许使用%s", guard.refused)
	}
	if err != nil {
		return program{}, errors.Join(errors.New("条件无法识别，请检查变量名称与类型"), err)
	}
	return program{code}, nil
}

// holds evaluates the condition; one that was let in cannot fail.
func (p program) holds(values map[string]any, areaCode string) bool {
	if p.code == nil {
		return true
	}
	env := make(map[string]any, len(values)+1)
	for name, value := range values {
		env[name] = value
	}
	env[areaLevel] = string(division.LevelOf(areaCode))
	result, err := vm.Run(p.code, env)
	yes, ok := result.(bool)
	return err == nil && ok && yes
}

var operators = map[string]bool{
	"and": true, "&&": true, "or": true, "||": true, "not": true, "!": true, "==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true,
	"+": true, "-": true, "*": true, "in": true, "startsWith": true, "endsWith": true, "contains": true,
}

// guard looks at each part of a condition before it is compiled.
type guard struct{ refused string }

// Visit implements ast.Visitor.
func (g *guard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ArrayNode, *ast.ConstantNode, *ast.ConditionalNode:
	case *ast.UnaryNode:
		g.operator(n.Operator)
	case *ast.BinaryNode:
		g.operator(n.Operator)
	default:
		g.refused = "函数、下标或循环"
	}
}

func (g *guard) operator(name string) {
	if !operators[name] {
		g.refused = "运算符“" + name + "”"
	}
}
