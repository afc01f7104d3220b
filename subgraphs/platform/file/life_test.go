package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/keyset"
)

func (w *world) refused(name string, err error, code fault.Code) {
	w.t.Helper()
	if fault.CodeOf(err) != code {
		w.t.Errorf("%s: %v, want %s", name, err, code)
	}
}

func TestDeletedBroughtBackPurged(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.citizen()
	other, _ := w.citizen()
	mine, theirs := w.upload(p, photo(t), "a.jpg"), w.upload(other, photo(t), "b.jpg")
	if w.drawer.number() != 1 {
		t.Fatal("equal content is stored twice")
	}
	_, err := w.Delete(w.as(other), mine.ID)
	w.refused("another's file is deleted", err, fault.NotFound)
	_, err = w.Delete(w.as(nil), mine.ID)
	w.refused("nobody deletes", err, fault.Unauthenticated)
	_, err = w.Delete(w.as(worker("510100000000", access.SystemAdmin)), mine.ID)
	w.refused("an administrator deletes", err, fault.NotFound)
	_, err = w.Restore(w.as(p), mine.ID)
	w.refused("what is there is brought back", err, fault.Conflict)

	link := w.Link(w.as(p), mine.FileAsset)
	if f, err := w.Delete(w.as(p), mine.ID); err != nil || f.State != Deleted || w.Link(w.as(p), f) != "" {
		t.Fatalf("%+v %v", f, err)
	}
	_, err = w.Delete(w.as(p), mine.ID)
	w.refused("deleted twice", err, fault.Conflict)
	if a, b := w.ask(p, "GET", "/files/"+mine.ID).Code, w.ask(nil, "GET", link).Code; a != 404 || b != 404 {
		t.Errorf("a deleted file is served: %d, by link %d", a, b)
	}
	_, err = w.Restore(w.as(other), mine.ID)
	w.refused("another's file is brought back", err, fault.NotFound)
	if f, err := w.Restore(w.as(p), mine.ID); err != nil || f.State != Available || f.DeletedAt != nil || w.ask(p, "GET", "/files/"+mine.ID).Code != 200 {
		t.Fatalf("%+v %v", f, err)
	}

	_, err = w.Delete(w.as(p), mine.ID)
	w.must(err)
	w.move(grace - time.Second)
	w.must(w.Sweep(t.Context()))
	if w.number(`SELECT count(*) FROM platform.file WHERE state = 'DELETED'`) != 1 {
		t.Error("the grace is cut short")
	}
	w.move(time.Second)
	_, err = w.Restore(w.as(p), mine.ID)
	w.refused("brought back too late", err, fault.Conflict)
	w.must(w.Sweep(t.Context()))
	if w.number(`SELECT count(*) FROM platform.file WHERE state = 'ARCHIVED'`) != 1 {
		t.Error("within its retention it is not archived")
	}
	w.move(rules[Picture].retain)
	w.must(w.Sweep(t.Context()))
	w.must(w.Sweep(t.Context()))
	if w.number(`SELECT count(*) FROM platform.file WHERE state = 'PURGED' AND hash IS NULL AND name = ''`) != 1 {
		t.Error("it is not purged")
	}
	if w.drawer.number() != 1 || w.ask(other, "GET", "/files/"+theirs.ID).Code != 200 {
		t.Error("content that another file refers to went too")
	}
	_, err = w.Delete(w.as(other), theirs.ID)
	w.must(err)
	w.move(grace)
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 0 || w.number(`SELECT count(*) FROM platform.blob`) != 0 || w.number(`SELECT count(*) FROM platform.content_removal`) != 0 {
		t.Errorf("content that nobody refers to stays: %d", w.drawer.number())
	}
	if n := w.number(`SELECT count(*) FROM platform.file_history WHERE file_id = $1`, mine.ID); n != 6 {
		t.Errorf("%d lines of history", n)
	}
	if n := w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.file.changed'`); n != 7 {
		t.Errorf("%d events", n)
	}
}

