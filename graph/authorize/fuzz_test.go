package authorize

import (
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/graph/supergraph"
)

// FuzzNew: whatever stands where a rule should, reading it ends, and who has
// nothing gets no more for it.
func FuzzNew(f *testing.F) {
	for _, rule := range []string{`@requiresScopes(scopes: [["a"]])`, `@requiresScopes(scopes: [[]])`, `@authenticated`, `@requiresScopes(scopes: "a")`, `@requiresScopes(scopes: $x)`, `@policy(policies: [["""a"""]])`, `@requiresScopes(scopes: [["a", ["b"]]])`, `@requiresScopes @requiresScopes(scopes: [[null]])`} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		super, err := supergraph.Load(strings.Replace(interfaces, `@requiresScopes(scopes: [["x"]])`, rule, 1))
		if err != nil {
			return
		}
		rules, err := New(super)
		if err != nil || rules == nil {
			return
		}
		denial := rules.Without(rules.Failed(rules.objects[super.Type("Y")].union(rules.fields[fieldOf{super.Type("Y"), "name"}]), nil))
		if y := super.Type("Y"); y != nil && y.Field("name") != nil && !denial.Denied(y, "name") {
			t.Errorf("%s opens what stands elsewhere", rule)
		}
	})
}
