package citizen

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/audit"
	"github.com/citizencloud/citizencloud/foundation/outbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/identifier"
)

// Action is what happened to an account.
type Action string

// The actions of an account's history.
const (
	PasswordSet     Action = "PASSWORD_SET"
	PasswordReset   Action = "PASSWORD_RESET"
	MobileBound     Action = "MOBILE_BOUND"
	MobileChanged   Action = "MOBILE_CHANGED"
	Linked          Action = "LINKED"
	Unlinked        Action = "UNLINKED"
	MergedInto      Action = "MERGED_INTO"
	TookOver        Action = "TOOK_OVER"
	CancelRequested Action = "CANCEL_REQUESTED"
	CancelWithdrawn Action = "CANCEL_WITHDRAWN"
	CancelDone      Action = "CANCELLED"
	LevelChanged    Action = "LEVEL_CHANGED"
)

// notices are what the citizen is told of a change, wherever it was made; the
// others tell nothing.
var notices = map[Action][2]string{
	PasswordSet:     {"登录密码已修改", "您的登录密码刚刚被修改。如非本人操作，请立即用短信验证码登录并重设密码。"},
	PasswordReset:   {"登录密码已重设", "您的登录密码刚刚通过短信验证码重设。如非本人操作，请立即联系服务热线。"},
	MobileChanged:   {"手机号已更换", "您账户的手机号刚刚更换。如非本人操作，请立即联系服务热线。"},
	Linked:          {"已绑定第三方账户", "您的账户刚刚绑定了第三方账户，可用其登录。如非本人操作，请在“登录与安全”中解除绑定。"},
	Unlinked:        {"已解除第三方账户绑定", "您的账户刚刚解除了一个第三方账户的绑定。"},
	TookOver:        {"账户已合并", "另一个账户已并入您的账户，其第三方登录方式与通知已转移到本账户。"},
	CancelRequested: {"账户进入注销冷静期", "您的账户将在七天后注销，届时个人信息将被清除。七天内重新登录即可撤回。"},
	CancelWithdrawn: {"注销申请已撤回", "您已重新登录，账户注销申请已撤回。"},
}

// record writes a line of the account's history, its audit entry, its event
// platform.citizen.changed and the notice to the citizen, in the transaction of
// the change.
func (s *Service) record(ctx context.Context, tx sqlx.ExtContext, id string, action Action, detail string, at time.Time, after map[string]any) error {
	line, err := identifier.New()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO platform.citizen_history (id, citizen_id, at, action, client, detail) VALUES ($1, $2, $3, $4, $5, $6)`,
		line, id, at, action, access.RemoteOf(ctx).Client, detail)
	if err != nil {
		return fmt.Errorf("citizen: writing the history: %w", err)
	}
	audit.Change(ctx, audit.Target{Kind: "Citizen", ID: id}, nil, after)
	messages := []outbox.Message{{Subject: "platform.citizen.changed", Payload: map[string]string{"citizenId": id, "action": string(action)}}}
	if notice, ok := notices[action]; ok {
		messages = append(messages, Notice(line, id, notice[0], notice[1]))
	}
	return outbox.Append(ctx, tx, "platform", messages...)
}

// Notice asks for a notification about the citizen's account; the same request
// ID notifies once.
func Notice(requestID, citizenID, title, body string) outbox.Message {
	return LinkedNotice(requestID, citizenID, title, body, "security")
}

// LinkedNotice is Notice with another page to go to.
func LinkedNotice(requestID, citizenID, title, body, link string) outbox.Message {
	return outbox.Message{Subject: "platform.notification.requested", Payload: map[string]any{
		"requestId": requestID, "recipient": map[string]string{"citizenId": citizenID}, "topic": "account", "title": title, "body": body, "link": link}}
}
