package redis

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"
)

func start(t *testing.T, file string) (*Server, *client.Client) {
	t.Helper()
	server, err := Start(t.Context(), Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	options, err := client.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	connection := client.NewClient(options)
	t.Cleanup(func() { connection.Close() })
	return server, connection
}

func TestRestartKeepsWhatHasNotExpired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "redis.json")
	ctx := t.Context()
	server, redis := start(t, file)
	steps := []error{
		redis.Set(ctx, "session", "张三\x00\xff", time.Hour).Err(),
		redis.Set(ctx, "forever", "", 0).Err(),
		redis.RPush(ctx, "list", "a", "b").Err(),
		redis.SAdd(ctx, "set", "m").Err(),
		redis.HSet(ctx, "hash", "f", "v").Err(),
		redis.ZAdd(ctx, "sorted", client.Z{Score: 1.5, Member: "m"}).Err(),
	}
	for i, err := range steps {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	if err := server.Stop(ctx); err != nil {
		t.Fatal(err)
	}

	_, redis = start(t, file)
	if got := redis.Get(ctx, "session").Val(); got != "张三\x00\xff" {
		t.Errorf("session is %q", got)
	}
	if left := redis.TTL(ctx, "session").Val(); left < 59*time.Minute || left > time.Hour {
		t.Errorf("session lives for %s", left)
	}
	if n := redis.Exists(ctx, "forever", "list", "set", "hash", "sorted").Val(); n != 5 {
		t.Errorf("%d of 5 keys are back", n)
	}
	if got := redis.LRange(ctx, "list", 0, -1).Val(); strings.Join(got, "") != "ab" {
		t.Errorf("the list is %q", got)
	}
	if got := redis.ZScore(ctx, "sorted", "m").Val(); got != 1.5 {
		t.Errorf("the score is %v", got)
	}
}

func TestExpiredEntriesStayAway(t *testing.T) {
	file := filepath.Join(t.TempDir(), "redis.json")
	server, redis := start(t, file)
	if err := redis.Set(t.Context(), "code", "1234", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	if err := server.save(time.Now()); err != nil {
		t.Fatal(err)
	}
	server.redis.FlushAll()
	if err := server.load(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if redis.Exists(t.Context(), "code").Val() != 0 {
		t.Error("a code came back two minutes after its last minute")
	}
}

func TestTimeRunsByItself(t *testing.T) {
	_, redis := start(t, "")
	ctx := t.Context()
	if err := redis.Set(ctx, "short", "x", 5*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for redis.Exists(ctx, "short").Val() == 1 {
		if time.Now().After(deadline) {
			t.Fatal("the key outlives its time")
		}
	}
}

func TestPasswordIsAsked(t *testing.T) {
	server, _ := start(t, "")
	stranger := client.NewClient(&client.Options{Addr: server.redis.Addr()})
	defer stranger.Close()
	if err := stranger.Get(t.Context(), "x").Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
		t.Errorf("without a password: %v", err)
	}
}

func TestDamagedSnapshotIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "redis.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{File: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("the error is %v", err)
	}
}