func TestHolds(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.citizen()
	f := w.upload(p, photo(t), "a.jpg")
	officer := worker("510104000000", access.SecurityAdmin)
	for name, c := range map[string]struct {
		who  *access.Principal
		code fault.Code
	}{
		"nobody": {nil, fault.Unauthenticated}, "its owner": {p, fault.Forbidden},
		"another district's":     {worker("510107000000", access.SecurityAdmin), fault.NotFound},
		"a community worker":     {worker(here, access.CommunityWorker), fault.Forbidden},
		"a system administrator": {worker("510100000000", access.SystemAdmin), fault.Forbidden},
	} {
		_, err := w.PlaceHold(w.as(c.who), f.ID, "涉案")
		w.refused(name, err, c.code)
	}
	_, err := w.PlaceHold(w.as(officer), f.ID, " ")
	w.refused("without a reason", err, fault.InvalidInput)
	_, err = w.ReleaseHold(w.as(officer), f.ID, "误操作")
	w.refused("nothing to release", err, fault.Conflict)
	if held, err := w.PlaceHold(w.as(officer), f.ID, "涉案"); err != nil || !held.Held {
		t.Fatal(err)
	}
	_, err = w.PlaceHold(w.as(officer), f.ID, "涉案")
	w.refused("held twice", err, fault.Conflict)
	_, err = w.Delete(w.as(p), f.ID)
	w.refused("deleted while held", err, fault.Conflict)
	if found, err := w.One(w.as(officer), f.ID); err != nil || found == nil {
		t.Errorf("the officer does not see it: %v", err)
	}
	if got := w.ask(officer, "GET", "/files/"+f.ID).Code; got != 404 {
		t.Errorf("the officer reads the content: %d", got)
	}
	_, err = w.ReleaseHold(w.as(officer), f.ID, "结案")
	w.must(err)
	_, err = w.Delete(w.as(p), f.ID)
	w.must(err)
	// Held after it was deleted, it outlasts its retention.
	_, err = w.PlaceHold(w.as(officer), f.ID, "又涉案")
	w.must(err)
	w.move(rules[Picture].retain + grace)
	w.must(w.Sweep(t.Context()))
	w.must(w.Sweep(t.Context()))
	if w.number(`SELECT count(*) FROM platform.file WHERE state = 'ARCHIVED'`) != 1 || w.drawer.number() != 1 {
		t.Error("a held file is purged")
	}
	_, err = w.ReleaseHold(w.as(officer), f.ID, "结案")
	w.must(err)
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 0 {
		t.Error("it stays")
	}
}

func TestReplacing(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.citizen()
	other, _ := w.citizen()
	f, second, text := w.upload(p, document(t), "合同.docx"), w.upload(p, document(t, entry{"x", "2"}), "合同二.docx"), w.upload(p, photo(t), "a.jpg")
	foreign := w.upload(other, document(t, entry{"x", "3"}), "b.docx")
	for name, c := range map[string]struct {
		who         *access.Principal
		id, receipt string
		version     int
		code        fault.Code
	}{
		"another's receipt": {p, f.ID, foreign.Receipt, 1, fault.InvalidInput},
		"another's file":    {other, f.ID, foreign.Receipt, 1, fault.NotFound},
		"a forged receipt":  {p, f.ID, second.Receipt + "x", 1, fault.InvalidInput},
		"another kind":      {p, f.ID, text.Receipt, 1, fault.InvalidInput},
		"itself":            {p, f.ID, f.Receipt, 1, fault.InvalidInput},
		"another version":   {p, f.ID, second.Receipt, 2, fault.Conflict},
		"nobody":            {nil, f.ID, second.Receipt, 1, fault.Unauthenticated},
	} {
		_, err := w.Replace(w.as(c.who), c.id, c.receipt, c.version)
		w.refused(name, err, c.code)
	}
	got, err := w.Replace(w.as(p), f.ID, second.Receipt, 1)
	if err != nil || got.Version != 2 || got.Name != "合同二.docx" || got.State != Available {
		t.Fatalf("%+v %v", got, err)
	}
	_, err = w.Replace(w.as(p), f.ID, second.Receipt, 2)
	w.refused("a receipt twice", err, fault.InvalidInput)
	found, err := w.Versions(w.as(p), []*FileAsset{got})
	if err != nil || len(found[got]) != 2 || found[got][0].Number != 2 {
		t.Fatalf("%+v %v", found, err)
	}
	if hidden, err := w.Versions(w.as(other), []*FileAsset{got}); err != nil || len(hidden[got]) != 0 {
		t.Errorf("another sees the versions: %v %v", hidden, err)
	}
	former := w.VersionLink(w.as(p), got, found[got][1])
	if a, b := w.ask(nil, "GET", former), w.ask(nil, "GET", w.Link(w.as(p), got)); !bytes.Equal(a.Body.Bytes(), document(t)) || bytes.Equal(a.Body.Bytes(), b.Body.Bytes()) || b.Code != 200 {
		t.Errorf("%d %d", a.Code, b.Code)
	}
	if a := w.ask(other, "GET", "/files/"+f.ID+"/versions/1").Code; a != 404 {
		t.Errorf("another reads a former version: %d", a)
	}
	page, err := w.Mine(w.as(p), Filter{}, keyset.Page{Size: 10})
	if err != nil || len(page.Files) != 2 {
		t.Errorf("%+v %v", page, err)
	}
}

