package demonstration

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/platform/citizen"
	"github.com/citizencloud/citizencloud/subgraphs/platform/notification"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// levels are the assurance levels, the common ones more often.
var levels = []citizen.AssuranceLevel{citizen.L0, citizen.L1, citizen.L1, citizen.L2, citizen.L2, citizen.L2, citizen.L3}

func citizens(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, keys *personal.Keys) error {
	index := citizen.Indexer(keys)
	columns := []string{"id", "nickname", "mobile", "mobile_index", "area_code", "assurance_level", "registered_at", "updated_at"}
	return bulk(ctx, tx, "citizen", columns, func(add func(...any) error) error {
		for i := range cast.Citizens() {
			c := cast.Citizen(i)
			sealed, blind := citizen.Seal(keys, index, c.ID, c.Mobile)
			if err := add(c.ID, c.Name, sealed, blind, c.CommunityCode, string(levelOf(cast, i)), c.RegisteredAt, c.RegisteredAt); err != nil {
				return err
			}
		}
		return nil
	})
}

// notice is what a demonstration notification says.
type notice struct {
	topic             notification.Topic
	title, body, link string
}

var (
	forCitizens = []notice{
		{notification.Account, "欢迎使用市民云", "您的账户已开通，可在“我的”中完善资料。", "profile"},
		{notification.Activity, "社区活动开始报名", "您所在社区发布了新的活动，名额有限，欢迎参加。", "activities"},
		{notification.CityService, "服务上新", "医保、公积金等服务已支持掌上办理。", "services"},
		{notification.Feedback, "反馈进度提醒", "您关注的问题已有新的处理进展。", "feedback"},
	}
	forWorkers = []notice{
		{notification.System, "账户已开通", "您的工作台账户已开通，请妥善保管密码。", ""},
		{notification.Feedback, "待办提醒", "本社区有意见反馈等待受理，请及时处理。", "feedback"},
	}
)

// notified is how many citizens have notifications.
func notified(cast *demonstration.Cast) int { return cast.Citizens() / 10 }

func notifications(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	columns := []string{"id", "request_id", "recipient_kind", "recipient_id", "topic", "title", "body", "link", "created_at", "read_at"}
	return bulk(ctx, tx, "notification", columns, func(add func(...any) error) error {
		number := 0
		give := func(kind access.Kind, id string, notices []notice, key string) error {
			for i, n := range notices {
				at := cast.Anchor.Add(-time.Duration(len(notices)-i) * 20 * time.Hour)
				var read any
				if i == 0 || demonstration.Number("read:"+key, i)%3 == 0 {
					read = at.Add(time.Hour)
				}
				err := add(demonstration.ID("notification", number), demonstration.ID("notification request", number),
					string(kind), id, string(n.topic), n.title, n.body, n.link, at, read)
				if err != nil {
					return err
				}
				number++
			}
			return nil
		}
		for i := range notified(cast) {
			count := 1 + int(demonstration.Number("notices", i)%uint64(len(forCitizens)))
			id := cast.Citizen(i).ID
			if err := give(access.Citizen, id, forCitizens[:count], id); err != nil {
				return err
			}
		}
		for _, w := range staff(cast) {
			if division.LevelOf(w.AreaCode) == division.Community {
				if err := give(access.Worker, w.ID, forWorkers, w.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
