package limit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/embeddedtest"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
)

func TestManyAtOnceGetWhatTheRuleGives(t *testing.T) {
	_, client := embeddedtest.Redis(t)
	counter, rule := limit.Counter{Redis: client}, limit.Rule{Times: 7, Within: time.Minute}
	var granted atomic.Int64
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			wait, err := counter.Take(t.Context(), "k", rule)
			if err != nil {
				t.Error(err)
			}
			if wait == 0 {
				granted.Add(1)
			} else if wait > time.Minute || wait < 50*time.Second {
				t.Errorf("wait %v", wait)
			}
		})
	}
	group.Wait()
	if granted.Load() != 7 {
		t.Errorf("%d granted, want 7", granted.Load())
	}
	if wait, err := counter.Reached(t.Context(), "k", rule); err != nil || wait == 0 {
		t.Errorf("reached: %v %v", wait, err)
	}
	if wait, err := counter.Reached(t.Context(), "other", rule); err != nil || wait != 0 {
		t.Errorf("not reached: %v %v", wait, err)
	}
	// a key that lost its time gets one again, rather than lock for ever
	client.Persist(t.Context(), "k")
	if _, err := counter.Take(t.Context(), "k", rule); err != nil || client.PTTL(t.Context(), "k").Val() <= 0 {
		t.Errorf("no time: %v", err)
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"198.51.100.7": "198.51.100.7", "::ffff:198.51.100.7": "198.51.100.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
		"": "", "rubbish": "", "198.51.100.7:80": "",
	} {
		if got := limit.Network(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
