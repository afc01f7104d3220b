package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/child"
)

// The two roles of a cluster. Migrations run as the owner; everything that
// serves a request connects as the app role, which row-level security binds.
const (
	OwnerRole = "citizencloud"
	AppRole   = "citizencloud_app"
)

const (
	startPatience = 60 * time.Second
	stopPatience  = 30 * time.Second
)

// Options say where the cluster lives and how careful it is.
type Options struct {
	// Dir is the data folder; it is made when missing.
	Dir string
	// Durable keeps fsync on. Tests leave it off and win much time.
	Durable bool
	// Log gets one line at start and stop; nil is silence.
	Log *slog.Logger
}

// Cluster is a running PostgreSQL, child of this process.
type Cluster struct {
	dir       string
	socketDir string
	child     *child.Child
	log       *slog.Logger
}

// Start makes the cluster when Dir is empty, waits for one that an earlier
// process left stopping, starts PostgreSQL and returns when it answers. The
// errors are single sentences; *MissingError says that nothing is installed.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("postgres: data folder %q: %w", options.Dir, err)
	}
	major, err := dataVersion(dir)
	if err != nil {
		return nil, err
	}
	programs, err := findBinaries(major)
	if err != nil {
		return nil, err
	}
	as, err := chooseIdentity(programs)
	if err != nil {
		return nil, err
	}
	if err := as.admit(dir); err != nil {
		return nil, err
	}
	return startAs(ctx, programs, as, dir, options)
}

func startAs(ctx context.Context, programs binaries, as identity, dir string, options Options) (*Cluster, error) {
	log := options.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	began := time.Now()
	if major, err := dataVersion(dir); err != nil {
		return nil, err
	} else if major == 0 {
		if err := initialise(ctx, programs, as, dir); err != nil {
			return nil, err
		}
	}
	if err := settle(ctx, dir, startPatience); err != nil {
		return nil, err
	}
	socketDir, err := prepareSocketDir(dir, as)
	if err != nil {
		return nil, err
	}
	cluster := &Cluster{dir: dir, socketDir: socketDir, log: log}
	if err := cluster.launch(ctx, programs, as, options.Durable); err != nil {
		return nil, err
	}
	if err := cluster.prepare(ctx); err != nil {
		return nil, errors.Join(err, cluster.Stop(context.WithoutCancel(ctx)))
	}
	log.Info("postgres started", "version", programs.major, "as", as.name, "took", time.Since(began).Round(time.Millisecond))
	return cluster, nil
}

// URL returns the address of a database for a role, for lib/pq and libpq alike.
func (c *Cluster) URL(database, role string) string {
	query := url.Values{"host": {c.socketDir}, "sslmode": {"disable"}}
	address := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: query.Encode()}
	return address.String()
}

// Pid returns the process number of the postmaster.
func (c *Cluster) Pid() int { return c.child.Pid() }

// Done is closed when PostgreSQL has ended, by Stop or by itself.
func (c *Cluster) Done() <-chan struct{} { return c.child.Done() }

// Stop asks for a fast shutdown (open transactions roll back, everything
// committed is on disk) and waits for it; when ctx or half a minute ends
// first, an immediate shutdown follows, from which the next start recovers.
func (c *Cluster) Stop(ctx context.Context) error {
	c.child.Signal(syscall.SIGINT)
	patience := time.NewTimer(stopPatience)
	defer patience.Stop()
	select {
	case <-c.child.Done():
	case <-ctx.Done():
	case <-patience.C:
	}
	select {
	case <-c.child.Done():
		_ = os.Remove(c.socketDir) // empty now; the next start makes it anew
		c.log.Info("postgres stopped")
		return nil
	default:
	}
	c.child.Signal(syscall.SIGQUIT)
	select {
	case <-c.child.Done():
	case <-time.After(5 * time.Second):
		c.child.Signal(syscall.SIGKILL)
		<-c.child.Done()
	}
	return fmt.Errorf("postgres: did not stop in time and was cut off")
}

// launch starts the postmaster and returns when it accepts connections.
func (c *Cluster) launch(ctx context.Context, programs binaries, as identity, durable bool) error {
	logFile, err := openLog(filepath.Join(c.dir, "server.log"), as)
	if err != nil {
		return err
	}
	defer logFile.Close()
	offset, _ := logFile.Seek(0, io.SeekEnd)

	command := exec.Command(programs.path("postgres"), c.arguments(durable)...)
	command.Dir = c.dir
	command.Env = environment()
	command.Stdout, command.Stderr = logFile, logFile
	command.SysProcAttr = as.attributes()
	if c.child, err = child.Start(command); err != nil {
		return fmt.Errorf("postgres: start %s: %w", command.Path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		if found, alive := readPostmaster(c.dir); alive && found.pid == c.child.Pid() && found.status == "ready" {
			return nil
		}
		select {
		case <-c.child.Done():
			return fmt.Errorf("postgres: ended while starting: %s", lastLine(logFile, offset))
		case <-ctx.Done():
			_ = c.Stop(context.WithoutCancel(ctx))
			return fmt.Errorf("postgres: not ready: %w (%s)", ctx.Err(), lastLine(logFile, offset))
		case <-ticker.C:
		}
	}
}

func (c *Cluster) arguments(durable bool) []string {
	settings := []string{
		"listen_addresses=",
		"unix_socket_directories=" + c.socketDir,
		"unix_socket_permissions=0700",
		"port=5432",
		// Five processes (the gateway and each subgraph on its own) of 40 each,
		// their listeners, and some to look inside.
		"max_connections=300",
		"shared_buffers=256MB",
		"effective_cache_size=1GB",
		"work_mem=8MB",
		"maintenance_work_mem=128MB",
		"max_wal_size=2GB",
		"random_page_cost=1.1",
		// Plans of this workload are short; compiling them costs more than it gives.
		"jit=off",
		"timezone=UTC",
		"log_timezone=UTC",
		"log_min_messages=warning",
		"log_min_duration_statement=2s",
		// A statement that everyone has given up on does not hold its locks for ever.
		"idle_in_transaction_session_timeout=5min",
	}
	if !durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"shared_buffers=64MB", "autovacuum_naptime=1h", "wal_level=minimal", "max_wal_senders=0")
	}
	arguments := []string{"-D", c.dir}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	return arguments
}

// dataVersion returns the major version that made the data, 0 for none yet.
func dataVersion(dir string) (int, error) {
	content, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("postgres: data folder %s cannot be read: %w", dir, err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("postgres: data folder %s: PG_VERSION holds %q", dir, content)
	}
	return major, nil
}
