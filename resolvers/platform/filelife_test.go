package platform_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/resolvers/platform"
)

// asset is a file as operations ask for it.
type asset struct {
	ID, Name, State       string
	URL, Thumbnail        *string
	Hash, Sm3             *string
	Version               int
	RetainUntil           *string
	DeletedAt, PurgeAfter *string
	Held                  *bool
	Area                  *struct{ ID string }
	Versions              []struct {
		Number int
		Hash   string
		URL    *string
	}
	History []struct {
		Action, Note string
		From         *string
		Worker       *struct{ ID string }
	}
}

const assetFields = ` id name state url thumbnail hash sm3 version retainUntil deletedAt purgeAfter held area { id }
	versions { number hash url } history { action note from worker { id } } `

func (w *world) file(p *access.Principal, id string) *asset {
	w.t.Helper()
	return get[struct{ File *asset }](w, p, `query($id: ID!) { file(id: $id) {`+assetFields+`} }`, fmt.Sprintf(`{"id": %q}`, id)).File
}

// entity asks as other subgraphs' objects do, which show their files to whoever may see them.
func (w *world) entity(p *access.Principal, id string) *asset {
	w.t.Helper()
	return get[struct {
		Entities []*asset `json:"_entities"`
	}](w, p, `query($r: [_Any!]!) { _entities(representations: $r) { ... on FileAsset {`+assetFields+`} } }`,
		fmt.Sprintf(`{"r": [{"__typename": "FileAsset", "id": %q}]}`, id)).Entities[0]
}

// on runs the mutation of the name on the file; more are further fields of its input.
func (w *world) on(p *access.Principal, mutation, id, more string) answer {
	w.t.Helper()
	return w.ask(p, fmt.Sprintf(`mutation { %s(input: {id: %q %s}) { file { id state held } } }`, mutation, id, more), "")
}

func TestWhoSeesTheLifeOfAFile(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	p.AreaCode = here
	u := w.upload(p, picture(1))
	mine := w.file(p, u.ID)
	if mine == nil || mine.URL == nil || mine.Thumbnail == nil || mine.Hash == nil || mine.Sm3 == nil || mine.Held == nil || len(mine.Versions) != 1 || mine.Versions[0].URL == nil ||
		mine.Area == nil || len(mine.History) != 0 {
		t.Errorf("its owner sees %+v", mine)
	}
	officer := w.worker(district, access.SecurityAdmin)
	seen := w.file(officer, u.ID)
	if seen == nil || seen.Hash == nil || len(seen.Versions) != 1 || seen.Versions[0].URL != nil || len(seen.History) != 1 || seen.History[0].Action != "UPLOAD" || seen.History[0].From != nil {
		t.Errorf("the officer sees %+v", seen)
	}
	for name, who := range map[string]*access.Principal{
		"nobody": nil, "another citizen": other, "the community's worker": w.worker(here), "another district's officer": w.worker(elsewhere, access.SecurityAdmin),
		"a system administrator": w.worker(city, access.SystemAdmin),
	} {
		if found := w.file(who, u.ID); found != nil {
			t.Errorf("%s sees %+v", name, found)
		}
		if who == nil {
			continue
		}
		// what it is attached to may show it, but not its life
		if found := w.entity(who, u.ID); found == nil || found.Name == "" || found.URL == nil || found.Hash != nil || found.Sm3 != nil || found.Held != nil || found.RetainUntil != nil ||
			found.Area != nil || len(found.Versions) != 0 || len(found.History) != 0 {
			t.Errorf("%s sees of the entity %+v", name, found)
		}
	}
	if w.file(p, "x") != nil || w.file(p, "' OR true --") != nil {
		t.Error("something was found by no ID")
	}
}

func TestFilesByGraphQL(t *testing.T) { eachWall(t, filesByGraphQL) }

