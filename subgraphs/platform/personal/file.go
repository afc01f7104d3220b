package personal

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The files hold one secret a line, the newest first: base64 of at least 32
// bytes, and behind it what differs from the usual: the algorithm, from=TIME,
// retired, first. Lines that begin with # say something to people.

// LoadKeys reads the installation's secrets from the file, and those of the
// blind index from the file index.key beside, and makes both (mode 0600) where
// there is none. An installation from before the index had keys of its own goes
// on with the oldest secret for it. Two processes that start at once end up
// with the same.
func LoadKeys(path string) (*Keys, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		// The index first: whoever sees the other finds it.
		if err := errors.Join(create(indexFile(path)), create(path)); err != nil {
			return nil, fmt.Errorf("personal: making the secrets: %w", err)
		}
	}
	k := &Keys{path: path, now: time.Now}
	if err := k.Reload(); err != nil {
		return nil, err
	}
	return k, nil
}

func indexFile(path string) string { return filepath.Join(filepath.Dir(path), "index.key") }

// Reload reads the files again, if they were changed.
func (k *Keys) Reload() error {
	if k.path == "" {
		return nil
	}
	k.looked.Store(time.Now().UnixNano())
	stamp := [2]time.Time{changed(k.path), changed(indexFile(k.path))}
	if held := k.held.Load(); held != nil && held.stamp == stamp {
		return nil
	}
	entries, err := readEntries(k.path)
	if err != nil {
		return err
	}
	indexes, err := readEntries(indexFile(k.path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r, err := newRing(entries, indexes)
	if err != nil {
		return err
	}
	r.stamp = stamp
	k.held.Store(r)
	return nil
}

func changed(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// follow is how often the files are looked at, while keys are used.
const follow = 3 * time.Second

// ring gives the secrets as they stand in the files, at most a moment ago. Where
// the files cannot be read any more those that are known go on.
func (k *Keys) ring() *ring {
	if k.path == "" {
		return k.held.Load()
	}
	now, last := time.Now().UnixNano(), k.looked.Load()
	if now-last > int64(follow) && k.looked.CompareAndSwap(last, now) {
		if err := k.Reload(); err != nil {
			slog.Error("the keys of personal data cannot be read again, going on with those that are known", "error", err)
		}
	}
	return k.held.Load()
}

func readEntries(path string) ([]entry, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("personal: reading the secrets: %w", err)
	}
	var entries []entry
	for number, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		e, err := parseEntry(words)
		if err != nil {
			return nil, fmt.Errorf("personal: line %d of %s: %w", number+1, filepath.Base(path), err)
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("personal: no secret in %s", filepath.Base(path))
	}
	return entries, nil
}

// parseEntry reads a line's words. Its errors do not quote them.
func parseEntry(words []string) (entry, error) {
	e := entry{algorithm: AES256GCM}
	var err error
	if e.secret, err = base64.StdEncoding.DecodeString(words[0]); err != nil {
		return e, errors.New("the secret is not base64")
	}
	for _, word := range words[1:] {
		switch {
		case word == string(AES256GCM) || word == string(SM4GCM):
			e.algorithm = Algorithm(word)
		case word == "retired":
			e.retired = true
		case word == "first":
			e.first = true
		case strings.HasPrefix(word, "from="):
			if e.from, err = time.Parse(time.RFC3339, word[len("from="):]); err != nil {
				return e, errors.New("from= is no time such as 2026-01-31T12:00:00Z")
			}
		default:
			return e, errors.New("it holds a word that is unknown")
		}
	}
	return e, nil
}

func (e entry) line() string {
	words := []string{base64.StdEncoding.EncodeToString(e.secret)}
	if e.algorithm != AES256GCM {
		words = append(words, string(e.algorithm))
	}
	if !e.from.IsZero() {
		words = append(words, "from="+e.from.UTC().Format(time.RFC3339))
	}
	if e.retired {
		words = append(words, "retired")
	}
	if e.first {
		words = append(words, "first")
	}
	return strings.Join(words, " ") + "\n"
}

// writeEntries puts the entries in the place of the file, in one piece.
func writeEntries(path string, entries []entry) error {
	var text bytes.Buffer
	for _, e := range entries {
		text.WriteString(e.line())
	}
	beside, err := os.CreateTemp(filepath.Dir(path), "secret-*")
	if err != nil {
		return fmt.Errorf("personal: writing the secrets: %w", err)
	}
	defer func() { _ = os.Remove(beside.Name()) }()
	_, err = beside.Write(text.Bytes())
	if err := errors.Join(err, beside.Sync(), beside.Close()); err != nil {
		return fmt.Errorf("personal: writing the secrets: %w", err)
	}
	if err := os.Rename(beside.Name(), path); err != nil {
		return fmt.Errorf("personal: writing the secrets: %w", err)
	}
	return nil
}

func newSecret() []byte {
	secret := make([]byte, MinSecret)
	_, _ = rand.Read(secret) // never fails
	return secret
}

// create writes a new secret beside and links it into place; the first one wins.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	beside, err := os.CreateTemp(filepath.Dir(path), "secret-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(beside.Name()) }()
	_, err = beside.WriteString(entry{secret: newSecret(), algorithm: AES256GCM}.line())
	if err := errors.Join(err, beside.Sync(), beside.Close()); err != nil {
		return err
	}
	if err := os.Link(beside.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
