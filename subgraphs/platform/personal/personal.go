// Package personal seals personal fields (personal information law, GB/T
// 43697): AES-256-GCM or SM4-GCM, with algorithm and key ID in the ciphertext,
// so that keys can be changed while the platform runs and old rows stay
// readable; a blind index (HMAC-SHA-256) with keys of its own to search by; and
// masks for answers.
//
// Start reading at Keys. The files of the secrets are in file.go, changing them
// in rotate.go, sealing all rows anew in reencrypt.go; columns.go lists what is
// sealed where. Masks are in mask.go.
package personal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// MinSecret is the least length of a secret, in bytes.
const MinSecret = 32

// Keys are the keys derived from the installation's secrets. They follow their
// files. Safe for concurrent use.
type Keys struct {
	held   atomic.Pointer[ring]
	looked atomic.Int64 // when the files were last looked at, in nanoseconds
	path   string       // "" for keys that do not come from files
	now    func() time.Time
}

// ring is one reading of the secrets.
type ring struct {
	seals   []*key          // newest first
	opening map[string]*key // by header
	old     map[string]*key // by key ID alone, as the first version wrote it
	indexes []indexSecret   // newest first
	root    []byte          // of Derive
	stamp   [2]time.Time    // when the files were changed
}

// indexSecret is a secret of blind indexes. The first installation's, which was
// the root's, has no ID: its indexes bear none.
type indexSecret struct {
	id     string
	secret []byte
	from   time.Time
}

// NewKeys derives the keys of the secrets, newest first. The first seals, by
// AES-256-GCM; the others only open. The blind index and Derive follow the
// last, the oldest, so that adding a new one in front leaves them as they are.
func NewKeys(secrets ...[]byte) (*Keys, error) {
	entries := make([]entry, len(secrets))
	for i, secret := range secrets {
		entries[i] = entry{secret: secret, algorithm: AES256GCM}
	}
	r, err := newRing(entries, nil)
	if err != nil {
		return nil, err
	}
	k := &Keys{now: time.Now}
	k.held.Store(r)
	return k, nil
}

func newRing(entries, indexes []entry) (*ring, error) {
	if len(entries) == 0 {
		return nil, errors.New("personal: no secret")
	}
	r := &ring{opening: map[string]*key{}, old: map[string]*key{}}
	for i, e := range entries {
		if len(e.secret) < MinSecret {
			return nil, fmt.Errorf("personal: secret %d has %d bytes, want at least %d", i+1, len(e.secret), MinSecret)
		}
		r.root = e.secret
		if e.retired {
			continue
		}
		k, err := newKey(e)
		if err != nil {
			return nil, err
		}
		r.seals = append(r.seals, k)
		r.opening[string(k.header)] = k
		if k.algorithm == AES256GCM {
			r.old[k.id()] = k
		}
	}
	if len(r.seals) == 0 {
		return nil, errors.New("personal: no secret seals")
	}
	for i, e := range indexes {
		if len(e.secret) < MinSecret {
			return nil, fmt.Errorf("personal: secret %d of the index has %d bytes, want at least %d", i+1, len(e.secret), MinSecret)
		}
		made := indexSecret{secret: e.secret, from: e.from}
		if !e.first {
			made.id = string(derive(e.secret, "blind index key ID", keyIDLength))
		}
		r.indexes = append(r.indexes, made)
	}
	if len(indexes) == 0 {
		r.indexes = []indexSecret{{secret: r.root}}
	}
	return r, nil
}

// current is the key that seals at the time: the newest that has come into use.
func (r *ring) current(now time.Time) *key {
	for _, k := range r.seals {
		if !now.Before(k.from) {
			return k
		}
	}
	return r.seals[len(r.seals)-1]
}

func (r *ring) index(now time.Time) indexSecret {
	for _, s := range r.indexes {
		if !now.Before(s.from) {
			return s
		}
	}
	return r.indexes[len(r.indexes)-1]
}

// Derive gives a key of 32 bytes for another use, named by purpose. It does not
// change with the secrets that seal.
func (k *Keys) Derive(purpose string) []byte { return derive(k.ring().root, purpose, 32) }

func derive(secret []byte, purpose string, length int) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "citizencloud/"+purpose, length)
	if err != nil {
		panic(err) // only for a length beyond 255 hashes
	}
	return key
}

// Seal encrypts the text for one place, such as "citizen.mobile/<id>": the
// ciphertext opens at no other place. Layout: version (1), algorithm (1), key
// ID (4), nonce (12), sealed; the first version wrote key ID, nonce, sealed.
func (k *Keys) Seal(place, text string) []byte {
	with := k.ring().current(k.now())
	sealed := make([]byte, headerLength+with.aead.NonceSize(), headerLength+with.aead.NonceSize()+len(text)+with.aead.Overhead())
	copy(sealed, with.header)
	nonce := sealed[headerLength:]
	_, _ = rand.Read(nonce) // never fails
	return with.aead.Seal(sealed, nonce, []byte(text), append([]byte(place), with.header...))
}

// Open decrypts what Seal made for the same place.
func (k *Keys) Open(place string, sealed []byte) (string, error) {
	if len(sealed) < headerLength {
		return "", fmt.Errorf("personal: %s: no ciphertext", place)
	}
	held := k.ring()
	with, rest, bound := held.opening[string(sealed[:headerLength])], sealed[headerLength:], append([]byte(place), sealed[:headerLength]...)
	if with == nil {
		with, rest, bound = held.old[string(sealed[:keyIDLength])], sealed[keyIDLength:], []byte(place)
	}
	if with == nil {
		return "", fmt.Errorf("personal: %s: sealed with an unknown key", place)
	}
	if len(rest) < with.aead.NonceSize() {
		return "", fmt.Errorf("personal: %s: the ciphertext is cut off", place)
	}
	text, err := with.aead.Open(nil, rest[:with.aead.NonceSize()], rest[with.aead.NonceSize():], bound)
	if err != nil {
		return "", fmt.Errorf("personal: %s: the ciphertext was changed or belongs elsewhere", place)
	}
	return string(text), nil
}

// Indexer makes blind indexes of one field: equal texts have equal indexes,
// and without the key nobody can tell which text an index stands for. That of a
// field in Columns changes with the secrets of the index; all others, whose
// texts are not kept, stay as they are.
type Indexer struct {
	keys  *Keys
	field string
}

// Indexer gives the indexer of the field, such as "citizen.mobile".
func (k *Keys) Indexer(field string) Indexer { return Indexer{k, field} }

// Of is the text's blind index as it is stored now: 32 bytes, behind the ID of
// the key (4) unless it is the first.
func (x Indexer) Of(text string) []byte {
	held := x.keys.ring()
	if !indexed(x.field) {
		return x.with(indexSecret{secret: held.root}, text)
	}
	return x.with(held.index(x.keys.now()), text)
}

// All are the indexes under which a row with the text may stand, while not all
// rows have the newest. The last one is the same for as long as any row has it.
func (x Indexer) All(text string) [][]byte {
	held := x.keys.ring()
	if !indexed(x.field) {
		return [][]byte{x.Of(text)}
	}
	all := make([][]byte, len(held.indexes))
	for i, secret := range held.indexes {
		all[i] = x.with(secret, text)
	}
	return all
}

func (x Indexer) with(secret indexSecret, text string) []byte {
	mac := hmac.New(sha256.New, derive(secret.secret, "blind index of "+x.field, 32))
	mac.Write([]byte(text))
	return mac.Sum([]byte(secret.id))
}
