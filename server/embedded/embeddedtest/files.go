package embeddedtest

import (
	"io/fs"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/citizencloud/citizencloud/server/embedded/files"
)

// Drawer is an empty file store.
type Drawer struct {
	files.Store
	Number func() int // of contents that lie in it
}

// Drawers are both kinds of file store: a folder, and a bucket of S3.
func Drawers(t testing.TB) map[string]Drawer {
	t.Helper()
	folder, bucket := filepath.Join(t.TempDir(), "files"), s3mem.New()
	server := httptest.NewServer(gofakes3.New(bucket).Server())
	t.Cleanup(server.Close)
	drawers := map[string]Drawer{}
	for name, d := range map[string]struct {
		address string
		number  func() (int, error)
	}{
		"folder": {"file://" + folder, func() (n int, err error) {
			err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() {
					n++
				}
				return err
			})
			return n, err
		}},
		"s3": {"s3://key:secret@" + strings.TrimPrefix(server.URL, "http://") + "/citizencloud?region=us-east-1", func() (int, error) {
			list, err := bucket.ListBucket("citizencloud", nil, gofakes3.ListBucketPage{})
			if err != nil {
				return 0, err
			}
			return len(list.Contents), nil
		}},
	} {
		store, err := files.Open(t.Context(), d.address)
		if err != nil {
			t.Fatal(err)
		}
		drawers[name] = Drawer{store, func() int {
			n, err := d.number()
			if err != nil {
				t.Fatal(err)
			}
			return n
		}}
	}
	return drawers
}
