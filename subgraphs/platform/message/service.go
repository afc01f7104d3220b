package message

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/input"
	"github.com/citizencloud/citizencloud/foundation/keyset"
	"github.com/citizencloud/citizencloud/subgraphs/platform/carrier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
	"github.com/citizencloud/citizencloud/subgraphs/platform/messagetemplate"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// Texter hands short messages over; *carrier.Router is the real one.
type Texter interface {
	Choose(avoid string) string
	Submit(ctx context.Context, provider string, text carrier.Text) (ref string, err error)
}

// Pusher hands messages to push services; *carrier.Pusher is the real one.
type Pusher interface {
	Push(ctx context.Context, vendor string, push carrier.Notice) (ref string, err error)
}

// Service is what senders and receivers of messages do, and what sends.
type Service struct {
	DB        *database.DB
	Keys      *personal.Keys
	Templates *messagetemplate.Service
	Texts     Texter
	Pushes    Pusher
	Live      Live
	// ReceiptTimeout is how long to wait for a receipt; zero is ReceiptTimeout.
	ReceiptTimeout time.Duration
	Now            func() time.Time
	Log            *slog.Logger

	wakes []chan struct{} // of what delivers in this process; see Run
}

// New makes it.
func New(s Service) *Service {
	if s.ReceiptTimeout == 0 {
		s.ReceiptTimeout = ReceiptTimeout
	}
	for range deliverers + 1 {
		s.wakes = append(s.wakes, make(chan struct{}, 1))
	}
	return &s
}

// AudienceInput is who is to get a message.
type AudienceInput struct {
	Kind       Audience
	AreaID     *string  // of AREA, TAG and ROLE
	Role       *string  // of ROLE
	TagID      *string  `json:",omitempty"` // of TAG
	CitizenIDs []string // of PERSON
}

// Input is what a sender asks for.
type Input struct {
	RequestID  string // chosen by the sender: asked twice it is sent once
	TemplateID string
	Variables  []messagetemplate.Value
	Audience   AudienceInput
	Channels   []Channel
	SendAt     *time.Time // nil is now
}

const (
	maxPeople  = 1000
	mostAhead  = 90 * 24 * time.Hour
	wholeOfOur = "510100000000"
)

