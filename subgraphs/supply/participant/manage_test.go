package participant

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
)

// TestOneOfManyWins: twenty reviewers take the same application at once.
func TestOneOfManyWins(t *testing.T) {
	f := open(t)
	x := f.at(t, Applied)
	ctx := access.With(context.WithoutCancel(t.Context()), cityReviewer)
	var (
		group sync.WaitGroup
		won   atomic.Int64
	)
	for range 20 {
		group.Go(func() {
			switch _, err := f.Take(ctx, x.ID, x.Version); fault.CodeOf(err) {
			case "":
				won.Add(1)
			case fault.Conflict:
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d took it, want one", won.Load())
	}
	taken := *x
	taken.State, taken.Version = InReview, x.Version+1
	f.unchanged(t, &taken) // one line and one event more, no others
}

// TestWhoIsTold reads the notifications that an application's way asks for.
func TestWhoIsTold(t *testing.T) {
	f := open(t)
	f.at(t, Suspended)
	var told []string
	err := f.owner.Select(&told, `SELECT concat_ws(' ', payload #>> '{recipient,citizenId}', payload #>> '{recipient,areaCode}', payload #>> '{recipient,action}', payload ->> 'title', payload ->> 'body')
		FROM supply.outbox WHERE subject = 'supply.notification.requested' ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"510100000000 participant.review 有新的入驻信息待审核 成都暖心家政服务有限公司",
		owner.ID + " 入驻信息审核通过 成都暖心家政服务有限公司",
		owner.ID + " 入驻资格已暂停 成都暖心家政服务有限公司：说明",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	var ids int
	if err := f.owner.Get(&ids, `SELECT count(DISTINCT payload ->> 'requestId') FROM supply.outbox WHERE subject = 'supply.notification.requested'`); err != nil || ids != 3 {
		t.Errorf("%d request IDs, %v", ids, err)
	}
}
