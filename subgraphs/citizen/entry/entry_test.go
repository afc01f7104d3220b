package entry

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/catalogue"
	"github.com/citizencloud/citizencloud/subgraphs/citizen/migrations"
)

func of[T any](v T) *T { return &v }

// entries of one service, as the caller finds it.
func entries(t *testing.T, c *catalogue.Catalogue, ctx context.Context, id string) Set {
	t.Helper()
	found, err := c.Find(ctx, []string{id})
	if err != nil || found[id] == nil {
		t.Fatal(found, err)
	}
	return Of(found[id])
}

func open(t *testing.T) (*Entries, *catalogue.Catalogue) {
	t.Helper()
	at := embeddedtest.Open(t, migrations.FS)
	db, err := database.Open(t.Context(), at.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := catalogue.Load(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	c := catalogue.New(db)
	return New(db, c), c
}

func editor(t *testing.T, area string) context.Context {
	return access.With(t.Context(), &access.Principal{Kind: access.Worker, ID: "01890a5d-ac96-774b-bcce-b302099a8001", AreaCode: area, Roles: []access.Role{access.CatalogueEditor}})
}

func TestReplicaInheritsAndOverrides(t *testing.T) {
	e, c := open(t)
	ctx, id := editor(t, "510100000000"), catalogue.ListedID(7)
	find := func() Set {
		t.Helper()
		return entries(t, c, ctx, id)
	}
	if set := find(); len(set) != 1 || set[0].Title != "公积金查询-账户信息" || set[0].Target != "/services/S007" || set[0].SortOrder != 7 {
		t.Fatalf("the master as loaded: %+v", set)
	}
	changed, err := e.Set(ctx, SetServiceEntryInput{ServiceID: id, Client: of(catalogue.MiniProgram), Title: of("公积金"), SortOrder: of(1), GreyPercent: of(50)})
	if err != nil {
		t.Fatal(err)
	}
	if set := Of(changed); len(set) != 2 {
		t.Errorf("the answer of the change has the entries %+v", set)
	}
	replica := find().For(catalogue.MiniProgram)
	if replica.Kind != Replica || replica.Title != "公积金" || replica.SortOrder != 1 || replica.GreyPercent != 50 ||
		replica.Target != "/services/S007" || !replica.Enabled {
		t.Errorf("the replica: %+v", replica)
	}
	if diff := cmp.Diff([]EntryField{FieldTitle, FieldSortOrder, FieldGreyPercent}, replica.Overrides); diff != "" {
		t.Error(diff)
	}
	if other := find().For(catalogue.App); other.Kind != Master {
		t.Errorf("another client gets %+v", other)
	}
	// the master changes: what the replica did not override changes with it
	if _, err := e.Set(ctx, SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1, Target: of("https://example.cn/gjj"), SortOrder: of(99)}); err != nil {
		t.Fatal(err)
	}
	replica = find().For(catalogue.MiniProgram)
	if replica.Target != "https://example.cn/gjj" || replica.SortOrder != 1 {
		t.Errorf("after the master's change: %+v", replica)
	}
	// set anew: what is not given inherits again
	if _, err := e.Set(ctx, SetServiceEntryInput{ServiceID: id, Client: of(catalogue.MiniProgram), ExpectedVersion: 1, Enabled: of(false)}); err != nil {
		t.Fatal(err)
	}
	replica = find().For(catalogue.MiniProgram)
	if replica.SortOrder != 99 || replica.Title != "公积金查询-账户信息" || replica.Enabled || replica.Version != 2 {
		t.Errorf("set anew: %+v", replica)
	}
	if shown := find().Shown(nil, false); len(shown) != 1 {
		t.Errorf("%d entries for citizens, want the master alone", len(shown))
	}
	if _, err := e.Remove(ctx, RemoveServiceEntryInput{ServiceID: id, Client: catalogue.MiniProgram, ExpectedVersion: 2}); err != nil {
		t.Fatal(err)
	}
	if set := find(); len(set) != 1 {
		t.Errorf("after removing: %+v", set)
	}
}

func TestEntriesOrderAndHideTheList(t *testing.T) {
	e, c := open(t)
	ctx := editor(t, "510100000000")
	for _, in := range []SetServiceEntryInput{
		{ServiceID: catalogue.ListedID(50), Client: of(catalogue.App), SortOrder: of(0)},
		{ServiceID: catalogue.ListedID(1), Client: of(catalogue.App), Enabled: of(false)},
		{ServiceID: catalogue.ListedID(3), Client: of(catalogue.App), GreyPercent: of(40)},
	} {
		if _, err := e.Set(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	client := catalogue.App
	list := func(ctx context.Context, client catalogue.Client, first int) []string {
		t.Helper()
		page, err := c.Services(ctx, catalogue.Filter{Client: &client}, &first, nil)
		if err != nil {
			t.Fatal(err)
		}
		codes := []string{}
		for _, s := range page.Nodes {
			codes = append(codes, s.Code)
		}
		return codes
	}
	if diff := cmp.Diff([]string{"S050", "S002", "S004"}, list(t.Context(), client, 3)); diff != "" {
		t.Errorf("the APP: %s", diff)
	}
	if diff := cmp.Diff([]string{"S001", "S003", "S004"}, list(t.Context(), catalogue.MiniProgram, 3)); diff != "" {
		t.Errorf("the mini-program: %s", diff)
	}
	// the list's SQL and the entry's Go place each citizen alike
	inside := 0
	for n := range 50 {
		viewer := fmt.Sprintf("01890a5d-ac96-774b-bcce-b302099a9%03d", n)
		citizen := access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: viewer})
		listed := list(citizen, client, 3)[2] == "S003"
		if open := entries(t, c, citizen, catalogue.ListedID(3)).For(client).Open(viewer); open != listed {
			t.Errorf("citizen %d: listed %v, open %v", n, listed, open)
		}
		if listed {
			inside++
		}
	}
	if inside < 8 || inside > 32 {
		t.Errorf("%d of 50 are in a release of 40 percent", inside)
	}
}

func TestRefusedChangesOfEntries(t *testing.T) {
	e, c := open(t)
	id := catalogue.ListedID(7)
	city, none := editor(t, "510100000000"), 0
	for what, c := range map[string]struct {
		ctx  context.Context
		in   SetServiceEntryInput
		code fault.Code
	}{
		"nobody":                {t.Context(), SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1}, fault.Unauthenticated},
		"a citizen":             {access.With(t.Context(), &access.Principal{Kind: access.Citizen, ID: id}), SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1}, fault.Forbidden},
		"a district's editor":   {editor(t, "510104000000"), SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1}, fault.NotFound},
		"an old version":        {city, SetServiceEntryInput{ServiceID: id, ExpectedVersion: none}, fault.Conflict},
		"a replica that is not": {city, SetServiceEntryInput{ServiceID: id, Client: of(catalogue.App), ExpectedVersion: 1}, fault.Conflict},
		"a script":              {city, SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1, Target: of("javascript:alert(1)")}, fault.InvalidInput},
		"another host":          {city, SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1, Target: of("//example.cn")}, fault.InvalidInput},
		"in the clear":          {city, SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1, Target: of("http://example.cn")}, fault.InvalidInput},
		"more than all":         {city, SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1, GreyPercent: of(101)}, fault.InvalidInput},
		"no version":            {city, SetServiceEntryInput{ServiceID: id, ExpectedVersion: 1, MinVersion: of("neu")}, fault.InvalidInput},
	} {
		_, err := e.Set(c.ctx, c.in)
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", what, err, c.code)
		}
	}
	_, err := e.Remove(city, RemoveServiceEntryInput{ServiceID: id, Client: catalogue.App, ExpectedVersion: 0})
	if fault.CodeOf(err) != fault.NotFound {
		t.Errorf("removing what is not there: %v", err)
	}
	if set := entries(t, c, city, id); len(set) != 1 || set[0].Version != 1 {
		t.Errorf("something changed: %+v", set)
	}
}
