package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

// The areas whose boards are watched: a district's, and the city's, into which
// every case counts.
const (
	district = "510104000000"
	city     = "510100000000"
)

// within is how long a commit may take to reach the last subscriber before
// that one counts as lost.
const within = 10 * time.Second

// measureBoard lets so many big screens of an area's leader watch the board by
// server-sent events, all with one token, or each with a session of its own,
// and commits cases.
func measureBoard(ctx context.Context, s settings, d *deployment, report *report) error {
	report.heading("Board to "+fmt.Sprint(s.subscribers)+" subscribers, "+d.name, "board of", "sessions", "commits",
		"first ms (median)", "median subscriber ms (median)", "last ms (median)", "last ms (worst)",
		"event KB", "dropped", "goroutines: before", "watching", "citizencloud MB: before", "watching")
	for _, w := range []watched{{"district", district, 1}, {"district", district, s.subscribers}, {"city", city, s.subscribers}} {
		if err := measureFanOut(ctx, s, d, w, report); err != nil {
			return fmt.Errorf("board of the %s, %s, %d sessions: %w", w.name, d.name, w.sessions, err)
		}
	}
	return nil
}

// watched is a board, and by how many sessions of its leader.
type watched struct {
	name, area string
	sessions   int
}

// state is what the gateway holds at a moment.
type state struct {
	goroutines int
	memory     int64
}

func (d *deployment) state(ctx context.Context) (state, error) {
	goroutines, err := d.goroutines(ctx)
	if err != nil {
		return state{}, err
	}
	used, err := d.usage()
	return state{goroutines, used.memory}, err
}

func measureFanOut(ctx context.Context, s settings, d *deployment, w watched, report *report) error {
	before, err := d.state(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &audience{updates: make(chan update, 4*s.subscribers), totals: make([]int, s.subscribers)}
	defer a.left.Wait()
	defer cancel()
	if err := a.join(ctx, s, d, w); err != nil {
		return err
	}
	if err := a.wait(ctx, 1, time.Minute, nil); err != nil {
		return fmt.Errorf("the present state: %w", err)
	}
	watching, err := d.state(ctx)
	if err != nil {
		return err
	}
	commit, err := committer(s, d)
	if err != nil {
		return err
	}
	total := slices.Max(a.totals)
	var first, middle, last []time.Duration
	for n := range s.commits {
		took := make([]time.Duration, 0, s.subscribers)
		sent := time.Now()
		if err := commit(ctx, n); err != nil {
			return err
		}
		total++
		if err := a.wait(ctx, total, within, func(at time.Time) { took = append(took, at.Sub(sent)) }); err != nil {
			return fmt.Errorf("commit %d: %w", n+1, err)
		}
		slices.Sort(took)
		first, middle, last = append(first, took[0]), append(middle, quantile(took, .5)), append(last, took[len(took)-1])
	}
	median := func(values []time.Duration) string { slices.Sort(values); return milliseconds(quantile(values, .5)) }
	report.row(w.name, w.sessions, s.commits, median(first), median(middle), median(last), milliseconds(slices.Max(last)),
		fmt.Sprintf("%.1f", float64(a.size.Load())/1024), 0,
		before.goroutines, watching.goroutines, megabytes(before.memory), megabytes(watching.memory))
	return nil
}

// wait returns when every subscriber has the total or a later one; seen gets
// the moment for each. A subscriber that was dropped, or one that has it not in
// time, is an error.
func (a *audience) wait(ctx context.Context, total int, patience time.Duration, seen func(time.Time)) error {
	missing := 0
	for _, has := range a.totals {
		if has < total {
			missing++
		}
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for missing > 0 {
		select {
		case u := <-a.updates:
			if u.err != nil {
				return fmt.Errorf("subscriber %d was dropped: %w", u.subscriber, u.err)
			}
			if a.totals[u.subscriber] < total && u.total >= total {
				missing--
				if seen != nil {
					seen(u.at)
				}
			}
			a.totals[u.subscriber] = u.total
		case <-timer.C:
			return fmt.Errorf("%d of %d subscribers do not have the new state after %s", missing, len(a.totals), patience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// committer gives a function that commits one case into the district, each
// time another citizen's.
func committer(s settings, d *deployment) (func(context.Context, int) error, error) {
	signer, err := s.signer()
	if err != nil {
		return nil, err
	}
	cast := demonstration.New(s.scale, time.Now())
	client := transport(1)
	var communities []string
	for _, code := range cast.Communities() {
		if code[:6] == district[:6] {
			communities = append(communities, code)
		}
	}
	if len(communities) == 0 {
		return nil, errors.New("the district has no community")
	}
	return func(ctx context.Context, n int) error {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		// A citizen may submit only so many in a day, and the folder is kept.
		citizen := cast.Citizen(int(time.Now().UnixNano()/1000) % cast.Citizens())
		texts, err := tokens(signer, []demonstration.Citizen{citizen})
		if err != nil {
			return err
		}
		submit, err := newSender(client, d.url+"/graphql", mediaGraphQL, clientApp, "SubmitFeedback", map[string]any{"input": map[string]any{
			"areaId": communities[n%len(communities)], "class": "FACILITY", "title": "路灯不亮", "content": "小区东门外的路灯已经三天不亮，晚上行走不便。",
		}})
		if err != nil {
			return err
		}
		var answer bytes.Buffer
		if err := submit.read(ctx, texts[0], &answer); err != nil {
			return fmt.Errorf("committing a case: %w", err)
		}
		if bytes.Contains(answer.Bytes(), []byte(`"errors"`)) || !bytes.Contains(answer.Bytes(), []byte(`"number":"`)) {
			return fmt.Errorf("committing a case: %.300s", answer.Bytes())
		}
		return nil
	}, nil
}

// leaders signs tokens of the area's leader, in so many sessions.
func leaders(s settings, w watched) ([]string, error) {
	signer, err := s.signer()
	if err != nil {
		return nil, err
	}
	chief := demonstration.New(s.scale, time.Now()).Chief(w.area)
	principal := access.Principal{Kind: access.Worker, ID: chief.ID, Name: chief.Name, AreaCode: chief.AreaCode, UnitID: chief.UnitID, Client: clientScreen}
	for _, role := range chief.Roles {
		principal.Roles = append(principal.Roles, access.Role(role))
	}
	texts := make([]string, w.sessions)
	for i := range texts {
		principal.Session = fmt.Sprint("bench-", i)
		if texts[i], _, err = signer.Access(&principal); err != nil {
			return nil, err
		}
	}
	return texts, nil
}
