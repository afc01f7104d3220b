package audit

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
)

// Seal says what a day has come to.
type Seal struct {
	Day       string    `db:"day"`
	Count     int64     `db:"count"`
	Previous  []byte    `db:"previous"` // root of the last day before that has entries
	Root      []byte    `db:"root"`     // hash of the last entry
	Final     bool      `db:"final"`    // the day is over
	KeyID     string    `db:"key_id"`
	Signature []byte    `db:"signature"`
	SealedAt  time.Time `db:"sealed_at"`
}

// message is what is signed.
func (s *Seal) message() []byte {
	return fmt.Appendf(nil, "citizencloud audit seal\n%s\n%d\n%s\n%s\n%t\n%s\n",
		s.Day, s.Count, hex.EncodeToString(s.Previous), hex.EncodeToString(s.Root), s.Final, s.SealedAt.UTC().Format(time.RFC3339Nano))
}

// Sealer signs seals by SM2 (GB/T 32918) with SM3.
type Sealer struct {
	key *sm2.PrivateKey
	id  string
}

// NewSealer makes a sealer of a private key, 32 bytes.
func NewSealer(secret []byte) (*Sealer, error) {
	key, err := sm2.NewPrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("audit: the key of the seals: %w", err)
	}
	return &Sealer{key: key, id: keyID(point(&key.PublicKey))}, nil
}

// Public is the key by which the seals are checked, as a line of a file of keys.
func (s *Sealer) Public() string {
	return base64.StdEncoding.EncodeToString(point(&s.key.PublicKey))
}

func (s *Sealer) sign(seal *Seal) error {
	seal.KeyID = s.id
	var err error
	if seal.Signature, err = s.key.SignWithSM2(rand.Reader, nil, seal.message()); err != nil {
		return fmt.Errorf("audit: sealing %s: %w", seal.Day, err)
	}
	return nil
}

// point is the public key's point, uncompressed.
func point(key *ecdsa.PublicKey) []byte {
	text := make([]byte, 65)
	text[0] = 4
	key.X.FillBytes(text[1:33])
	key.Y.FillBytes(text[33:])
	return text
}

// keyID names a public key: the start of its SM3.
func keyID(point []byte) string {
	sum := sm3.Sum(point)
	return hex.EncodeToString(sum[:8])
}

// PublicKeys check seals, by key ID.
type PublicKeys map[string]*ecdsa.PublicKey

// ParsePublicKeys reads public keys, one in base64 a line.
func ParsePublicKeys(text string) (PublicKeys, error) {
	keys := PublicKeys{}
	for i, line := range strings.Fields(text) {
		point, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("audit: public key %d is not base64", i+1)
		}
		key, err := sm2.NewPublicKey(point)
		if err != nil {
			return nil, fmt.Errorf("audit: public key %d is no key of SM2", i+1)
		}
		keys[keyID(point)] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("audit: no public key")
	}
	return keys, nil
}

// check says whether a known key signed the seal.
func (k PublicKeys) check(s *Seal) bool {
	key := k[s.KeyID]
	return key != nil && sm2.VerifyASN1WithSM2(key, nil, s.message(), s.Signature)
}

// LoadSealer reads the private key of the file (base64), and makes it (mode
// 0600) where there is none yet. Beside it, PublicFile lists the public keys of
// all private ones that there ever were: a new private key is put in the place
// of the old one, and old seals can still be checked.
func LoadSealer(path string) (*Sealer, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, made := sm2.GenerateKey(rand.Reader)
		if made != nil {
			return nil, fmt.Errorf("audit: making the key of the seals: %w", made)
		}
		if err := place(path, base64.StdEncoding.EncodeToString(key.D.FillBytes(make([]byte, 32)))+"\n"); err != nil {
			return nil, fmt.Errorf("audit: making the key of the seals: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("audit: reading the key of the seals: %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("audit: the key in %s is not base64", path)
	}
	sealer, err := NewSealer(secret)
	if err != nil {
		return nil, err
	}
	return sealer, sealer.publish(PublicFile(path))
}

// PublicFile is where the public keys stand beside the private one.
func PublicFile(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".pub" }

// publish adds the public key to the file, unless it is there.
func (s *Sealer) publish(path string) error {
	known, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("audit: reading the public keys: %w", err)
	}
	if slices.Contains(strings.Fields(string(known)), s.Public()) {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("audit: writing the public key: %w", err)
	}
	_, err = file.WriteString(s.Public() + "\n") // one short write: two processes at once at most repeat the line
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("audit: writing the public key: %w", err)
	}
	return nil
}

// place writes the text beside and links it into place; the first one wins.
func place(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	beside, err := os.CreateTemp(filepath.Dir(path), "audit-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(beside.Name()) }()
	_, err = beside.WriteString(text)
	if err := errors.Join(err, beside.Sync(), beside.Close()); err != nil {
		return err
	}
	if err := os.Link(beside.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
