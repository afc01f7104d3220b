package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// admit lets the identity reach the cluster's folder. The folder that holds it
// is ours, and is opened for passing through, not for reading; where one
// further up is closed, nothing is changed and the error says which.
func (i identity) admit(dir string) error {
	if i.uid < 0 {
		return nil
	}
	holder := filepath.Dir(dir)
	if err := os.MkdirAll(holder, 0o700); err != nil {
		return fmt.Errorf("postgres: make %s: %w", holder, err)
	}
	for folder := holder; ; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil {
			return fmt.Errorf("postgres: look at %s: %w", folder, err)
		}
		if !i.passes(info) {
			if folder != holder {
				return fmt.Errorf("PostgreSQL must run as %s here, who may not enter %s; choose a data folder elsewhere", i.name, folder)
			}
			if err := os.Chmod(folder, info.Mode().Perm()|0o011); err != nil {
				return fmt.Errorf("postgres: let %s enter %s: %w", i.name, folder, err)
			}
		}
		if folder == filepath.Dir(folder) {
			return nil
		}
	}
}

// passes says whether the identity may go through the folder.
func (i identity) passes(folder os.FileInfo) bool {
	owner, known := folder.Sys().(*syscall.Stat_t)
	mode := folder.Mode().Perm()
	switch {
	case !known:
		return true
	case int(owner.Uid) == i.uid:
		return mode&0o100 != 0
	case int(owner.Gid) == i.gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}
