package demonstration

import (
	"context"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
	"github.com/citizencloud/citizencloud/foundation/division"
	"github.com/citizencloud/citizencloud/foundation/workday"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// workflowTables are those of the workflows; they are filled by COPY too.
var workflowTables = []string{"workflow_instance", "workflow_task", "workflow_history", "inbox_item"}

// request is something that community workers ask for.
type request struct {
	definition, title, variables string
	// decide are the actions that were taken on it, each by the level of who took it.
	decide []decision
}

type decision struct {
	action, comment string
	level           division.Level
}

var requests = []request{
	{"general-approval", "社区活动用印申请", `{"kind": "SEAL", "reason": "邻里节活动合作协议盖章"}`, nil},
	{"general-approval", "年休假申请", `{"kind": "LEAVE", "days": 5, "reason": "年休假"}`, []decision{{"APPROVE", "同意，请安排好值守", division.Street}}},
	{"purchase", "采购便民服务点桌椅", `{"subject": "桌椅二十套", "amountFen": 1860000}`, []decision{{"APPROVE", "情况属实", division.Street}, {"AGREE", "同意", division.District}}},
	{"general-approval", "证明材料用印", `{"kind": "SEAL", "reason": "居住情况说明盖章"}`, []decision{{"APPROVE", "同意", division.Street}}},
	{"purchase", "采购办公耗材", `{"subject": "打印纸和墨盒", "amountFen": 120000}`, []decision{{"REJECT", "库存尚足，暂缓采购", division.Street}}},
}

// workflows lets each community ask for some things; most are under way.
func workflows(ctx context.Context, tx *sqlx.Tx, cast *demonstration.Cast, _ *personal.Keys) error {
	if cast.Scale == demonstration.None {
		return nil
	}
	if err := workflow.Install(ctx, tx, cast.Anchor); err != nil {
		return err
	}
	var days []struct {
		Day  string `db:"day"`
		Work bool   `db:"work"`
	}
	if err := tx.SelectContext(ctx, &days, `SELECT to_char(day, 'YYYY-MM-DD') AS day, work FROM platform.workday`); err != nil {
		return err
	}
	departures := map[string]bool{}
	for _, d := range days {
		departures[d.Day] = d.Work
	}
	plays, err := play(cast, workday.New(departures))
	if err != nil {
		return err
	}
	return writePlays(ctx, tx, plays)
}

// play plays all requests of all communities.
func play(cast *demonstration.Cast, calendar workday.Calendar) ([]*workflow.Play, error) {
	builtins, err := definition.Builtins()
	if err != nil {
		return nil, err
	}
	definitions := map[string]*definition.Definition{}
	for _, b := range builtins {
		definitions[b.Key] = b.Definition
	}
	ids := 0
	world := func(now time.Time) engine.World {
		return engine.World{Now: now, NewID: func() string { ids++; return demonstration.ID("workflow task", ids) },
			Holders: func(p engine.Post) []string { return holders(cast, p) }, Active: func(string) bool { return true },
			Due: func(n int) time.Time { return calendar.Add(now, n) }}
	}
	var plays []*workflow.Play
	for c, code := range cast.Communities() {
		for r, asked := range requests {
			number := c*len(requests) + r
			// in the last day, but for one in ten that lies too long
			now := cast.Anchor.Add(-time.Duration(6+demonstration.Number("workflow", number)%18) * time.Hour)
			if demonstration.Number("workflow late", number)%10 == 0 {
				now = now.AddDate(0, 0, -9)
			}
			asker := cast.CommunityWorker(code)
			p := &workflow.Play{Instance: &workflow.WorkflowInstance{ID: demonstration.ID("workflow", number), DefinitionKey: asked.definition, DefinitionVersion: 1,
				Title: asked.title, AreaCode: code, InitiatorKind: access.Worker, InitiatorID: asker.ID, Variables: asked.variables}}
			if err := p.Begin(definitions[asked.definition], world(now), ""); err != nil {
				return nil, err
			}
			for n, d := range asked.decide {
				at := now.Add(time.Duration(n+1) * 2 * time.Hour)
				if err := p.Act(d.action, actor(cast, definition.AreaAt(code, d.level)), d.comment, world(at)); err != nil {
					return nil, err
				}
			}
			plays = append(plays, p)
		}
	}
	return plays, nil
}

// holders are who holds the post in the story.
func holders(cast *demonstration.Cast, p engine.Post) []string {
	w := at(cast, p.Area)
	for _, role := range w.Roles {
		if role == string(p.Role) {
			return []string{w.ID}
		}
	}
	return nil
}

func at(cast *demonstration.Cast, code string) demonstration.Worker {
	if division.LevelOf(code) == division.Community {
		return cast.CommunityWorker(code)
	}
	return cast.Chief(code)
}

func actor(cast *demonstration.Cast, code string) engine.Actor {
	w := at(cast, code)
	a := engine.Actor{Person: engine.Person{Kind: access.Worker, ID: w.ID}}
	for _, role := range w.Roles {
		a.Posts = append(a.Posts, engine.Post{Role: access.Role(role), Area: code})
	}
	return a
}

func writePlays(ctx context.Context, tx *sqlx.Tx, plays []*workflow.Play) error {
	columns := []string{"id", "definition_key", "definition_version", "module", "title", "area_code", "state", "status", "outcome", "initiator_kind", "initiator_id", "variables",
		"trail", "decided", "round", "participants", "due_at", "created_at", "updated_at", "ended_at", "version"}
	err := bulk(ctx, tx, "workflow_instance", columns, func(add func(...any) error) error {
		for _, p := range plays {
			i := p.Instance
			if err := add(i.ID, i.DefinitionKey, i.DefinitionVersion, string(i.Module), i.Title, i.AreaCode, i.State, string(i.Status), i.Outcome, string(i.InitiatorKind), i.InitiatorID,
				i.Variables, pq.Array([]string(i.Trail)), i.Decided, i.Round, pq.Array([]string(i.Participants)), i.DueAt, i.CreatedAt, i.UpdatedAt, i.EndedAt, i.Version); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	columns = []string{"id", "instance_id", "round", "state", "seq", "kind", "status", "role", "role_area", "opened_at", "due_at", "check_at", "decided_at", "decided_by", "decision"}
	err = bulk(ctx, tx, "workflow_task", columns, func(add func(...any) error) error {
		for _, p := range plays {
			for _, t := range p.Tasks {
				if err := add(t.ID, t.InstanceID, t.Round, t.State, t.Seq, string(t.Kind), string(t.Status), string(t.Role), t.RoleArea, t.OpenedAt, t.DueAt, t.CheckAt, t.DecidedAt, t.DecidedBy, t.Decision); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	columns = []string{"id", "instance_id", "seq", "at", "action", "from_state", "to_state", "actor_kind", "actor_id", "for_id", "task_id", "comment"}
	number := 0
	err = bulk(ctx, tx, "workflow_history", columns, func(add func(...any) error) error {
		for _, p := range plays {
			for n, l := range p.Lines {
				number++
				if err := add(demonstration.ID("workflow history", number), p.Instance.ID, n+1, l.At, l.Action, l.From, l.To, string(l.Actor.Kind), l.Actor.ID, l.For, orNull(l.TaskID), l.Comment); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writeItems(ctx, tx, plays)
}

func writeItems(ctx context.Context, tx *sqlx.Tx, plays []*workflow.Play) error {
	columns := []string{"id", "addressee", "list", "instance_id", "task_id", "module", "title", "label", "link", "area_code", "at", "due_at", "scope_area"}
	number := 0
	return bulk(ctx, tx, "inbox_item", columns, func(add func(...any) error) error {
		for _, p := range plays {
			i := p.Instance
			for _, e := range p.Entries {
				number++
				var due any = "infinity"
				if e.DueAt != nil {
					due = *e.DueAt
				}
				scope := ""
				if strings.HasPrefix(e.Addressee, "r:") {
					scope = e.Addressee[strings.LastIndexByte(e.Addressee, ':')+1:]
				}
				if err := add(demonstration.ID("inbox", number), e.Addressee, string(e.List), i.ID, orNull(e.TaskID), string(i.Module), i.Title, i.StateLabel(), p.Link(), i.AreaCode, e.At, due, scope); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
