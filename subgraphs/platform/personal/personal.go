// Package personal seals personal fields (personal information law, GB/T
// 43697): AES-256-GCM with the key's ID in the ciphertext, so that keys can be
// changed while old rows stay readable; a blind index (HMAC-SHA-256) to search
// by; and masks for answers.
//
// Start reading at Keys; masks are in mask.go.
package personal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// MinSecret is the least length of a secret, in bytes.
const MinSecret = 32

const keyIDLength = 4

// Keys are the keys derived from the installation's secrets. Safe for concurrent use.
type Keys struct {
	current string
	ciphers map[string]cipher.AEAD
	root    []byte
}

// NewKeys derives the keys of the secrets. The first seals; the others, older
// ones, only open. The blind index and Derive follow the last, the oldest,
// secret, so that adding a new one in front leaves them as they are.
func NewKeys(secrets ...[]byte) (*Keys, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("personal: no secret")
	}
	keys := &Keys{ciphers: make(map[string]cipher.AEAD, len(secrets))}
	for i, secret := range secrets {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("personal: secret %d has %d bytes, want at least %d", i, len(secret), MinSecret)
		}
		key := derive(secret, "personal field", 32)
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("personal: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("personal: %w", err)
		}
		id := string(derive(secret, "personal field key ID", keyIDLength))
		if i == 0 {
			keys.current = id
		}
		keys.ciphers[id] = aead
		keys.root = secret
	}
	return keys, nil
}

// Derive gives a key of 32 bytes for another use, named by purpose.
func (k *Keys) Derive(purpose string) []byte { return derive(k.root, purpose, 32) }

func derive(secret []byte, purpose string, length int) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "citizencloud/"+purpose, length)
	if err != nil {
		panic(err) // only for a length beyond 255 hashes
	}
	return key
}

// Seal encrypts the text for one place, such as "citizen.mobile/<id>": the
// ciphertext opens at no other place. Layout: key ID (4), nonce (12), sealed.
func (k *Keys) Seal(place, text string) []byte {
	aead := k.ciphers[k.current]
	sealed := make([]byte, keyIDLength+aead.NonceSize(), keyIDLength+aead.NonceSize()+len(text)+aead.Overhead())
	copy(sealed, k.current)
	nonce := sealed[keyIDLength:]
	_, _ = rand.Read(nonce) // never fails
	return aead.Seal(sealed, nonce, []byte(text), []byte(place))
}

// Open decrypts what Seal made for the same place.
func (k *Keys) Open(place string, sealed []byte) (string, error) {
	if len(sealed) < keyIDLength {
		return "", fmt.Errorf("personal: %s: no ciphertext", place)
	}
	aead := k.ciphers[string(sealed[:keyIDLength])]
	if aead == nil {
		return "", fmt.Errorf("personal: %s: sealed with an unknown key", place)
	}
	rest := sealed[keyIDLength:]
	if len(rest) < aead.NonceSize() {
		return "", fmt.Errorf("personal: %s: the ciphertext is cut off", place)
	}
	text, err := aead.Open(nil, rest[:aead.NonceSize()], rest[aead.NonceSize():], []byte(place))
	if err != nil {
		return "", fmt.Errorf("personal: %s: the ciphertext was changed or belongs elsewhere", place)
	}
	return string(text), nil
}

// Indexer makes blind indexes of one field: equal texts have equal indexes,
// and without the key nobody can tell which text an index stands for.
type Indexer struct{ key []byte }

// Indexer gives the indexer of the field, such as "citizen.mobile".
func (k *Keys) Indexer(field string) Indexer {
	return Indexer{key: k.Derive("blind index of " + field)}
}

// Of is the text's blind index, 32 bytes.
func (x Indexer) Of(text string) []byte {
	mac := hmac.New(sha256.New, x.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