func filesByGraphQL(t *testing.T, w *world) {
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	p.AreaCode = here
	first, second, third := w.upload(p, picture(1)), w.upload(p, picture(2)), w.upload(p, picture(3))
	officer, far := w.worker(district, access.SecurityAdmin), w.worker(elsewhere, access.SecurityAdmin)
	list := func(who *access.Principal, arguments string) []asset {
		edges := get[struct {
			MyFiles struct {
				Edges []struct{ Node asset }
			}
		}](w, who, `{ myFiles(`+arguments+`) { edges { node { id state } } } }`, "").MyFiles.Edges
		var files []asset
		for _, e := range edges {
			files = append(files, e.Node)
		}
		return files
	}
	if got := list(p, "first: 2"); len(got) != 2 || got[0].ID != third.ID || got[1].ID != second.ID || len(list(other, "first: 2")) != 0 {
		t.Errorf("%+v", got)
	}
	const reason = `reason: "涉案"`
	for _, c := range []struct {
		name           string
		who            *access.Principal
		mutation, more string
		want           string
	}{
		{"nobody deletes", nil, "deleteFile", "", "UNAUTHENTICATED"},
		{"another deletes", other, "deleteFile", "", "NOT_FOUND"},
		{"the officer deletes", officer, "deleteFile", "", "NOT_FOUND"},
		{"its owner holds", p, "placeLegalHold", reason, "FORBIDDEN"},
		{"nobody holds", nil, "placeLegalHold", reason, "UNAUTHENTICATED"},
		{"another district's officer holds", far, "placeLegalHold", reason, "NOT_FOUND"},
		{"a hold without a reason", officer, "placeLegalHold", `reason: " "`, "INVALID_INPUT"},
		{"nothing is held", officer, "releaseLegalHold", reason, "CONFLICT"},
		{"a hold", officer, "placeLegalHold", reason, ""},
		{"its owner deletes what is held", p, "deleteFile", "", "CONFLICT"},
		{"its owner releases", p, "releaseLegalHold", reason, "FORBIDDEN"},
		{"another district's officer releases", far, "releaseLegalHold", reason, "NOT_FOUND"},
		{"a release", officer, "releaseLegalHold", reason, ""},
		{"its owner keeps it longer", p, "extendFileRetention", reason + ` until: "2029-01-01T00:00:00+08:00"`, "FORBIDDEN"},
		{"a shorter time", officer, "extendFileRetention", reason + ` until: "2020-01-01T00:00:00+08:00"`, "INVALID_INPUT"},
		{"a longer time", officer, "extendFileRetention", reason + ` until: "2033-01-01T00:00:00+08:00"`, ""},
		{"what is in order is released", officer, "releaseQuarantinedFile", reason, "CONFLICT"},
		{"what is in order is taken away", officer, "deleteQuarantinedFile", reason, "CONFLICT"},
		{"its owner reviews", p, "releaseQuarantinedFile", reason, "FORBIDDEN"},
		{"another's upload replaces", p, "replaceFile", fmt.Sprintf(`receipt: %q expectedVersion: 1`, w.upload(other, picture(9)).Receipt), "INVALID_INPUT"},
		{"a version that is past", p, "replaceFile", fmt.Sprintf(`receipt: %q expectedVersion: 5`, second.Receipt), "CONFLICT"},
		{"a replacement", p, "replaceFile", fmt.Sprintf(`receipt: %q expectedVersion: 1`, second.Receipt), ""},
		{"a deletion", p, "deleteFile", "", ""},
		{"another brings it back", other, "restoreFile", "", "NOT_FOUND"},
		{"back", p, "restoreFile", "", ""},
		{"back twice", p, "restoreFile", "", "CONFLICT"},
	} {
		if got := w.on(c.who, c.mutation, first.ID, c.more); got.code() != c.want {
			t.Errorf("%s: %q, want %q: %v", c.name, got.code(), c.want, got.Errors)
		}
	}
	if got := w.file(p, first.ID); got.Version != 2 || len(got.Versions) != 2 || got.State != "AVAILABLE" {
		t.Errorf("%+v", got)
	}
	got := w.file(officer, first.ID)
	if len(got.History) != 7 || got.History[5].Action != "HOLD" || got.History[5].Note != "涉案" || got.History[5].Worker == nil {
		t.Errorf("%+v", got.History)
	}
	w.on(p, "deleteFile", third.ID, "")
	if gone := w.file(p, third.ID); gone.URL != nil || gone.DeletedAt == nil || gone.PurgeAfter == nil {
		t.Errorf("%+v", gone)
	}
	care := `{ filesInCare(areaId: "` + district + `", states: [DELETED]) { edges { node { id } } } }`
	a := w.ask(officer, care, "")
	if a.code() != "" || !strings.Contains(string(a.Data), third.ID) || strings.Contains(string(a.Data), first.ID) {
		t.Errorf("%s %v", a.Data, a.Errors)
	}
	for name, c := range map[string]struct {
		who  *access.Principal
		want string
	}{"nobody": {nil, "UNAUTHENTICATED"}, "its owner": {p, "FORBIDDEN"}, "another district's officer": {far, "NOT_FOUND"}, "the community's worker": {w.worker(here), "FORBIDDEN"}} {
		if got := w.ask(c.who, care, ""); got.code() != c.want {
			t.Errorf("%s lists: %q, want %q", name, got.code(), c.want)
		}
	}
	if n := w.number(`SELECT count(*) FROM platform.outbox WHERE payload::text LIKE '%placeLegalHold%' AND payload::text LIKE '%' || $1 || '%'`, first.ID); n == 0 {
		t.Error("the audit log does not hear of the hold")
	}
}

// suspicious finds something in everything.
type suspicious struct{}

func (suspicious) Scan(context.Context, io.Reader) (string, error) { return "Test", nil }

func TestQuarantineByGraphQL(t *testing.T) {
	w := newWorld(t, func(d *platform.Deps) { d.Scanner = suspicious{} })
	_, p := w.signIn("13800000001")
	p.AreaCode = here
	u, v := w.upload(p, picture(1)), w.upload(p, picture(2))
	if got := w.file(p, u.ID); got.State != "SCANNING" || got.URL != nil || got.Thumbnail != nil {
		t.Errorf("%+v", got)
	}
	w.sql(`UPDATE platform.blob SET verdict = 'QUARANTINED'`) // as the background does
	w.sql(`UPDATE platform.file SET state = 'QUARANTINED'`)
	if got := w.file(p, u.ID); got.State != "QUARANTINED" || got.URL != nil || got.Versions[0].URL != nil {
		t.Errorf("%+v", got)
	}
	officer := w.worker(district, access.SecurityAdmin)
	if got := w.on(officer, "releaseQuarantinedFile", u.ID, `reason: "误报"`); got.code() != "" || w.file(p, u.ID).URL == nil {
		t.Errorf("%v", got.Errors)
	}
	if got := w.on(officer, "deleteQuarantinedFile", v.ID, `reason: "有害"`); got.code() != "" || w.file(p, v.ID).State != "DELETED" {
		t.Errorf("%v", got.Errors)
	}
}
