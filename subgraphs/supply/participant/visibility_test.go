package participant

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// TestWhoSeesWhat asks for a participant in each state.
func TestWhoSeesWhat(t *testing.T) {
	f := open(t)
	for state := range paths {
		x := f.at(t, state)
		live := state == Approved || state == ChangeReview
		for who, c := range map[string]struct {
			p             *access.Principal
			seen, private bool
		}{
			"nobody":                 {nil, live, false},
			"another citizen":        {other, live, false},
			"a leader":               {leader, live, false},
			"a reviewer elsewhere":   {elsewhere, live, false},
			"the community's worker": {community, true, false},
			"the applicant":          {owner, true, true},
			"a reviewer of the city": {cityReviewer, true, true},
		} {
			ctx := as(t, c.p)
			found, err := f.Find(ctx, []string{x.ID})
			if err != nil {
				t.Fatal(err)
			}
			if (found[x.ID] != nil) != c.seen {
				t.Errorf("%s, %s: found %v", state, who, found)
			}
			if got := x.Applicant(ctx) != nil; got != c.private {
				t.Errorf("%s, %s: sees the applicant: %v", state, who, got)
			}
			if got := x.USCC(ctx) != nil; got != c.seen {
				t.Errorf("%s, %s: sees the code: %v", state, who, got)
			}
			if x.ReviewNote(ctx) != nil && !c.private || x.PendingChange(ctx) != nil && !c.private {
				t.Errorf("%s, %s: sees verdict or change", state, who)
			}
			// the second wall: straight at the table
			err = f.db.Read(ctx, func(tx *sqlx.Tx) error {
				var rows, lines int
				if err := tx.Get(&rows, `SELECT count(*) FROM supply.participant WHERE id = $1`, x.ID); err != nil {
					return err
				}
				if err := tx.Get(&lines, `SELECT count(*) FROM supply.history WHERE subject_id = $1`, x.ID); err != nil {
					return err
				}
				inScope := c.p == leader || c.seen // a leader's area is the whole city
				if (rows == 1) != inScope {
					t.Errorf("%s, %s: the table shows %d rows", state, who, rows)
				}
				if outsider := c.p == nil || c.p == other || c.p == elsewhere; outsider && lines != 0 {
					t.Errorf("%s, %s: the table shows %d lines of history", state, who, lines)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func TestListStaysInScope(t *testing.T) {
	f := open(t)
	codes := map[string]string{}
	for _, area := range []string{"510104017001", "510104017002", "510105017001"} {
		in := f.application()
		in.AreaID = area
		x, err := f.Apply(as(t, owner), in)
		if err != nil {
			t.Fatal(err)
		}
		codes[x.ID] = area
	}
	list := func(p *access.Principal, filter Filter, want ...string) {
		t.Helper()
		page, err := f.List(as(t, p), filter, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, x := range page.Nodes {
			got = append(got, codes[x.ID])
		}
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Error(diff)
		}
	}
	list(cityReviewer, Filter{}, "510105017001", "510104017002", "510104017001")
	list(elsewhere, Filter{}, "510105017001")
	list(community, Filter{}, "510104017001")
	district, first := "510104000000", 1
	list(cityReviewer, Filter{AreaID: &district}, "510104017002", "510104017001")
	list(cityReviewer, Filter{States: []ParticipantState{Approved}})
	_, err := f.List(as(t, elsewhere), Filter{AreaID: &district}, nil, nil)
	expect(t, "another district", err, fault.Forbidden)
	for _, p := range []*access.Principal{owner, leader} {
		_, err := f.List(as(t, p), Filter{}, nil, nil)
		expect(t, "listing", err, fault.Forbidden)
	}
	page, err := f.List(as(t, cityReviewer), Filter{}, &first, nil)
	if err != nil || !page.PageInfo.HasNextPage {
		t.Fatal(page, err)
	}
	second, err := f.List(as(t, cityReviewer), Filter{}, &first, page.PageInfo.EndCursor)
	if err != nil || codes[second.Nodes[0].ID] != "510104017002" {
		t.Errorf("the second page: %+v, %v", second, err)
	}
	own, err := f.Own(as(t, owner))
	if err != nil || len(own) != 3 {
		t.Errorf("%d own, %v", len(own), err)
	}
	if own, err := f.Own(as(t, other)); err != nil || own == nil || len(own) != 0 {
		t.Errorf("another's own: %v, %v", own, err)
	}
}
