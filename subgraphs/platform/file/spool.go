package file

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/emmansun/gmsm/sm3"
)

// spooled is a content on its way, in a file of this machine that has no name
// any more: whatever happens, nothing of it stays.
type spooled struct {
	*os.File
	size        int64
	sha256, sm3 []byte
}

// Size is its number of bytes.
func (s *spooled) Size() int64 { return s.size }

// errTooLong says that there is more than the limit.
var errTooLong = errors.New("file: longer than the limit")

// spool reads everything, at most limit bytes, and hashes it on the way.
func spool(from io.Reader, limit int64) (_ *spooled, err error) {
	file, err := os.CreateTemp("", "citizencloud-*")
	if err != nil {
		return nil, fmt.Errorf("file: spooling: %w", err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	if err := os.Remove(file.Name()); err != nil {
		return nil, fmt.Errorf("file: spooling: %w", err)
	}
	first, second := sha256.New(), sm3.New()
	size, err := io.Copy(io.MultiWriter(file, first, second), io.LimitReader(from, limit+1))
	if err != nil {
		return nil, fmt.Errorf("file: spooling: %w", err)
	}
	if size > limit {
		return nil, errTooLong
	}
	return &spooled{File: file, size: size, sha256: first.Sum(nil), sm3: second.Sum(nil)}, nil
}

// reader reads it from the beginning.
func (s *spooled) reader() io.Reader { return io.NewSectionReader(s, 0, s.size) }
