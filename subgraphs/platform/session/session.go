// Package session signs citizens and workers in and out. A session has one
// access token at a time (JWT, fifteen minutes, package foundation/token) and
// one refresh token (opaque, used once). PostgreSQL holds the sessions and the
// hashes of all refresh tokens; Redis remembers which sessions live, and may
// forget.
//
// Start reading at Service; citizens sign in in citizen.go, password.go and
// link.go, show their devices in device.go, prove once more who they are in
// stepup.go and change or end their accounts in account.go; workers sign in in
// worker.go, complete that and change posts in complete.go. Tokens change in
// refresh.go, sessions end in signout.go, what is remembered in Redis is in
// memory.go. The SQL is in store.go.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/subgraphs/platform/captcha"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/secondfactor"
	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
	"github.com/citizencloud/citizencloud/subgraphs/platform/worker"
)

// Parts is what the service stands on.
type Parts struct {
	DB       *database.DB
	Redis    redis.UniversalClient
	Signer   *token.Signer
	Keys     *personal.Keys
	Citizens *citizen.Service
	Workers  *worker.Service
	Factors  *secondfactor.Service
	Codes    *sms.Codes
	Captchas *captcha.Service
	Others   thirdparty.Providers // those that sign in for us
	// WrongPasswords bounds wrong passwords from one address; zero is UsualWrongPasswords.
	WrongPasswords limit.Rule
	Now            func() time.Time
	Log            *slog.Logger
}

// UsualWrongPasswords is the limit if none is configured: an office shares an address.
var UsualWrongPasswords = limit.Rule{Times: 50, Within: 10 * time.Minute}

// Service signs in and out.
type Service struct {
	Parts
	loginIndex  personal.Indexer // of workers' login names
	mobileIndex personal.Indexer // of citizens' numbers, as they are tried
}

// New makes the service.
func New(parts Parts) *Service {
	if parts.WrongPasswords.Times == 0 {
		parts.WrongPasswords = UsualWrongPasswords
	}
	return &Service{Parts: parts, loginIndex: parts.Keys.Indexer("worker.login"), mobileIndex: parts.Keys.Indexer("session.mobile")}
}

// Tokens are what a client gets.
type Tokens struct {
	AccessToken           string
	AccessTokenExpiresAt  time.Time
	RefreshToken          string
	RefreshTokenExpiresAt time.Time
}

// lifetime is how long a session lasts: at most, and without being refreshed.
type lifetime struct{ whole, idle time.Duration }

var lifetimes = map[access.Kind]lifetime{
	access.Citizen: {whole: 180 * 24 * time.Hour, idle: 30 * 24 * time.Hour},
	access.Worker:  {whole: 24 * time.Hour, idle: 12 * time.Hour},
}

// start makes a session for the principal inside of the transaction and gives
// the principal its Session and Client. After the commit call remember.
func (s *Service) start(ctx context.Context, tx sqlx.ExtContext, p *access.Principal) (Tokens, error) {
	return s.startOn(ctx, tx, p, Machine{})
}

// startOn is start on the device that the client names.
func (s *Service) startOn(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, on Machine) (Tokens, error) {
	id, err := identifier.New()
	if err != nil {
		return Tokens{}, err
	}
	remote, now := access.RemoteOf(ctx), s.Now()
	p.Session, p.Client = id, remote.Client
	err = insertSession(ctx, tx, row{
		ID: id, Kind: p.Kind, PrincipalID: p.ID, Client: remote.Client, Address: limit.Network(remote.Address),
		CreatedAt: now, ExpiresAt: now.Add(lifetimes[p.Kind].whole),
		DeviceKey: on.key(), DeviceName: on.Name,
	})
	if err != nil {
		return Tokens{}, err
	}
	audit.By(ctx, p)
	audit.Change(ctx, audit.Target{Kind: "Session", ID: id, Area: p.AreaCode}, nil, map[string]any{"kind": p.Kind, "principalId": p.ID})
	return s.issue(ctx, tx, p, now, now.Add(lifetimes[p.Kind].whole), time.Time{})
}

// issue signs an access token and makes the session's next refresh token. The
// access token ends at actingUntil if that comes first; zero is no such end.
func (s *Service) issue(ctx context.Context, tx sqlx.ExtContext, p *access.Principal, now, sessionEnds, actingUntil time.Time) (Tokens, error) {
	var tokens Tokens
	var err error
	if tokens.AccessToken, tokens.AccessTokenExpiresAt, err = s.Signer.AccessUntil(p, actingUntil); err != nil {
		return Tokens{}, err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	tokens.RefreshToken = base64.RawURLEncoding.EncodeToString(secret)
	tokens.RefreshTokenExpiresAt = now.Add(lifetimes[p.Kind].idle)
	if tokens.RefreshTokenExpiresAt.After(sessionEnds) {
		tokens.RefreshTokenExpiresAt = sessionEnds
	}
	return tokens, insertRefresh(ctx, tx, hash(tokens.RefreshToken), p.Session, now, tokens.RefreshTokenExpiresAt)
}

// hash is what is kept of a refresh token: 256 random bits need no salt.
func hash(refreshToken string) []byte {
	sum := sha256.Sum256([]byte(refreshToken))
	return sum[:]
}

func asSystem(ctx context.Context) context.Context { return access.AsSystem(ctx, "session") }
