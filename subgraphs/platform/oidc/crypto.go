package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

// The beginnings of what we hand out: the gateway knows an access token by its
// own, and a scanner for leaked secrets knows both.
const (
	accessPrefix  = "cca."
	refreshPrefix = "ccr."
)

// tokenCrypto seals what tokens and codes hold, so that one which we did not
// make is refused without a look into the database. It implements op.Crypto.
type tokenCrypto struct{ aead cipher.AEAD }

func newTokenCrypto(key []byte) tokenCrypto {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // for a wrong length alone
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return tokenCrypto{aead}
}

func (c tokenCrypto) seal(prefix, text string) string {
	nonce := make([]byte, c.aead.NonceSize(), c.aead.NonceSize()+len(text)+c.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(c.aead.Seal(nonce, nonce, []byte(text), []byte(prefix)))
}

var errToken = errors.New("oidc: not a token of ours")

// maxToken bounds what is looked at.
const maxToken = 512

func (c tokenCrypto) open(prefix, text string) (string, error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(text) > maxToken {
		return "", errToken
	}
	sealed, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil || len(sealed) < c.aead.NonceSize() {
		return "", errToken
	}
	plain, err := c.aead.Open(nil, sealed[:c.aead.NonceSize()], sealed[c.aead.NonceSize():], []byte(prefix))
	if err != nil {
		return "", errToken
	}
	return string(plain), nil
}

// Encrypt implements op.Crypto for access tokens and codes.
func (c tokenCrypto) Encrypt(text string) (string, error) { return c.seal(accessPrefix, text), nil }

// Decrypt implements op.Crypto for access and refresh tokens, and codes.
func (c tokenCrypto) Decrypt(text string) (string, error) {
	if strings.HasPrefix(text, refreshPrefix) {
		return c.open(refreshPrefix, text)
	}
	return c.open(accessPrefix, text)
}

// secret is 256 random bits as text.
func secret() string {
	bits := make([]byte, 32)
	_, _ = rand.Read(bits) // never fails
	return base64.RawURLEncoding.EncodeToString(bits)
}
