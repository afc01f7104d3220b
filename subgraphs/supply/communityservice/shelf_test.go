package communityservice

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

func (f *fixture) shelf(t *testing.T, p *access.Principal, shelves ...Shelf) map[Shelf][]string {
	t.Helper()
	pages, err := f.Shelves(as(t, p), shelves)
	if err != nil {
		t.Fatal(err)
	}
	names := map[Shelf][]string{}
	for shelf, page := range pages {
		names[shelf] = []string{}
		for _, s := range page.Nodes {
			names[shelf] = append(names[shelf], s.Name)
		}
	}
	return names
}

func TestSupermarket(t *testing.T) {
	f := open(t)
	list := func(name string, areas ...string) *CommunityService {
		t.Helper()
		s, err := f.Create(as(t, proprietor), f.draft(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range paths[Listed] {
			if s, err = f.act(t, actor(step), step, s); err != nil {
				t.Fatal(err)
			}
		}
		if len(areas) > 0 {
			if s, err = f.Distribute(as(t, cityReviewer), s.ID, s.Version, areas); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	list("哪里都没有")
	a := list("社区一", "510104017001")
	list("社区一二", "510104017001", "510104017002")
	list("街道", "510104017000")
	list("区县", "510104000000")
	list("全市", "510100000000")
	list("别的区", "510105000000")
	area := func(code string) Shelf { return Shelf{Size: 10}.OfArea(code) }
	for code, want := range map[string][]string{
		"510104017001": {"全市", "区县", "街道", "社区一二", "社区一"},
		"510104017002": {"全市", "区县", "街道", "社区一二"},
		"510104020001": {"全市", "区县"},
		"510104017000": {"全市", "区县", "街道", "社区一二", "社区一"},
		"510104000000": {"全市", "区县", "街道", "社区一二", "社区一"},
		"510105017001": {"别的区", "全市"},
		"510100000000": {"别的区", "全市", "区县", "街道", "社区一二", "社区一"},
	} {
		if diff := cmp.Diff(want, f.shelf(t, nil, area(code))[area(code)]); diff != "" {
			t.Errorf("%s: %s", code, diff)
		}
	}
	market := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, f.shelf(t, other, area("510104017001"))[area("510104017001")]); diff != "" {
			t.Error(diff)
		}
	}
	// delisted, suspended and withdrawn ones are gone, and come back
	b, err := f.act(t, proprietor, Delist, a)
	if err != nil {
		t.Fatal(err)
	}
	market("全市", "区县", "街道", "社区一二")
	if found, err := f.Find(as(t, other), []string{a.ID}); err != nil || len(found) != 0 {
		t.Errorf("a delisted service is found: %v, %v", found, err)
	}
	if _, err = f.act(t, proprietor, List, b); err != nil {
		t.Fatal(err)
	}
	market("社区一", "全市", "区县", "街道", "社区一二")
	suspended, err := f.participants.Suspend(as(t, cityReviewer), f.home.ID, f.home.Version, "整改")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.shelf(t, other, area("510104017001"))[area("510104017001")]; len(got) != 0 {
		t.Errorf("services of a suspended participant: %v", got)
	}
	_, err = f.Create(as(t, proprietor), f.draft("暂停时新建"))
	expect(t, "creating while suspended", err, fault.Conflict)
	if _, err := f.participants.Resume(as(t, cityReviewer), f.home.ID, suspended.Version, nil); err != nil {
		t.Fatal(err)
	}
	market("社区一", "全市", "区县", "街道", "社区一二")
}

func TestShelvesByPageCategoryAndSearch(t *testing.T) {
	f := open(t)
	for n := range 7 {
		in := f.draft(fmt.Sprintf("服务%d号", n))
		if n%2 == 1 {
			in.Category = "HEALTH"
		}
		s, err := f.Create(as(t, proprietor), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []CommunityServiceAction{Submit, Approve, Distribute} {
			if s, err = f.act(t, actor(step), step, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	health, search, three := SupplyCategory("HEALTH"), "健康", 3
	shelf, err := NewShelf(&health, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	shelf = shelf.OfArea("510104017001")
	if diff := cmp.Diff([]string{"服务5号", "服务3号", "服务1号"}, f.shelf(t, nil, shelf)[shelf]); diff != "" {
		t.Error(diff)
	}
	if shelf, err = NewShelf(nil, &search, nil, nil); err != nil { // by the category's name
		t.Fatal(err)
	}
	shelf = shelf.OfArea("510104017001")
	if got := f.shelf(t, nil, shelf)[shelf]; len(got) != 3 {
		t.Errorf("searching: %v", got)
	}
	seen, after := []string{}, (*string)(nil)
	for {
		shelf, err := NewShelf(nil, nil, &three, after)
		if err != nil {
			t.Fatal(err)
		}
		shelf = shelf.OfParticipant(f.home.ID)
		pages, err := f.Shelves(t.Context(), []Shelf{shelf})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range pages[shelf].Nodes {
			seen = append(seen, s.Name)
		}
		if !pages[shelf].PageInfo.HasNextPage {
			break
		}
		after = pages[shelf].PageInfo.EndCursor
	}
	if diff := cmp.Diff([]string{"服务6号", "服务5号", "服务4号", "服务3号", "服务2号", "服务1号", "服务0号"}, seen); diff != "" {
		t.Error(diff)
	}
	one := "一"
	_, err = NewShelf(nil, &one, nil, nil)
	expect(t, "one character", err, fault.InvalidInput)
	bad := "WyJhIiwiYiJd"
	_, err = NewShelf(nil, nil, nil, &bad)
	expect(t, "a cursor that is none", err, fault.InvalidInput)
}

// TestFiftyShelvesAreOneStatement: one for the scope, one for all areas.
func TestFiftyShelvesAreOneStatement(t *testing.T) {
	f := open(t)
	shelves := []Shelf{}
	for n := range 50 {
		shelves = append(shelves, Shelf{Size: 5}.OfArea(fmt.Sprintf("510104017%03d", n+1)))
	}
	ctx, counter := database.WithCounter(t.Context())
	pages, err := f.Shelves(ctx, shelves)
	if err != nil || len(pages) != 50 {
		t.Fatal(len(pages), err)
	}
	if n := counter.Statements(); n != 1 {
		t.Errorf("%d statements, want 1", n)
	}
}
