package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

func TestQuantile(t *testing.T) {
	var values []time.Duration
	for i := range 100 {
		values = append(values, time.Duration(i+1))
	}
	for q, want := range map[float64]time.Duration{0: 1, .5: 50, .95: 95, .99: 99, 1: 100} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if got := quantile(values[:1], .99); got != 1 {
		t.Errorf("of one value: %d", got)
	}
	if got := quantile(nil, .5); got != 0 {
		t.Errorf("of none: %d", got)
	}
}

func TestClosedLoopCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var connected, flying, most atomic.Int64
		var seen [1000]atomic.Bool
		failure := errors.New("refused")
		r := closedLoop(t.Context(), 4, time.Second, func() asker {
			connected.Add(1)
			return func(_ context.Context, n int) error {
				if seen[n].Swap(true) {
					t.Errorf("request %d was sent twice", n)
				}
				most.Store(max(most.Load(), flying.Add(1)))
				defer flying.Add(-1)
				time.Sleep(100 * time.Millisecond)
				if n == 7 {
					return failure
				}
				return nil
			}
		})
		if connected.Load() != 4 || most.Load() != 4 {
			t.Errorf("%d askers, %d at a time; want 4", connected.Load(), most.Load())
		}
		if len(r.latencies) != 39 || r.errors != 1 || r.first != failure {
			t.Errorf("%d good ones, %d errors, %v; want 39, 1", len(r.latencies), r.errors, r.first)
		}
		if r.latencies[0] != 100*time.Millisecond || r.perSecond() != 39 {
			t.Errorf("latency %s, %v a second", r.latencies[0], r.perSecond())
		}
	})
}

const homeOf = `{"data":{"viewer":{"id":"me","nickname":"许海燕","unreadNotificationCount":0,"favouriteServices":[],"recommendedServices":[TILE],
	"area":{"id":"510104017001","activities":{"edges":[{"node":{"id":"a"}}]},"supermarket":{"edges":[]}}},"popularServices":[TILE]}}`

func TestHomeIsChecked(t *testing.T) {
	h := &home{}
	me := demonstration.Citizen{ID: "me", CommunityCode: "510104017001"}
	good := strings.ReplaceAll(homeOf, "TILE", `{"id":"s","code":"S001","name":"社保","category":{"id":"c","name":"社会保障"}}`)
	if err := h.check(me, []byte(good)); err != nil {
		t.Fatal(err)
	}
	if h.seen.activities.Load() != 1 || h.seen.favourites.Load() != 0 || h.seen.supermarket.Load() != 0 {
		t.Error("what was seen is not counted")
	}
	for name, change := range map[string][2]string{
		"another one":         {`"id":"me"`, `"id":"you"`},
		"nobody":              {`"viewer":{`, `"viewer":null,"other":{`},
		"another community":   {`"510104017001"`, `"510104017002"`},
		"a null":              {`"activities":{"edges":[{"node":{"id":"a"}}]}`, `"activities":null`},
		"no unread count":     {`"unreadNotificationCount":0`, `"unreadNotificationCount":null`},
		"no recommendations":  {`"recommendedServices":[{`, `"recommendedServices":[],"other":[{`},
		"an incomplete tile":  {`"name":"社保"`, `"name":""`},
		"a tile without kind": {`{"id":"c","name":"社会保障"}`, `null`},
		"an error":            {`"popularServices"`, `"errors":[{"message":"x"}],"popularServices"`},
		"errors":              {`{"data"`, `{"errors":[{"message":"x"}],"data"`},
		"a broken answer":     {`}}`, `}`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if err := h.check(me, []byte(bad)); (err == nil) != (name == "an error") { // in data it is a field like any other
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBoardsAreRead(t *testing.T) {
	board := `data: {"data":{"boardChanged":{"area":{"id":"1"},"totals":{"total":42,"open":1}}}}`
	stream := ":\n\nevent: next\n" + board + "\n\n:\n\nevent: next\n" + strings.Replace(board, "42", "43", 1) + "\n\n"
	var totals []int
	note := func(total, _ int) bool { totals = append(totals, total); return true }
	if err := boards(strings.NewReader(stream), note); err != errEnded {
		t.Errorf("ended with %v", err)
	}
	if !slices.Equal(totals, []int{42, 43}) {
		t.Errorf("totals %v", totals)
	}
	for _, bad := range []string{
		`data: {"data":null,"errors":[{"message":"接收过慢"}]}`, `data: {"data":{"boardChanged":null}}`, `data: {"data":{"totals":{"total":4`,
	} {
		if err := boards(strings.NewReader(bad+"\n\n"), note); err == nil || err == errEnded {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestProcessesAreRead(t *testing.T) {
	const line = "42 (post gres) S 7 42 42 0 -1 4194560 100 0 0 0 150 50 30 20 20 0 1 0 1000 200000 256 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0"
	p, ok := parseStat([]byte(line))
	if !ok || p.parent != 7 || p.command != "post gres" || p.own != 2*time.Second || p.children != 500*time.Millisecond || p.memory < 256*4096 {
		t.Errorf("%v %+v", ok, p)
	}
	if _, ok := parseStat([]byte("42 (x) S 7")); ok {
		t.Error("a line that is cut off is accepted")
	}
	all := map[int]seenProcess{7: {parent: 3}, 3: {parent: 1}}
	if !descends(all, p, 3) || descends(all, p, 42) {
		t.Error("ancestors are wrong")
	}
}

func TestGoBenchmarksAreRead(t *testing.T) {
	lines, err := readBenchmarks(strings.NewReader(`goos: linux
BenchmarkGateway/AppHome,_in_process-2     78    2.5 added-%    13104 gateway-µs
BenchmarkGateway/alone-2     200787     12284 ns/op     3624 B/op     25 allocs/op
PASS
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []benchmarkLine{
		{"AppHome, in process", 78, []string{"added-%", "gateway-µs"}, map[string]string{"added-%": "2.5", "gateway-µs": "13104"}},
		{"alone", 200787, []string{"ns/op", "B/op", "allocs/op"}, map[string]string{"ns/op": "12284", "B/op": "3624", "allocs/op": "25"}},
	}
	if diff := cmp.Diff(want, lines, cmp.AllowUnexported(benchmarkLine{})); diff != "" {
		t.Error(diff)
	}
	if got := unitsOf(lines); !slices.Equal(got, []string{"added-%", "gateway-µs", "ns/op", "B/op", "allocs/op"}) {
		t.Errorf("units %v", got)
	}
}

func TestSettingsAreBounded(t *testing.T) {
	for _, bad := range [][]string{{"-scale", "none"}, {"-subscribers", "100000"}, {"-citizens", "3"}, {"-only", "home,all"}, {"-duration", "1h"}, {"-commits", "0"}} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
	s, err := parse([]string{"-scale", "demo", "-only", "board"})
	if err != nil || s.folder != ".cache/bench-demo" || s.duration != 3*time.Second || !slices.Equal(s.only, []string{"board"}) {
		t.Errorf("%+v %v", s, err)
	}
}
