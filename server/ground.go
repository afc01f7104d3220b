package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/event"
	"github.com/citizencloud/citizencloud/foundation/token"
	"github.com/citizencloud/citizencloud/server/embedded/files"
	"github.com/citizencloud/citizencloud/subgraphs/platform/audit"
	platformlog "github.com/citizencloud/citizencloud/subgraphs/platform/log"
	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

// ground is what subgraphs stand on: connections to the opened state, and keys.
type ground struct {
	db       *database.DB
	bus      *event.Bus
	redis    redis.UniversalClient
	files    files.Store
	signer   *token.Signer
	verifier *token.Verifier
	personal *personal.Keys
	seals    *audit.Sealer // of the audit log
	now      func() time.Time
	log      *slog.Logger
	closes   []func() error
}

// newGround connects to the state and reads the keys in the data folder.
func newGround(ctx context.Context, in installation) (_ *ground, err error) {
	g := &ground{now: time.Now, log: in.Log}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	if g.db, err = database.Open(ctx, in.State.DatabaseAppURL); err != nil {
		return nil, err
	}
	g.closes = append(g.closes, g.db.Close)
	conn, err := connect(in.State.NatsURL)
	if err != nil {
		return nil, err
	}
	g.closes = append(g.closes, func() error { conn.Close(); return nil })
	if g.bus, err = event.Open(ctx, conn, 1); err != nil {
		return nil, err
	}
	if in.Logs != nil {
		if err := g.ship(ctx, in.Logs); err != nil {
			return nil, err
		}
	}
	options, err := redis.ParseURL(in.State.RedisURL)
	if err != nil {
		return nil, fmt.Errorf("the URL of Redis cannot be read: %w", err)
	}
	client := redis.NewClient(options)
	g.redis, g.closes = client, append(g.closes, client.Close)
	if g.files, err = in.State.Files(ctx); err != nil {
		return nil, err
	}
	key, err := token.LoadKey(filepath.Join(in.State.Dir, "keys", "token.key"))
	if err != nil {
		return nil, err
	}
	g.signer, g.verifier = token.NewSigner(key, g.now), token.NewVerifier(key, g.now)
	if g.personal, err = personal.LoadKeys(filepath.Join(in.State.Dir, "keys", "personal.key")); err != nil {
		return nil, err
	}
	if g.seals, err = audit.LoadSealer(filepath.Join(in.State.Dir, "keys", "audit.key")); err != nil {
		return nil, err
	}
	return g, nil
}

// ship collects the lines of the log until the ground is closed.
func (g *ground) ship(ctx context.Context, logs *platformlog.Shipper) error {
	if err := platformlog.Ensure(ctx, g.bus.JetStream(), 1); err != nil {
		return err
	}
	stop := ship(logs, g.bus.JetStream())
	g.closes = append(g.closes, func() error { stop(); return nil })
	return nil
}

// ship sends the lines to the stream until stop, which sends the last of them.
func ship(logs *platformlog.Shipper, stream jetstream.JetStream) (stop func()) {
	running, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { logs.Run(running, stream); close(done) }()
	return func() { end(); <-done }
}

// connect reaches NATS, and goes on trying when it is lost.
func connect(url string, more ...nats.Option) (*nats.Conn, error) {
	conn, err := nats.Connect(url, append(more, nats.Name("citizencloud"), nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond))...)
	if err != nil {
		return nil, fmt.Errorf("connecting to NATS: %w", err)
	}
	return conn, nil
}

// close ends the connections, last opened first.
func (g *ground) close() error {
	var failed []error
	for i := len(g.closes) - 1; i >= 0; i-- {
		failed = append(failed, g.closes[i]())
	}
	return errors.Join(failed...)
}
