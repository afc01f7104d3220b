package document_test

import (
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, workday.Zone)

func checked(digits string) string { return digits + string(document.CheckDigit(digits)) }

func TestNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"11010519491231002X": "11010519491231002X", "11010519491231002x": "11010519491231002X", "１１０１０５ 19491231 002Ｘ": "11010519491231002X", // the standard's own example
		checked("51010420000229001"): checked("51010420000229001"), // a leap day
		checked("99010419900307241"): "",                           // no such province
		checked("51000019900307241"): "",                           // a whole province
		checked("51010419900231001"): "",                           // 31 February
		checked("51010419000229001"): "",                           // 1900 was no leap year
		checked("51010418991231001"): "",                           // the century before the last
		checked("51010420260305001"): "",                           // tomorrow
		checked("51010419900307000"): "",                           // no sequence
		"110105194912310021":         "", "11010519491231002": "", "1101051949123100 2X1": "", "": "", "11010519491231002Y": "", "X1010519491231002X": "", "11010519491231００2": "",
	} {
		got, err := document.Number("input.number", document.ResidentID, text, now)
		if got != want || (want == "") != (fault.CodeOf(err) == fault.InvalidInput) {
			t.Errorf("%q: %q %v, want %q", text, got, err, want)
		}
	}
	for _, c := range []struct {
		kind   document.Kind
		number string
		good   bool
	}{
		{document.HMTResidencePermit, checked("81000019940823002"), true}, {document.HMTResidencePermit, checked("83000019940823002"), true},
		{document.HMTResidencePermit, checked("51010419940823002"), false}, {document.ResidentID, checked("81000019940823002"), false},
		{document.ForeignPermanentResident, checked("91184019940823002"), true}, {document.ForeignPermanentResident, checked("91100019940823002"), false},
		{document.ForeignPermanentResident, checked("51010419940823002"), false},
	} {
		if _, err := document.Number("n", c.kind, c.number, now); (err == nil) != c.good {
			t.Errorf("%s %s: %v", c.kind, c.number, err)
		}
	}
}

func TestNames(t *testing.T) {
	number := "11010519491231002X"
	for text, want := range map[string]string{
		"王小明": "王小明", " 欧阳修 ": "欧阳修", "阿卜杜拉·买买提": "阿卜杜拉·买买提", "阿卜杜拉•买买提": "阿卜杜拉·买买提", "阿卜杜拉．买买提": "阿卜杜拉·买买提", "𠮷田": "𠮷田", "㛃儿": "㛃儿",
		"王": "", "": "", "·王明": "", "王明·": "", "王··明": "", "王小明1": "", "Wang": "", "王 明": "", "王\u200b明": "", "王\n明": "", "<b>王明</b>": "",
		"测试用的文字，足够长": "",
	} {
		d, err := document.Parse("input.identity", document.ResidentID, number, text, now)
		if d.Name != want && want != "" || (want == "") != (err != nil) {
			t.Errorf("%q: %q %v, want %q", text, d.Name, err, want)
		}
	}
	d, err := document.Parse("i", document.ForeignPermanentResident, checked("91184019940823002"), " Jean-Luc  d'Arc ", now)
	if err != nil || d.Name != "JEAN-LUC D'ARC" {
		t.Errorf("%q %v", d.Name, err)
	}
	if d, _ := document.Parse("i", document.ResidentID, checked("51010420120305241"), "王小明", now); d.Age(now) != 13 || d.Age(now.AddDate(0, 0, 1)) != 14 {
		t.Errorf("the day before the fourteenth birthday it is %d", d.Age(now))
	}
}
