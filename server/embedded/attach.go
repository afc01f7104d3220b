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
// nothing: its Close stops nothing, and it loses the state when the first ends.
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
		if state, ok := attach(settings); ok {
			return state, state.reach(ctx)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w; it did not say where its state is", err)
		case <-ticker.C:
		}
	}
}

// attach reads the addresses that the holder of the folder's lock published.
// What settings give by URL goes before them.
func attach(settings Settings) (*State, bool) {
	state, err := prepare(settings)
	if err != nil {
		return nil, false
	}
	content, err := os.ReadFile(state.publishedAt())
	if err != nil {
		return nil, false
	}
	found := published{State: &State{}}
	if err := json.Unmarshal(content, &found); err != nil {
		return nil, false
	}
	// A killed process leaves its file; only the holder's own counts.
	holder, err := os.ReadFile(filepath.Join(state.Dir, "lock"))
	if err != nil || strings.TrimSpace(string(holder)) != strconv.Itoa(found.Pid) {
		return nil, false
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
	return state, true
}
