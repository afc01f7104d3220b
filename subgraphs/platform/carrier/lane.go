package carrier

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/citizencloud/citizencloud/subgraphs/platform/sms"
)

// lanes are one provider's slots: each holds one message that is being handed
// over. Mass messages may take all but the reserved ones, codes take any.
type lanes struct {
	all  chan struct{} // every message holds one
	bulk chan struct{} // mass messages hold one of these as well
}

func newLanes(slots, reserved int) *lanes {
	return &lanes{all: make(chan struct{}, slots), bulk: make(chan struct{}, slots-reserved)}
}

// mass waits for a slot that mass messages may take; done gives it back.
func (l *lanes) mass(ctx context.Context) (done func(), err error) {
	select {
	case l.bulk <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.all <- struct{}{} // never waits on mass messages: the reserved slots are beyond them
	return func() { <-l.all; <-l.bulk }, nil
}

// code waits for any slot, which only other codes can hold all of.
func (l *lanes) code(ctx context.Context) (done func(), err error) {
	select {
	case l.all <- struct{}{}:
		return func() { <-l.all }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Codes is the lane of one-time codes: an sms.Provider that hands each code
// over at once, and to the next provider when one does not take it. A code is
// not kept: who does not get it asks again.
type Codes struct{ Router *Router }

// Send implements sms.Provider.
func (c Codes) Send(ctx context.Context, m sms.Message) error {
	text := Text{Key: uuid.NewString(), Mobile: m.Mobile, Text: m.Text(), Code: m.Code, Scene: m.Scene}
	avoid := ""
	var last error
	for range c.Router.seats {
		s := c.Router.seat(c.Router.Choose(avoid))
		avoid = s.provider.Name()
		if last = c.try(ctx, s, text); last == nil {
			return nil
		}
		if r := Refused(last); r != nil && r.Permanent {
			break
		}
	}
	return fmt.Errorf("carrier: no provider takes the code: %w", last)
}

// codeTimeout is how long one provider may take for a code: whoever waits for
// it looks at a screen, and another provider needs time as well.
const codeTimeout = 4 * time.Second

func (c Codes) try(ctx context.Context, s *seat, text Text) error {
	ctx, cancel := context.WithTimeout(ctx, codeTimeout)
	defer cancel()
	done, err := s.lane.code(ctx)
	if err != nil {
		return err
	}
	defer done()
	_, err = c.Router.submit(ctx, s, text)
	return err
}