// Send takes a message on: it goes out when its time has come.
func (s *Service) Send(ctx context.Context, in Input) (*Message, error) {
	p, err := access.Require(ctx, access.NoticeSend)
	if err != nil {
		return nil, err
	}
	if !input.ID(in.RequestID) {
		return nil, fault.Invalid("input.requestId", "请求标识须为 UUID")
	}
	m, people, err := s.compose(ctx, p, in)
	if err != nil {
		return nil, err
	}
	digest, err := digestOf(in)
	if err != nil {
		return nil, err
	}
	m.Digest = digest
	err = s.DB.Write(ctx, func(tx *sqlx.Tx) error {
		if err := s.inScope(ctx, tx, m, people); err != nil {
			return err
		}
		earlier, err := byRequest(ctx, tx, p.ID, in.RequestID)
		if err != nil {
			return err
		}
		if earlier != nil {
			if !bytes.Equal(earlier.Digest, digest) {
				return fault.New(fault.Conflict, "该请求标识已用于另一条消息")
			}
			m = earlier
			return nil
		}
		if err := insert(ctx, tx, m, in.RequestID, people); err != nil {
			return err
		}
		audit.Change(ctx, target(m), nil, map[string]any{"state": m.State, "audience": m.Audience, "channels": m.Channels, "class": m.Class})
		if m.State == Expanding {
			return announceStep(ctx, tx, m.ID, 0)
		}
		return nil
	})
	if database.Duplicate(err, "message_request") {
		return nil, fault.New(fault.Conflict, "该消息正在提交，请稍候")
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func target(m *Message) audit.Target {
	return audit.Target{Kind: "Message", ID: m.ID, Area: m.AreaCode}
}

func digestOf(in Input) ([]byte, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}

// compose checks what was asked for.
func (s *Service) compose(ctx context.Context, p *access.Principal, in Input) (*Message, []string, error) {
	t, err := s.Templates.ByID(ctx, in.TemplateID)
	if fault.CodeOf(err) == fault.NotFound {
		return nil, nil, fault.Invalid("input.templateId", "未找到该模板")
	}
	if err != nil {
		return nil, nil, err
	}
	if t.State != messagetemplate.Approved {
		return nil, nil, fault.New(fault.Conflict, "模板未通过审核或已停用，不能用于发送")
	}
	filled, err := t.Fill("input.variables", in.Variables)
	if err != nil {
		return nil, nil, err
	}
	now := s.Now()
	m := &Message{TemplateID: t.ID, Class: t.Class, Title: filled.Title, Body: filled.Body, State: Expanding, SendAt: now,
		SenderID: p.ID, CreatedAt: now, SteppedAt: now, Version: 1, After: identifier.First}
	if filled.Link != "" {
		m.Link = &filled.Link
	}
	if in.SendAt != nil && in.SendAt.After(now) {
		if in.SendAt.After(now.Add(mostAhead)) {
			return nil, nil, fault.Invalid("input.sendAt", "定时发送不能晚于 90 天后")
		}
		m.State, m.SendAt = Scheduled, *in.SendAt
	}
	for _, c := range []Channel{InApp, Push, SMS} { // in this order, each once
		if slices.Contains(in.Channels, c) {
			m.Channels = append(m.Channels, c)
		}
	}
	if len(m.Channels) == 0 || len(in.Channels) > 3 {
		return nil, nil, fault.Invalid("input.channels", "请选择发送渠道")
	}
	people, err := m.address(p, in.Audience)
	if err != nil {
		return nil, nil, err
	}
	m.ID, err = identifier.New()
	return m, people, err
}

// address says who gets the message; nobody addresses beyond the own scope.
func (m *Message) address(p *access.Principal, to AudienceInput) ([]string, error) {
	m.Audience = to.Kind
	if len(to.CitizenIDs) > 0 != (to.Kind == Person) {
		return nil, fault.Invalid("input.audience.citizenIds", "请选择接收的市民；其他发送范围不填")
	}
	if (to.TagID != nil) != (to.Kind == WithTag) {
		return nil, fault.Invalid("input.audience.tagId", "请选择接收的标签；其他发送范围不填")
	}
	if (to.AreaID != nil) != (to.Kind == InArea || to.Kind == WithTag || to.Kind == WithRole) {
		return nil, fault.Invalid("input.audience.areaId", "请选择接收的区域；按人或全体发送时不填")
	}
	if (to.Role != nil) != (to.Kind == WithRole) {
		return nil, fault.Invalid("input.audience.role", "请选择接收的角色；其他发送范围不填")
	}
	switch to.Kind {
	case Person:
		people := input.IDs(to.CitizenIDs)
		if slices.Sort(people); len(people) != len(to.CitizenIDs) || len(people) > maxPeople || len(slices.Compact(slices.Clone(people))) != len(people) {
			return nil, fault.Invalid("input.audience.citizenIds", "市民标识有误或重复，一次最多 %d 人", maxPeople)
		}
		m.AreaCode = p.AreaCode
		return people, nil
	case InArea, WithTag, WithRole:
		if err := input.AreaCode("input.audience.areaId", *to.AreaID); err != nil {
			return nil, err
		}
		m.AreaCode = *to.AreaID
		if to.Role != nil && !slices.Contains(access.Roles(), access.Role(*to.Role)) {
			return nil, fault.Invalid("input.audience.role", "没有这个角色")
		}
		if to.TagID != nil && !input.ID(*to.TagID) {
			return nil, fault.Invalid("input.audience.tagId", "没有这个标签")
		}
		m.Role, m.TagID = to.Role, to.TagID
	case Everyone:
		m.AreaCode = wholeOfOur
	default:
		return nil, fault.Invalid("input.audience.kind", "不支持的发送范围")
	}
	if !p.Covers(m.AreaCode) || !coversAll(p, m.AreaCode) {
		return nil, fault.New(fault.Forbidden, "发送范围超出您的管辖区域")
	}
	return nil, nil
}

// coversAll says whether the scope has the area and all below, not merely a part.
func coversAll(p *access.Principal, area string) bool {
	prefix := division.Prefix(area)
	return slices.ContainsFunc(p.Scopes(), func(scope string) bool {
		return scope != "" && len(scope) <= len(prefix) && prefix[:len(scope)] == scope
	})
}

// inScope refuses people outside of the sender's scope, and tags that are not
// for the sender: the sender's own row-level security finds those within.
func (s *Service) inScope(ctx context.Context, tx sqlx.ExtContext, m *Message, people []string) error {
	if m.Audience == WithTag {
		usable, err := tagUsable(ctx, tx, *m.TagID)
		if err == nil && !usable {
			return fault.Invalid("input.audience.tagId", "没有这个标签，或标签已停用")
		}
		return err
	}
	if m.Audience != Person {
		return nil
	}
	n, err := countCitizens(ctx, tx, access.From(ctx).Scopes(), people)
	if err == nil && n != len(people) {
		return fault.Invalid("input.audience.citizenIds", "有市民不存在，或不在您的管辖范围内")
	}
	return err
}

// ByID gives a message of the caller's scope.
func (s *Service) ByID(ctx context.Context, id string) (m *Message, err error) {
	if _, err := access.Require(ctx, access.NoticeSend); err != nil {
		return nil, err
	}
	if !input.ID(id) {
		return nil, notFound()
	}
	err = s.DB.Read(ctx, func(tx *sqlx.Tx) error {
		m, err = byID(ctx, tx, id, "")
		return err
	})
	return m, err
}

// List gives a page of the messages of the caller's scope, newest first; ""
// for state is any.
func (s *Service) List(ctx context.Context, state State, page keyset.Page) ([]*Message, *keyset.PageInfo, error) {
	if _, err := access.Require(ctx, access.NoticeSend); err != nil {
		return nil, nil, err
	}
	if page.After != nil && !input.ID(page.After[0]) {
		return nil, nil, fault.Invalid("after", "分页游标无效，请从第一页重新查询")
	}
	var rows []*Message
	err := s.DB.Read(ctx, func(tx *sqlx.Tx) (err error) {
		rows, err = list(ctx, tx, state, page)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	found, info := keyset.Of(page, rows, func(m *Message) []string { return []string{m.ID} })
	return found, info, nil
}
