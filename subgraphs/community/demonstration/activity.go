package demonstration

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/subgraphs/community/activity"
	"github.com/citizencloud/citizencloud/subgraphs/community/workday"
)

// perCommunity is how many activities each community has: two are over, one is
// a draft now and then, the others are to come.
const perCommunity = 5

var programmes = []struct{ title, summary, place string }{
	{"社区义诊", "邀请医院医生为居民测血压、血糖，解答健康问题。", "社区卫生服务站"},
	{"亲子阅读会", "和孩子一起读绘本，每个家庭可带两名儿童。", "社区图书室"},
	{"包饺子迎冬至", "邻里一起包饺子，食材由社区准备。", "社区活动室"},
	{"旧物交换集市", "把家里闲置的物品带来交换，让它们继续发挥作用。", "中心花园"},
	{"智能手机课堂", "志愿者手把手教老人使用手机办事、防诈骗。", "社区党群服务中心"},
	{"消防安全演练", "学习灭火器使用与逃生方法，现场实操。", "小区广场"},
	{"周末电影夜", "露天放映老电影，请自带小凳。", "小区广场"},
	{"阳台种菜交流会", "分享阳台种植经验，免费领取种子。", "社区共享菜园"},
	{"反诈骗宣讲", "民警讲解近期高发骗局与防范办法。", "社区活动室"},
	{"太极拳晨练", "老师带练二十四式太极拳，零基础可参加。", "滨河步道"},
}

type planned struct {
	activity.Activity
	number int
}

// plan gives activity number k of the community.
func plan(cast *demonstration.Cast, code string, community, k int) planned {
	number := community*perCommunity + k
	n := demonstration.Number("activity", number)
	programme := programmes[int(n%uint64(len(programmes)))]
	days := 3 + int(n>>8%26) // to come
	if k < 2 {
		days = -4 - int(n>>8%60) // over
	}
	start := workday.Start(cast.Anchor).AddDate(0, 0, days).Add(time.Duration(9+n>>16%10) * time.Hour)
	a := activity.Activity{
		ID: demonstration.ID("activity", number), AreaCode: code, Title: programme.title, Summary: programme.summary, Place: programme.place,
		StartsAt: start, EndsAt: start.Add(time.Duration(60+30*(n>>24%5)) * time.Minute), Capacity: 10 + 5*int(n>>32%7), State: activity.Published, Version: 2,
	}
	switch {
	case k < 2:
		a.State, a.Version = activity.Closed, 3
	case k == 4 && n>>40%4 == 0:
		a.State, a.Version = activity.Draft, 1
	}
	wanted := int(n >> 48 % uint64(a.Capacity+8)) // how many registered
	if a.State == activity.Draft {
		wanted = 0
	}
	a.RegisteredCount = min(wanted, a.Capacity)
	a.WaitlistedCount = wanted - a.RegisteredCount
	return planned{a, number}
}

// each goes through all activities, in order.
func each(cast *demonstration.Cast, do func(planned) error) error {
	for community, code := range cast.Communities() {
		for k := range perCommunity {
			if err := do(plan(cast, code, community, k)); err != nil {
				return err
			}
		}
	}
	return nil
}

func activities(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast) error {
	err := bulk(ctx, tx, "activity", []string{
		"id", "area_code", "title", "summary", "place", "starts_at", "ends_at", "capacity", "confirmed_count", "waitlisted_count", "state", "created_by", "created_at", "updated_at", "version",
	}, func(add func(...any) error) error {
		return each(cast, func(a planned) error {
			made := a.StartsAt.AddDate(0, 0, -45)
			return add(a.ID, a.AreaCode, a.Title, a.Summary, a.Place, a.StartsAt, a.EndsAt, a.Capacity, a.RegisteredCount, a.WaitlistedCount, string(a.State),
				cast.CommunityWorker(a.AreaCode).ID, made, made, a.Version)
		})
	})
	if err != nil {
		return err
	}
	return bulk(ctx, tx, "registration", []string{"id", "activity_id", "area_code", "citizen_id", "state", "registered_at", "updated_at"}, func(add func(...any) error) error {
		return each(cast, func(a planned) error {
			first := int(demonstration.Number("registration", a.number) % uint64(cast.Citizens()))
			for i := range a.RegisteredCount + a.WaitlistedCount {
				state := activity.Confirmed
				switch {
				case i >= a.RegisteredCount:
					state = activity.Waitlisted
				case a.State == activity.Closed && i%6 == 5:
					state = activity.Absent
				case a.State == activity.Closed:
					state = activity.Attended
				}
				at := a.StartsAt.AddDate(0, 0, -40).Add(time.Duration(i) * 37 * time.Minute)
				if err := add(demonstration.ID("registration", a.number*64+i), a.ID, a.AreaCode, cast.Citizen((first+i*7)%cast.Citizens()).ID, string(state), at, at); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
