package personal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// LoadKeys reads the installation's secrets from the file, one in base64 a
// line, the newest first, and makes the file (mode 0600) with one secret where
// there is none. Two processes that start at once end up with the same.
func LoadKeys(path string) (*Keys, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("personal: making the secret: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("personal: reading the secrets: %w", err)
	}
	var secrets [][]byte
	for i, line := range strings.Fields(string(text)) {
		secret, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("personal: secret %d in %s is not base64", i+1, path)
		}
		secrets = append(secrets, secret)
	}
	return NewKeys(secrets...)
}

// create writes a new secret beside and links it into place; the first one wins.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	secret := make([]byte, MinSecret)
	_, _ = rand.Read(secret) // never fails
	beside, err := os.CreateTemp(filepath.Dir(path), "secret-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(beside.Name()) }()
	_, err = beside.WriteString(base64.StdEncoding.EncodeToString(secret) + "\n")
	if err := errors.Join(err, beside.Sync(), beside.Close()); err != nil {
		return err
	}
	if err := os.Link(beside.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
