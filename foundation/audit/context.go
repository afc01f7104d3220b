package audit

import (
	"context"

	"github.com/citizencloud/citizencloud/foundation/access"
)

type recordingKey struct{}

func recordingOf(ctx context.Context) *recording {
	r, _ := ctx.Value(recordingKey{}).(*recording)
	return r
}

// Change tells what the running mutation changed on the target, inside of the
// transaction of the change. before and after are what an auditor needs to see
// of it, as any value that encodes to a JSON object; nil for what was not or is
// no more. Personal data must be masked already: numbers of phones and identity
// cards are masked once more, names cannot be told from other words. Outside of
// a mutation it does nothing.
func Change(ctx context.Context, target Target, before, after any) {
	if r := recordingOf(ctx); r != nil {
		r.change(Entry{Target: target, Before: encode(before), After: encode(after)})
	}
}

// For tells what for the running mutation is done, in the actor's own words.
func For(ctx context.Context, purpose string) {
	if r := recordingOf(ctx); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.record.Purpose = scrub(cut(purpose, maxText))
	}
}

// By tells who the actor turned out to be, where the mutation began with nobody
// signed in: signing in is recorded as the deed of who signed in.
func By(ctx context.Context, p *access.Principal) {
	if r := recordingOf(ctx); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.record.Actor = actorOf(p)
	}
}
