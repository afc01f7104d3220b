package personal

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"time"

	"github.com/emmansun/gmsm/sm4"
)

// Algorithm is how a key seals.
type Algorithm string

// The algorithms.
const (
	AES256GCM Algorithm = "AES-256-GCM"
	SM4GCM    Algorithm = "SM4-GCM" // GB/T 32907
)

// version begins each ciphertext but the first version's.
const version = 0xC2

const (
	keyIDLength  = 4
	headerLength = 2 + keyIDLength
)

// entry is a secret as its file tells of it.
type entry struct {
	secret    []byte
	algorithm Algorithm
	from      time.Time // when it comes into use; zero for at once
	retired   bool      // neither seals nor opens: it is only the root of Derive
	first     bool      // of an index: its indexes bear no key ID
}

// key seals and opens.
type key struct {
	header    []byte // version, algorithm, key ID
	algorithm Algorithm
	from      time.Time
	aead      cipher.AEAD
}

func (k *key) id() string { return string(k.header[2:]) }

func newKey(e entry) (*key, error) {
	k := &key{algorithm: e.algorithm, from: e.from}
	var block cipher.Block
	var err error
	switch e.algorithm {
	case AES256GCM:
		k.header = []byte{version, 1}
		block, err = aes.NewCipher(derive(e.secret, "personal field", 32))
	case SM4GCM:
		k.header = []byte{version, 2}
		block, err = sm4.NewCipher(derive(e.secret, "personal field by SM4", 16))
	default:
		return nil, fmt.Errorf("personal: no algorithm %q", e.algorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("personal: %w", err)
	}
	k.header = append(k.header, derive(e.secret, "personal field key ID", keyIDLength)...)
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("personal: %w", err)
	}
	return k, nil
}
