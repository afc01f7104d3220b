package input

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		text     string
		min, max int
		want     string
		refused  bool
	}{
		{" 社区 食堂\n", 1, 10, "社区 食堂", false},
		{"", 0, 10, "", false},
		{"   ", 1, 10, "", true},
		{"一二三", 4, 10, "", true},
		{"一二三", 1, 2, "", true},
		{"a\x00b", 1, 10, "", true},
		{"a\xffb", 1, 10, "", true},
		{"第一行\n第二行", 1, 10, "第一行\n第二行", false},
	} {
		got, err := Text("input.name", "名称", c.text, c.min, c.max)
		if got != c.want || (err != nil) != c.refused {
			t.Errorf("Text(%q, %d, %d) = %q, %v", c.text, c.min, c.max, got, err)
		}
		if err != nil && fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("Text(%q): code %s", c.text, fault.CodeOf(err))
		}
	}
}

func TestID(t *testing.T) {
	if !ID("01890a5d-ac96-774b-bcce-b302099a8057") {
		t.Error("a UUID was refused")
	}
	for _, text := range []string{"", "1", "01890a5d-ac96-774b-bcce-b302099a805", "{01890a5d-ac96-774b-bcce-b302099a8057}", "'; DROP TABLE x; --"} {
		if ID(text) {
			t.Errorf("%q was taken for an ID", text)
		}
	}
}
