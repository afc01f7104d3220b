package file

import (
	"context"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// Parts is what the service stands on.
type Parts struct {
	DB       *database.DB
	Redis    redis.UniversalClient
	Files    Files
	Scanner  Scanner // nil scans nothing: all content is clean
	Signer   *token.Signer
	Verifier *token.Verifier
	Keys     *personal.Keys
	Now      func() time.Time
	Log      *slog.Logger
}

// Service takes files in and gives them out.
type Service struct {
	Parts
	links *token.Links
	slots chan struct{}
	kick  chan struct{} // something waits for the scanner
}

// concurrent bounds how many files are examined at once (a picture takes up to
// 160 MB while it is decoded).
const concurrent = 2

// uploads bounds how many files one principal brings.
var uploads = limit.Rule{Times: 200, Within: time.Hour}

// New makes the service.
func New(parts Parts) *Service {
	return &Service{Parts: parts, links: token.NewLinks(parts.Keys.Derive("file link"), parts.Now),
		slots: make(chan struct{}, concurrent), kick: make(chan struct{}, 1)}
}

// Stored is an uploaded file with the receipt to attach it by.
type Stored struct {
	*FileAsset
	Receipt string
}

// uploader gives who may upload: anybody who is signed in.
func uploader(ctx context.Context) (*access.Principal, error) {
	p := access.From(ctx)
	if p == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	if p.Kind == access.System {
		return nil, fault.New(fault.Forbidden, "系统不上传文件")
	}
	return p, nil
}

// counted takes one of the principal's uploads of the hour.
func (s *Service) counted(ctx context.Context, p *access.Principal) error {
	wait, err := limit.Counter{Redis: s.Redis}.Take(ctx, "platform:file:uploads:"+string(p.Kind)+":"+p.ID, uploads)
	if err != nil {
		return err
	}
	if wait > 0 {
		return limit.Refusal(wait)
	}
	return nil
}

// slot waits until one more file may be examined or decoded.
func (s *Service) slot(ctx context.Context) (release func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// store examines the content and keeps it as a new file of the principal.
// claimed is the media type that the client says it is, "" for none. also runs
// in the transaction that records it.
func (s *Service) store(ctx context.Context, p *access.Principal, c *spooled, name, claimed string, also func(context.Context, *sqlx.Tx, *FileAsset) error) (Stored, error) {
	name = tidyName(name)
	release, err := s.slot(ctx)
	if err != nil {
		return Stored{}, err
	}
	found, err := examine(c, name, claimed)
	release()
	if err != nil {
		return Stored{}, err
	}
	id, err := identifier.New()
	if err != nil {
		return Stored{}, err
	}
	now := s.Now()
	b := &blob{Hash: c.sha256, SM3: c.sm3, MediaType: found.mediaType, Kind: found.kind(), Bytes: c.size,
		Width: found.width, Height: found.height, Verdict: clean, CreatedAt: now}
	if s.Scanner != nil {
		b.Verdict = unscanned
	}
	f := &FileAsset{ID: id, Name: name, CreatedAt: now, OwnerKind: p.Kind, OwnerID: p.ID, AreaCode: p.AreaCode, Version: 1,
		RetainUntil: now.Add(rules[b.Kind].retain)}
	if err := s.keep(ctx, f, b, c, also); err != nil {
		return Stored{}, err
	}
	return s.stored(f)
}

// stored adds a receipt.
func (s *Service) stored(f *FileAsset) (Stored, error) {
	receipt, err := s.Signer.Receipt(token.Receipt{FileID: f.ID, Owner: f.OwnerID, Media: f.MediaType, Bytes: f.Bytes, Name: f.Name})
	return Stored{FileAsset: f, Receipt: receipt}, err
}

// putPatience is how long content that was put waits to be recorded.
const putPatience = time.Hour

// keep records the file; its content is put unless equal content is there.
func (s *Service) keep(ctx context.Context, f *FileAsset, b *blob, c *spooled, also func(context.Context, *sqlx.Tx, *FileAsset) error) error {
	recorded := false
	within := func(tx *sqlx.Tx) error {
		there, err := shareBlob(ctx, tx, b.Hash)
		if err != nil || there == nil {
			return err
		}
		recorded = true
		f.is(there)
		if err := insert(ctx, tx, f); err != nil {
			return err
		}
		if err := record(ctx, tx, f.ID, change{action: "upload", to: f.State, at: f.CreatedAt}); err != nil || also == nil {
			return err
		}
		return also(ctx, tx, f)
	}
	if err := s.DB.Write(ctx, within); err != nil || recorded {
		return err
	}
	b.Key = contentKey(b.Hash) + "." + uuid.NewString()
	if err := s.put(ctx, b.Key, c); err != nil {
		return err
	}
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		// Somebody may have been faster: then theirs counts, and this key goes.
		first, err := insertBlob(ctx, tx, b)
		if err == nil && first {
			err = recall(ctx, tx, b.Key)
		}
		if err != nil {
			return err
		}
		return within(tx)
	})
	if err == nil && !recorded {
		return fault.New(fault.Unavailable, "文件正在清理，请重试")
	}
	if b.Verdict == unscanned {
		s.wake()
	}
	return err
}

// put stores the content under a key that goes again in an hour, unless recalled.
func (s *Service) put(ctx context.Context, key string, c *spooled) error {
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) error { return announce(ctx, tx, s.Now().Add(putPatience), key) })
	if err != nil {
		return err
	}
	return s.Files.Put(ctx, key, c.reader(), c.size)
}

// is fills in what the file has of its content.
func (f *FileAsset) is(b *blob) {
	f.Hash, f.SM3, f.Key, f.MediaType, f.Kind, f.Bytes, f.Width, f.Height = b.Hash, b.SM3, b.Key, b.MediaType, b.Kind, b.Bytes, b.Width, b.Height
	f.Verdict, f.State = b.Verdict, b.Verdict.state()
}

// contentKey is how keys of content of the hash begin.
func contentKey(hash []byte) string {
	text := hex.EncodeToString(hash)
	return "sha256/" + text[:2] + "/" + text
}
