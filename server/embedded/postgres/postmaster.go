package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postmaster is what a cluster says of itself in postmaster.pid.
type postmaster struct {
	pid int
	// status is "starting", "ready", "standby" or "stopping".
	status string
}

// readPostmaster returns the live postmaster of a data folder. A file that a
// dead one left (a kill -9, a reboot) does not count, nor does a process that
// merely got the same number later: the postmaster's working folder is its data.
func readPostmaster(dir string) (postmaster, bool) {
	content, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return postmaster{}, false
	}
	lines := strings.Split(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 || !worksIn(pid, dir) {
		return postmaster{}, false
	}
	found := postmaster{pid: pid}
	// Line 8 of the file, see src/include/utils/pidfile.h of PostgreSQL.
	if len(lines) >= 8 {
		found.status = strings.TrimSpace(lines[7])
	}
	return found, true
}

// worksIn reports whether the process lives and has dir as its working folder.
func worksIn(pid int, dir string) bool {
	cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	data, err := os.Stat(dir)
	return err == nil && os.SameFile(cwd, data)
}

// settle waits until no postmaster of an earlier process serves dir. One that
// is stopping (its parent was killed a moment ago) gets the time it needs; one
// that goes on is an orphan and is asked to stop: the caller holds the lock of
// the data folder, so nobody else uses it.
func settle(ctx context.Context, dir string, patience time.Duration) error {
	began := time.Now()
	asked := false
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		found, alive := readPostmaster(dir)
		if !alive {
			return nil
		}
		waited := time.Since(began)
		if waited > time.Second && !asked && found.status != "stopping" {
			asked = true
			_ = syscall.Kill(found.pid, syscall.SIGINT)
		}
		if waited > patience {
			return fmt.Errorf("another PostgreSQL (process %d) still uses %s after %s", found.pid, dir, patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
