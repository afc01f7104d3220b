package file

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
)

// A file's whole way in a folder and in a bucket: uploaded in chunks by the tus
// client, stored once, read by ranges and as a thumbnail, purged to the last key.
func TestOnEachStore(t *testing.T) {
	for name, drawer := range embeddedtest.Drawers(t) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.Files = drawer
			p, bearer := w.citizen()
			content := recording(300_000)
			path := filepath.Join(t.TempDir(), "录音.wav")
			w.must(os.WriteFile(path, content, 0o600))
			lines := w.client(bearer, path, 100_000)
			last := lines[len(lines)-1]
			if last.ID == "" {
				t.Fatalf("%+v", last)
			}
			w.must(w.Sweep(t.Context())) // the chunks
			again := w.upload(p, content, "同一录音.wav")
			if n := drawer.Number(); n != 1 {
				t.Errorf("%d contents of one recording", n)
			}
			if got := w.ask(p, "GET", "/files/"+last.ID, "Range", "bytes=200000-200009"); got.Code != 206 || !bytes.Equal(got.Body.Bytes(), content[200_000:200_010]) {
				t.Errorf("a range: %d, %d bytes", got.Code, got.Body.Len())
			}
			picture := w.upload(p, photo(t), "a.jpg")
			if got := w.ask(nil, "GET", w.ThumbnailLink(w.as(p), picture.FileAsset, Small)); got.Code != 200 || drawer.Number() != 3 {
				t.Errorf("a thumbnail: %d, %d contents", got.Code, drawer.Number())
			}
			for _, id := range []string{last.ID, again.ID, picture.ID} {
				_, err := w.Delete(w.as(p), id)
				w.must(err)
			}
			w.move(rules[Audio].retain + grace)
			w.must(w.Sweep(t.Context()))
			w.must(w.Sweep(t.Context()))
			if n := drawer.Number(); n != 0 {
				t.Errorf("%d contents stay", n)
			}
		})
	}
}
