// Package mask hides the middle of personal data, so that who may see that
// there is some can tell two apart, and no more (GB/T 37964, masking).
//
// Start reading at Of.
package mask

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Hidden stands for a value of which nothing may be shown.
const Hidden = "***"

// Kind is what a value is, and so how it is masked: the schema's PersonalKind.
type Kind string

// The kinds.
const (
	Text         Kind = "TEXT" // shows nothing
	MobileNumber Kind = "MOBILE"
	PersonName   Kind = "NAME"
	Identity     Kind = "IDENTITY"
	EmailAddress Kind = "EMAIL"
	Home         Kind = "HOME"
	NetAddress   Kind = "NETWORK"
)

// Of masks a value of the kind. What comes out never holds the value itself,
// whatever the value: one that is too short or strange to be masked is Hidden.
// "" stays "".
func Of(kind Kind, value string) string {
	if value == "" {
		return ""
	}
	text := Hidden
	switch kind {
	case MobileNumber:
		text = Mobile(value)
	case PersonName:
		text = Name(value)
	case Identity:
		text = IdentityNumber(value)
	case EmailAddress:
		text = Email(value)
	case Home:
		text = Address(value)
	case NetAddress:
		text = Network(value)
	}
	if strings.Contains(text, value) {
		return Hidden
	}
	return text
}

// Mobile shows of a Chinese mobile number, in E.164 or of eleven digits, the
// first three and the last four digits: "+8613800000001" becomes "138****0001".
func Mobile(number string) string {
	digits := strings.TrimPrefix(number, "+86")
	if len(digits) != 11 {
		return Hidden
	}
	return digits[:3] + "****" + digits[7:]
}

// Name shows the first character: "欧阳修" becomes "欧**"; of a single character nothing.
func Name(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if size == len(name) || first == utf8.RuneError {
		return Hidden
	}
	return string(first) + strings.Repeat("*", min(utf8.RuneCountInString(name)-1, 3))
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

// Address shows what stands before the first number, the street and not the
// house; without a number at most half, and never more than six characters.
func Address(address string) string {
	end := strings.IndexAny(address, "0123456789０１２３４５６７８９一二三四五六七八九十")
	if end < 0 {
		end = len(firstRunes(address, min(6, utf8.RuneCountInString(address)/2)))
	}
	return address[:end] + Hidden
}

// Network shows of an IP address the first half of an IPv4 and the first
// quarter of an IPv6 address: "203.0.113.7" becomes "203.0.*.*".
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return Hidden
	case ip.Is4():
		b := ip.As4()
		return fmt.Sprintf("%d.%d.*.*", b[0], b[1])
	default:
		b := ip.As16()
		return fmt.Sprintf("%x:%x:*", uint16(b[0])<<8|uint16(b[1]), uint16(b[2])<<8|uint16(b[3]))
	}
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
