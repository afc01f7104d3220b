package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// stores returns both kinds; every test below holds for both.
func stores(t *testing.T) map[string]Store {
	t.Helper()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	host, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	opened := map[string]Store{}
	for name, address := range map[string]string{
		"folder": "file://" + filepath.Join(t.TempDir(), "files"),
		"s3":     "s3://key:secret@" + host.Host + "/citizencloud?region=us-east-1",
	} {
		store, err := Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		opened[name] = store
	}
	return opened
}

func put(t *testing.T, store Store, key, content string) error {
	t.Helper()
	return store.Put(t.Context(), key, strings.NewReader(content), int64(len(content)))
}

func get(t *testing.T, store Store, key string) string {
	t.Helper()
	opened, info, err := store.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	content, err := io.ReadAll(opened)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != int64(len(content)) {
		t.Errorf("%s: the size is %d, the content has %d bytes", key, info.Size(), len(content))
	}
	return string(content)
}

func TestPutGetDelete(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			const key = "feedback/0190/picture.jpg"
			for _, content := range []string{"first", "a longer second"} {
				if err := put(t, store, key, content); err != nil {
					t.Fatal(err)
				}
				if got := get(t, store, key); got != content {
					t.Errorf("got %q, want %q", got, content)
				}
			}
			for range 2 { // a second delete is no error
				if err := store.Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := store.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("stat of a deleted file: %v", err)
			}
			if _, _, err := store.Get(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("get of a deleted file: %v", err)
			}
			if _, err := store.Stat(t.Context(), "feedback/0190"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("stat of a folder: %v", err)
			}
		})
	}
}

func TestWrongSizeChangesNothing(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			if err := put(t, store, "a", "old"); err != nil {
				t.Fatal(err)
			}
			for _, size := range []int64{0, 2, 9} {
				if err := store.Put(t.Context(), "a", strings.NewReader("newer"), size); err == nil {
					t.Errorf("5 bytes announced as %d are accepted", size)
				}
				if got := get(t, store, "a"); got != "old" {
					t.Errorf("after %d announced bytes the file holds %q", size, got)
				}
			}
		})
	}
}

func TestKeysThatLeaveAreRefused(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".incoming/x", "a\x00b", "a b", "图", strings.Repeat("a", 513)} {
				if err := put(t, store, key, "x"); err == nil {
					t.Errorf("put accepts %q", key)
				}
				if _, _, err := store.Get(t.Context(), key); err == nil || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("get of %q: %v", key, err)
				}
			}
		})
	}
}

func TestLargeFile(t *testing.T) {
	content := bytes.Repeat([]byte("成都"), 1<<20)
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			if err := store.Put(t.Context(), "large", bytes.NewReader(content), int64(len(content))); err != nil {
				t.Fatal(err)
			}
			if get(t, store, "large") != string(content) {
				t.Error("the content changed")
			}
		})
	}
}

func TestReadingFromTheMiddle(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			if err := put(t, store, "a", "0123456789"); err != nil {
				t.Fatal(err)
			}
			opened, _, err := store.Get(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			for _, from := range []int64{7, 2} {
				if _, err := opened.Seek(from, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				part := make([]byte, 3)
				if _, err := io.ReadFull(opened, part); err != nil || string(part) != "0123456789"[from:from+3] {
					t.Errorf("from %d: %q %v", from, part, err)
				}
			}
		})
	}
}

func TestCrashLeavesNothingBehind(t *testing.T) {
	root := t.TempDir()
	half := filepath.Join(root, incoming, "half")
	if err := os.MkdirAll(filepath.Dir(half), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(half, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "file://"+root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the half written file is still there: %v", err)
	}
}

func TestOpenErrorsAreSentences(t *testing.T) {
	for address, want := range map[string]string{
		"ftp://x/y":                            `begins with "ftp"`,
		"file:///dev/null/sub":                 "/dev/null/sub cannot be written: not a directory",
		"s3://127.0.0.1:1/b":                   "is given as s3://",
		"s3://k:geheim@127.0.0.1:1/b?region=r": "cannot be reached",
	} {
		_, err := Open(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(fmt.Sprint(err), "geheim") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
