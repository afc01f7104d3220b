package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
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
	Signer   *token.Signer
	Verifier *token.Verifier
	Keys     *personal.Keys
	Now      func() time.Time
	Log      *slog.Logger
}

// Service takes files in and gives them out.
type Service struct {
	Parts
	linkKey []byte
	slots   chan struct{}
}

// concurrent bounds how many pictures are decoded at once (up to 160 MB each).
const concurrent = 2

// uploads bounds how many files one principal brings.
var uploads = limit.Rule{Times: 200, Within: time.Hour}

// New makes the service.
func New(parts Parts) *Service {
	return &Service{Parts: parts, linkKey: parts.Keys.Derive("file link"), slots: make(chan struct{}, concurrent)}
}

// Stored is an uploaded file with the receipt to attach it by.
type Stored struct {
	*FileAsset
	Receipt string
}

// uploader gives who may upload: anybody who is signed in.
func (s *Service) uploader(ctx context.Context) (*access.Principal, error) {
	p := access.From(ctx)
	if p == nil {
		return nil, fault.New(fault.Unauthenticated, "请先登录")
	}
	if p.Kind == access.System {
		return nil, fault.New(fault.Forbidden, "系统不上传文件")
	}
	wait, err := limit.Counter{Redis: s.Redis}.Take(ctx, "platform:file:uploads:"+string(p.Kind)+":"+p.ID, uploads)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, limit.Refusal(wait)
	}
	return p, nil
}

// Upload examines the content and keeps it for the caller. claimed is the
// media type that the client says it is, "" for none.
func (s *Service) Upload(ctx context.Context, content []byte, name, claimed string) (Stored, error) {
	p, err := s.uploader(ctx)
	if err != nil {
		return Stored{}, err
	}
	name = tidyName(name)
	found, err := s.examine(ctx, content, name, claimed)
	if err != nil {
		return Stored{}, err
	}
	id, err := identifier.New()
	if err != nil {
		return Stored{}, err
	}
	sum := sha256.Sum256(content)
	asset := &FileAsset{ID: id, Name: name, MediaType: found.mediaType, Bytes: int64(len(content)),
		Width: &found.width, Height: &found.height, CreatedAt: s.Now(), OwnerKind: p.Kind, OwnerID: p.ID, Hash: sum[:]}
	if err := s.keep(ctx, asset, content, p.AreaCode); err != nil {
		return Stored{}, err
	}
	receipt, err := s.Signer.Receipt(token.Receipt{FileID: id, Owner: p.ID, Media: asset.MediaType, Bytes: asset.Bytes, Name: name})
	return Stored{FileAsset: asset, Receipt: receipt}, err
}

func (s *Service) examine(ctx context.Context, content []byte, name, claimed string) (examined, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return examined{}, ctx.Err()
	}
	return examine(content, name, claimed)
}

// keep stores the content, unless equal content lies there, and records the file.
func (s *Service) keep(ctx context.Context, f *FileAsset, content []byte, areaCode string) error {
	exists := false
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		exists, err = blobExists(ctx, tx, f.Hash)
		return err
	})
	if err != nil {
		return err
	}
	if !exists {
		if err := s.Files.Put(ctx, contentKey(f.Hash), bytes.NewReader(content), f.Bytes); err != nil {
			return err
		}
	}
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error { return insert(ctx, tx, f, areaCode, f.CreatedAt) })
}

// contentKey is where content of the hash lies in Files.
func contentKey(hash []byte) string {
	text := hex.EncodeToString(hash)
	return "sha256/" + text[:2] + "/" + text
}

// ByIDs gives the files of the IDs, by ID, to anybody who is signed in: a
// file's ID is only handed out by what it is attached to, and that decides who
// may see it. One statement.
func (s *Service) ByIDs(ctx context.Context, ids []string) (map[string]*FileAsset, error) {
	if access.From(ctx) == nil {
		return map[string]*FileAsset{}, nil
	}
	return s.find(access.AsSystem(ctx, "file"), ids)
}

func (s *Service) find(ctx context.Context, ids []string) (map[string]*FileAsset, error) {
	known := input.IDs(ids)
	found := make(map[string]*FileAsset, len(known))
	if len(known) == 0 {
		return found, nil
	}
	return found, s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		list, err := byIDs(ctx, tx, known)
		for _, f := range list {
			found[f.ID] = f
		}
		return err
	})
}

// Open gives the file and its content, at most MaxBytes: to its owner, or to
// whoever has a signed link (signed).
func (s *Service) Open(ctx context.Context, id string, signed bool) (*FileAsset, []byte, error) {
	asking := access.From(ctx)
	if signed {
		ctx = access.AsSystem(ctx, "file")
	}
	found, err := s.find(ctx, []string{id})
	if err != nil {
		return nil, nil, err
	}
	f := found[id]
	if f == nil || !signed && !f.ownedBy(asking) {
		if asking == nil {
			return nil, nil, fault.New(fault.Unauthenticated, "请先登录")
		}
		return nil, nil, fault.New(fault.NotFound, "文件不存在，或链接已失效")
	}
	stored, _, err := s.Files.Get(ctx, contentKey(f.Hash))
	if err != nil {
		return nil, nil, fmt.Errorf("file: opening the content of %s: %w", id, err)
	}
	defer func() { _ = stored.Close() }()
	content := make([]byte, f.Bytes)
	if _, err := io.ReadFull(stored, content); err != nil {
		return nil, nil, fmt.Errorf("file: reading the content of %s: %w", id, err)
	}
	return f, content, nil
}
