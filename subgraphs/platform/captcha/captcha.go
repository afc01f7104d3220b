// Package captcha asks what a person answers more easily than a program: a
// picture of digits, or a sum in words for who cannot see pictures (GB/T 37668:
// a captcha needs a non-visual way). Each is tried once, counts five minutes,
// and for one scene only. Redis holds a keyed hash of the answer.
//
// Start reading at Service; pictures and questions are made in puzzle.go.
package captcha

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// Scene is what a captcha stands before: one of a scene counts in no other.
type Scene string

// The scenes.
const (
	SMSCode  Scene = "SMS_CODE" // asking for a code
	Password Scene = "PASSWORD" // signing in with a password
)

// Way is how a captcha asks.
type Way string

// The ways.
const (
	Picture  Way = "PICTURE"  // digits in a picture
	Question Way = "QUESTION" // a sum in words, which a screen reader reads out
)

// Lifetime is how long a captcha counts.
const Lifetime = 5 * time.Minute

// Limits bound captchas of one address.
type Limits struct {
	Asked limit.Rule
	Wrong limit.Rule
}

// Usual are the limits if none are configured.
var Usual = Limits{
	Asked: limit.Rule{Times: 120, Within: 10 * time.Minute},
	Wrong: limit.Rule{Times: 30, Within: 10 * time.Minute},
}

// Captcha is one that was asked for.
type Captcha struct {
	ID      string
	Image   *string // as a data: URL; nil for a question
	Text    *string // the question; nil for a picture
	Expires time.Duration
}

// Answer is what somebody answers.
type Answer struct{ ID, Text string }

// Service makes captchas and checks answers.
type Service struct {
	redis  redis.UniversalClient
	count  limit.Counter
	limits Limits
	key    []byte
}

// New makes the service.
func New(client redis.UniversalClient, limits Limits, keys *personal.Keys) *Service {
	return &Service{redis: client, count: limit.Counter{Redis: client}, limits: limits, key: keys.Derive("captcha")}
}

const redisTimeout = 2 * time.Second

// Make makes a captcha for the scene.
func (s *Service) Make(ctx context.Context, scene Scene, way Way) (Captcha, error) {
	if from := limit.Network(access.RemoteOf(ctx).Address); from != "" {
		wait, err := s.count.Take(ctx, "platform:captcha:asked:"+from, s.limits.Asked)
		if err != nil {
			return Captcha{}, err
		}
		if wait > 0 {
			return Captcha{}, limit.Refusal(wait)
		}
	}
	id, err := identifier.New()
	if err != nil {
		return Captcha{}, err
	}
	made := Captcha{ID: id, Expires: Lifetime}
	var answer string
	if way == Question {
		text, right, err := question()
		if err != nil {
			return Captcha{}, err
		}
		made.Text, answer = &text, right
	} else {
		image, right, err := picture()
		if err != nil {
			return Captcha{}, err
		}
		made.Image, answer = &image, right
	}
	keep, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	if err := s.redis.Set(keep, at(id), s.hash(id, scene, answer), Lifetime).Err(); err != nil {
		return Captcha{}, limit.Away(err)
	}
	return made, nil
}

// Check checks the answer and uses the captcha up, whether it is right or not;
// of two answers at the same time one counts. field is the input that a
// refusal is about. No answer at all is fault.CaptchaRequired.
func (s *Service) Check(ctx context.Context, scene Scene, field string, given *Answer) error {
	if given == nil {
		return fault.New(fault.CaptchaRequired, "请先完成图形或文字验证")
	}
	from := limit.Network(access.RemoteOf(ctx).Address)
	wrong := "platform:captcha:wrong:" + from
	if from != "" {
		wait, err := s.count.Reached(ctx, wrong, s.limits.Wrong)
		if err != nil {
			return err
		}
		if wait > 0 {
			return limit.Refusal(wait)
		}
	}
	if !input.ID(given.ID) {
		return fault.Invalid(field, "验证已失效，请换一个")
	}
	ask, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	kept, err := s.redis.GetDel(ask, at(given.ID)).Result()
	if errors.Is(err, redis.Nil) {
		return fault.Invalid(field, "验证已失效，请换一个")
	}
	if err != nil {
		return limit.Away(err)
	}
	if hmac.Equal([]byte(kept), []byte(s.hash(given.ID, scene, given.Text))) {
		return nil
	}
	if from != "" {
		if _, err := s.count.Take(ctx, wrong, s.limits.Wrong); err != nil {
			return err
		}
	}
	return fault.Invalid(field, "验证答案不正确，请换一个重试")
}

func at(id string) string { return "platform:captcha:{" + id + "}" }

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 32

// hash is what is kept of the answer; case and spaces around do not matter.
func (s *Service) hash(id string, scene Scene, answer string) string {
	if len(answer) > maxAnswer {
		answer = ""
	}
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + "\x00" + string(scene) + "\x00" + strings.ToUpper(strings.TrimSpace(answer))))
	return hex.EncodeToString(mac.Sum(nil))
}
