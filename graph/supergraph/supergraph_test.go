package supergraph

import "testing"

func TestParseFieldSet(t *testing.T) {
	for _, text := range []string{"id", "id organization { id }", `price(currency: "USD") a { ... on B { c } }`} {
		set, err := ParseFieldSet(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.String(); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	for _, text := range []string{"", "{", "a: b", "...X", "id } x {"} {
		if _, err := ParseFieldSet(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
