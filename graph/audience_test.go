package graph_test

import "testing"

func TestSharedAmong(t *testing.T) {
	_, e := taggedWorld(t)
	for _, test := range []struct{ operation, want string }{
		{`{__typename}`, "everybody"},
		{`subscription {reviewed{id author{id}}}`, "callers of one data scope"},
		{`subscription {reviewed{id author{id name}}}`, "callers of one authorisation view"},
	} {
		if got := prepare(t, e, test.operation).SharedAmong(); got != test.want {
			t.Errorf("%s is shared among %q, want %q", test.operation, got, test.want)
		}
	}
}
