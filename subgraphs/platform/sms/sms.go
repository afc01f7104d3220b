// Package sms sends one-time codes to mobile numbers and checks them: six
// digits, five minutes, five tries, with limits per number and per address.
// Redis holds a keyed hash of each code, never the code.
//
// Start reading at Codes; what sends is a Provider (provider.go), the
// simulator's messages are shown by inbox.go.
package sms

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// Scene is what a code is for: a code of one scene counts in no other.
type Scene string

// The scenes. Codes of the last three are for a citizen who is signed in.
const (
	SignIn        Scene = "SIGN_IN"        // signing in, or registering at the first time
	ResetPassword Scene = "RESET_PASSWORD" // a new password without the old one
	StepUp        Scene = "STEP_UP"        // proving once more who one is, by one's own number
	BindMobile    Scene = "BIND_MOBILE"    // the first number of an account
	ChangeMobile  Scene = "CHANGE_MOBILE"  // another number for an account
)

// Personal says whether a code of the scene counts for one citizen only.
func (s Scene) Personal() bool { return s == StepUp || s == BindMobile || s == ChangeMobile }

func (s Scene) known() bool { return s == SignIn || s == ResetPassword || s.Personal() }

const (
	// Lifetime is how long a code counts.
	Lifetime = 5 * time.Minute
	// MaxTries is how many times a code may be tried.
	MaxTries = 5
	digits   = 6
)

// Limits bound how many codes are sent, and how many wrong ones are tried.
type Limits struct {
	Gap     limit.Rule // between two codes to one number
	Number  limit.Rule // codes to one number
	Address limit.Rule // codes asked for from one address
	Wrong   limit.Rule // wrong codes from one address
	// From so many codes on a captcha has to be solved first; never, where zero.
	CaptchaNumber, CaptchaAddress limit.Rule
}

// Usual are the limits if none are configured. One address may be a whole
// household or a mobile operator's gateway, hence the generous ones. Those of
// numbers count the codes of each scene, but for the captcha's.
var Usual = Limits{
	Gap:     limit.Rule{Times: 1, Within: time.Minute},
	Number:  limit.Rule{Times: 10, Within: 24 * time.Hour},
	Address: limit.Rule{Times: 100, Within: time.Hour},
	Wrong:   limit.Rule{Times: 50, Within: 10 * time.Minute},

	CaptchaNumber:  limit.Rule{Times: 5, Within: 24 * time.Hour},
	CaptchaAddress: limit.Rule{Times: 60, Within: time.Hour},
}

// Codes sends and checks codes.
type Codes struct {
	redis    redis.UniversalClient
	count    limit.Counter
	provider Provider
	limits   Limits
	key      []byte // of the hashes
	index    personal.Indexer
}

// New makes it.
func New(client redis.UniversalClient, provider Provider, limits Limits, keys *personal.Keys) *Codes {
	return &Codes{redis: client, count: limit.Counter{Redis: client}, provider: provider, limits: limits,
		key: keys.Derive("one-time code"), index: keys.Indexer("sms.mobile")}
}

// Sent tells when the next code may be asked for, and when this one ends.
type Sent struct{ RetryAfter, Expires time.Duration }

// CaptchaDue says whether so many codes were asked for, for the number or from
// the address, that the next one needs a captcha.
func (c *Codes) CaptchaDue(ctx context.Context, mobile string) (bool, error) {
	asked := map[string]limit.Rule{c.number(mobile) + ":all": c.limits.CaptchaNumber}
	if from := limit.Network(access.RemoteOf(ctx).Address); from != "" {
		asked["platform:sms:all:"+from] = c.limits.CaptchaAddress
	}
	for key, rule := range asked {
		if rule.Times == 0 {
			continue
		}
		wait, err := c.count.Reached(ctx, key, rule)
		if err != nil || wait > 0 {
			return wait > 0, err
		}
	}
	return false, nil
}

// asked counts a code for CaptchaDue.
func (c *Codes) asked(ctx context.Context, mobile string) error {
	if from := limit.Network(access.RemoteOf(ctx).Address); from != "" && c.limits.CaptchaAddress.Times > 0 {
		if _, err := c.count.Take(ctx, "platform:sms:all:"+from, c.limits.CaptchaAddress); err != nil {
			return err
		}
	}
	if c.limits.CaptchaNumber.Times == 0 {
		return nil
	}
	_, err := c.count.Take(ctx, c.number(mobile)+":all", c.limits.CaptchaNumber)
	return err
}

