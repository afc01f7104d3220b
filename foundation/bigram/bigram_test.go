package bigram

import (
	"strings"
	"testing"
)

func TestVectorAndQuery(t *testing.T) {
	for _, c := range []struct{ text, vector string }{
		{"公积金查询-账户信息", `'公积':1 '积金':2 '金查':3 '查询':4 '询':5 '账户':7 '户信':8 '信息':9 '息':10`},
		{"You成都", `'you':1 '成都':3 '都':4`},
		{"１２３４５市长信箱", `'12345':1 '市长':3 '长信':4 '信箱':5 '箱':6`},
		{"a'b\\c", `'a':1 'b':3 'c':5`},
		{"", ""},
	} {
		if got := Vector(c.text); got != c.vector {
			t.Errorf("Vector(%q) = %s, want %s", c.text, got, c.vector)
		}
	}
	for _, c := range []struct {
		search, query string
		ok            bool
	}{
		{"公积金", `('公积' <-> '积金')`, true},
		{"社保 明细", `('社保') & ('明细')`, true},
		{"求1号", `'求':* & '1':* & '号':*`, true},
		{"123市长", `'123':* & ('市长')`, true},
		{"社", `'社':*`, false},
		{" -', ", "", false},
	} {
		got, ok := Query(c.search)
		if got != c.query || ok != c.ok {
			t.Errorf("Query(%q) = %s, %v, want %s, %v", c.search, got, ok, c.query, c.ok)
		}
	}
}

func TestPartsDoNotTouch(t *testing.T) {
	vector := Vector("社保", "查询")
	if strings.Contains(vector, "保查") || strings.Contains(vector, "'查询':2") {
		t.Errorf("parts touch: %s", vector)
	}
}

func TestLongTextStaysWithinTsvectorLimits(t *testing.T) {
	vector := Vector(strings.Repeat("市民云平台", 10_000), strings.Repeat("x", 5000))
	if strings.Contains(vector, ":16384") {
		t.Error("a position beyond 16383")
	}
}
