package pattern_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/citizencloud/citizencloud/foundation/pattern"
)

func TestPattern(t *testing.T) {
	p := pattern.New(`(a+)b`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !p.MatchString("xaab") || p.MatchString("b") {
				t.Error("it does not match as its text says")
			}
		})
	}
	all.Wait()
	if got := p.FindStringSubmatch("xaab"); len(got) != 2 || got[1] != "aa" {
		t.Errorf("%v", got)
	}
	if got := p.ReplaceAllString("aab ab", "$1"); got != "aa a" {
		t.Errorf("%q", got)
	}
	if got := p.ReplaceAllStringFunc("aab ab", strings.ToUpper); got != "AAB AB" {
		t.Errorf("%q", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a broken expression goes unnoticed")
		}
	}()
	pattern.New(`(`).MatchString("x")
}
