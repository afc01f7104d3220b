package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// TestNoActLosesTheToken lets random people do random things to instances of
// random definitions, and looks at the instance after each.
func TestNoActLosesTheToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, ids, now := definitions(t), 0, noon
		var gone []string
		dropped := map[string]bool{} // tasks that ended because somebody left
		i := engine.Instance{ID: "instance", AreaCode: here, Initiator: engine.Person{Kind: access.Worker, ID: "ann"},
			Variables: map[string]any{"days": int64(rapid.IntRange(0, 4).Draw(t, "days")), "signers": pick(t, "signers", []string{}, []string{"hal"}, []string{"hal", "ida", "cid"})}}
		i, effects, err := engine.Begin(d, i, "", world(now, &ids, gone...))
		if err != nil {
			t.Fatal(err)
		}
		sound(t, d, &i, effects)
		for range rapid.IntRange(1, 40).Draw(t, "acts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "hours")) * time.Hour)
			if next, effects, called := engine.CheckTime(d, i, world(now, &ids, gone...)); called {
				sound(t, d, &next, effects)
				if _, _, again := engine.CheckTime(d, next, world(now, &ids, gone...)); again {
					t.Fatal("a time limit is taken twice")
				}
				i = next
			}
			if rapid.IntRange(0, 7).Draw(t, "leave") == 0 {
				i, gone = leave(t, d, i, now, &ids, gone, dropped)
			}
			if rapid.IntRange(0, 4).Draw(t, "look") == 0 {
				promised(t, d, i, now, &ids, gone)
			}
			act, before := acts(t, i, now, gone), i
			copied := deep(i)
			next, effects, err := engine.Step(d, i, act, world(now, &ids, gone...))
			if diff := cmp.Diff(copied, deep(before)); diff != "" {
				t.Fatalf("the step changed what it was given: %s", diff)
			}
			if err != nil {
				if code := fault.CodeOf(err); code != fault.Conflict && code != fault.Forbidden && code != fault.InvalidInput {
					t.Fatalf("refused with %v", err)
				}
				continue
			}
			if next.Version != i.Version+1 || len(effects.Lines) == 0 || effects.Lines[0].From != i.State {
				t.Fatalf("version %d after %d, lines %+v", next.Version, i.Version, effects.Lines)
			}
			sound(t, d, &next, effects)
			signedOff(t, d, &i, &next, act, dropped)
			next.Tasks = slices.DeleteFunc(next.Tasks, func(task engine.Task) bool { return task.Round != next.Round }) // as the store keeps them
			i = next
		}
	})
}

// leavers are those who may leave, one of each post at most.
var leavers = []string{"ann", "cid", "hal", "ida"}

// leave lets somebody leave, with a successor or without, and looks at what is
// left of them.
func leave(t *rapid.T, d *definition.Definition, i engine.Instance, now time.Time, ids *int, gone []string, dropped map[string]bool) (engine.Instance, []string) {
	from := pick(t, "leaver", leavers...)
	if slices.Contains(gone, from) {
		return i, gone
	}
	gone = append(slices.Clone(gone), from)
	successor := pick(t, "successor", append(everybody, "", "", "nobody")...)
	copied := deep(i)
	next, effects, moved, err := engine.HandOver(d, i, from, successor, world(now, ids, gone...))
	if diff := cmp.Diff(copied, deep(i)); diff != "" {
		t.Fatalf("the hand-over changed what it was given: %s", diff)
	}
	if err != nil {
		t.Fatalf("%s leaves to %q: %v", from, successor, err)
	}
	if !moved {
		next = i
	} else if sound(t, d, &next, effects); next.Version != i.Version+1 {
		t.Fatalf("version %d after %d", next.Version, i.Version)
	}
	for _, task := range next.Tasks {
		dropped[task.ID] = dropped[task.ID] || task.Status == engine.Cancelled
		if (task.Status == engine.Open || task.Status == engine.Waiting) && (task.WorkerID == from || task.DelegateID == from) {
			t.Fatalf("%s has left and holds %+v", from, task)
		}
	}
	if _, _, again, err := engine.HandOver(d, next, from, successor, world(now, ids, gone...)); again || err != nil {
		t.Fatalf("a second delivery changes something: %t %v", again, err)
	}
	if next.Round != i.Round { // what went on had its agreement
		agreed := false
		for _, task := range next.Tasks {
			agreed = agreed || task.Round == i.Round && task.Kind == engine.Seated && task.Status == engine.Done && task.Decision == "AGREE"
		}
		if !agreed {
			t.Fatalf("left %s by nobody's agreement when %s left", i.State, from)
		}
	}
	next.Tasks = slices.DeleteFunc(slices.Clone(next.Tasks), func(task engine.Task) bool { return task.Round != next.Round })
	return next, gone
}

// deep is the instance with copies of what it holds.
func deep(i engine.Instance) engine.Instance {
	i.Tasks, i.Trail = slices.Clone(i.Tasks), slices.Clone(i.Trail)
	return i
}

