package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// folder keeps each file under its key in a folder of this machine.
type folder struct{ root string }

// incoming holds files that are still being written. No key reaches it,
// because no part of a key begins with a dot.
const incoming = ".incoming"

func openFolder(root string) (*folder, error) {
	// What a crash left half written is nobody's.
	if err := os.RemoveAll(filepath.Join(root, incoming)); err != nil {
		return nil, fmt.Errorf("files: the folder %s cannot be written: %w", root, cause(err))
	}
	if err := os.MkdirAll(filepath.Join(root, incoming), 0o700); err != nil {
		return nil, fmt.Errorf("files: the folder %s cannot be written: %w", root, cause(err))
	}
	return &folder{root: root}, nil
}

// cause strips the path from an error that names it already.
func cause(err error) error {
	var named *fs.PathError
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}

func (f *folder) path(key string) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	return filepath.Join(f.root, filepath.FromSlash(key)), nil
}

func (f *folder) Put(ctx context.Context, key string, content io.Reader, size int64) (err error) {
	if err := checkPut(key, size); err != nil {
		return err
	}
	path, err := f.path(key)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("files: put %s: %w", key, err)
		}
	}()
	writing, err := os.CreateTemp(filepath.Join(f.root, incoming), "")
	if err != nil {
		return err
	}
	defer os.Remove(writing.Name())
	defer writing.Close()
	// One byte more than promised shows that there was more.
	written, err := io.Copy(writing, io.LimitReader(cancellable{ctx, content}, size+1))
	if err != nil {
		return err
	}
	if written != size {
		return fmt.Errorf("the content has not the %d bytes that were announced", size)
	}
	if err := writing.Sync(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.Rename(writing.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the rename survive a power cut.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (f *folder) Get(_ context.Context, key string) (io.ReadSeekCloser, fs.FileInfo, error) {
	path, err := f.path(key)
	if err != nil {
		return nil, nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("files: get %s: %w", key, cause(err))
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("files: get %s: %w", key, cause(err))
	}
	return file, info, nil
}

func (f *folder) Delete(_ context.Context, key string) error {
	path, err := f.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("files: delete %s: %w", key, cause(err))
	}
	return nil
}

func (f *folder) Stat(_ context.Context, key string) (fs.FileInfo, error) {
	path, err := f.path(key)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("files: stat %s: %w", key, cause(err))
	}
	return info, nil
}

// cancellable ends a long copy when its context ends.
type cancellable struct {
	ctx    context.Context
	reader io.Reader
}

func (c cancellable) Read(into []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.reader.Read(into)
}
