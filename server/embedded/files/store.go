// Package files keeps files by key, in a folder or in an S3 object storage.
// What a file is called, who owns it and who may see it is not known here;
// that stands in the database. Start reading at Open; folder.go and s3.go hold
// the two ways.
package files

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"
)

// Store keeps files by key. A key is a relative path of lower and upper case
// letters, digits, and ._- ; anything else is refused. A missing file gives an
// error that is fs.ErrNotExist.
type Store interface {
	// Put stores size bytes, at least one, under the key, replacing what was
	// there; readers see the old content or the new one, never a part. It
	// returns when the content is safe.
	Put(ctx context.Context, key string, content io.Reader, size int64) error
	// Get opens the file, at any place of it; the caller closes it.
	Get(ctx context.Context, key string) (io.ReadSeekCloser, fs.FileInfo, error)
	// Delete removes the file; a missing one is no error.
	Delete(ctx context.Context, key string) error
	// Stat returns the size and the time of change.
	Stat(ctx context.Context, key string) (fs.FileInfo, error)
}

// Open opens the store behind a URL: file:///folder, or
// s3://KEY:SECRET@HOST:PORT/BUCKET?region=NAME&tls=true. It makes what is
// missing, and fails with one sentence where it cannot write.
func Open(ctx context.Context, address string) (Store, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("files: the address of the file store is not a URL")
	}
	switch parsed.Scheme {
	case "file":
		return openFolder(parsed.Path)
	case "s3":
		return openS3(ctx, parsed)
	}
	return nil, fmt.Errorf("files: the address of the file store begins with %q; known are file:// and s3://", parsed.Scheme)
}

const maxKey = 512

// checkPut refuses bad keys, and empty files: an upload without content is a
// mistake, and not every object storage takes one.
func checkPut(key string, size int64) error {
	if size <= 0 {
		return fmt.Errorf("files: put %s: the file is empty", key)
	}
	return checkKey(key)
}

// checkKey refuses keys that could leave the folder or mean different things
// in the two stores.
func checkKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("files: a key has 1 to %d characters, this one %d", maxKey, len(key))
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || strings.HasPrefix(part, ".") {
			return fmt.Errorf("files: key %q has an empty or hidden part", key)
		}
	}
	for _, letter := range key {
		switch {
		case letter >= 'a' && letter <= 'z', letter >= 'A' && letter <= 'Z', letter >= '0' && letter <= '9', strings.ContainsRune("._-/", letter):
		default:
			return fmt.Errorf("files: key %q holds %q", key, letter)
		}
	}
	return nil
}
