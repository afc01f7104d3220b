// Package input checks what people typed, at the edge: each refusal names the
// field and says in Chinese how it ought to be.
//
// Start reading at Text.
package input

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Text trims and normalises (NFC) a text, and checks that it has between min
// and max characters and no control characters but line breaks and tabs. label
// is the field's Chinese name.
func Text(field, label, text string, min, max int) (string, error) {
	if !utf8.ValidString(text) {
		return "", fault.Invalid(field, "%s含有无法识别的字符", label)
	}
	text = strings.TrimSpace(norm.NFC.String(text))
	n := utf8.RuneCountInString(text)
	switch {
	case n == 0 && min > 0:
		return "", fault.Invalid(field, "请填写%s", label)
	case n < min:
		return "", fault.Invalid(field, "%s至少 %d 个字", label, min)
	case n > max:
		return "", fault.Invalid(field, "%s不能超过 %d 个字", label, max)
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return "", fault.Invalid(field, "%s含有不允许的控制字符", label)
		}
	}
	return text, nil
}

// Optional is Text for a field that may be left out: nil and empty give nil.
func Optional(field, label string, text *string, max int) (*string, error) {
	if text == nil {
		return nil, nil
	}
	clean, err := Text(field, label, *text, 0, max)
	if err != nil || clean == "" {
		return nil, err
	}
	return &clean, nil
}

// Amount checks an amount of money in fen: not negative, at most max.
func Amount(field, label string, fen, max int) error {
	if fen < 0 || fen > max {
		return fault.Invalid(field, "%s须在 0 到 %d 分之间", label, max)
	}
	return nil
}

// AreaCode checks that the ID is an area code's form; whether the area exists
// only the platform knows.
func AreaCode(field, code string) error {
	if !division.Valid(code) {
		return fault.Invalid(field, "区域编号须为 12 位区划代码")
	}
	return nil
}

// ID says whether the text is a UUID, the form of every ID that we give out.
// Stores ask before they compare with a uuid column.
func ID(text string) bool {
	return len(text) == 36 && uuid.Validate(text) == nil
}

// IDs keeps those that are UUIDs.
func IDs(texts []string) []string {
	ids := make([]string, 0, len(texts))
	for _, text := range texts {
		if ID(text) {
			ids = append(ids, text)
		}
	}
	return ids
}
