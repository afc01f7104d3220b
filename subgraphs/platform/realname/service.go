package realname

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/file"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/document"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/face"
	"github.com/citizencloud/citizencloud/subgraphs/platform/realname/register"
	"github.com/citizencloud/citizencloud/subgraphs/platform/thirdparty"
)

// Settings are what an installation decides itself.
type Settings struct {
	// EvidenceRetention is how long pictures and materials stay after the decision.
	EvidenceRetention time.Duration
	// Validity is how long L2 and L3 count; afterwards the level is L1.
	Validity time.Duration
	// Attempts bound how often is tried, in one way or another.
	Account, Identity, Network limit.Rule
}

const day = 24 * time.Hour

// Usual are the settings where nothing is said.
var Usual = Settings{
	EvidenceRetention: 0, Validity: 3 * 365 * day,
	Account: limit.Rule{Times: 5, Within: day}, Identity: limit.Rule{Times: 5, Within: day}, Network: limit.Rule{Times: 50, Within: day},
}

// Parts is what the service stands on.
type Parts struct {
	DB       *database.DB
	Redis    redis.UniversalClient
	Keys     *personal.Keys
	Citizens *citizen.Service
	Files    *file.Service
	Register register.Register
	Face     face.Provider
	Others   thirdparty.Providers
	Verifier *token.Verifier
	Settings Settings
	Now      func() time.Time
	Log      *slog.Logger
}

// Service proves, shows and takes back who people are. It asks for the
// caller's standing before every step.
type Service struct {
	Parts
	index    personal.Indexer // of identities
	attempts personal.Indexer // of numbers that were tried; kept nowhere but in Redis
	kick     chan struct{}    // something waits to be erased
}

// New makes the service.
func New(parts Parts) *Service {
	now := parts.Now
	parts.Now = func() time.Time { return now().Truncate(time.Microsecond) }
	return &Service{Parts: parts, index: Indexer(parts.Keys), attempts: parts.Keys.Indexer("realname.attempt"), kick: make(chan struct{}, 1)}
}

// Indexer makes the blind indexes of identities.
func Indexer(keys *personal.Keys) personal.Indexer { return keys.Indexer(numberField) }

// Identity is what is indexed of a document: its kind and number.
func Identity(kind document.Kind, number string) string { return string(kind) + ":" + number }

// SealName and SealNumber seal what the RealName of the ID holds; the number
// as Identity writes it, since its index is made of that. The demonstration
// data needs them too.
func SealName(keys *personal.Keys, id, name string) []byte {
	return keys.Seal(nameField+"/"+id, name)
}

// SealNumber is said at SealName.
func SealNumber(keys *personal.Keys, id string, kind document.Kind, number string) []byte {
	return keys.Seal(numberField+"/"+id, Identity(kind, number))
}

// asSystem is how everything here is written; who asks is looked at before.
func asSystem(ctx context.Context) context.Context { return access.AsSystem(ctx, "realname") }

// write runs the change as the system.
func (s *Service) write(ctx context.Context, change func(*sqlx.Tx) error) error {
	return s.DB.Write(asSystem(ctx), change)
}

// claim opens what the verification claims.
func (s *Service) claim(v *IdentityVerification) (d document.Document, err error) {
	d.Kind = v.DocumentKind
	if d.Name, err = s.Keys.Open(claimedNameField+"/"+v.ID, v.ClaimedName); err != nil {
		return d, fmt.Errorf("realname: %w", err)
	}
	if d.Number, err = s.Keys.Open(claimedNumberField+"/"+v.ID, v.ClaimedNumber); err != nil {
		return d, fmt.Errorf("realname: %w", err)
	}
	return d, nil
}

// plain opens what the account has proven.
func (s *Service) plain(r *RealName) (d document.Document, err error) {
	d.Kind = r.DocumentKind
	if d.Name, err = s.Keys.Open(nameField+"/"+r.ID, r.Name); err != nil {
		return d, fmt.Errorf("realname: %w", err)
	}
	number, err := s.Keys.Open(numberField+"/"+r.ID, r.Number)
	if err != nil {
		return d, fmt.Errorf("realname: %w", err)
	}
	d.Number = number[min(len(number), len(d.Kind)+1):]
	return d, nil
}

// seal puts the claim into the verification.
func (s *Service) seal(v *IdentityVerification, d document.Document) {
	v.DocumentKind = d.Kind
	v.ClaimedName = s.Keys.Seal(claimedNameField+"/"+v.ID, d.Name)
	v.ClaimedNumber = s.Keys.Seal(claimedNumberField+"/"+v.ID, d.Number)
}
