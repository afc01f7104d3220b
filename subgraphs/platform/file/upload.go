package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

const (
	// MaxChunk is the largest chunk of a resumable upload.
	MaxChunk = 8 << 20
	// uploadTime is how long an upload may take, from its beginning.
	uploadTime = 24 * time.Hour
	// maxOpen is how many uploads of one principal may be on their way.
	maxOpen = 20
	// finishPatience bounds putting together and examining what is complete,
	// chunkPatience keeping a chunk: both go on when the client has left.
	finishPatience = 3 * time.Minute
	chunkPatience  = time.Minute
)

// refusal is a fault with an HTTP status of its own.
type refusal struct {
	status int
	*fault.Fault
}

func (r refusal) Unwrap() error { return r.Fault }

func with(status int, f *fault.Fault) error { return refusal{status, f} }

// begin makes an upload of length bytes for the caller.
func (s *Service) begin(ctx context.Context, length int64, name, claimed, metadata string) (*upload, error) {
	p, err := uploader(ctx)
	if err != nil {
		return nil, err
	}
	limit := int64(MaxUpload)
	if kind, ok := known[claim(claimed)]; ok {
		limit = rules[kind.kind].bytes
	}
	if length > limit {
		return nil, with(http.StatusRequestEntityTooLarge, refuse("文件不能超过 %d MB", limit>>20))
	}
	if length <= 0 {
		return nil, refuse("文件是空的")
	}
	if err := s.counted(ctx, p); err != nil {
		return nil, err
	}
	id, err := identifier.New()
	if err != nil {
		return nil, err
	}
	now := s.Now()
	u := &upload{ID: id, OwnerKind: p.Kind, OwnerID: p.ID, AreaCode: p.AreaCode, Name: tidyName(name), Claimed: claimed,
		Metadata: metadata, Length: length, CreatedAt: now, ExpiresAt: now.Add(uploadTime)}
	return u, s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		open, err := openUploads(ctx, tx, p, now)
		if err != nil {
			return err
		}
		if open >= maxOpen {
			return fault.New(fault.Conflict, "同时进行的上传不能超过 %d 个，请先完成或取消", maxOpen)
		}
		return insertUpload(ctx, tx, u)
	})
}

// upload gives the caller's upload. Another's is not there; one that expired or
// was refused is gone.
func (s *Service) upload(ctx context.Context, id string) (u *upload, err error) {
	p, err := uploader(ctx)
	if err != nil {
		return nil, err
	}
	if input.ID(id) {
		err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
			u, err = uploadOf(ctx, tx, p, id, false)
			return err
		})
	}
	switch {
	case err != nil:
		return nil, err
	case u == nil:
		return nil, fault.New(fault.NotFound, "上传不存在")
	case !s.Now().Before(u.ExpiresAt):
		return nil, with(http.StatusGone, fault.New(fault.NotFound, "上传已过期，请重新上传"))
	case u.Refusal != "":
		return nil, with(http.StatusGone, refuse("%s", u.Refusal))
	}
	return u, nil
}

// lock keeps a second request from the same upload, in all processes. It waits
// for nothing. A process that died leaves it for lockTime.
func (s *Service) lock(ctx context.Context, id string) (release func(), err error) {
	key, mine := "platform:file:upload:"+id, uuid.NewString()
	asking, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	err = s.Redis.SetArgs(asking, key, mine, redis.SetArgs{Mode: "NX", TTL: lockTime}).Err()
	if errors.Is(err, redis.Nil) {
		return nil, with(http.StatusLocked, fault.New(fault.Conflict, "该文件正在上传中，请稍后再试"))
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "服务繁忙，请稍后重试").Because(err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(lockTime / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				asking, cancel := context.WithTimeout(ctx, redisPatience)
				_ = s.Redis.Expire(asking, key, lockTime).Err() // a lost lock costs work, no data: chunks are compared with the offset
				cancel()
			}
		}
	}()
	return func() {
		end()
		<-done
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisPatience)
		defer cancel()
		_ = unlock.Run(asking, s.Redis, []string{key}, mine).Err()
	}, nil
}

const (
	lockTime      = 15 * time.Second
	redisPatience = 2 * time.Second
)

