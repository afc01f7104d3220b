package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/fault"
)

// Message is one short message with a code.
type Message struct {
	Mobile string // E.164
	Scene  Scene
	Code   string
}

// Text is what the receiver reads.
func (m Message) Text() string {
	return fmt.Sprintf("【市民云】您的验证码是 %s，%d 分钟内有效。请勿告诉他人，工作人员不会向您索要验证码。", m.Code, int(Lifetime/time.Minute))
}

// Provider hands messages to a mobile operator. It returns when the operator
// has accepted the message, not when it has arrived.
type Provider interface {
	Send(ctx context.Context, message Message) error
}

// Nobody is the provider where none is configured and nothing may be simulated:
// in production a code must not stand in a log.
type Nobody struct{}

// Send implements Provider: it refuses.
func (Nobody) Send(context.Context, Message) error {
	return fault.New(fault.Unavailable, "短信服务尚未开通，请使用其他登录方式")
}

// Simulator is the provider that sends nothing: it shows each message in the
// log and keeps the last ones for the development inbox. Only for development.
type Simulator struct {
	Redis redis.UniversalClient
	Log   *slog.Logger
	Now   func() time.Time
}

const (
	inboxKey  = "platform:sms:inbox"
	inboxSize = 200
	inboxTime = 24 * time.Hour
)

// Kept is a message that the simulator kept.
type Kept struct {
	At     time.Time `json:"at"`
	Mobile string    `json:"mobile"`
	Scene  Scene     `json:"scene"`
	Code   string    `json:"code"`
	Text   string    `json:"text"`
}

// Send implements Provider.
func (s *Simulator) Send(ctx context.Context, m Message) error {
	s.Log.InfoContext(ctx, "SMS simulator: nothing is sent, the message reads", "mobile", m.Mobile, "scene", m.Scene, "code", m.Code)
	kept, err := json.Marshal(Kept{At: s.Now(), Mobile: m.Mobile, Scene: m.Scene, Code: m.Code, Text: m.Text()})
	if err != nil {
		return fmt.Errorf("sms: keeping a message: %w", err)
	}
	_, err = s.Redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.LPush(ctx, inboxKey, kept)
		p.LTrim(ctx, inboxKey, 0, inboxSize-1)
		p.PExpire(ctx, inboxKey, inboxTime)
		return nil
	})
	if err != nil {
		return fmt.Errorf("sms: keeping a message: %w", err)
	}
	return nil
}

// Inbox gives the last messages, newest first; those to the number (E.164)
// only, unless it is "".
func (s *Simulator) Inbox(ctx context.Context, mobile string) ([]Kept, error) {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	texts, err := s.Redis.LRange(ctx, inboxKey, 0, inboxSize-1).Result()
	if err != nil {
		return nil, fmt.Errorf("sms: reading the inbox: %w", err)
	}
	list := []Kept{}
	for _, text := range texts {
		var kept Kept
		if err := json.Unmarshal([]byte(text), &kept); err != nil {
			return nil, fmt.Errorf("sms: reading the inbox: %w", err)
		}
		if mobile == "" || kept.Mobile == mobile {
			list = append(list, kept)
		}
	}
	return list, nil
}
