package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/files"
	"github.com/citizencloud/citizencloud/server/embedded/nats"
	"github.com/citizencloud/citizencloud/server/embedded/postgres"
	"github.com/citizencloud/citizencloud/server/embedded/redis"
)

// databaseName is the platform's database in the cluster that runs inside.
const databaseName = "citizencloud"

// Settings say what runs inside and what is elsewhere; an empty URL is inside.
type Settings struct {
	// Dir is the data folder. It may stay empty when all URLs are given.
	Dir string
	// DatabaseURL is the owner's; DatabaseAppURL that of the role that serves
	// requests, by default the owner's stepping down to it.
	DatabaseURL, DatabaseAppURL string
	RedisURL, NatsURL, FilesURL string
	// Fast gives durability up for speed, in tests.
	Fast bool
	Log  *slog.Logger
}

// State is the opened state. The addresses hold secrets: they do not belong in
// a log.
type State struct {
	// Dir is the absolute data folder, for keys and the like.
	Dir string `json:"-"`
	// DatabaseURL is the owner's, for migrations; DatabaseAppURL serves requests.
	DatabaseURL    string `json:"databaseUrl"`
	DatabaseAppURL string `json:"databaseAppUrl"`
	RedisURL       string `json:"redisUrl"`
	NatsURL        string `json:"natsUrl"`
	FilesURL       string `json:"filesUrl"`

	log    *slog.Logger
	lock   *lock
	closes []closing // in the order of opening
	ended  chan error
}

type closing struct {
	name  string
	close func(context.Context) error
}

// Open opens everything: what is elsewhere is reached once, so that a wrong
// address shows now; what is inside is started under the lock of the folder.
// Errors are single sentences. The caller closes the state.
func Open(ctx context.Context, settings Settings) (*State, error) {
	state, err := prepare(settings)
	if err != nil {
		return nil, err
	}
	if settings.inside() {
		if state.lock, err = acquire(state.Dir, stateLock); err != nil {
			return nil, err
		}
		state.unpublish() // what a killed process left
	}
	if err := state.open(ctx, settings); err != nil {
		return nil, errors.Join(err, state.Close(context.WithoutCancel(ctx)))
	}
	return state, nil
}

func prepare(settings Settings) (*State, error) {
	dir, err := filepath.Abs(settings.Dir)
	if err != nil {
		return nil, fmt.Errorf("the data folder %q has no absolute path: %w", settings.Dir, err)
	}
	log := settings.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &State{
		Dir: dir, log: log, ended: make(chan error, 1),
		DatabaseURL: settings.DatabaseURL, DatabaseAppURL: settings.DatabaseAppURL,
		RedisURL: settings.RedisURL, NatsURL: settings.NatsURL, FilesURL: settings.FilesURL,
	}, nil
}

// inside reports whether anything runs under the data folder.
func (s Settings) inside() bool {
	return s.DatabaseURL == "" || s.RedisURL == "" || s.NatsURL == "" || s.FilesURL == ""
}

func (s *State) open(ctx context.Context, settings Settings) error {
	for _, step := range []func(context.Context, Settings) error{s.openDatabase, s.openRedis, s.openNats, s.openFiles} {
		if err := step(ctx, settings); err != nil {
			return err
		}
	}
	if s.lock != nil {
		return s.publish()
	}
	return nil
}

func (s *State) openDatabase(ctx context.Context, settings Settings) error {
	if s.DatabaseURL != "" {
		if err := reachDatabase(ctx, s.DatabaseURL); err != nil {
			return err
		}
		if s.DatabaseAppURL == "" {
			var err error
			if s.DatabaseAppURL, err = postgres.AsApp(s.DatabaseURL); err != nil {
				return err
			}
		}
		return nil
	}
	cluster, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(s.Dir, "postgres"), Durable: !settings.Fast, Log: s.log})
	if err != nil {
		return err
	}
	stopping := make(chan struct{})
	s.onClose("postgres", func(ctx context.Context) error {
		close(stopping)
		return cluster.Stop(ctx)
	})
	go func() {
		select {
		case <-stopping:
		case <-cluster.Done():
			select {
			case s.ended <- errors.New("PostgreSQL ended by itself; its log is in the data folder, postgres/server.log"):
			default:
			}
		}
	}()
	if err := cluster.EnsureDatabase(ctx, databaseName); err != nil {
		return err
	}
	s.DatabaseURL = cluster.URL(databaseName, postgres.OwnerRole)
	s.DatabaseAppURL = cluster.URL(databaseName, postgres.AppRole)
	return nil
}

func (s *State) openRedis(ctx context.Context, _ Settings) error {
	if s.RedisURL != "" {
		return reachRedis(ctx, s.RedisURL)
	}
	server, err := redis.Start(ctx, redis.Options{File: filepath.Join(s.Dir, "redis.json"), Log: s.log})
	if err != nil {
		return err
	}
	s.onClose("redis", server.Stop)
	s.RedisURL = server.URL()
	return nil
}

func (s *State) openNats(ctx context.Context, settings Settings) error {
	if s.NatsURL != "" {
		return reachNats(s.NatsURL)
	}
	server, err := nats.Start(ctx, nats.Options{Dir: filepath.Join(s.Dir, "nats"), Durable: !settings.Fast, Log: s.log})
	if err != nil {
		return err
	}
	s.onClose("nats", server.Stop)
	s.NatsURL = server.URL()
	return nil
}

func (s *State) openFiles(ctx context.Context, _ Settings) error {
	if s.FilesURL == "" {
		s.FilesURL = "file://" + filepath.ToSlash(filepath.Join(s.Dir, "files"))
	}
	_, err := files.Open(ctx, s.FilesURL)
	return err
}

func (s *State) onClose(name string, close func(context.Context) error) {
	s.closes = append(s.closes, closing{name, close})
}

// Files opens the file store.
func (s *State) Files(ctx context.Context) (files.Store, error) { return files.Open(ctx, s.FilesURL) }

// Ended delivers the reason when something inside ends by itself.
func (s *State) Ended() <-chan error { return s.ended }

// Close stops what runs inside, last started first, and gives the folder free.
func (s *State) Close(ctx context.Context) error {
	if s.lock != nil {
		s.unpublish()
	}
	var failed []error
	for i := len(s.closes) - 1; i >= 0; i-- {
		began := time.Now()
		if err := s.closes[i].close(ctx); err != nil {
			failed = append(failed, err)
		}
		s.log.Debug("closed", "part", s.closes[i].name, "took", time.Since(began).Round(time.Millisecond))
	}
	s.closes = nil
	if s.lock != nil {
		s.lock.release()
		s.lock = nil
	}
	return errors.Join(failed...)
}
