// Package validate decides whether an operation may run: it parses a document
// within limits, measures it without expanding its fragments, checks it by the
// rules of the GraphQL specification, and coerces the variables.
//
// Start reading at Parse and Document; the measures are in measure.go, the
// coercion of variables in coerce.go.
package validate

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Codes of the errors, in extensions.code.
const (
	CodeParse     = "GRAPHQL_PARSE_FAILED"
	CodeInvalid   = "GRAPHQL_VALIDATION_FAILED"
	CodeTooLarge  = "QUERY_TOO_LARGE"
	CodeTooDeep   = "QUERY_TOO_DEEP"
	CodeComplex   = "QUERY_TOO_COMPLEX"
	CodeOperation = "OPERATION_RESOLUTION_FAILURE"
	CodeVariables = "BAD_USER_INPUT"
)

// Limits bound a document. Zero means the default, a negative value no limit.
type Limits struct {
	Bytes      int // of the document's text; default 1 MiB
	Tokens     int // of the document; default 20,000
	Depth      int // nesting of fields; default 64
	Fields     int // after fragments are expanded; default 20,000
	Aliases    int // after fragments are expanded; default 5,000
	RootFields int // after fragments are expanded; default 500
	Cost       int // see Measures.Cost; default none
}

func (l Limits) defaulted() Limits {
	set := func(value *int, otherwise int) {
		if *value == 0 {
			*value = otherwise
		}
	}
	set(&l.Bytes, 1<<20)
	set(&l.Tokens, 20_000)
	set(&l.Depth, 64)
	set(&l.Fields, 20_000)
	set(&l.Aliases, 5_000)
	set(&l.RootFields, 500)
	set(&l.Cost, -1)
	return l
}

// Parse reads a document within the limits of size.
func Parse(text string, limits Limits) (*ast.QueryDocument, gqlerror.List) {
	limits = limits.defaulted()
	if limits.Bytes > 0 && len(text) > limits.Bytes {
		return nil, failure(CodeTooLarge, nil, "The document has %d bytes; at most %d are allowed.", len(text), limits.Bytes)
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, max(limits.Tokens, 0))
	if err != nil {
		parsed := gqlerror.WrapIfUnwrapped(err)
		code := CodeParse
		if len(parsed.Locations) == 0 {
			code = CodeTooLarge // the parser's own limit has no location
		}
		return nil, coded(gqlerror.List{parsed}, code)
	}
	if len(document.Operations) == 0 {
		return nil, failure(CodeParse, nil, "The document has no operation.")
	}
	return document, nil
}

// Operation picks the operation that is to run: the named one, or the only one
// where the name is empty.
func Operation(document *ast.QueryDocument, name string) (*ast.OperationDefinition, gqlerror.List) {
	if name == "" {
		if len(document.Operations) == 1 {
			return document.Operations[0], nil
		}
		return nil, failure(CodeOperation, nil, "The document has %d operations: operationName must name one.", len(document.Operations))
	}
	if operation := document.Operations.ForName(name); operation != nil {
		return operation, nil
	}
	return nil, failure(CodeOperation, nil, "Unknown operation named %q.", name)
}

// Document checks a parsed document against the public schema: first the
// limits, which cost little whatever the document, then the rules of the
// specification. It annotates the document with the schema's definitions.
func Document(schema *ast.Schema, document *ast.QueryDocument, limits Limits) gqlerror.List {
	if errs := checkLimits(schema, document, limits.defaulted()); len(errs) > 0 {
		return errs
	}
	chosen := rules.NewDefaultRules()
	// Its comparison of all pairs of fields is replaced by fieldsMerge.
	chosen.RemoveRule(rules.OverlappingFieldsCanBeMergedRule.Name)
	chosen.AddRule(intRange.Name, intRange.RuleFunc)
	errs := validator.ValidateWithRules(schema, document, chosen)
	if len(errs) == 0 {
		errs = fieldsMerge(schema, document)
	}
	return coded(errs, CodeInvalid)
}

func checkLimits(schema *ast.Schema, document *ast.QueryDocument, limits Limits) gqlerror.List {
	m := newMeter(schema, document)
	for _, operation := range document.Operations {
		got := m.operation(operation)
		for _, check := range []struct {
			got, limit int
			code, what string
		}{
			{got.Depth, limits.Depth, CodeTooDeep, "nests %s levels of fields"},
			{got.Fields, limits.Fields, CodeComplex, "has %s fields"},
			{got.Aliases, limits.Aliases, CodeComplex, "has %s aliases"},
			{got.RootFields, limits.RootFields, CodeComplex, "has %s root fields"},
			{got.Cost, limits.Cost, CodeComplex, "costs %s"},
		} {
			if check.limit >= 0 && check.got > check.limit {
				what := fmt.Sprintf(check.what, number(check.got))
				return failure(check.code, operation.Position, "The operation %s; at most %d are allowed.", what, check.limit)
			}
		}
	}
	// Fragments that no operation spreads are walked by the rules too.
	for _, fragment := range document.Fragments {
		if got := m.fragment(fragment.Name); limits.Fields >= 0 && got.Fields > limits.Fields {
			return failure(CodeComplex, fragment.Position, "The fragment %q has %s fields; at most %d are allowed.", fragment.Name, number(got.Fields), limits.Fields)
		}
	}
	return nil
}

func number(n int) string {
	if n >= saturated {
		return "more than a billion"
	}
	return fmt.Sprint(n)
}

func failure(code string, position *ast.Position, format string, arguments ...any) gqlerror.List {
	err := &gqlerror.Error{Message: fmt.Sprintf(format, arguments...)}
	if position != nil {
		err.Locations = []gqlerror.Location{{Line: position.Line, Column: position.Column}}
	}
	return coded(gqlerror.List{err}, code)
}

func coded(errs gqlerror.List, code string) gqlerror.List {
	for _, err := range errs {
		if err.Extensions == nil {
			err.Extensions = map[string]any{}
		}
		err.Extensions["code"] = code
	}
	return errs
}
