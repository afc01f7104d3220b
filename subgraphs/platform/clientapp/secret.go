package clientapp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Secret is a key of an application as it is seen later: without itself.
type Secret struct {
	ID          string     `db:"id"`
	ClientAppID string     `db:"client_app_id"`
	Hint        string     `db:"hint"` // its last four characters
	CreatedBy   string     `db:"created_by"`
	CreatedAt   time.Time  `db:"created_at"`
	ExpiresAt   *time.Time `db:"expires_at"` // nil while no other replaced it
	UsedAt      *time.Time `db:"used_at"`
}

// maxOverlap is how long an old key may count beside its successor.
const maxOverlap = 30 * 24 * time.Hour

// maxSecrets bounds the keys that count at one time.
const maxSecrets = 3

// NewSecret makes the application's next key and gives it, this once. Those
// that count now end after the overlap.
func (s *Service) NewSecret(ctx context.Context, id string, version int, overlap time.Duration) (*ClientApp, string, *Secret, error) {
	if overlap < 0 || overlap > maxOverlap {
		return nil, "", nil, fault.Invalid("input.overlapHours", "新旧密钥并存的时间须在 0 到 720 小时之间")
	}
	text := make([]byte, 32)
	_, _ = rand.Read(text) // never fails
	plain := base64.RawURLEncoding.EncodeToString(text)
	made := &Secret{ClientAppID: id, Hint: plain[len(plain)-4:]}
	var err error
	if made.ID, err = identifier.New(); err != nil {
		return nil, "", nil, err
	}
	app, err := s.change(ctx, id, version, own, NewKey, "", func(ctx context.Context, tx *sqlx.Tx, a *ClientApp, p *access.Principal, now time.Time) error {
		if !a.Confidential() {
			return fault.New(fault.Conflict, "只有服务端应用使用密钥，其他应用请使用 PKCE")
		}
		if !a.State.Works() {
			return fault.New(fault.Conflict, "应用通过审核后方可生成密钥")
		}
		counting, err := countingSecrets(ctx, tx, a.ID, now)
		if err != nil {
			return err
		}
		if counting >= maxSecrets {
			return fault.New(fault.Conflict, "最多 %d 个密钥同时有效，请等旧密钥失效", maxSecrets)
		}
		made.CreatedBy, made.CreatedAt = p.ID, now
		return insertSecret(ctx, tx, made, hash(plain), now.Add(overlap))
	})
	if err != nil {
		return nil, "", nil, err
	}
	return app, plain, made, nil
}

// hash is what is kept of a key: 256 random bits need no salt.
func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Authenticate says whether the secret is one of the application's that count
// now. For package oidc, as the system.
func (s *Service) Authenticate(ctx context.Context, a *ClientApp, secret string) (bool, error) {
	if secret == "" || len(secret) > 128 || !a.Confidential() {
		return false, nil
	}
	now, right := s.now(), false
	given := hash(secret)
	err := s.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		found, err := secretHashes(ctx, tx, a.ID, now)
		if err != nil {
			return err
		}
		for _, one := range found {
			if subtle.ConstantTimeCompare(one.Hash, given) == 1 {
				right = true
				return usedSecret(ctx, tx, one.ID, now)
			}
		}
		return nil
	})
	return right, err
}
