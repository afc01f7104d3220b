package session

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/token"
)

// What Redis remembers of a session: that it lives or that it ended, for as
// long as an access token counts. PostgreSQL knows the truth; when Redis forgot
// or is away, it is asked.
const (
	alive       = "alive"
	over        = "over"
	memoryTime  = token.Lifetime + time.Minute
	redisBudget = 500 * time.Millisecond
)

func memoryKey(id string) string { return "platform:session:" + id }

func (s *Service) remember(ctx context.Context, id string) { s.write(ctx, alive, id) }

func (s *Service) forget(ctx context.Context, ids ...string) { s.write(ctx, over, ids...) }

func (s *Service) write(ctx context.Context, value string, ids ...string) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisBudget)
	defer cancel()
	_, err := s.Redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, id := range ids {
			p.Set(ctx, memoryKey(id), value, memoryTime)
		}
		return nil
	})
	if err != nil {
		s.Log.WarnContext(ctx, "sessions not remembered in Redis", "error", err)
	}
}

// Alive says whether the session lives: for who must know sooner than an
// access token expires.
func (s *Service) Alive(ctx context.Context, id string) (bool, error) {
	ask, cancel := context.WithTimeout(ctx, redisBudget)
	defer cancel()
	switch value, _ := s.Redis.Get(ask, memoryKey(id)).Result(); value {
	case alive:
		return true, nil
	case over:
		return false, nil
	}
	living := false
	err := s.DB.Read(asSystem(ctx), func(tx *sqlx.Tx) (err error) {
		living, err = lives(ctx, tx, id, s.Now())
		return err
	})
	if err != nil {
		return false, err
	}
	value := over
	if living {
		value = alive
	}
	// only where nothing is remembered: a sign-out in between must win
	fill, cancel := context.WithTimeout(ctx, redisBudget)
	defer cancel()
	if err := s.Redis.SetNX(fill, memoryKey(id), value, memoryTime).Err(); err != nil {
		s.Log.WarnContext(ctx, "session not remembered in Redis", "error", err)
	}
	return living, nil
}
