package workflow

import (
	"fmt"
	"slices"
	"time"

	"github.com/citizencloud/citizencloud/subgraphs/platform/inbox"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/definition"
	"github.com/citizencloud/citizencloud/subgraphs/platform/workflow/engine"
)

// Play is an instance that lives in memory: demonstration data is played by the
// same engine, and then written in bulk.
type Play struct {
	Instance *WorkflowInstance
	Tasks    []*WorkflowTask
	Lines    []Played
	Entries  []inbox.Entry

	run   engine.Instance
	tasks map[string]int
}

// Played is a line of the history with its moment.
type Played struct {
	engine.Line
	At time.Time
}

// Begin begins the instance given, which carries what it is about.
func (p *Play) Begin(d *definition.Definition, w engine.World, comment string) error {
	i := p.Instance
	i.definition, i.Module, i.CreatedAt, i.Participants = d, d.Module, w.Now, []string{}
	values, err := d.Values(i.Variables, "variables")
	if err != nil {
		return err
	}
	run, effects, err := engine.Begin(d, engine.Instance{ID: i.ID, SubjectID: i.SubjectID, AreaCode: i.AreaCode, Initiator: i.initiator(), Variables: values}, comment, w)
	if err != nil {
		return err
	}
	return p.keep(run, effects, w.Now)
}

// Act takes the action on the first open task that is the actor's.
func (p *Play) Act(action string, actor engine.Actor, comment string, w engine.World) error {
	for _, t := range p.run.Tasks {
		if t.Status == engine.Open && t.Standing(actor, w.Now) != engine.Stranger {
			run, effects, err := engine.Step(p.Instance.definition, p.run, engine.Act{Action: action, TaskID: t.ID, Actor: actor, Comment: comment}, w)
			if err != nil {
				return err
			}
			return p.keep(run, effects, w.Now)
		}
	}
	return fmt.Errorf("workflow: %s has nothing to do in %s", actor.ID, p.run.State)
}

// keep takes over what saving writes, in memory.
func (p *Play) keep(run engine.Instance, effects engine.Effects, now time.Time) error {
	p.run = run
	i := p.Instance
	if err := i.take(run); err != nil {
		return err
	}
	i.UpdatedAt = now
	if i.Status != engine.Running {
		i.EndedAt = &now
	}
	if p.tasks == nil {
		p.tasks = map[string]int{}
	}
	for _, t := range run.Tasks {
		if at, known := p.tasks[t.ID]; known {
			p.Tasks[at] = stored(i.ID, t)
			continue
		}
		p.tasks[t.ID] = len(p.Tasks)
		p.Tasks = append(p.Tasks, stored(i.ID, t))
	}
	for _, line := range effects.Lines {
		p.Lines = append(p.Lines, Played{line, now})
	}
	p.Entries = slices.DeleteFunc(p.Entries, func(e inbox.Entry) bool { return e.List == inbox.Todo })
	for _, e := range (saving{w: &world{now: now}, i: i, after: run, effects: effects}).entries() {
		if !slices.Contains(i.Participants, e.Addressee) {
			i.Participants = append(i.Participants, e.Addressee)
		}
		same := func(other inbox.Entry) bool {
			return other.List == e.List && other.Addressee == e.Addressee && other.TaskID == e.TaskID
		}
		p.Entries = append(slices.DeleteFunc(p.Entries, same), e)
	}
	p.run.Tasks = slices.DeleteFunc(p.run.Tasks, func(t engine.Task) bool { return t.Round != run.Round })
	return nil
}

// Link is where a client goes for the instance.
func (p *Play) Link() string {
	return p.Instance.definition.LinkOf(p.Instance.ID, p.Instance.SubjectID)
}
