package telemetry

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// CaptureRedis sends what the Redis client would print on standard error by
// itself to the log; it is the client's own, process-wide setting.
func CaptureRedis(log *slog.Logger) { redis.SetLogger(redisLog{log}) }

type redisLog struct{ log *slog.Logger }

func (r redisLog) Printf(ctx context.Context, format string, values ...any) {
	r.log.WarnContext(ctx, "redis: "+fmt.Sprintf(format, values...))
}
