package mask_test

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/mask"
)

func TestMasks(t *testing.T) {
	for _, c := range []struct {
		name      string
		of        func(string) string
		text, get string
	}{
		{"mobile", mask.Mobile, "+8613812345678", "138****5678"},
		{"mobile", mask.Mobile, "13812345678", "138****5678"},
		{"mobile, too short", mask.Mobile, "+861381234567", "***"},
		{"name", mask.Name, "李敏", "李*"},
		{"name", mask.Name, "欧阳修", "欧**"},
		{"name of one character", mask.Name, "李", "李*"},
		{"long name", mask.Name, "阿卜杜热西提", "阿***"},
		{"no name", mask.Name, "", "***"},
		{"broken name", mask.Name, "\xff\xfe", "***"},
		{"identity number", mask.IdentityNumber, "510104199003071234", "510*************34"},
		{"identity number, old", mask.IdentityNumber, "510104900307123", "***"},
		{"e-mail", mask.Email, "limin@example.org", "l***@example.org"},
		{"no e-mail", mask.Email, "@example.org", "***"},
		{"address", mask.Address, "锦江区水井坊街道12号3单元", "锦江区水井坊街道***"},
		{"address without a number", mask.Address, "锦江区水井坊街道附近", "锦江区水井坊***"},
		{"no address", mask.Address, "", "***"},
	} {
		if got := c.of(c.text); got != c.get {
			t.Errorf("%s %q: %q, want %q", c.name, c.text, got, c.get)
		}
	}
}
