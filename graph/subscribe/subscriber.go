package subscribe

import (
	"context"
	"sync"
)

// Subscriber is one of a topic's subscribers.
type Subscriber struct {
	topic   *topic
	options Options
	wake    chan struct{} // holds a token when there is something to look at
	stop    func() bool

	mu    sync.Mutex
	queue []Event
	ended error
}

// push queues an event; false when the subscriber is dropped.
func (s *Subscriber) push(event Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return false
	}
	if len(s.queue) >= s.options.Queue {
		if !s.options.Latest {
			// What waits is of no use to one who is told to begin anew.
			s.queue, s.ended = nil, ErrSlow
			s.signal()
			return false
		}
		copy(s.queue, s.queue[1:])
		s.queue = s.queue[:len(s.queue)-1]
	}
	s.queue = append(s.queue, event)
	s.signal()
	return true
}

// end lets the subscriber end after what is queued.
func (s *Subscriber) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = err
	}
	s.signal()
}

func (s *Subscriber) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next waits for the next event. The error is what ended the topic (io.EOF in the normal case), ErrSlow, or ctx's.
func (s *Subscriber) Next(ctx context.Context) (Event, error) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			event := s.queue[0]
			copy(s.queue, s.queue[1:])
			s.queue[len(s.queue)-1] = Event{}
			s.queue = s.queue[:len(s.queue)-1]
			s.mu.Unlock()
			return event, nil
		}
		ended := s.ended
		s.mu.Unlock()
		if ended != nil {
			return Event{}, ended
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// Close leaves the topic; the last one to leave closes the upstream. It may be called more than once.
func (s *Subscriber) Close() {
	s.stop()
	s.leave()
}

func (s *Subscriber) leave() {
	s.end(context.Canceled)
	s.topic.leave(func() { delete(s.topic.subscribers, s) })
}
