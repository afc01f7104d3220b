// Package limit counts in Redis how often something was done within a time,
// over all processes: codes sent to a number, wrong tries from an address.
//
// Start reading at Counter.
package limit

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Rule is how often something may be done within a time, which begins with
// the first doing.
type Rule struct {
	Times  int
	Within time.Duration
}

// Counter counts under keys of Redis.
type Counter struct{ Redis redis.UniversalClient }

// timeout bounds each call of Redis.
const timeout = 2 * time.Second

// take counts one more and answers the milliseconds to wait, 0 if within the rule.
var take = redis.NewScript(`
local n = redis.call('INCR', KEYS[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
	redis.call('PEXPIRE', KEYS[1], ARGV[2])
	ttl = tonumber(ARGV[2])
end
if n > tonumber(ARGV[1]) then return ttl end
return 0`)

// Take counts one more. It answers 0 while that is within the rule, else how
// long to wait. Redis away is fault.Unavailable: no limit is no way in.
func (c Counter) Take(ctx context.Context, key string, rule Rule) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	wait, err := take.Run(ctx, c.Redis, []string{key}, rule.Times, rule.Within.Milliseconds()).Int64()
	if err != nil {
		return 0, Away(err)
	}
	return time.Duration(wait) * time.Millisecond, nil
}

// Reached says, without counting, how long to wait when the rule's times are
// used up, else 0.
func (c Counter) Reached(ctx context.Context, key string, rule Rule) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	n, err := c.Redis.Get(ctx, key).Int()
	if errors.Is(err, redis.Nil) || err == nil && n < rule.Times {
		return 0, nil
	}
	if err != nil {
		return 0, Away(err)
	}
	wait, err := c.Redis.PTTL(ctx, key).Result()
	if err != nil {
		return 0, Away(err)
	}
	return max(wait, time.Second), nil
}

// Away is the refusal while Redis does not answer.
func Away(cause error) error {
	return fault.New(fault.Unavailable, "服务暂时不可用，请稍后重试").Because(cause)
}

// Refusal says that it was too often; wait is rounded up to seconds.
func Refusal(wait time.Duration) *fault.Fault {
	seconds := Seconds(wait)
	f := fault.New(fault.RateLimited, "操作过于频繁，请 %d 秒后重试", seconds)
	f.RetryAfter = seconds
	return f
}

// Seconds rounds up.
func Seconds(wait time.Duration) int { return int((wait + time.Second - 1) / time.Second) }

// Network is what one household or device has: an IPv4 address, or the /64 of
// an IPv6 address; "" when the address is not known.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.WithZone("").Prefix(64) // 64 fits each IPv6 address
	return prefix.Masked().Addr().String()
}
