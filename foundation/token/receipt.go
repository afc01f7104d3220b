package token

import (
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// receiptLifetime is how long an uploaded file waits to be attached to something.
const receiptLifetime = 24 * time.Hour

// Receipt proves to another subgraph that a principal uploaded a file, without
// asking the platform: the platform signs it when the file is stored.
type Receipt struct {
	FileID string
	Owner  string // principal's ID
	Media  string // true media type, sniffed
	Bytes  int64
	Name   string
}

type receiptClaims struct {
	jwt.RegisteredClaims
	Owner string `json:"owner"`
	Media string `json:"media"`
	Bytes int64  `json:"bytes"`
	Name  string `json:"name"`
}

// Receipt signs a receipt.
func (s *Signer) Receipt(r Receipt) (string, error) {
	now := s.now()
	return s.sign(receiptClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: r.FileID, Audience: jwt.ClaimStrings{audienceReceipt},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(receiptLifetime)),
		},
		Owner: r.Owner, Media: r.Media, Bytes: r.Bytes, Name: r.Name,
	})
}

// Receipt checks a receipt and that it is the owner's; else ErrInvalid.
func (v *Verifier) Receipt(text, owner string) (Receipt, error) {
	var c receiptClaims
	if err := v.parse(text, audienceReceipt, &c); err != nil {
		return Receipt{}, err
	}
	if c.Owner != owner || owner == "" {
		return Receipt{}, ErrInvalid
	}
	return Receipt{FileID: c.Subject, Owner: c.Owner, Media: c.Media, Bytes: c.Bytes, Name: c.Name}, nil
}