var unlock = redis.NewScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`)

// append keeps the chunk, which begins at the upload's offset, and moves the offset.
func (s *Service) append(ctx context.Context, u *upload, c *spooled) error {
	if c.size == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), chunkPatience)
	defer cancel()
	p := part{Start: u.Received, Bytes: c.size, Key: "upload/" + u.ID + "/" + fmt.Sprint(u.Received) + "." + uuid.NewString()}
	if err := s.put(ctx, p.Key, c); err != nil {
		return err
	}
	moved := false
	err := s.DB.Write(ctx, func(tx *sqlx.Tx) (err error) {
		moved, err = addPart(ctx, tx, u.ID, p)
		return err
	})
	if err == nil && !moved {
		err = with(http.StatusConflict, fault.New(fault.Conflict, "上传位置不一致，请重新查询后续传"))
	}
	if err == nil {
		u.Received += c.size
	}
	return err
}

// finish makes a file of a complete upload, or says what it became.
func (s *Service) finish(ctx context.Context, u *upload) (Stored, error) {
	p, err := uploader(ctx)
	if err != nil {
		return Stored{}, err
	}
	if u.FileID != nil {
		return s.became(ctx, *u.FileID)
	}
	if u.Received < u.Length {
		return Stored{}, fault.New(fault.Conflict, "文件尚未传完")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishPatience)
	defer cancel()
	whole := &assembly{ctx: ctx, files: s.Files}
	defer whole.Close()
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		whole.parts, err = parts(ctx, tx, u.ID)
		return err
	})
	if err != nil {
		return Stored{}, err
	}
	content, err := spool(whole, u.Length)
	if err != nil {
		return Stored{}, err
	}
	defer func() { _ = content.Close() }()
	if content.size != u.Length {
		return Stored{}, fmt.Errorf("file: upload %s has %d bytes in its chunks, not %d", u.ID, content.size, u.Length)
	}
	already := ""
	stored, err := s.store(ctx, p, content, u.Name, u.Claimed, func(ctx context.Context, tx *sqlx.Tx, f *FileAsset) error {
		now, err := uploadOf(ctx, tx, p, u.ID, true)
		if err != nil || now == nil {
			return errors.Join(err, errGone)
		}
		if now.FileID != nil {
			already = *now.FileID
			return errGone // somebody else finished it
		}
		if err := finishUpload(ctx, tx, u.ID, &f.ID, ""); err != nil {
			return err
		}
		return dropParts(ctx, tx, u.ID, s.Now())
	})
	if already != "" {
		return s.became(ctx, already)
	}
	if refused := (*fault.Fault)(nil); errors.As(err, &refused) && refused.Code == fault.InvalidInput {
		return Stored{}, errors.Join(err, s.DB.Write(ctx, func(tx *sqlx.Tx) error {
			if err := finishUpload(ctx, tx, u.ID, nil, refused.Message); err != nil {
				return err
			}
			return dropParts(ctx, tx, u.ID, s.Now())
		}))
	}
	return stored, err
}

var errGone = errors.New("file: the upload is gone")

func (s *Service) became(ctx context.Context, id string) (Stored, error) {
	found, err := s.find(ctx, []string{id})
	if err != nil {
		return Stored{}, err
	}
	if found[id] == nil {
		return Stored{}, fault.New(fault.NotFound, "文件不存在")
	}
	return s.stored(found[id])
}

// abandon removes the caller's upload and what came of it so far.
func (s *Service) abandon(ctx context.Context, u *upload) error {
	return s.DB.Write(ctx, func(tx *sqlx.Tx) error { return s.remove(ctx, tx, u.ID) })
}

func (s *Service) remove(ctx context.Context, tx *sqlx.Tx, id string) error {
	if err := dropParts(ctx, tx, id, s.Now()); err != nil {
		return err
	}
	return dropUpload(ctx, tx, id)
}

// assembly reads chunks one behind the other, one open at a time.
type assembly struct {
	ctx   context.Context
	files Files
	parts []part
	open  io.ReadCloser
}

func (a *assembly) Read(into []byte) (int, error) {
	for {
		if a.open == nil {
			if len(a.parts) == 0 {
				return 0, io.EOF
			}
			opened, _, err := a.files.Get(a.ctx, a.parts[0].Key)
			if err != nil {
				return 0, fmt.Errorf("file: opening a chunk: %w", err)
			}
			a.open, a.parts = opened, a.parts[1:]
		}
		n, err := a.open.Read(into)
		if errors.Is(err, io.EOF) {
			a.Close()
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Close closes the chunk that is open.
func (a *assembly) Close() {
	if a.open != nil {
		_ = a.open.Close()
		a.open = nil
	}
}
