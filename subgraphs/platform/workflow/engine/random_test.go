package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// The place of the tests, and the streets and districts above.
const (
	here     = "510104017001"
	street   = "510104017000"
	district = "510104000000"
	city     = "510100000000"
)

var noon = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

// people are who holds which post; the IDs are their names.
var people = map[engine.Post][]string{
	{Role: access.CommunityWorker, Area: here}: {"ann", "bob"},
	{Role: access.Supervisor, Area: street}:    {"cid", "dan"},
	{Role: access.Supervisor, Area: district}:  {"eve"},
	{Role: access.Leader, Area: district}:      {"eve", "fay"},
	{Role: access.Leader, Area: city}:          {"gus"},
}

var everybody = []string{"ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida"}

// world is one that some have left.
func world(now time.Time, ids *int, gone ...string) engine.World {
	return engine.World{
		Now:     now,
		NewID:   func() string { *ids++; return fmt.Sprintf("task %d", *ids) },
		Holders: func(p engine.Post) []string { return without(people[p], gone) },
		Active:  func(id string) bool { return slices.Contains(without(everybody, gone), id) },
		Due:     func(days int) time.Time { return now.AddDate(0, 0, days) },
	}
}

func without(ids, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(gone, id) })
}

func actor(id string) engine.Actor {
	a := engine.Actor{Person: engine.Person{Kind: access.Worker, ID: id}}
	for post, holders := range people {
		if slices.Contains(holders, id) {
			a.Posts = append(a.Posts, post)
		}
	}
	return a
}

func pick[T any](t *rapid.T, label string, choices ...T) T {
	return choices[rapid.IntRange(0, len(choices)-1).Draw(t, label)]
}

// definitions draws a sound definition: its states in a row, with random ways
// back and forth, signing, seats and powers.
func definitions(t *rapid.T) *definition.Definition {
	n := rapid.IntRange(1, 5).Draw(t, "states")
	name := func(i int) string {
		if i == n {
			return "DONE"
		}
		return fmt.Sprintf("STATE_%d", i)
	}
	d := definition.Definition{Key: "random", Name: "随机流程", Module: definition.Approval, Link: "workflow/{instance}", Start: name(0),
		Starters:  []access.Role{access.CommunityWorker},
		Variables: []definition.Variable{{Name: "days", Label: "天数", Type: definition.Integer}, {Name: "signers", Label: "签署人", Type: definition.Workers}},
		Withdraw:  pick(t, "withdraw", definition.WithdrawNever, definition.WithdrawUntouched, definition.WithdrawAlways),
		Resubmit:  pick(t, "resubmit", definition.ResubmitStart, definition.ResubmitReturner)}
	for i := range n {
		s := definition.State{Name: name(i), Label: name(i), Kind: definition.KindTask, Sign: pick(t, "sign", definition.SignAny, definition.SignAll, definition.SignSequential),
			NotInitiator: rapid.Bool().Draw(t, "not initiator")}
		if rapid.Bool().Draw(t, "limit") {
			s.Workdays, s.Escalate = rapid.IntRange(1, 3).Draw(t, "workdays"), pick(t, "escalate", access.Supervisor, access.Leader)
		}
		for range rapid.IntRange(1, 3).Draw(t, "seats") {
			s.Seats = append(s.Seats, pick(t, "seat",
				definition.Seat{Role: access.CommunityWorker}, definition.Seat{Role: access.Supervisor, Level: "STREET", Each: true},
				definition.Seat{Role: access.Supervisor, Level: "STREET"}, definition.Seat{Role: access.Leader, Level: "DISTRICT"},
				definition.Seat{Variable: "signers", Role: access.Supervisor, Level: "DISTRICT"}))
		}
		for _, power := range definition.Powers {
			if rapid.Bool().Draw(t, power) {
				s.Allow = append(s.Allow, power)
			}
		}
		agree := definition.Action{Name: "AGREE", Label: "同意", Agrees: true, To: []definition.Branch{{To: name(i + 1)}}}
		if rapid.Bool().Draw(t, "branch") {
			agree.To = slices.Insert(agree.To, 0, definition.Branch{When: "days > 2", To: name(rapid.IntRange(0, n).Draw(t, "to"))})
		}
		s.Actions = append(s.Actions, agree)
		if rapid.Bool().Draw(t, "reject") {
			s.Actions = append(s.Actions, definition.Action{Name: "REJECT", Label: "不同意", Comment: true, To: []definition.Branch{{To: name(rapid.IntRange(0, n).Draw(t, "rejected to"))}}})
		}
		d.States = append(d.States, s)
	}
	d.States = append(d.States, definition.State{Name: "DONE", Label: "完成", Kind: definition.KindEnd, Outcome: "APPROVED"})
	body, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	parsed, problems := definition.Parse(body)
	if len(problems) > 0 {
		t.Fatalf("the drawn definition is not sound: %v\n%s", problems, body)
	}
	return parsed
}

// acts draws an act, sensible or not.
func acts(t *rapid.T, i engine.Instance, now time.Time, gone []string) engine.Act {
	act := engine.Act{
		Action: pick(t, "action", "AGREE", "AGREE", "AGREE", "REJECT", "NOTHING", engine.Sign, engine.Sign, engine.Transfer, engine.DelegateTask, engine.RevokeDelegate, engine.AddBefore,
			engine.AddAfter, engine.ReturnPrevious, engine.ReturnInitiator, engine.Resubmit, engine.Withdraw, engine.Urge, engine.Comment),
		Actor:   actor(pick(t, "actor", without(everybody, gone)...)),
		Target:  pick(t, "target", append(everybody, "", "nobody")...),
		Comment: pick(t, "comment", "", "意见"),
	}
	if rapid.Bool().Draw(t, "until") {
		until := now.Add(time.Duration(rapid.IntRange(-1, 100).Draw(t, "days")) * 24 * time.Hour)
		act.Until = &until
	}
	ids := []string{"no such task"}
	for _, task := range i.Tasks {
		ids = append(ids, task.ID, task.ID, task.ID)
	}
	act.TaskID = pick(t, "task", ids...)
	return act
}
