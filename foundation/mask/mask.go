// Package mask hides the middle of personal data, so that who may see that
// there is some can tell two apart, and no more (GB/T 37964, masking).
//
// Start reading at Mobile.
package mask

import (
	"strings"
	"unicode/utf8"
)

// Hidden stands for a value of which nothing may be shown.
const Hidden = "***"

// Mobile shows of a Chinese mobile number, in E.164 or of eleven digits, the
// first three and the last four digits: "+8613800000001" becomes "138****0001".
func Mobile(number string) string {
	digits := strings.TrimPrefix(number, "+86")
	if len(digits) != 11 {
		return Hidden
	}
	return digits[:3] + "****" + digits[7:]
}

// Name shows the first character: "欧阳修" becomes "欧**".
func Name(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if size == 0 || first == utf8.RuneError {
		return Hidden
	}
	return string(first) + strings.Repeat("*", max(1, min(utf8.RuneCountInString(name)-1, 3)))
}

// IdentityNumber shows of a resident's number (GB 11643) the first three and
// the last two characters: not the whole area, nothing of the birthday.
func IdentityNumber(number string) string {
	if len(number) != 18 {
		return Hidden
	}
	return number[:3] + strings.Repeat("*", 13) + number[16:]
}

// Email shows the first character and the host.
func Email(address string) string {
	local, host, found := strings.Cut(address, "@")
	if !found || local == "" {
		return Hidden
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "***@" + host
}

// Address shows what stands before the first number: the street, not the house.
func Address(address string) string {
	end := strings.IndexAny(address, "0123456789０１２３４５６７８９一二三四五六七八九十")
	if end < 0 {
		end = min(len(address), len(firstRunes(address, 6)))
	}
	return address[:end] + Hidden
}

func firstRunes(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
