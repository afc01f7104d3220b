package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrInUse says that another process runs the state of this folder.
var ErrInUse = errors.New("in use")

// The two locks of a data folder: who runs the state, and who serves the whole
// platform (which may use a state that a subgraph's process runs).
const (
	stateLock = "lock"
	serveLock = "serve.lock"
)

// lock is a right over a data folder. The kernel gives it
// back when its process ends in whatever way, so a stale one cannot be.
type lock struct{ file *os.File }

// acquire makes the folder and takes the lock of that name in it; ErrInUse when
// another has it.
func acquire(dir, name string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unwritable(dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(file.Name())
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("the data folder %s is %w by process %s; stop that one or give another --data", dir, ErrInUse, strings.TrimSpace(string(holder)))
		}
		return nil, fmt.Errorf("the data folder %s cannot be locked: %w", dir, err)
	}
	if err := errors.Join(file.Truncate(0), writeAt(file, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		file.Close()
		return nil, unwritable(dir, err)
	}
	return &lock{file: file}, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

func (l *lock) release() { l.file.Close() }

// unwritable is the one sentence for a folder that does not take our files.
func unwritable(dir string, err error) error {
	var named *fs.PathError
	if errors.As(err, &named) {
		err = named.Err
	}
	return fmt.Errorf("the data folder %s cannot be written (%w); give another with --data", dir, err)
}
