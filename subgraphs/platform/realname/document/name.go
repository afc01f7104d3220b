package document

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

const (
	minName = 2
	// maxName is the longest name, in characters: those of minorities written in Chinese are long.
	maxName = 50
)

// dots are what people type for the dot between the parts of a name, U+00B7.
const dots = "·•‧・･．.∙⋅"

// parseName reads a name as it stands on the document: Chinese characters, rare
// ones too, with dots between parts; on a foreigner's also Latin letters.
func parseName(field string, kind Kind, text string) (string, error) {
	wrong := fault.Invalid(field, "姓名须与证件一致：%d 到 %d 个汉字，可含间隔号“·”", minName, maxName)
	if kind == ForeignPermanentResident {
		wrong = fault.Invalid(field, "姓名须与证件一致：%d 到 %d 个汉字或拉丁字母", minName, maxName)
	}
	if !utf8.ValidString(text) {
		return "", wrong
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(dots, r) {
			return '·'
		}
		return r
	}, norm.NFC.String(strings.TrimSpace(text)))
	latin := kind == ForeignPermanentResident && !strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	if latin {
		name = strings.ToUpper(strings.Join(strings.Fields(name), " "))
	}
	if n := utf8.RuneCountInString(name); n < minName || n > maxName {
		return "", wrong
	}
	before := '·'
	for _, r := range name {
		separates := r == '·' || latin && strings.ContainsRune(" ,'-", r)
		letter := !latin && (unicode.Is(unicode.Han, r) || r == '〇') || latin && unicode.Is(unicode.Latin, r)
		if !separates && !letter || r == '·' && before == '·' {
			return "", wrong
		}
		before = r
	}
	if before == '·' {
		return "", wrong
	}
	return name, nil
}
