package personal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// KeyInfo is what may be told of a key.
type KeyInfo struct {
	ID        string // hexadecimal digits
	Algorithm Algorithm
	From      time.Time // zero for ever since
	Current   bool
	Index     bool // of blind indexes; else it seals
}

// List tells of the keys that the files hold, newest first.
func (k *Keys) List() []KeyInfo {
	held, now := k.ring(), k.now()
	var list []KeyInfo
	for _, s := range held.seals {
		list = append(list, KeyInfo{ID: hex.EncodeToString([]byte(s.id())), Algorithm: s.algorithm, From: s.from, Current: s == held.current(now)})
	}
	current := held.index(now)
	for _, s := range held.indexes {
		list = append(list, KeyInfo{ID: indexID(s.id), From: s.from, Current: s.id == current.id, Index: true})
	}
	return list
}

func indexID(id string) string {
	if id == "" {
		return "first"
	}
	return hex.EncodeToString([]byte(id))
}

// Rotate puts a new secret in front of those in the file, which comes into use
// at the time: until then every process must have read it, so that none
// meets a ciphertext that it cannot open. It gives the new key's ID.
func Rotate(path string, algorithm Algorithm, from time.Time) (id string, err error) {
	return id, locked(path, func() error {
		entries, err := readEntries(path)
		if err != nil {
			return err
		}
		e := entry{secret: newSecret(), algorithm: algorithm, from: from.UTC().Truncate(time.Second)}
		made, err := newKey(e)
		if err != nil {
			return err
		}
		id = hex.EncodeToString([]byte(made.id()))
		return writeEntries(path, append([]entry{e}, entries...))
	})
}

// RotateIndex is Rotate for the secret of the blind indexes.
func RotateIndex(path string, from time.Time) (id string, err error) {
	return id, locked(path, func() error {
		entries, err := readEntries(indexFile(path))
		if errors.Is(err, fs.ErrNotExist) {
			// From before the index had keys of its own: it was the root.
			roots, err := readEntries(path)
			if err != nil {
				return err
			}
			entries = []entry{{secret: roots[len(roots)-1].secret, algorithm: AES256GCM, first: true}}
		} else if err != nil {
			return err
		}
		e := entry{secret: newSecret(), algorithm: AES256GCM, from: from.UTC().Truncate(time.Second)}
		id = hex.EncodeToString(derive(e.secret, "blind index key ID", keyIDLength))
		return writeEntries(indexFile(path), append([]entry{e}, entries...))
	})
}

// Retire takes the older keys out of the files: none of them opens or finds
// anything any more. The caller has seen to it that no row needs one. The
// oldest secret stays as the root of Derive, which alone it then is.
func Retire(path string, now time.Time) (retired int, err error) {
	return retired, locked(path, func() error {
		entries, err := readEntries(path)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(entries, func(e entry) bool { return !now.Before(e.from) && !e.retired })
		if at < 0 {
			return errors.New("personal: no key is in use")
		}
		kept := slices.Clone(entries[:at+1])
		if last := entries[len(entries)-1]; at < len(entries)-1 {
			for _, e := range entries[at+1:] {
				if !e.retired {
					retired++
				}
			}
			last.retired = true
			kept = append(kept, last)
		}
		indexes, err := readEntries(indexFile(path))
		if errors.Is(err, fs.ErrNotExist) {
			return writeEntries(path, kept)
		}
		if err != nil {
			return err
		}
		if at := slices.IndexFunc(indexes, func(e entry) bool { return !now.Before(e.from) }); at >= 0 && at < len(indexes)-1 {
			retired += len(indexes) - 1 - at
			if err := writeEntries(indexFile(path), indexes[:at+1]); err != nil {
				return err
			}
		}
		return writeEntries(path, kept)
	})
}

// locked runs fn as the only one who changes the files.
func locked(path string, fn func() error) error {
	lock := path + ".lock"
	file, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("personal: somebody else changes the keys (or did not end; then remove %s): %w", lock, err)
	}
	defer func() { _ = os.Remove(lock) }()
	_ = file.Close()
	return fn()
}