// sound checks what holds of each instance at each moment.
func sound(t *rapid.T, d *definition.Definition, i *engine.Instance, e engine.Effects) {
	open, waiting, seatedOpen := 0, 0, 0
	for _, task := range i.Tasks {
		live := task.Status == engine.Open || task.Status == engine.Waiting
		if live && (task.Round != i.Round || task.State != i.State) {
			t.Fatalf("a task of round %d in %s is %s, in round %d in %s", task.Round, task.State, task.Status, i.Round, i.State)
		}
		if task.WorkerID == "" && task.Post.Role == "" {
			t.Fatalf("nobody's task %+v", task)
		}
		if task.Status != engine.Open && task.CheckAt != nil || task.Status == engine.Done && task.DecidedBy == "" {
			t.Fatalf("task %+v", task)
		}
		switch task.Status {
		case engine.Open:
			open++
			if task.Kind == engine.Seated {
				seatedOpen++
			}
		case engine.Waiting:
			waiting++
		}
	}
	state := d.State(i.State)
	switch i.Status {
	case engine.Running:
		if open == 0 {
			t.Fatalf("the token is lost: running in %s, %d waiting", i.State, waiting)
		}
		if i.State != engine.AtInitiator && (state == nil || state.Kind == definition.KindEnd) {
			t.Fatalf("running in %q", i.State)
		}
		if state != nil && state.Sign == definition.SignSequential && seatedOpen > 1 {
			t.Fatalf("%d sign at once, one after the other", seatedOpen)
		}
	case engine.Ended:
		if open+waiting > 0 || state == nil || state.Kind != definition.KindEnd || i.Outcome != state.Outcome {
			t.Fatalf("ended in %q with %d tasks", i.State, open+waiting)
		}
	case engine.Withdrawn:
		if open+waiting > 0 {
			t.Fatalf("withdrawn with %d tasks", open+waiting)
		}
	default:
		t.Fatalf("status %q", i.Status)
	}
	for _, id := range e.Opened {
		if i.Task(id) == nil {
			t.Fatalf("%s was opened, and is not there", id)
		}
	}
}

// signedOff checks that an agreed state was left only with the signatures that
// it needs; but for those that ended because their worker left.
func signedOff(t *rapid.T, d *definition.Definition, before, after *engine.Instance, act engine.Act, dropped map[string]bool) {
	state := d.State(before.State)
	if state != nil && state.Sign == definition.SignAny && act.Action == "AGREE" && after.Round == before.Round {
		for _, task := range after.Tasks {
			if task.Kind == engine.Seated && task.Round == after.Round && (task.Status == engine.Open || task.Status == engine.Waiting) {
				t.Fatalf("one has signed %s for all, and %s is still %s", before.State, task.ID, task.Status)
			}
		}
	}
	if after.Round == before.Round || state == nil || act.Action != "AGREE" && act.Action != engine.Sign {
		return
	}
	agreed := 0
	for _, task := range after.Tasks {
		if task.Round != before.Round || dropped[task.ID] {
			continue
		}
		if task.Kind == engine.Seated && task.Status == engine.Done && task.Decision == "AGREE" {
			agreed++
			for _, added := range after.Tasks {
				if added.ParentID == task.ID && added.Status != engine.Done && !dropped[added.ID] {
					t.Fatalf("left %s while an added signer is %s", before.State, added.Status)
				}
			}
		} else if state.Sign != definition.SignAny && task.Status != engine.Done {
			t.Fatalf("left the joint state %s while %s of %s is %s", before.State, task.ID, task.WorkerID, task.Status)
		}
	}
	if agreed == 0 || state.Sign == definition.SignAny && agreed != 1 {
		t.Fatalf("left %s (%s) with %d agreements", before.State, state.Sign, agreed)
	}
}

// promised checks that what is shown as allowed is accepted, that nothing else
// is, and that somebody may do something.
func promised(t *rapid.T, d *definition.Definition, i engine.Instance, now time.Time, ids *int, gone []string) {
	if i.Status != engine.Running {
		return
	}
	anybody := false
	until := now.Add(time.Hour)
	for _, task := range i.Tasks {
		for _, id := range without(everybody, gone) {
			allowed := engine.Allowed(d, &i, &task, actor(id), now)
			anybody = anybody || len(allowed) > 0
			for _, action := range []string{"AGREE", "REJECT", engine.Sign, engine.Transfer, engine.DelegateTask, engine.RevokeDelegate, engine.AddBefore,
				engine.AddAfter, engine.ReturnPrevious, engine.ReturnInitiator, engine.Resubmit} {
				accepted, reason := false, error(nil)
				for _, target := range without(everybody, gone) { // some of them are at the table already
					_, _, err := engine.Step(d, i, engine.Act{Action: action, TaskID: task.ID, Actor: actor(id), Comment: "意见", Target: target, Until: &until}, world(now, ids, gone...))
					accepted, reason = accepted || err == nil, err
				}
				if accepted != slices.Contains(allowed, action) {
					t.Fatalf("%s may %v in %s; %s is accepted: %t (%v)", id, allowed, i.State, action, accepted, reason)
				}
			}
		}
	}
	if !anybody {
		t.Fatalf("nobody may do anything in %s: %+v", i.State, i.Tasks)
	}
}
