package conformance_test

import (
	"context"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/citizencloud/citizencloud/graph/validate"
)

// mostReductions bounds the shorter operations that are tried for one failure.
const mostReductions = 3000

// reduce makes an operation that fails smaller as long as some part of it can
// be left out and it still fails, in whatever way. Random operations are long;
// what is wrong with them is mostly short.
func (w *randomWorld) reduce(ctx context.Context, query, difference string) (string, string) {
	for tried := 0; ; {
		smaller := false
		for k := 0; ; k++ {
			shorter, ok := without(query, k)
			if !ok || tried == mostReductions {
				break
			}
			tried++
			now, valid := w.attempt(ctx, shorter)
			if valid && now != "" {
				query, difference, smaller = shorter, now, true
				k--
			}
		}
		if !smaller || tried == mostReductions {
			return query, difference
		}
	}
}

// without is the operation without its k-th part, counted from its root on: a
// field or fragment, a fragment around its selections, or a directive. It is not
// ok where there is none such.
func without(query string, k int) (shorter string, ok bool) {
	document, errs := validate.Parse(query, validate.Limits{})
	if len(errs) > 0 {
		return "", false
	}
	operation := document.Operations[0]
	if !omit(&operation.SelectionSet, &k) {
		return "", false
	}
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent(""), formatter.WithCompacted()).FormatQueryDocument(document)
	return b.String(), true
}

// omit takes the k-th part out of the selections, and counts k down by the parts
// that it passed.
func omit(selections *ast.SelectionSet, k *int) bool {
	found := func() bool { *k--; return *k < 0 }
	for i, selection := range *selections {
		if len(*selections) > 1 && found() {
			*selections = slices.Delete(slices.Clone(*selections), i, i+1)
			return true
		}
		switch s := selection.(type) {
		case *ast.InlineFragment:
			if found() {
				*selections = slices.Replace(slices.Clone(*selections), i, i+1, s.SelectionSet...)
				return true
			}
			if len(s.Directives) > 0 && found() {
				s.Directives = nil
				return true
			}
			if omit(&s.SelectionSet, k) {
				return true
			}
		case *ast.Field:
			if len(s.Directives) > 0 && found() {
				s.Directives = nil
				return true
			}
			if s.Alias != s.Name && found() {
				s.Alias = s.Name
				return true
			}
			if omit(&s.SelectionSet, k) {
				return true
			}
		}
	}
	return false
}
