package demonstration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// told is the district whose messages the story has.
const told = "510104000000"

// wording is a template of the story.
type wording struct {
	key, name, class, title, body, variables, state, area string
	version                                               int
}

const where = `[{"name":"where","label":"地点","kind":"TEXT","maxLength":30},{"name":"from","label":"开始时间","kind":"TIME","maxLength":20}]`

// wordings are at the district, and at the first community: drafts, some in
// review, approved and retired ones.
func wordings(community string) []wording {
	return []wording{
		{"water-off", "停水通知", "COMMUNITY", "停水通知", "{{where}}将于{{from}}停水。", where, "RETIRED", told, 1},
		{"water-off", "停水通知", "COMMUNITY", "停水通知", "{{where}}将于{{from}}起停水，请提前储水。", where, "APPROVED", told, 2},
		{"activity-week", "活动周", "ACTIVITY", "社区活动周开始报名", "本周各社区都有活动，欢迎报名。", "[]", "APPROVED", told, 1},
		{"medical-fund", "医保缴费提醒", "AFFAIRS", "医保缴费提醒", "本年度居民医保开始缴费，可在市民云办理。", "[]", "SUBMITTED", told, 1},
		{"parking", "停车位登记", "COMMUNITY", "停车位登记", "小区停车位开始登记。", "[]", "DRAFT", community, 1},
		{"elder-visit", "走访通知", "COMMUNITY", "走访通知", "社区工作者本周上门走访。", "[]", "SUBMITTED", community, 1},
		{"meeting", "居民会议", "COMMUNITY", "居民会议", "本周六上午召开居民会议，欢迎参加。", "[]", "APPROVED", community, 1},
		{"clean-day", "清洁日", "COMMUNITY", "清洁日", "本周日为小区清洁日。", "[]", "APPROVED", community, 1},
	}
}

