package file

import (
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

func (w *world) inCare(p *access.Principal, area string, filter CareFilter) []string {
	w.t.Helper()
	page, err := w.InCare(w.as(p), area, filter, keyset.Page{Size: 10})
	w.must(err)
	var names []string
	for _, f := range page.Files {
		names = append(names, f.Name)
	}
	return names
}

func TestQuarantinedFilesAreReviewed(t *testing.T) {
	w := newWorld(t, &scanner{})
	p, _ := w.citizen()
	far, _ := w.citizen()
	far.AreaCode = "510107061001"
	bad := w.upload(p, []byte("EICAR"), "坏.txt")
	worse := w.upload(p, []byte("EICAR 2"), "更坏.txt")
	w.upload(p, photo(t), "好.jpg")
	w.must(w.Scan(t.Context()))
	elsewhere := w.upload(far, []byte("EICAR"), "远.txt")
	district, city := worker("510104000000", access.SecurityAdmin), worker("510100000000", access.SecurityAdmin)

	for name, c := range map[string]struct {
		who  *access.Principal
		code fault.Code
	}{
		"nobody": {nil, fault.Unauthenticated}, "its owner": {p, fault.Forbidden},
		"another district's":     {worker("510107000000", access.SecurityAdmin), fault.NotFound},
		"a community worker":     {worker(here, access.CommunityWorker), fault.Forbidden},
		"a system administrator": {worker("510100000000", access.SystemAdmin), fault.Forbidden},
		"somebody confined":      {&access.Principal{Kind: access.Worker, ID: district.ID, AreaCode: district.AreaCode, Roles: district.Roles, Confined: "x"}, fault.Forbidden},
	} {
		_, err := w.Clear(w.as(c.who), bad.ID, "误报")
		w.refused("released by "+name, err, c.code)
		_, err = w.Discard(w.as(c.who), bad.ID, "恶意文件")
		w.refused("deleted by "+name, err, c.code)
		_, err = w.Extend(w.as(c.who), bad.ID, w.now().AddDate(5, 0, 0), "涉案")
		w.refused("kept by "+name, err, c.code)
		_, err = w.InCare(w.as(c.who), here, CareFilter{}, keyset.Page{Size: 10})
		w.refused("listed by "+name, err, c.code)
	}
	if got := w.inCare(district, "510104000000", CareFilter{}); !slices.Equal(got, []string{"更坏.txt", "坏.txt"}) {
		t.Errorf("%v: what is in order is listed, or not all of the rest", got)
	}
	if got := w.inCare(city, here, CareFilter{HeldOnly: true}); len(got) != 0 {
		t.Errorf("%v is held", got)
	}

	// The same content lies in another district: the district cannot let it out.
	_, err := w.Clear(w.as(district), bad.ID, "误报")
	w.refused("released beyond the scope", err, fault.Forbidden)
	_, err = w.Clear(w.as(city), bad.ID, "")
	w.refused("without a reason", err, fault.InvalidInput)
	got, err := w.Clear(w.as(city), bad.ID, "厂商确认误报")
	if err != nil || got.State != Available || w.Link(w.as(p), got) == "" {
		t.Fatalf("%+v %v", got, err)
	}
	w.must(w.Scan(t.Context())) // brings it to the other file of the content
	if other, err := w.One(w.as(far), elsewhere.ID); err != nil || other.State != Available || w.ask(far, "GET", "/files/"+elsewhere.ID).Code != 200 {
		t.Errorf("%+v %v", other, err)
	}
	_, err = w.Clear(w.as(city), bad.ID, "误报")
	w.refused("released twice", err, fault.Conflict)

	_, err = w.PlaceHold(w.as(district), worse.ID, "涉案")
	w.must(err)
	_, err = w.Discard(w.as(district), worse.ID, "恶意文件")
	w.refused("deleted while held", err, fault.Conflict)
	if got := w.inCare(district, here, CareFilter{HeldOnly: true}); !slices.Equal(got, []string{"更坏.txt"}) {
		t.Errorf("%v is held", got)
	}
	_, err = w.ReleaseHold(w.as(district), worse.ID, "结案")
	w.must(err)
	if got, err = w.Discard(w.as(district), worse.ID, "恶意文件"); err != nil || got.State != Deleted || got.PurgeAfter() == nil {
		t.Fatalf("%+v %v", got, err)
	}
	_, err = w.Discard(w.as(district), worse.ID, "恶意文件")
	w.refused("deleted twice", err, fault.Conflict)
	if back, err := w.Restore(w.as(p), worse.ID); err != nil || back.State != Quarantined || w.ask(p, "GET", "/files/"+worse.ID).Code != 403 {
		t.Errorf("what its owner brings back is given out: %+v %v", back, err)
	}

	events, err := w.Histories(w.as(district), []*FileAsset{got})
	if err != nil {
		t.Fatal(err)
	}
	var actions []FileAction
	for _, e := range events[got] {
		actions = append(actions, e.Action)
	}
	if !slices.Equal(actions, []FileAction{"RESTORE", "DELETE", "RELEASE", "HOLD", "SCAN", "UPLOAD"}) || events[got][1].Note != "恶意文件" || events[got][1].ActorID != district.ID || events[got][5].From != nil {
		t.Errorf("%v %+v", actions, events[got])
	}
	if hidden, err := w.Histories(w.as(p), []*FileAsset{got}); err != nil || len(hidden[got]) != 0 {
		t.Errorf("the owner sees why it was held: %v %v", hidden, err)
	}
}

func TestRetentionIsExtended(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.citizen()
	f := w.upload(p, photo(t), "a.jpg")
	officer := worker("510104000000", access.SecurityAdmin)
	for name, until := range map[string]time.Time{"shorter": f.RetainUntil, "for ever": w.now().AddDate(31, 0, 0)} {
		_, err := w.Extend(w.as(officer), f.ID, until, "涉案")
		w.refused(name, err, fault.InvalidInput)
	}
	until := f.RetainUntil.AddDate(0, 0, 100)
	if got, err := w.Extend(w.as(officer), f.ID, until, "涉案"); err != nil || !got.RetainUntil.Equal(until) || got.PurgeAfter() != nil {
		t.Fatalf("%+v %v", got, err)
	}
	got, err := w.Delete(w.as(p), f.ID)
	if err != nil || !got.PurgeAfter().Equal(until) {
		t.Fatalf("%+v %v", got, err)
	}
	w.move(until.Sub(w.now()) - time.Second)
	w.must(w.Sweep(t.Context()))
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 1 {
		t.Error("it is purged before its time")
	}
	w.move(time.Second)
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 0 {
		t.Error("it stays after its time")
	}
}

// The second wall: the database shows who reviews what lies in the scope, and the history to nobody else.
func TestTheHistoryIsBehindTheWall(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.citizen()
	f := w.upload(p, photo(t), "a.jpg")
	for name, c := range map[string]struct {
		who  *access.Principal
		want int
	}{
		"nobody": {nil, 0}, "its owner": {p, 0}, "a community worker": {worker(here, access.CommunityWorker), 0},
		"another district's": {worker("510107000000", access.SecurityAdmin), 0}, "the district's": {worker("510104000000", access.SecurityAdmin), 1},
	} {
		var n int
		w.must(w.DB.Read(w.as(c.who), func(tx *sqlx.Tx) error {
			return tx.Get(&n, `SELECT count(*) FROM platform.file_history WHERE file_id = $1`, f.ID)
		}))
		if n != c.want {
			t.Errorf("%s sees %d lines", name, n)
		}
	}
}

func TestUploadsAreShownToTheirOwner(t *testing.T) {
	w := newWorld(t, nil)
	p, bearer := w.citizen()
	other, _ := w.citizen()
	location := w.create(bearer, 1000)
	page, err := w.MyUploads(w.as(p), keyset.Page{Size: 10})
	if err != nil || len(page.Uploads) != 1 || page.Uploads[0].State != Receiving || page.Uploads[0].Bytes != 1000 ||
		w.server.URL+page.Uploads[0].Location != location {
		t.Fatalf("%+v %v, %s", page, err, location)
	}
	if page, err := w.MyUploads(w.as(other), keyset.Page{Size: 10}); err != nil || len(page.Uploads) != 0 {
		t.Errorf("another sees it: %+v %v", page, err)
	}
	_, err = w.MyUploads(w.as(nil), keyset.Page{Size: 10})
	w.refused("nobody", err, fault.Unauthenticated)
	_, err = w.MyUploads(w.as(p), keyset.Page{Size: 10, After: []string{"x"}})
	w.refused("a cursor that is none", err, fault.InvalidInput)
	w.move(uploadTime)
	if page, err = w.MyUploads(w.as(p), keyset.Page{Size: 10}); err != nil || page.Uploads[0].State != Expired {
		t.Errorf("%+v %v", page, err)
	}
}
