package worker

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Argon2id with 19 MiB and two passes: the first choice of OWASP's password
// storage cheat sheet. A stored hash names its own figures, so they may grow.
const (
	memory  = 19 * 1024 // KiB
	passes  = 2
	threads = 1
	saltLen = 16
	keyLen  = 32
)

// concurrent bounds how many passwords are hashed at once, so that a flood of
// sign-ins costs time and not memory (concurrent × 19 MiB).
const concurrent = 4

// MaxPassword bounds a password, in bytes.
const MaxPassword = 128

// Passwords hashes and checks passwords, a few at a time.
type Passwords struct{ slots chan struct{} }

// NewPasswords makes one; a process needs a single one.
func NewPasswords() *Passwords { return &Passwords{slots: make(chan struct{}, concurrent)} }

// Hash makes the string to store (PHC format, with a new random salt).
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails
	key, err := p.derive(ctx, password, salt, memory, passes, threads)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// nobody is checked where no worker has the login name, so that the answer
// takes as long as for a wrong password. No password fits it.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Verify says whether the password fits the stored hash; "" is the hash of
// nobody and takes as long.
func (p *Passwords) Verify(ctx context.Context, stored, password string) (bool, error) {
	if stored == "" {
		stored = nobody
	}
	parts := strings.Split(stored, "$")
	var m, t uint32
	var threads uint8
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false, fmt.Errorf("worker: a stored password hash is not readable")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &m, &t, &threads); err != nil || t == 0 || threads == 0 {
		return false, fmt.Errorf("worker: a stored password hash has unreadable figures")
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, fmt.Errorf("worker: a stored password hash has an unreadable salt: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) == 0 {
		return false, fmt.Errorf("worker: a stored password hash is cut off")
	}
	got, err := p.derive(ctx, password, salt, m, t, threads)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (p *Passwords) derive(ctx context.Context, password string, salt []byte, m, t uint32, threads uint8) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, t, m, threads, keyLen), nil
}
