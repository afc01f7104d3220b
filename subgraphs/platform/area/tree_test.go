package area

import (
	"testing"

	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

func TestTreeKeepsValidity(t *testing.T) {
	ended := "2025-07-01"
	tree := newTree([]*Area{
		{Code: "510100000000", Name: "市", Level: division.City, ValidFrom: "2023-06-30"},
		{Code: "510104000000", Name: "甲区", Level: division.District, ParentCode: "510100000000", ValidFrom: "2023-06-30", ValidTo: &ended},
		{Code: "510105000000", Name: "乙区", Level: division.District, ParentCode: "510100000000", ValidFrom: "2025-07-01"},
	})
	page := keyset.Page{Size: 10}
	for day, want := range map[string]string{"2023-06-29": "", "2025-06-30": "甲区", "2025-07-01": "乙区"} {
		areas, _ := tree.Children("510100000000", page, day)
		got := ""
		for _, a := range areas {
			got += a.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", day, got, want)
		}
	}
	if tree.ByCode("510104000000") == nil {
		t.Error("an ended area cannot be named any more")
	}
	if list, info := tree.List(Filter{Search: "区"}, keyset.Page{Size: 1}, "2025-06-30"); len(list) != 1 || info.HasNextPage {
		t.Errorf("%d areas, next page %v", len(list), info.HasNextPage)
	}
	// a cursor that stands between two codes, as after an area ended
	if areas, _ := tree.Children("510100000000", keyset.Page{Size: 1, After: []string{"510104500000"}}, "2025-07-01"); len(areas) != 1 || areas[0].Name != "乙区" {
		t.Errorf("%v", areas)
	}
}
