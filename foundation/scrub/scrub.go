// Package scrub takes personal data out of texts that are kept for other
// reasons, such as lines of logs: numbers of mobile phones, resident identities
// and bank cards, e-mail addresses, tokens and passwords, and positions that
// tell a house. What it finds becomes a word that says what stood there.
//
// Start reading at Text. It would rather take out a number too many than leave
// one in: what only looks like a phone number goes too.
package scrub

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/citizencloud/citizencloud/foundation/pattern"
)

// What stands for what was found.
const (
	Mobile   = "[手机号]"
	Identity = "[证件号]"
	Card     = "[银行卡号]"
	Email    = "[邮箱]"
	Secret   = "[密钥]"
	Spot     = "[位置]"
)

var (
	jwt    = pattern.New(`eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?`)
	bearer = pattern.New(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}`)
	// named is a secret behind its name, as in password=…, "token": "…" or 密码：….
	named = pattern.New(`(?i)((?:pass(?:word|wd)?|secret|token|api[_-]?key|authorization|cookie|session[_-]?id|captcha|otp|sms[_-]?code|密码|口令|密钥|验证码)["'” ]*(?:[:=：]|是|为)\s*["'“]?)[^\s"'”,;&，；。)}\]]{3,}`)
	email = pattern.New(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
	// pair is a longitude and a latitude within China, in either order, with
	// four decimals or more: ten metres.
	pair = pattern.New(`(?:\b|-)(?:(?:7[2-9]|[89]\d|1[0-2]\d|13[0-7])\.\d{4,}\D{1,24}?(?:[1-4]?\d|5[0-5])\.\d{4,}|(?:[1-4]?\d|5[0-5])\.\d{4,}\D{1,24}?(?:7[2-9]|[89]\d|1[0-2]\d|13[0-7])\.\d{4,})`)
	// digits is a run that may be a number of somebody, with spaces or hyphens as people group it.
	digits = pattern.New(`\+?\d(?:[ \-]?\d){9,22}[ \-]?[\dXx]?`)
)

// Text takes personal data out of the text. What it gives holds none that it
// would find again.
func Text(text string) string {
	text = narrow(text)
	text = jwt.ReplaceAllString(text, Secret)
	text = bearer.ReplaceAllString(text, "$1 "+Secret)
	text = named.ReplaceAllString(text, "${1}"+Secret)
	text = email.ReplaceAllString(text, Email)
	text = pair.ReplaceAllString(text, Spot)
	return digits.ReplaceAllStringFunc(text, number)
}

// JSON is Text for every string, name and number of a JSON text, whose form stays. What is
// no JSON is taken as text.
func JSON(raw []byte) string {
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return Text(string(raw))
	}
	text, err := json.Marshal(Value("", value))
	if err != nil {
		return ""
	}
	return string(text)
}

// secretName is a name whose value is taken out whatever it is.
var secretName = pattern.New(`(?i)pass(word|wd)|secret|token|authorization|cookie|captcha|(^|[_.-])otp$|api[_-]?key|sms[_-]?code`)

// spotName is a name of a coordinate.
var spotName = pattern.New(`(?i)^(lat|lng|lon|latitude|longitude|经度|纬度)$`)

// personalName is a name of personal data that no pattern tells from other words.
var personalName = pattern.New(`(?i)^(real_?name|full_?name|home_?address|address_?detail|id_?card|identity|姓名|住址)$`)

// Value is JSON for a decoded value; name is what it stands under, "" for none.
func Value(name string, value any) any {
	switch {
	case value == nil:
		return nil
	case secretName.MatchString(name), personalName.MatchString(name):
		return Secret
	case spotName.MatchString(name):
		return Spot
	}
	switch v := value.(type) {
	case string:
		return Text(v)
	case json.Number:
		if clean := Text(v.String()); clean != v.String() {
			return clean
		}
	case []any:
		for i := range v {
			v[i] = Value("", v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, inner := range v {
			clean[Text(key)] = Value(key, inner)
		}
		return clean
	}
	return value
}

// narrow makes full-width digits, letters and signs half-width, so that nothing hides behind them.
func narrow(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r >= 0xFF01 && r <= 0xFF5E }) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r >= 0xFF10 && r <= 0xFF19 || r >= 0xFF21 && r <= 0xFF3A || r >= 0xFF41 && r <= 0xFF5A || r == '＠' || r == '．' || r == '＋' || r == '－' || r == '＝' {
			return r - 0xFEE0
		}
		return r
	}, text)
}

// number decides what a run of digits is.
func number(found string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || r == 'X' || r == 'x' {
			return unicode.ToUpper(r)
		}
		return -1
	}, found)
	switch {
	case holds(plain, 18, identity):
		return Identity
	case holds(plain, 11, mobile):
		return Mobile
	case len(plain) >= 15 && len(plain) <= 19 && luhn(plain):
		return Card
	case len(plain) == 15 && plausible("19"+plain[6:12]): // the identity numbers of before 1999
		return Identity
	}
	for size := 16; size <= 19; size++ { // grouped together with something else
		if holds(plain, size, func(s string) bool { return s[0] != '0' && luhn(s) && (s[0] == '6' || s[0] == '4' || s[0] == '5') }) {
			return Card
		}
	}
	return found
}

// holds says whether some stretch of that length is what is asked for.
func holds(plain string, size int, is func(string) bool) bool {
	for i := 0; i+size <= len(plain); i++ {
		if is(plain[i : i+size]) {
			return true
		}
	}
	return false
}

func mobile(s string) bool {
	return s[0] == '1' && s[1] >= '3' && s[1] <= '9' && !strings.Contains(s, "X")
}

// identity is a resident's number: a date of birth, and the check digit of GB 11643.
func identity(s string) bool {
	if strings.Contains(s[:17], "X") || s[0] == '0' || !plausible(s[6:14]) {
		return false
	}
	sum := 0
	for i, weight := range [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(s[i]-'0') * weight
	}
	return "10X98765432"[sum%11] == s[17]
}

// plausible says whether eight digits can be a date of birth.
func plausible(date string) bool {
	return (date[:2] == "18" || date[:2] == "19" || date[:2] == "20") && date[4:6] >= "01" && date[4:6] <= "12" && date[6:8] >= "01" && date[6:8] <= "31"
}

// luhn is the check of bank cards (ISO/IEC 7812-1).
func luhn(s string) bool {
	if strings.Contains(s, "X") {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
