package feedback_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/community/feedback"
)

// telling submits a case of the text to each of the places.
func (o *office) telling(content string, places ...string) (ids []string) {
	o.t.Helper()
	for _, place := range places {
		c, err := o.Submit(o.citizen, feedback.SubmitFeedbackInput{AreaID: place, Class: feedback.Other, Title: "反映问题", Content: content})
		if err != nil {
			o.t.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	return ids
}

// However a search is narrowed, it finds the texts that hold it, as written,
// and none outside of the scope.
func TestSearchFindsWhatATextHolds(t *testing.T) {
	o := open(t)
	places := []string{here, nextDoor, elsewhere, farAway}
	type told struct{ id, place, content string }
	var all []told
	for _, content := range []string{"一楼路灯坏了，Lamp 12号不亮。", "路灯一楼坏了", "地下车库漏水𠮷字牌100%掉了_两次", "车库路灯 lamp 2号", `反斜杠\与引号'的路灯`} {
		for i, id := range o.telling(content, places...) {
			all = append(all, told{id, places[i], content})
		}
	}
	searches := []string{"路灯", "一楼路灯", "𠮷字", "0%", "_两", `\与`, "'的", "Lamp", "lamp", "恐龙", "坏了", "号不亮。", "2号"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 { // any part of a text
		text := []rune(all[random.IntN(len(all))].content)
		from := random.IntN(len(text) - 2)
		part := strings.TrimSpace(string(text[from : from+2+random.IntN(len(text)-from-1)]))
		if len([]rune(part)) >= 2 {
			searches = append(searches, part)
		}
	}
	for name, seer := range o.seers() {
		p := access.From(seer.ctx)
		if p.Kind != access.Worker || !p.May(access.FeedbackView) {
			continue
		}
		for _, search := range searches {
			var want, got []string
			for _, c := range all {
				if seer.may[c.place] && strings.Contains(c.content, search) {
					want = append(want, c.id)
				}
			}
			found, err := o.List(seer.ctx, feedback.Filter{Search: search}, keyset.Page{Size: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range found {
				got = append(got, c.ID)
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s searches %q: %s", name, search, diff)
			}
		}
	}
	// with other filters, in a part of the scope, by pages
	f := feedback.Filter{Search: "路灯", AreaCode: "510104000000", States: []feedback.FeedbackState{feedback.Submitted}, Classes: []feedback.FeedbackClass{feedback.Other}}
	first, err := o.List(o.city, f, keyset.Page{Size: 5})
	if err != nil || len(first) != 6 {
		t.Fatalf("the first page with one more: %d, %v", len(first), err)
	}
	last := first[4]
	rest, err := o.List(o.city, f, keyset.Page{Size: 100, After: []string{last.CreatedAt.UTC().Format("2006-01-02T15:04:05.999999999Z07:00"), last.ID}})
	if err != nil || len(rest) != 12-5 {
		t.Errorf("the rest: %d, %v", len(rest), err)
	}
}

// The index of words knows all cases, row-level security or not: it answers for
// the scope that the policies have, and to nobody else.
func TestNarrowingTellsNothingOfOthers(t *testing.T) {
	o := open(t)
	ids := map[string]string{}
	for i, id := range o.telling("只有这里有恐龙化石", here, nextDoor, elsewhere, farAway) {
		ids[[]string{here, nextDoor, elsewhere, farAway}[i]] = id
	}
	wanted := pq.Array([]int64{'恐'<<21 | '龙', '化'<<21 | '石'})
	narrowed := func(ctx context.Context, area *string) *pq.StringArray {
		t.Helper()
		var found *pq.StringArray
		err := o.DB.Write(ctx, func(tx *sqlx.Tx) error {
			if area != nil {
				if _, err := tx.Exec(`SELECT set_config('app.area', $1, true)`, *area); err != nil {
					return err
				}
			}
			return tx.Get(&found, `SELECT community.feedback_narrowed($1, 100)`, wanted)
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for name, seer := range o.seers() {
		found := narrowed(seer.ctx, nil)
		if access.From(seer.ctx).Kind != access.Worker {
			if found != nil {
				t.Errorf("%s: %v", name, *found)
			}
			continue
		}
		if found == nil {
			t.Errorf("%s: not narrowed", name)
			continue
		}
		for place, id := range ids {
			if slices.Contains(*found, id) != seer.may[place] && name != "auditor" {
				t.Errorf("%s, the case of %s: %v", name, place, *found)
			}
		}
	}
	if found := narrowed(t.Context(), nil); found != nil {
		t.Errorf("nobody: %v", *found)
	}
	for area, want := range map[string]int{"": 0, "-": 0, "x": 0, here: 1, here + "," + nextDoor: 2, "510107," + here: 2, "5101," + here: 4, "51010": 4, "6": 0} {
		if found := narrowed(o.worker, &area); found == nil || len(*found) != want {
			t.Errorf("scope %q: %v, want %d", area, found, want)
		}
	}
	for _, statement := range []string{
		`SELECT case_id FROM community.feedback_word`, `DELETE FROM community.feedback_word`, `UPDATE community.feedback_word SET words = '{}'`,
		`INSERT INTO community.feedback_word (case_id, area_code, words) SELECT id, area_code, '{}' FROM community.feedback_case`,
	} {
		err := o.DB.Write(o.city, func(tx *sqlx.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "42501" {
			t.Errorf("may %s: %v", statement, err)
		}
	}
	// too many to be narrowed: all are gone through, and found
	if _, err := o.db.Owner.Exec(`CREATE OR REPLACE FUNCTION community.feedback_narrowed(words bigint[], most integer) RETURNS uuid[] LANGUAGE sql AS 'SELECT NULL::uuid[]'`); err != nil {
		t.Fatal(err)
	}
	if found, err := o.List(o.city, feedback.Filter{Search: "恐龙"}, keyset.Page{Size: 10}); err != nil || len(found) != 4 {
		t.Errorf("unnarrowed: %d, %v", len(found), err)
	}
}

// A case's words follow its text and its area.
func TestWordsFollowTheText(t *testing.T) {
	o := open(t)
	id := o.telling("原来的文字", here)[0]
	if _, err := o.db.Owner.Exec(`SET app.kind = 'system'; UPDATE community.feedback_case SET content = '后来的说法' WHERE id = '` + id + `'`); err != nil {
		t.Fatal(err)
	}
	for search, want := range map[string]int{"原来": 0, "后来": 1, "反映问题": 1} {
		if found, err := o.List(o.district, feedback.Filter{Search: search}, keyset.Page{Size: 10}); err != nil || len(found) != want {
			t.Errorf("%s: %s", search, fmt.Sprint(len(found), err))
		}
	}
}
