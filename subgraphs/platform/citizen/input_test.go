package citizen_test

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
)

func TestParseMobile(t *testing.T) {
	for text, want := range map[string]string{
		"13800000001": "+8613800000001", "+8613800000001": "+8613800000001", "+86 138-0000-0001": "+8613800000001", " 19912345678 ": "+8619912345678",
		"": "", "1380000000": "", "138000000011": "", "12800000001": "", "23800000001": "", "1380000000x": "", "+1 3800000001": "",
		"８６13800000": "", "١٣٨٠٠٠٠٠٠٠١": "", "+86+8613800000001": "", "13800000001\x00": "",
	} {
		got, err := citizen.ParseMobile("input.mobile", text)
		if got != want || (want == "") != (fault.CodeOf(err) == fault.InvalidInput) {
			t.Errorf("%q: %q %v, want %q", text, got, err, want)
		}
	}
}
