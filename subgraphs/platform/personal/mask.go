package personal

import "strings"

// MaskMobile shows of a Chinese mobile number in E.164 the first three and the
// last four digits: "+8613800000001" becomes "138****0001".
func MaskMobile(e164 string) string {
	digits := strings.TrimPrefix(e164, "+86")
	if len(digits) != 11 {
		return "***"
	}
	return digits[:3] + "****" + digits[7:]
}
