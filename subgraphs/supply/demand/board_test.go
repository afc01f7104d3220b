package demand

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

func TestListsAndBoards(t *testing.T) {
	f := open(t)
	title := map[string]string{}
	for n, area := range []string{"510104017001", "510104017002", "510105017001"} {
		in := f.ask(area)
		in.Title = fmt.Sprintf("需求%d号", n)
		d, err := f.Publish(as(t, resident), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []DemandAction{Submit, Approve} {
			if d, err = f.act(t, actor(step), step, d); err != nil {
				t.Fatal(err)
			}
		}
		title[d.ID] = d.Title
	}
	f.at(t, Draft)
	titles := func(page *DemandConnection, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all := []string{}
		for _, d := range page.Nodes {
			all = append(all, title[d.ID])
		}
		return all
	}
	district := "510104000000"
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	check("everybody", titles(f.List(t.Context(), Filter{}, nil, nil)), "需求2号", "需求1号", "需求0号")
	check("a district", titles(f.List(t.Context(), Filter{AreaID: &district}, nil, nil)), "需求1号", "需求0号")
	check("a search", titles(f.List(t.Context(), Filter{Search: "求1号"}, nil, nil)), "需求1号")
	check("a reviewer's drafts", titles(f.List(as(t, cityReviewer), Filter{States: []DemandState{Draft}}, nil, nil)), "")
	check("another district's drafts", titles(f.List(as(t, elsewhere), Filter{States: []DemandState{Draft, Open}}, nil, nil)), "需求2号")
	own, err := NewOwnPage(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	check("one's own", titles(f.Own(as(t, resident), own)), "", "需求2号", "需求1号", "需求0号")
	check("another's own", titles(f.Own(as(t, other), own)))
	for who, c := range map[string]struct {
		p    *access.Principal
		code fault.Code
	}{"nobody": {nil, fault.Unauthenticated}, "a citizen": {resident, fault.Forbidden}, "a leader": {leader, fault.Forbidden}} {
		_, err := f.List(as(t, c.p), Filter{States: []DemandState{Draft}}, nil, nil)
		expect(t, who+" lists drafts", err, c.code)
	}
	first := 1
	page, err := f.List(t.Context(), Filter{}, &first, nil)
	if err != nil {
		t.Fatal(err)
	}
	check("the second page", titles(f.List(t.Context(), Filter{}, &first, page.PageInfo.EndCursor)), "需求1号")

	boards := []Board{}
	for n := range 50 {
		boards = append(boards, Board{Size: 5}.Of(fmt.Sprintf("510104017%03d", n+1)))
	}
	boards = append(boards, Board{Size: 5}.Of(district))
	ctx, counter := database.WithCounter(t.Context())
	pages, err := f.Boards(ctx, boards)
	check("a community's board", titles(pages[boards[1]], err), "需求1号")
	check("a district's board", titles(pages[boards[50]], err), "需求1号", "需求0号")
	if n := counter.Statements(); n != 1 {
		t.Errorf("%d statements for 51 boards, want 1", n)
	}
}
