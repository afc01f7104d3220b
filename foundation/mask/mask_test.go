package mask_test

import (
	"math/rand/v2"
	"strings"
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
		{"name of one character", mask.Name, "李", "***"},
		{"long name", mask.Name, "阿卜杜热西提", "阿***"},
		{"no name", mask.Name, "", "***"},
		{"broken name", mask.Name, "\xff\xfe", "***"},
		{"identity number", mask.IdentityNumber, "510104199003071234", "510*************34"},
		{"identity number, old", mask.IdentityNumber, "510104900307123", "***"},
		{"e-mail", mask.Email, "limin@example.org", "l***@example.org"},
		{"no e-mail", mask.Email, "@example.org", "***"},
		{"address", mask.Address, "锦江区水井坊街道12号3单元", "锦江区水井坊街道***"},
		{"address without a number", mask.Address, "锦江区水井坊街道附近", "锦江区水井***"},
		{"network", mask.Network, "203.0.113.7", "203.0.*.*"},
		{"network, IPv6", mask.Network, "2001:db8::1", "2001:db8:*"},
		{"no network", mask.Network, "203.0.113", "***"},
		{"no address", mask.Address, "", "***"},
	} {
		if got := c.of(c.text); got != c.get {
			t.Errorf("%s %q: %q, want %q", c.name, c.text, got, c.get)
		}
	}
}

// Whatever the value, its masked form does not hold it.
func TestNoMaskHoldsItsValue(t *testing.T) {
	runes := []rune("0123456789+@.:李敏欧阳abcXYZ街道号 \xff")
	kinds := []mask.Kind{mask.Text, mask.MobileNumber, mask.PersonName, mask.Identity, mask.EmailAddress, mask.Home, mask.NetAddress, "UNKNOWN"}
	random := rand.New(rand.NewPCG(1, 2))
	values := []string{"李", "a@b", "@", "锦江区", "8", "+86", "1.2.3.4", "::", "13812345678", "+8613812345678", "510104199003071234"}
	for range 20_000 {
		text := make([]rune, 1+random.IntN(20))
		for i := range text {
			text[i] = runes[random.IntN(len(runes))]
		}
		values = append(values, string(text))
	}
	for _, value := range values {
		for _, kind := range kinds {
			if got := mask.Of(kind, value); strings.Contains(got, value) || got == "" {
				t.Fatalf("%s %q: %q", kind, value, got)
			}
		}
	}
	for _, kind := range kinds {
		if got := mask.Of(kind, ""); got != "" {
			t.Errorf("%s of nothing: %q", kind, got)
		}
	}
}