// messages writes templates, messages that were sent, wait and were called
// back, with what became of each delivery, and tags with who holds them.
func messages(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	if cast.Citizens() == 0 {
		return nil
	}
	community := cast.Communities()[0]
	author := func(area string) (by, reviewer string) {
		if area == told {
			return cast.Chief(told).ID, cast.Chief("510100000000").ID
		}
		return cast.CommunityWorker(area).ID, cast.Chief(area[:9] + "000").ID
	}
	for i, t := range wordings(community) {
		by, reviewer := author(t.area)
		at := cast.Anchor.AddDate(0, 0, -40+i)
		var submitted, reviewed, retired, reviewedBy any
		if t.state != "DRAFT" {
			submitted = at.Add(time.Hour)
		}
		if t.state == "APPROVED" || t.state == "RETIRED" {
			reviewed, reviewedBy = at.Add(26*time.Hour), reviewer
		}
		if t.state == "RETIRED" {
			retired = at.AddDate(0, 0, 9)
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.message_template (id, key, version, state, name, class, title, body, variables, area_code, prefix, created_by, created_at,
				submitted_at, reviewed_by, reviewed_at, retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			demonstration.ID("message template", i), t.key, t.version, t.state, t.name, t.class, t.title, t.body, t.variables, t.area, division.Prefix(t.area), by, at,
			submitted, reviewedBy, reviewed, retired)
		if err != nil {
			return fmt.Errorf("message templates: %w", err)
		}
	}
	if err := tags(ctx, tx, cast, community); err != nil {
		return err
	}
	return sendings(ctx, tx, cast, community)
}

// neighbours are the first citizens of the story who live below the area.
func neighbours(cast *demonstration.Cast, area string, most int) []demonstration.Citizen {
	var found []demonstration.Citizen
	for i := 0; i < min(cast.Citizens(), 5000) && len(found) < most; i++ {
		if c := cast.Citizen(i); strings.HasPrefix(c.CommunityCode, division.Prefix(area)) {
			found = append(found, c)
		}
	}
	return found
}

func tags(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, community string) error {
	for i, t := range []struct{ name, description, area, source string }{
		{"独居老人", "六十五岁以上、独自居住的居民", community, "入户走访"},
		{"新生儿家庭", "一年内有新生儿的家庭", community, "本人登记"},
		{"志愿者", "登记参加志愿服务的居民", told, "本人登记"},
	} {
		by := cast.CommunityWorker(community).ID
		if t.area == told {
			by = cast.Chief(told).ID
		}
		id := demonstration.ID("citizen tag", i)
		_, err := tx.ExecContext(ctx, `INSERT INTO platform.citizen_tag (id, name, description, area_code, prefix, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id, t.name, t.description, t.area, division.Prefix(t.area), by, cast.Anchor.AddDate(0, -2, 0))
		if err != nil {
			return fmt.Errorf("citizen tags: %w", err)
		}
		var people []string
		for n, c := range neighbours(cast, t.area, 40) {
			if n%3 == i%3 {
				people = append(people, c.ID)
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO platform.citizen_tag_holder (tag_id, citizen_id, area_code, source, expires_at, tagged_by, tagged_at)
			SELECT $1, unnest($2::uuid[]), $3, $4, $5, $6, $7`, id, pq.Array(people), t.area, t.source, cast.Anchor.AddDate(1, 0, 0), by, cast.Anchor.AddDate(0, -1, 0))
		if err != nil {
			return fmt.Errorf("citizen tags: holders: %w", err)
		}
	}
	return nil
}

// sending is a message of the story.
type sending struct {
	template            int
	area, state, reason string
	channels            []string
	days                int // from the anchor
	most                int // people
}

func sendings(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, community string) error {
	all := []sending{
		{2, told, "COMPLETED", "", []string{"IN_APP", "SMS"}, -5, 1000},
		{1, told, "COMPLETED", "", []string{"SMS"}, -3, 1000},
		{6, community, "COMPLETED", "", []string{"IN_APP"}, -2, 100},
		{7, community, "RECALLED", "日期有误", []string{"IN_APP", "SMS"}, -1, 100},
		{6, community, "SCHEDULED", "", []string{"IN_APP"}, 60, 0},
	}
	texts := wordings(community)
	number := 0
	for i, m := range all {
		t, by := texts[m.template], cast.CommunityWorker(community).ID
		if m.area == told {
			by = cast.Chief(told).ID
		}
		people := neighbours(cast, m.area, m.most)
		at := cast.Anchor.AddDate(0, 0, m.days)
		var recalled, recalledBy, completed any
		switch m.state {
		case "RECALLED":
			recalled, recalledBy = at.Add(time.Hour), by
		case "COMPLETED":
			completed = at.Add(20 * time.Minute)
		}
		id := demonstration.ID("message", i)
		body := strings.NewReplacer("{{where}}", "春熙路一带", "{{from}}", at.AddDate(0, 0, 1).Format("2006-01-02 15:04")).Replace(t.body)
		_, err := tx.ExecContext(ctx, `
			INSERT INTO platform.message (id, request_id, digest, template_id, class, title, body, channels, audience, area_code, state, send_at, stepped_at, people_count,
				sender_id, created_at, recalled_by, recalled_at, recall_reason, cleared_at, completed_at)
			VALUES ($1, $2, '', $3, $4, $5, $6, $7, 'AREA', $8, $9, $10, $10, $11, $12, $13, $14, $15, $16, $15, $17)`,
			id, demonstration.ID("message request", i), demonstration.ID("message template", m.template), t.class, t.title, body, pq.Array(m.channels), m.area, m.state, at,
			len(people), by, cast.Anchor.AddDate(0, 0, min(m.days, 0)), recalledBy, recalled, m.reason, completed)
		if err != nil {
			return fmt.Errorf("messages: %w", err)
		}
		if err := deliveries(ctx, tx, id, m, t, body, at, people, &number); err != nil {
			return err
		}
	}
	return nil
}

// deliveries are what became of a message: most arrived, some did not for each
// of the reasons, and of those within the platform many were read.
func deliveries(ctx context.Context, tx *sqlx.Tx, id string, m sending, t wording, body string, at time.Time, people []demonstration.Citizen, number *int) error {
	columns := []string{"id", "message_id", "channel", "class", "recipient_kind", "recipient_id", "area_code", "state", "reason", "urgent", "attempts", "provider", "created_at", "accepted_at", "finished_at", "clicked_at"}
	type placed struct {
		id, citizen string
		read        any
	}
	var inside []placed
	err := bulk(ctx, tx, "message_delivery", columns, func(add func(...any) error) error {
		for _, channel := range m.channels {
			for n, c := range people {
				*number++
				state, reason, provider, attempts := "DELIVERED", "", "", 1
				lot := demonstration.Number("delivery:"+id+channel, n) % 100
				switch {
				case m.state == "RECALLED":
					state, reason, attempts = "CANCELLED", "RECALLED", 0
				case t.class == "ACTIVITY" && lot < 6:
					state, reason, attempts = "CANCELLED", "OPTED_OUT", 0
				case channel == "SMS" && lot < 9:
					state, reason = "PERMANENT_FAILURE", "UNREACHABLE"
				case channel == "SMS" && lot < 11:
					state, reason = "UNKNOWN", "NO_RECEIPT"
				}
				if channel == "SMS" && attempts > 0 {
					provider = map[bool]string{true: "second", false: "first"}[lot%4 == 0]
				}
				var accepted, finished, clicked any
				if attempts > 0 {
					accepted, finished = at.Add(time.Minute), at.Add(2*time.Minute)
				}
				delivery := demonstration.ID("message delivery", *number)
				if channel == "IN_APP" && state == "DELIVERED" {
					p := placed{id: delivery, citizen: c.ID}
					if lot > 30 {
						p.read = at.Add(time.Duration(lot) * time.Minute)
					}
					if lot > 70 {
						clicked = p.read
					}
					inside = append(inside, p)
				}
				if err := add(delivery, id, channel, t.class, "citizen", c.ID, m.area, state, reason, false, attempts, provider, at, accepted, finished, clicked); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	topic := "SYSTEM"
	if t.class == "ACTIVITY" {
		topic = "ACTIVITY"
	}
	columns = []string{"id", "request_id", "recipient_kind", "recipient_id", "topic", "title", "body", "link", "created_at", "read_at"}
	return bulk(ctx, tx, "notification", columns, func(add func(...any) error) error {
		for _, p := range inside {
			if err := add(p.id, id, "citizen", p.citizen, topic, t.title, body, "", at, p.read); err != nil {
				return err
			}
		}
		return nil
	})
}
