package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// published is the content of state.json.
type published struct {
	Pid int `json:"pid"`
	*State
}

func (s *State) publishedAt() string { return filepath.Join(s.Dir, "state.json") }

// publish tells further processes of this machine and user where the state is.
func (s *State) publish() error {
	content, err := json.MarshalIndent(published{os.Getpid(), s}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the addresses: %w", err)
	}
	if err := os.WriteFile(s.publishedAt()+".new", append(content, '\n'), 0o600); err != nil {
		return unwritable(s.Dir, err)
	}
	if err := os.Rename(s.publishedAt()+".new", s.publishedAt()); err != nil {
		return unwritable(s.Dir, err)
	}
	return nil
}

func (s *State) unpublish() { _ = os.Remove(s.publishedAt()) }

// attachPatience is how long a process waits for another that is just starting
// the state of the same folder.
const attachPatience = 90 * time.Second

// OpenOrAttach is Open for one of several processes over the same folder: the
// first one runs the state, the others use it. A process that attached owns
// nothing: its Close stops nothing, and its Ended delivers when the first ends,
// for the state went with that one.
func OpenOrAttach(ctx context.Context, settings Settings) (*State, error) {
	ctx, cancel := context.WithTimeout(ctx, attachPatience)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		state, err := Open(ctx, settings)
		if err == nil || !errors.Is(err, ErrInUse) {
			return state, err
		}
		if state, holder, ok := attach(settings); ok {
			if err := state.reach(ctx); err != nil {
				return nil, err
			}
			state.watch(holder)
			return state, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w; it did not say where its state is", err)
		case <-ticker.C:
		}
	}
}

// OpenAlone is OpenOrAttach for the process that serves the whole platform:
// only one a folder may; a second one hears ErrInUse at once. It may well use
// the state that the process of a subgraph opened before.
func OpenAlone(ctx context.Context, settings Settings) (*State, error) {
	if !settings.inside() {
		return Open(ctx, settings)
	}
	dir, err := filepath.Abs(settings.Dir)
	if err != nil {
		return nil, fmt.Errorf("the data folder %q has no absolute path: %w", settings.Dir, err)
	}
	alone, err := acquire(dir, serveLock)
	if err != nil {
		return nil, err
	}
	state, err := OpenOrAttach(ctx, settings)
	if err != nil {
		alone.release()
		return nil, err
	}
	// First in the list, so the last to close.
	release := closing{"serve lock", func(context.Context) error { alone.release(); return nil }}
	state.closes = append([]closing{release}, state.closes...)
	return state, nil
}

// attach reads the addresses that the holder of the folder's lock published.
// What settings give by URL goes before them.
func attach(settings Settings) (state *State, holder int, ok bool) {
	state, err := prepare(settings)
	if err != nil {
		return nil, 0, false
	}
	content, err := os.ReadFile(state.publishedAt())
	if err != nil {
		return nil, 0, false
	}
	found := published{State: &State{}}
	if err := json.Unmarshal(content, &found); err != nil {
		return nil, 0, false
	}
	// A killed process leaves its file; only the holder's own counts.
	if lockHolder(state.Dir) != found.Pid {
		return nil, 0, false
	}
	if settings.DatabaseURL == "" {
		state.DatabaseURL, state.DatabaseAppURL = found.DatabaseURL, found.DatabaseAppURL
	}
	for _, address := range []struct{ ours, theirs *string }{
		{&state.RedisURL, &found.RedisURL}, {&state.NatsURL, &found.NatsURL}, {&state.FilesURL, &found.FilesURL},
	} {
		if *address.ours == "" {
			*address.ours = *address.theirs
		}
	}
	return state, found.Pid, true
}

// lockHolder returns the process that took the folder's lock last, 0 for none.
func lockHolder(dir string) int {
	content, err := os.ReadFile(filepath.Join(dir, stateLock))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return pid
}

// watch looks once a second whether the process that runs the state is there.
// Taking the lock to find out would get into the way of the next one to start.
func (s *State) watch(holder int) {
	stop := make(chan struct{})
	s.onClose("watch", func(context.Context) error {
		close(stop)
		return nil
	})
	go func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
			if errors.Is(syscall.Kill(holder, 0), syscall.ESRCH) || lockHolder(s.Dir) != holder {
				s.ended <- fmt.Errorf("process %d, which ran the state of %s, has ended", holder, s.Dir)
				return
			}
		}
	}()
}