// Request sends a new code to the number (E.164); an older one of the scene
// ends. A code of a personal scene counts for the citizen only, whose ID is
// given; it is "" for the others. Too often is fault.RateLimited with the
// seconds to wait.
func (c *Codes) Request(ctx context.Context, mobile string, scene Scene, citizenID string) (Sent, error) {
	if !scene.known() || scene.Personal() != (citizenID != "") {
		return Sent{}, fault.Invalid("input.scene", "不支持的验证码用途")
	}
	at := c.at(mobile, scene)
	if from := limit.Network(access.RemoteOf(ctx).Address); from != "" {
		if err := c.take(ctx, "platform:sms:from:"+string(scene)+":"+from, c.limits.Address); err != nil {
			return Sent{}, err
		}
	}
	if err := c.take(ctx, at+":gap", c.limits.Gap); err != nil {
		return Sent{}, err
	}
	if err := c.take(ctx, at+":day", c.limits.Number); err != nil {
		return Sent{}, err
	}
	if err := c.asked(ctx, mobile); err != nil {
		return Sent{}, err
	}
	code, err := newCode()
	if err != nil {
		return Sent{}, err
	}
	store, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	_, err = c.redis.TxPipelined(store, func(p redis.Pipeliner) error {
		p.Del(store, at)
		p.HSet(store, at, "hash", c.hash(mobile, scene, citizenID, code))
		p.PExpire(store, at, Lifetime)
		return nil
	})
	if err != nil {
		return Sent{}, limit.Away(err)
	}
	send, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := c.provider.Send(send, Message{Mobile: mobile, Scene: scene, Code: code}); err != nil {
		if fault.CodeOf(err) == fault.Unavailable {
			return Sent{}, err
		}
		return Sent{}, fault.New(fault.Unavailable, "短信发送失败，请稍后重试").Because(err)
	}
	return Sent{RetryAfter: c.limits.Gap.Within, Expires: Lifetime}, nil
}

const (
	redisTimeout = 2 * time.Second
	sendTimeout  = 10 * time.Second
)

func (c *Codes) take(ctx context.Context, key string, rule limit.Rule) error {
	wait, err := c.count.Take(ctx, key, rule)
	if err != nil {
		return err
	}
	if wait > 0 {
		return limit.Refusal(wait)
	}
	return nil
}

// at is the key of the number's code; the braces keep the number's keys in one
// slot of a Redis cluster.
func (c *Codes) at(mobile string, scene Scene) string {
	return c.number(mobile) + ":" + string(scene)
}

func (c *Codes) number(mobile string) string {
	return "platform:sms:{" + hex.EncodeToString(c.index.Of(mobile)[:16]) + "}"
}

func (c *Codes) hash(mobile string, scene Scene, citizenID, code string) string {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(string(scene) + "\x00" + mobile + "\x00" + citizenID + "\x00" + code))
	return hex.EncodeToString(mac.Sum(nil))
}

func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("sms: drawing a code: %w", err)
	}
	return fmt.Sprintf("%0*d", digits, n), nil
}

// try uses up one try of the code, and the code itself when it is right. Answers:
// 1 right, 0 no code, -1 wrong, -2 wrong for the last time. What is compared
// are keyed hashes, so the time that it takes tells nothing about the code.
var try = redis.NewScript(`
local hash = redis.call('HGET', KEYS[1], 'hash')
if not hash then return 0 end
local n = redis.call('HINCRBY', KEYS[1], 'tries', 1)
if hash == ARGV[1] then
	redis.call('DEL', KEYS[1])
	return 1
end
if n >= tonumber(ARGV[2]) then
	redis.call('DEL', KEYS[1])
	return -2
end
return -1`)

// Verify checks the code and uses it up: it counts once. citizenID is as in
// Request; field is the input that a refusal is about.
func (c *Codes) Verify(ctx context.Context, mobile string, scene Scene, citizenID, field, code string) error {
	if len(code) != digits || strings.Trim(code, "0123456789") != "" {
		return fault.Invalid(field, "请输入六位数字验证码")
	}
	from := limit.Network(access.RemoteOf(ctx).Address)
	wrong := "platform:sms:wrong:" + from
	if from != "" {
		wait, err := c.count.Reached(ctx, wrong, c.limits.Wrong)
		if err != nil {
			return err
		}
		if wait > 0 {
			return limit.Refusal(wait)
		}
	}
	ask, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	answer, err := try.Run(ask, c.redis, []string{c.at(mobile, scene)}, c.hash(mobile, scene, citizenID, code), MaxTries).Int()
	if err != nil {
		return limit.Away(err)
	}
	if answer == 1 {
		return nil
	}
	if from != "" {
		if _, err := c.count.Take(ctx, wrong, c.limits.Wrong); err != nil {
			return err
		}
	}
	switch answer {
	case -1:
		return fault.Invalid(field, "验证码错误，请重新输入")
	case -2:
		return fault.Invalid(field, "验证码错误次数过多，请重新获取")
	default:
		return fault.Invalid(field, "验证码已失效，请重新获取")
	}
}