func TestRangesAndLinks(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.citizen()
	other, _ := w.citizen()
	content := []byte(pdf)
	f := w.upload(p, content, "a.pdf")
	link := w.Link(w.as(p), f.FileAsset)
	whole := w.ask(nil, "GET", link)
	tag := whole.Header().Get("ETag")
	if whole.Code != 200 || whole.Header().Get("Content-Disposition") != "attachment; filename=a.pdf" || whole.Header().Get("X-Content-Type-Options") != "nosniff" || tag == "" {
		t.Errorf("%d %v", whole.Code, whole.Header())
	}
	for _, c := range []struct {
		headers []string
		code    int
		body    string
	}{
		{[]string{"Range", "bytes=2-5"}, 206, pdf[2:6]},
		{[]string{"Range", "bytes=-4"}, 206, pdf[len(pdf)-4:]},
		{[]string{"Range", "bytes=2-5", "If-Range", tag}, 206, pdf[2:6]},
		{[]string{"Range", "bytes=2-5", "If-Range", `"another"`}, 200, pdf},
		{[]string{"Range", "bytes=9999-"}, 416, ""},
		{[]string{"If-None-Match", tag}, 304, ""},
	} {
		if got := w.ask(nil, "GET", link, c.headers...); got.Code != c.code || c.body != "" && got.Body.String() != c.body {
			t.Errorf("%v: %d %q", c.headers, got.Code, got.Body)
		}
	}
	// A link is for whom it was made, if they say who they are, and for one path.
	if got := w.ask(other, "GET", link).Code; got != 404 {
		t.Errorf("with another's token the link counts: %d", got)
	}
	if got := w.ask(nil, "GET", strings.Replace(link, "?", "/versions/1?", 1)).Code; got != 401 {
		t.Errorf("the link counts for a version: %d", got)
	}
	if w.ThumbnailLink(w.as(p), f.FileAsset, Small) != "" {
		t.Error("a PDF has a thumbnail")
	}
	picture := w.upload(p, photo(t), "a.jpg")
	before := w.drawer.number()
	for range 2 {
		small := w.ask(nil, "GET", w.ThumbnailLink(w.as(p), picture.FileAsset, Large))
		if small.Code != 200 || small.Header().Get("Content-Type") != "image/jpeg" || w.drawer.number() != before+1 {
			t.Errorf("%d, %d contents", small.Code, w.drawer.number())
		}
	}
	if got := w.ask(p, "GET", "/files/"+picture.ID+"/thumbnails/4000/1").Code; got != 404 {
		t.Errorf("a size of one's own: %d", got)
	}
	w.move(time.Hour)
	if got := w.ask(nil, "GET", link).Code; got != 401 {
		t.Errorf("the link outlives its time: %d", got)
	}
}

// scanner finds what holds "EICAR"; away, it answers nothing.
type scanner struct{ away bool }

func (s *scanner) Scan(_ context.Context, content io.Reader) (string, error) {
	text, err := io.ReadAll(content)
	if s.away {
		return "", errors.New("away")
	}
	if bytes.Contains(text, []byte("EICAR")) {
		return "Eicar", err
	}
	return "", err
}

