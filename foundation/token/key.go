package token

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Key is the signing key of one installation.
type Key struct {
	ID      string // kid: the start of the public key's SHA-256
	private ed25519.PrivateKey
}

// Public is the half that checks.
func (k *Key) Public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

// NewKey makes a key from 32 random bytes.
func NewKey(seed []byte) (*Key, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("token: the key has %d bytes, want %d", len(seed), ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(seed)
	sum := sha256.Sum256(private.Public().(ed25519.PublicKey))
	return &Key{ID: base64.RawURLEncoding.EncodeToString(sum[:9]), private: private}, nil
}

// LoadKey reads the key's file (base64), and makes it (mode 0600) where there
// is none yet. Two processes that start at once end up with the same key.
func LoadKey(path string) (*Key, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, err
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("token: reading the key: %w", err)
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("token: the key in %s is not base64: %w", path, err)
	}
	return NewKey(seed)
}

// create writes a new key beside and links it into place; the first one wins.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("token: making the key's folder: %w", err)
	}
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // never fails
	beside, err := os.CreateTemp(filepath.Dir(path), "key-*")
	if err != nil {
		return fmt.Errorf("token: making the key: %w", err)
	}
	defer func() { _ = os.Remove(beside.Name()) }()
	_, err = beside.WriteString(base64.StdEncoding.EncodeToString(seed) + "\n")
	if err := errors.Join(err, beside.Sync(), beside.Close()); err != nil {
		return fmt.Errorf("token: making the key: %w", err)
	}
	if err := os.Link(beside.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("token: making the key: %w", err)
	}
	return nil
}
