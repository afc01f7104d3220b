package embeddedtest

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/postgres"
)

// ExternalVariable names the environment variable that holds the owner's URL
// of a cluster which the tests shall use instead of starting their own.
const ExternalVariable = "CITIZENCLOUD_TEST_DATABASE_URL"

// addresses make URLs of databases in the cluster of this test binary.
type addresses struct {
	owner, app func(database string) string
}

var cluster = sync.OnceValues(startCluster)

func startCluster() (addresses, error) {
	if external := os.Getenv(ExternalVariable); external != "" {
		return externalCluster(external)
	}
	dir, err := scratch()
	if err != nil {
		return addresses{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	running, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(dir.path, "postgres")})
	if err != nil {
		return addresses{}, err
	}
	return addresses{
		owner: func(database string) string { return running.URL(database, postgres.OwnerRole) },
		app:   func(database string) string { return running.URL(database, postgres.AppRole) },
	}, nil
}

func externalCluster(owner string) (addresses, error) {
	address, err := url.Parse(owner)
	if err != nil {
		return addresses{}, fmt.Errorf("%s is not a URL", ExternalVariable)
	}
	named := func(database string) string {
		other := *address
		other.Path = "/" + database
		return other.String()
	}
	return addresses{
		owner: named,
		app: func(database string) string {
			app, err := postgres.AsApp(named(database))
			if err != nil {
				panic(err) // it parsed a moment ago
			}
			return app
		},
	}, nil
}

// scratchFolder is the folder of this test binary. The pipe is held so that the
// collector does not close it.
type scratchFolder struct {
	path string
	pipe io.WriteCloser
}

// scratch returns the folder of this test binary. A small shell, which waits
// for the end of our side of a pipe, removes it when we are gone and PostgreSQL
// (which gets its own signal from the kernel) has stopped: a test binary has no
// other hook that also runs after a panic or a kill -9.
var scratch = sync.OnceValues(func() (scratchFolder, error) {
	dir, err := os.MkdirTemp("", "citizencloud-test-")
	if err != nil {
		return scratchFolder{}, fmt.Errorf("make a folder for the test: %w", err)
	}
	const script = `cat >/dev/null
i=0; while [ -e "$1/postgres/postmaster.pid" ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done
rm -rf "$1"`
	sweeper := exec.Command("sh", "-c", script, "sweeper", dir)
	sweeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ours, err := sweeper.StdinPipe()
	if err != nil {
		return scratchFolder{}, fmt.Errorf("make a pipe to the sweeper: %w", err)
	}
	if err := sweeper.Start(); err != nil {
		return scratchFolder{}, fmt.Errorf("start the sweeper: %w", err)
	}
	return scratchFolder{dir, ours}, nil
})

// folder returns an own folder for one test, removed when it ends.
func folder(t testing.TB) string {
	t.Helper()
	// Not t.TempDir: the path of a unix socket must stay short.
	base, err := scratch()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(base.path, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
