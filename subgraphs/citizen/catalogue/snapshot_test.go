package catalogue

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
)

// now gives what the process holds, as the caller gets it.
func (f fixture) now(t *testing.T, p *access.Principal) *Edition {
	t.Helper()
	e, err := f.Published(as(t, p))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestDraftsAreNeverHeld: whoever's request has it loaded, and whoever reads.
func TestDraftsAreNeverHeld(t *testing.T) {
	f := open(t)
	draft, err := f.Create(as(t, cityEditor), newService("T1"))
	if err != nil {
		t.Fatal(err)
	}
	absent := func(at string) {
		t.Helper()
		f.published.Drop()
		e := f.now(t, cityEditor)
		if len(e.Services) != 230 || e.Service(draft.ID) != nil {
			t.Errorf("%s: %d services are held, the draft %v", at, len(e.Services), e.Service(draft.ID))
		}
		if found, err := f.Find(as(t, cityEditor), []string{draft.ID}); err != nil || found[draft.ID] == nil {
			t.Errorf("%s: the editor does not find it: %v", at, err)
		}
		if found, err := f.Find(as(t, resident), []string{draft.ID}); err != nil || len(found) != 0 {
			t.Errorf("%s: a citizen finds %v, %v", at, found, err)
		}
	}
	absent("draft")
	for _, action := range []ServiceAction{Submit, Approve} {
		if draft, err = f.act(t, cityEditor, action, draft); err != nil {
			t.Fatal(err)
		}
		absent(string(action))
	}
	if draft, err = f.act(t, cityEditor, Publish, draft); err != nil {
		t.Fatal(err)
	}
	e := f.now(t, nil)
	if held := e.Service(draft.ID); held == nil || e.Services[230] != held {
		t.Errorf("published, but %v is held, and is not after the city's list", held)
	}
	if draft, err = f.act(t, cityEditor, Unpublish, draft); err != nil {
		t.Fatal(err)
	}
	absent("unpublished")
}

// TestHeldIsWhatTheDatabaseHolds compares a public reader's answers with a
// manager's, which come from the tables.
func TestHeldIsWhatTheDatabaseHolds(t *testing.T) {
	f := open(t)
	if _, err := f.owner.Exec(`INSERT INTO citizen.popularity (area_code, service_id, total, recent) VALUES ('510100000000', $1, 9, 4)`, ListedID(2)); err != nil {
		t.Fatal(err)
	}
	ids := []string{ListedID(2), ListedID(230), "01890a5d-ac96-774b-bcce-b302099a0000"}
	answers := func(p *access.Principal) (map[string]*Service, []any) {
		t.Helper()
		ctx, all := as(t, p), []any{}
		found, err := f.Find(ctx, ids)
		if err != nil {
			t.Fatal(err)
		}
		code, seqNo := "S007", 8
		for _, ask := range []func() (any, error){
			func() (any, error) { return f.FindBy(ctx, &code, nil) },
			func() (any, error) { return f.FindBy(ctx, nil, &seqNo) },
			func() (any, error) { return f.Categories(ctx) },
			func() (any, error) { return f.Departments(ctx) },
			func() (any, error) { return f.CountByCategory(ctx) },
			func() (any, error) { return f.CountByDepartment(ctx) },
		} {
			answer, err := ask()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, answer)
		}
		return found, all
	}
	fromTables, more := answers(cityEditor)
	held, rest := answers(resident)
	if len(held) != 2 || held[ListedID(2)].UseCount != 9 {
		t.Errorf("held: %v", held)
	}
	if diff := cmp.Diff(fromTables, held); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(more, rest); diff != "" {
		t.Error(diff)
	}
	ctx, counter := database.WithCounter(as(t, resident))
	if _, err := f.Find(ctx, ids); err != nil || counter.Statements() != 0 {
		t.Errorf("%d statements for what is held, %v", counter.Statements(), err)
	}
}
