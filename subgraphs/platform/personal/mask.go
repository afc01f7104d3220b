package personal

import "github.com/citizencloud/citizencloud/foundation/mask"

// MaskMobile shows of a Chinese mobile number in E.164 the first three and the
// last four digits: "+8613800000001" becomes "138****0001".
func MaskMobile(e164 string) string { return mask.Mobile(e164) }

// MaskName shows the first character of a name alone.
func MaskName(name string) string { return mask.Name(name) }
