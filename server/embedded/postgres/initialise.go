package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/citizencloud/citizencloud/server/embedded/child"
	"github.com/lib/pq"
)

// initialise makes a new cluster. It works in a folder beside dir and renames
// at the end: a cluster that was cut off half-way is never taken for a whole one.
func initialise(ctx context.Context, programs binaries, as identity, dir string) error {
	building := dir + ".new"
	if err := os.RemoveAll(building); err != nil {
		return fmt.Errorf("postgres: clear %s: %w", building, err)
	}
	if err := os.MkdirAll(building, 0o700); err != nil {
		return fmt.Errorf("postgres: make %s: %w", building, err)
	}
	if err := as.own(building); err != nil {
		return fmt.Errorf("postgres: hand %s to %s: %w", building, as.name, err)
	}
	command := exec.CommandContext(ctx, programs.path("initdb"), "-D", building, "-U", OwnerRole,
		"-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	command.Dir = building
	command.Env = environment()
	command.SysProcAttr = as.attributes()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	running, err := child.Start(command)
	if err != nil {
		return fmt.Errorf("postgres: start initdb as %s: %w", as.name, err)
	}
	<-running.Done()
	if running.Err() != nil {
		_ = os.RemoveAll(building)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("postgres: initdb as %s could not make %s: %s", as.name, dir, lastOf(output.String()))
	}
	// An empty folder may be there already, made by whoever chose the place.
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("postgres: %s is neither empty nor a cluster: %w", dir, err)
	}
	if err := os.Rename(building, dir); err != nil {
		return fmt.Errorf("postgres: put the new cluster in place: %w", err)
	}
	return nil
}

// prepare makes the role of the running platform and lets it use what the owner
// makes, in every database that will be created here.
func (c *Cluster) prepare(ctx context.Context) error {
	db, err := sql.Open("postgres", c.URL("template1", OwnerRole))
	if err != nil {
		return fmt.Errorf("postgres: open: %w", err)
	}
	defer db.Close()
	return PrepareDatabase(ctx, db)
}

// EnsureDatabase makes the database unless it is there.
func (c *Cluster) EnsureDatabase(ctx context.Context, name string) error {
	db, err := sql.Open("postgres", c.URL("postgres", OwnerRole))
	if err != nil {
		return fmt.Errorf("postgres: open: %w", err)
	}
	defer db.Close()
	var exists bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists); err != nil {
		return fmt.Errorf("postgres: look for database %s: %w", name, err)
	}
	if exists {
		return nil
	}
	if _, err := db.ExecContext(ctx, `CREATE DATABASE `+pq.QuoteIdentifier(name)); err != nil {
		return fmt.Errorf("postgres: make database %s: %w", name, err)
	}
	return nil
}

// maxSocketPath is what fits into sockaddr_un with its terminating zero.
const maxSocketPath = 106

// prepareSocketDir returns the folder of the unix socket: beside the data, or,
// where that path is too long for the kernel, one under the system's temporary
// folder whose name follows from the data folder.
func prepareSocketDir(dir string, as identity) (string, error) {
	socketDir := filepath.Join(filepath.Dir(dir), "run")
	if len(filepath.Join(socketDir, ".s.PGSQL.5432.lock")) > maxSocketPath || strings.Contains(socketDir, ",") {
		sum := sha256.Sum256([]byte(dir))
		socketDir = filepath.Join(os.TempDir(), "citizencloud-"+hex.EncodeToString(sum[:6]))
	}
	if err := os.MkdirAll(socketDir, 0o700); err != nil {
		return "", fmt.Errorf("postgres: make the socket folder: %w", err)
	}
	// Whoever may enter may connect without a password, so a folder that was
	// there before must not be wider, nor belong to somebody else: the name of
	// the one in the temporary folder can be guessed.
	info, err := os.Lstat(socketDir)
	if err != nil {
		return "", fmt.Errorf("postgres: look at the socket folder: %w", err)
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !known || int(owner.Uid) != os.Geteuid() && int(owner.Uid) != as.uid {
		return "", fmt.Errorf("postgres: %s belongs to somebody else; remove it, or give a data folder with a shorter path", socketDir)
	}
	if err := os.Chmod(socketDir, 0o700); err != nil {
		return "", fmt.Errorf("postgres: close the socket folder: %w", err)
	}
	if err := as.own(socketDir); err != nil {
		return "", fmt.Errorf("postgres: hand the socket folder to %s: %w", as.name, err)
	}
	return socketDir, nil
}

// environment is a small one: PGDATA or PGPORT of the caller must not leak in.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=/nonexistent", "LD_LIBRARY_PATH=" + os.Getenv("LD_LIBRARY_PATH")}
}

// openLog opens the cluster's own log; one that grew beyond 16 MiB starts anew.
func openLog(path string, as identity) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > 16<<20 {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("postgres: turn the log over: %w", err)
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("postgres: open the log: %w", err)
	}
	if as.uid >= 0 {
		_ = file.Chown(as.uid, as.gid)
	}
	return file, nil
}

// lastLine returns what the log says last, from offset on.
func lastLine(log *os.File, offset int64) string {
	content, err := io.ReadAll(io.NewSectionReader(log, offset, 1<<20))
	if err != nil {
		return err.Error()
	}
	return lastOf(string(content))
}

// lastOf returns the last line of a program's output that says something,
// preferring one that names an error.
func lastOf(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.Contains(lines[i], "FATAL") || strings.Contains(lines[i], "error:") {
			return strings.TrimSpace(lines[i])
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}
