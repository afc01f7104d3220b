// Package token makes and checks what a principal carries between processes:
// access tokens (JWT, EdDSA, fifteen minutes) and receipts of uploaded files.
// Only the platform subgraph signs; the gateway and the other subgraphs check
// with the public key alone.
//
// Start reading at Signer and Verifier; keys live in key.go.
package token

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// Lifetime is how long an access token counts; the refresh token outlives it.
const Lifetime = 15 * time.Minute

const (
	issuer          = "citizencloud"
	audienceAccess  = "citizencloud:access"
	audienceReceipt = "citizencloud:file"
)

// ErrInvalid says that the token is forged, expired, or meant for something else.
var ErrInvalid = errors.New("token: invalid or expired")

type claims struct {
	jwt.RegisteredClaims
	Kind    access.Kind   `json:"typ"`
	Name    string        `json:"name,omitempty"`
	Area    string        `json:"area,omitempty"`
	Unit    string        `json:"unit,omitempty"`
	Roles   []access.Role `json:"roles,omitempty"`
	Session string        `json:"sid"`
	Client  string        `json:"client,omitempty"`
	// Scope is nil for the area and all below; a token without areas has [].
	Scope      []string           `json:"scope,omitzero"`
	Assignment string             `json:"post,omitempty"`
	Delegation string             `json:"delegation,omitempty"`
	Confined   access.Confinement `json:"lacks,omitempty"`
	ProvenAt   *jwt.NumericDate   `json:"proven,omitempty"`
	ProvenBy   access.Proof       `json:"proven_by,omitempty"`
}

// Signer makes tokens.
type Signer struct {
	key *Key
	now func() time.Time
}

// NewSigner signs with the key; now is the clock.
func NewSigner(key *Key, now func() time.Time) *Signer { return &Signer{key: key, now: now} }

// Access signs an access token for a citizen or a worker and tells when it ends.
func (s *Signer) Access(p *access.Principal) (string, time.Time, error) {
	return s.AccessUntil(p, time.Time{})
}

// AccessUntil is Access for what ends by itself at the moment, such as a
// delegation: no token outlives it. Zero is no such end.
func (s *Signer) AccessUntil(p *access.Principal, end time.Time) (string, time.Time, error) {
	if p.Kind != access.Citizen && p.Kind != access.Worker {
		return "", time.Time{}, fmt.Errorf("token: no access token for a %s", p.Kind)
	}
	now := s.now()
	until := now.Add(Lifetime)
	if !end.IsZero() && end.Before(until) {
		until = end
	}
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: p.ID, Audience: jwt.ClaimStrings{audienceAccess},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(until),
		},
		Kind: p.Kind, Name: p.Name, Area: p.AreaCode, Unit: p.UnitID, Roles: p.Roles, Session: p.Session, Client: p.Client,
		Scope: p.Prefixes, Assignment: p.AssignmentID, Delegation: p.DelegationID, Confined: p.Confined,
	}
	if !p.ProvenAt.IsZero() {
		c.ProvenAt, c.ProvenBy = jwt.NewNumericDate(p.ProvenAt), p.ProvenBy
	}
	text, err := s.sign(c)
	return text, until, err
}

func (s *Signer) sign(c jwt.Claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	t.Header["kid"] = s.key.ID
	text, err := t.SignedString(s.key.private)
	if err != nil {
		return "", fmt.Errorf("token: signing: %w", err)
	}
	return text, nil
}

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	id     string
	public ed25519.PublicKey
	now    func() time.Time
	seen   seen
}

// NewVerifier checks with the key's public half; now is the clock.
func NewVerifier(key *Key, now func() time.Time) *Verifier {
	return &Verifier{id: key.ID, public: key.Public(), now: now}
}

// Access gives the principal of an access token and when it ends, or
// ErrInvalid. A token that was seen before costs a look-up only.
func (v *Verifier) Access(text string) (*access.Principal, time.Time, error) {
	now := v.now()
	if p, until, ok := v.seen.get(text, now); ok {
		return p, until, nil
	}
	var c claims
	if err := v.parse(text, audienceAccess, &c); err != nil {
		return nil, time.Time{}, err
	}
	if c.Kind != access.Citizen && c.Kind != access.Worker || c.Subject == "" {
		return nil, time.Time{}, ErrInvalid
	}
	for _, prefix := range c.Scope {
		if !access.ValidPrefix(prefix) {
			return nil, time.Time{}, ErrInvalid
		}
	}
	p := &access.Principal{Kind: c.Kind, ID: c.Subject, Name: c.Name, AreaCode: c.Area, UnitID: c.Unit, Roles: c.Roles, Session: c.Session, Client: c.Client,
		Prefixes: c.Scope, AssignmentID: c.Assignment, DelegationID: c.Delegation, Confined: c.Confined}
	if c.ProvenAt != nil {
		p.ProvenAt, p.ProvenBy = c.ProvenAt.Time, c.ProvenBy
	}
	v.seen.put(text, p, c.ExpiresAt.Time, now)
	return p, c.ExpiresAt.Time, nil
}

func (v *Verifier) parse(text, audience string, into jwt.Claims) error {
	_, err := jwt.ParseWithClaims(text, into, func(t *jwt.Token) (any, error) {
		if t.Header["kid"] != v.id {
			return nil, ErrInvalid
		}
		return v.public, nil
	}, jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(v.now))
	if err != nil {
		return errors.Join(ErrInvalid, err)
	}
	return nil
}
