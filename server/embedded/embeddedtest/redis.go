package embeddedtest

import (
	"context"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/child"
	"github.com/redis/go-redis/v9"
)

// Redis starts a real redis-server for this test, empty and without a file,
// and returns its URL and a client; both end with the test.
func Redis(t testing.TB) (url string, client *redis.Client) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("embeddedtest: redis-server is not installed: run `apt-get install redis-server` (or `make setup`)")
	}
	dir := folder(t)
	socket := filepath.Join(dir, "redis.sock")
	command := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	command.SysProcAttr = child.Attributes(syscall.SIGTERM)
	running, err := child.Start(command)
	if err != nil {
		t.Fatalf("embeddedtest: start redis-server: %v", err)
	}
	t.Cleanup(func() {
		running.Signal(syscall.SIGKILL)
		<-running.Done()
	})
	url = "unix://" + socket
	client = redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	t.Cleanup(func() { _ = client.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for client.Ping(ctx).Err() != nil {
		select {
		case <-running.Done():
			t.Fatalf("embeddedtest: redis-server ended: %v", running.Err())
		case <-ctx.Done():
			t.Fatal("embeddedtest: redis-server does not answer")
		case <-tick.C:
		}
	}
	return url, client
}
