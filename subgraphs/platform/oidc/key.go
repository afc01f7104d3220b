package oidc

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/jmoiron/sqlx"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const (
	keyBits = 2048
	// KeyLife is how long a key signs before the schedule makes the next one.
	KeyLife = 30 * 24 * time.Hour
	// keyAhead is how long a new key is published before it signs, so that
	// applications which keep the list for a while know it.
	keyAhead = 10 * time.Minute
	// keyBehind is how long a key stays published after it signed last: an ID
	// token's life, and a day for those who look at it late.
	keyBehind = idTokenLife + 24*time.Hour
	// keyMemory is how long a process works with what it read.
	keyMemory = 15 * time.Second
)

// signingKey is a key of ID tokens. It implements op.SigningKey.
type signingKey struct {
	id         string
	private    *rsa.PrivateKey
	activeFrom time.Time
}

func (k *signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k *signingKey) Key() any                                    { return k.private }
func (k *signingKey) ID() string                                  { return k.id }

// publicKey is its public half. It implements op.Key.
type publicKey struct{ *signingKey }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return &k.private.PublicKey }

// keyRing is what a process read of the keys.
type keyRing struct {
	mu   sync.Mutex
	keys []*signingKey // published, the newest first
	read time.Time
	seen map[string]*signingKey
}

type keyRow struct {
	ID         string     `db:"id"`
	Secret     []byte     `db:"secret"`
	ActiveFrom time.Time  `db:"active_from"`
	Until      *time.Time `db:"published_until"`
}

func keyPlace(id string) string { return "oidc.key/" + id }

// published gives the keys that are published now, the newest first; the first
// key of all is made here.
func (p *Provider) published(ctx context.Context) ([]*signingKey, error) {
	p.ring.mu.Lock()
	defer p.ring.mu.Unlock()
	now := p.now()
	if len(p.ring.keys) > 0 && now.Sub(p.ring.read) < keyMemory && !now.Before(p.ring.read) {
		return p.ring.keys, nil
	}
	rows, err := p.readKeys(ctx, now)
	if err == nil && len(rows) == 0 {
		if err = p.makeKey(ctx, now, true); err == nil {
			rows, err = p.readKeys(ctx, now)
		}
	}
	if err != nil {
		return nil, err
	}
	keys := make([]*signingKey, 0, len(rows))
	seen := map[string]*signingKey{}
	for _, r := range rows {
		k := p.ring.seen[r.ID]
		if k == nil {
			if k, err = p.openKey(r); err != nil {
				return nil, err
			}
		}
		seen[r.ID] = k
		keys = append(keys, k)
	}
	p.ring.keys, p.ring.seen, p.ring.read = keys, seen, now
	return keys, nil
}

func (p *Provider) openKey(r keyRow) (*signingKey, error) {
	text, err := p.Keys.Open(keyPlace(r.ID), r.Secret)
	if err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("oidc: the key %s cannot be read: %w", r.ID, err)
	}
	private, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("oidc: the key %s cannot be read: %w", r.ID, err)
	}
	return &signingKey{id: r.ID, private: private, activeFrom: r.ActiveFrom}, nil
}

// maxKeys bounds the keys that are published.
const maxKeys = 20

func (p *Provider) readKeys(ctx context.Context, now time.Time) (rows []keyRow, err error) {
	err = p.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) error {
		return sqlx.SelectContext(ctx, tx, &rows, `
			SELECT id, secret, active_from, published_until FROM platform.oidc_key
			WHERE published_until IS NULL OR published_until > $1 ORDER BY active_from DESC, id DESC LIMIT $2`, now, maxKeys)
	})
	if err != nil {
		return nil, fmt.Errorf("oidc: reading the keys: %w", err)
	}
	return rows, nil
}

// makeKey makes a key. The first one signs at once; any other one is published
// ahead, and the one before it stays published until what it signed ran out.
func (p *Provider) makeKey(ctx context.Context, now time.Time, first bool) error {
	id, err := identifier.New()
	if err != nil {
		return err
	}
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("oidc: making a key: %w", err)
	}
	sealed := p.Keys.Seal(keyPlace(id), base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(private)))
	return p.DB.Write(asSystem(ctx), func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('platform.oidc_key'))`); err != nil {
			return fmt.Errorf("oidc: making a key: %w", err)
		}
		var there int
		if err := sqlx.GetContext(ctx, tx, &there, `SELECT count(*) FROM platform.oidc_key WHERE published_until IS NULL`); err != nil {
			return fmt.Errorf("oidc: making a key: %w", err)
		}
		from := now.Add(keyAhead)
		if there == 0 {
			from = now
		} else if first {
			return nil // another process was faster
		}
		_, err := tx.ExecContext(ctx, `UPDATE platform.oidc_key SET published_until = $1 WHERE published_until IS NULL`, from.Add(keyBehind))
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO platform.oidc_key (id, secret, created_at, active_from) VALUES ($1, $2, $3, $4)`, id, sealed, now, from)
		}
		if err != nil {
			return fmt.Errorf("oidc: making a key: %w", err)
		}
		return nil
	})
}

// Rotate makes the next key: it is published at once, signs ten minutes later,
// and the present one stays published until its tokens ran out.
func (p *Provider) Rotate(ctx context.Context) error {
	if err := p.makeKey(ctx, p.now(), false); err != nil {
		return err
	}
	p.ring.mu.Lock()
	p.ring.read = time.Time{}
	p.ring.mu.Unlock()
	return nil
}

// rotateWhenDue makes the next key when the newest one is old.
func (p *Provider) rotateWhenDue(ctx context.Context) error {
	rows, err := p.readKeys(ctx, p.now())
	if err != nil || len(rows) == 0 || p.now().Sub(rows[0].ActiveFrom) < KeyLife {
		return err
	}
	return p.Rotate(ctx)
}

// SigningKey implements op.Storage: the newest key that is in use.
func (s *storage) SigningKey(ctx context.Context) (op.SigningKey, error) {
	keys, err := s.published(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	for _, k := range keys {
		if !now.Before(k.activeFrom) {
			return k, nil
		}
	}
	return nil, fmt.Errorf("oidc: no key is in use")
}

// SignatureAlgorithms implements op.Storage.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet implements op.Storage: all published keys.
func (s *storage) KeySet(ctx context.Context) ([]op.Key, error) {
	keys, err := s.published(ctx)
	if err != nil {
		return nil, err
	}
	set := make([]op.Key, len(keys))
	for i, k := range keys {
		set[i] = publicKey{k}
	}
	return set, nil
}