func TestNothingUnscannedIsServed(t *testing.T) {
	s := &scanner{away: true}
	w := newWorld(t, s)
	p, _ := w.citizen()
	good, bad := w.upload(p, photo(t), "a.jpg"), w.upload(p, []byte("EICAR"), "b.txt")
	if good.State != Scanning || w.Link(w.as(p), good.FileAsset) != "" {
		t.Errorf("%+v", good)
	}
	if err := w.Scan(t.Context()); err == nil {
		t.Error("a scanner that is away is no error")
	}
	if got := w.ask(p, "GET", "/files/"+good.ID).Code; got != http.StatusConflict {
		t.Errorf("unscanned content is served: %d", got)
	}
	// One is deleted before the verdict, and brought back after it.
	_, err := w.Delete(w.as(p), bad.ID)
	w.must(err)
	s.away = false
	w.must(w.Scan(t.Context()))
	if got := w.ask(p, "GET", "/files/"+good.ID).Code; got != 200 {
		t.Errorf("clean content: %d", got)
	}
	back, err := w.Restore(w.as(p), bad.ID)
	if err != nil || back.State != Quarantined || w.Link(w.as(p), back) != "" {
		t.Errorf("%+v %v", back, err)
	}
	again := w.upload(p, []byte("EICAR"), "c.txt")
	if again.State != Quarantined {
		t.Errorf("known malware comes in as %s", again.State)
	}
	for _, id := range []string{bad.ID, again.ID} {
		if got := w.ask(p, "GET", "/files/"+id).Code; got != http.StatusForbidden {
			t.Errorf("quarantined content is served: %d", got)
		}
	}
	third := w.upload(p, []byte("EICAR 2"), "d.txt")
	w.must(w.Scan(t.Context()))
	found, err := w.One(w.as(p), third.ID)
	if err != nil || found.State != Quarantined || w.number(`SELECT count(*) FROM platform.outbox WHERE subject = 'platform.notification.requested'`) != 1 {
		t.Errorf("%+v %v", found, err)
	}
}

func TestContentThatWasNotRecordedGoes(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.citizen()
	c, err := spool(bytes.NewReader(photo(t)), MaxUpload)
	w.must(err)
	defer c.Close()
	_, err = w.store(w.as(p), p, c, "a.jpg", "", func(context.Context, *sqlx.Tx, *FileAsset) error { return errGone })
	if !errors.Is(err, errGone) || w.drawer.number() != 1 {
		t.Fatalf("%v, %d contents", err, w.drawer.number())
	}
	w.move(putPatience)
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 0 || w.number(`SELECT count(*) FROM platform.blob`) != 0 {
		t.Error("content that nobody knows stays")
	}
}

func TestRowLevelSecurity(t *testing.T) {
	w := newWorld(t, nil)
	p, bearer := w.citizen()
	other, _ := w.citizen()
	f := w.upload(p, photo(t), "a.jpg")
	w.create(bearer, 1000)
	count := func(who *access.Principal, table string) (n int) {
		w.must(w.DB.Read(w.as(who), func(tx *sqlx.Tx) error { return tx.Get(&n, `SELECT count(*) FROM platform.`+table) }))
		return n
	}
	for _, table := range []string{"file", "file_version", "upload"} {
		if count(p, table) != 1 || count(other, table) != 0 || count(nil, table) != 0 || count(worker(here, access.CommunityWorker), table) != 0 {
			t.Errorf("%s is seen by others than its owner", table)
		}
	}
	if count(worker("510104000000", access.SecurityAdmin), "file") != 1 || count(worker("510107000000", access.SecurityAdmin), "file") != 0 {
		t.Error("who may hold does not see the files of the scope alone")
	}
	for _, statement := range []string{
		`UPDATE platform.file SET held = false WHERE id = '` + f.ID + `'`, `UPDATE platform.upload SET received = 5`, `DELETE FROM platform.file_version`,
	} {
		w.must(w.DB.Write(w.as(other), func(tx *sqlx.Tx) error {
			result, err := tx.Exec(statement)
			if err == nil {
				if n, _ := result.RowsAffected(); n != 0 {
					t.Errorf("another citizen: %s", statement)
				}
			}
			return err
		}))
	}
}
