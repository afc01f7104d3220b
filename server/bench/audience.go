package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// audience are the subscribers of one board.
type audience struct {
	updates chan update
	totals  []int // what each has seen last; only the one who waits touches it
	size    atomic.Int64
	left    sync.WaitGroup
}

// update is a board that reached a subscriber, or the end of its stream.
type update struct {
	subscriber int
	total      int
	at         time.Time
	err        error
}

// join subscribes them all, a few at a time, each over a connection of its own.
func (a *audience) join(ctx context.Context, s settings, d *deployment, w watched) error {
	texts, err := leaders(s, w)
	if err != nil {
		return err
	}
	watch, err := newSender(transport(s.subscribers), d.url+"/graphql/stream", "text/event-stream", clientScreen, "BoardChanged", map[string]any{"areaId": w.area})
	if err != nil {
		return err
	}
	places := make(chan struct{}, 16)
	failed := make(chan error, s.subscribers)
	var joining sync.WaitGroup
	for i := range s.subscribers {
		places <- struct{}{}
		joining.Go(func() {
			defer func() { <-places }()
			response, err := watch.send(ctx, texts[i%len(texts)])
			if err == nil && (response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")) {
				text, _ := io.ReadAll(io.LimitReader(response.Body, 300))
				_ = response.Body.Close()
				err = fmt.Errorf("status %d: %s", response.StatusCode, text)
			}
			if err != nil {
				failed <- fmt.Errorf("subscriber %d: %w", i, err)
				return
			}
			a.left.Go(func() { a.read(ctx, i, response) })
		})
	}
	joining.Wait()
	close(failed)
	return <-failed
}

// read tells of every board that comes, until the stream ends.
func (a *audience) read(ctx context.Context, subscriber int, response *http.Response) {
	defer func() { _ = response.Body.Close() }()
	tell := func(u update) bool {
		u.subscriber = subscriber
		select {
		case a.updates <- u:
			return true
		case <-ctx.Done():
			return false
		}
	}
	err := boards(response.Body, func(total, size int) bool {
		a.size.Store(int64(size))
		return tell(update{total: total, at: time.Now()})
	})
	tell(update{err: err})
}

// errEnded says that a stream ended, which a board never does by itself.
var errEnded = errors.New("the stream ended")

// boards reads server-sent events and gives the total of each board, and the
// event's bytes, until seen says no.
func boards(stream io.Reader, seen func(total, size int) bool) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(make([]byte, 32<<10), most)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
		data = bytes.TrimSpace(data)
		if !ok || len(data) == 0 {
			continue // the event's name, the end of an event, a heartbeat
		}
		total, err := boardTotal(data)
		if err != nil {
			return err
		}
		if !seen(total, len(data)) {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errEnded
}

// boardTotal finds the number of cases in an answer of BoardChanged. It does
// not decode all of it: a thousand subscribers share the machine with the server.
func boardTotal(data []byte) (int, error) {
	if bytes.Contains(data, []byte(`"errors":`)) {
		return 0, fmt.Errorf("an event with errors: %.300s", data)
	}
	const before = `"totals":{"total":`
	start := bytes.Index(data, []byte(before))
	if start < 0 {
		return 0, fmt.Errorf("an event without a board: %.300s", data)
	}
	digits := data[start+len(before):]
	end := bytes.IndexByte(digits, ',')
	if end < 0 {
		return 0, fmt.Errorf("a board that is cut off: %.300s", data)
	}
	total, err := strconv.Atoi(string(digits[:end]))
	if err != nil {
		return 0, fmt.Errorf("a board without a total: %w", err)
	}
	return total, nil
}
