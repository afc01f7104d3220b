package citizen

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// ParseMobile reads a Chinese mobile number (1[3-9] and nine digits; +86,
// spaces and dashes optional) and gives it in E.164.
func ParseMobile(field, text string) (string, error) {
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, text)
	digits = strings.TrimPrefix(digits, "+86")
	if len(digits) != 11 || digits[0] != '1' || digits[1] < '3' || strings.Trim(digits, "0123456789") != "" {
		return "", fault.Invalid(field, "请输入正确的十一位手机号")
	}
	return "+86" + digits, nil
}

// maxNickname is the longest nickname, in characters.
const maxNickname = 20

// Check tidies the changes, and refuses what cannot be.
func (c Changes) Check() (Changes, error) {
	if c.Nickname != nil {
		name := strings.TrimSpace(*c.Nickname)
		if n := utf8.RuneCountInString(name); n < 1 || n > maxNickname || !utf8.ValidString(name) {
			return c, fault.Invalid("input.nickname", "昵称须为 1 到 %d 个字", maxNickname)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			return c, fault.Invalid("input.nickname", "昵称不能包含不可见字符")
		}
		c.Nickname = &name
	}
	if c.AreaCode != nil && (!division.Valid(*c.AreaCode) || division.LevelOf(*c.AreaCode) != division.Community) {
		return c, fault.Invalid("input.areaId", "请选择居住的社区")
	}
	return c, nil
}
