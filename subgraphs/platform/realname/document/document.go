// Package document holds the rules of identity documents 证件: numbers of
// residents (GB 11643) and of the permits that share their form, and names.
//
// Start reading at Parse; names are in name.go.
package document

import (
	"slices"
	"strings"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/workday"
)

// Kind is a kind of document.
type Kind string

// The kinds. All have numbers of the form of GB 11643.
const (
	ResidentID               Kind = "RESIDENT_ID"                // 居民身份证
	HMTResidencePermit       Kind = "HMT_RESIDENCE_PERMIT"       // 港澳台居民居住证
	ForeignPermanentResident Kind = "FOREIGN_PERMANENT_RESIDENT" // 外国人永久居留身份证 of 2023
)

// Kinds are all kinds.
var Kinds = []Kind{ResidentID, HMTResidencePermit, ForeignPermanentResident}

// Document is a document as it was typed, and checked: nothing says yet whether
// there is one, and whose.
type Document struct {
	Kind   Kind
	Number string // eighteen characters, the last may be X
	Name   string
	Birth  time.Time // midnight in Beijing
}

// provinces are the first two digits of a number: GB/T 2260, those of the past too.
var provinces = []string{
	"11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44", "45", "46",
	"50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71",
}

// hmt are the first six digits of residence permits, of each region one.
var hmt = []string{"810000", "820000", "830000"}

var weights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

const checks = "10X98765432"

// CheckDigit is the last character to the first seventeen digits (GB 11643, ISO 7064 MOD 11-2).
func CheckDigit(digits string) byte {
	sum := 0
	for i, weight := range weights {
		sum += int(digits[i]-'0') * weight
	}
	return checks[sum%11]
}

// Parse reads what somebody typed; field is the input's path, below which
// documentKind, documentNumber and fullName are named. now tells which birthdays can be.
func Parse(field string, kind Kind, number, name string, now time.Time) (d Document, err error) {
	if !slices.Contains(Kinds, kind) {
		return d, fault.Invalid(field+".documentKind", "没有这一证件类型")
	}
	d.Kind = kind
	if d.Number, err = Number(field+".documentNumber", kind, number, now); err != nil {
		return d, err
	}
	d.Birth = born(d.Number)
	d.Name, err = parseName(field+".fullName", kind, name)
	return d, err
}

// Number reads a number of the kind, and gives its eighteen characters.
func Number(field string, kind Kind, text string, now time.Time) (string, error) {
	number := tidyNumber(text)
	wrong := fault.Invalid(field, "证件号码有误，请核对后重新填写")
	if len(number) != 18 || strings.Trim(number[:17], "0123456789") != "" || number[17] != CheckDigit(number) || !kind.begins(number) || number[14:17] == "000" {
		return "", wrong
	}
	if birth := born(number); birth.Year() < 1900 || birth.After(now) {
		return "", wrong
	}
	return number, nil
}

// born is the day in the number, the zero time where it is none.
func born(number string) time.Time {
	birth, err := time.ParseInLocation("20060102", number[6:14], workday.Zone)
	if err != nil {
		return time.Time{}
	}
	return birth
}

// tidyNumber takes out spaces, and writes full-width digits and a small x as
// they are meant.
func tidyNumber(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\u3000' || r == '-':
			return -1
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == 'x' || r == 'ｘ' || r == 'Ｘ':
			return 'X'
		}
		return r
	}, text)
}

// begins says whether the first six digits can be those of the kind. Whether
// the county exists today is not asked: numbers outlive counties.
func (k Kind) begins(number string) bool {
	switch k {
	case ResidentID:
		return slices.Contains(provinces, number[:2]) && number[2:6] != "0000"
	case HMTResidencePermit:
		return slices.Contains(hmt, number[:6])
	default: // 9, two digits of the province that issued it, three of the country
		return number[0] == '9' && slices.Contains(provinces, number[1:3]) && number[3:6] != "000"
	}
}

// Age is in whole years at the time.
func (d Document) Age(now time.Time) int {
	now = now.In(workday.Zone)
	age := now.Year() - d.Birth.Year()
	if now.Month() < d.Birth.Month() || now.Month() == d.Birth.Month() && now.Day() < d.Birth.Day() {
		age--
	}
	return age
}
