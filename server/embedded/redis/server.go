// Package redis runs a small Redis inside this process, for an installation
// that has none of its own. It listens on a loopback port behind a password
// that only the state file of the data folder knows. What it holds is written
// to one file every few seconds and at the stop, so that a restart keeps
// sessions and limits; a kill -9 loses the last seconds, therefore nothing that
// must not be lost belongs in Redis. Start reading at Start.
package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Options say where the snapshot lives.
type Options struct {
	// File is the snapshot; "" keeps nothing.
	File string
	// Every is the time between snapshots; 0 is 10 seconds.
	Every time.Duration
	// Log gets one line at start and the errors of snapshots; nil is silence.
	Log *slog.Logger
}

// Server is a running Redis.
type Server struct {
	redis    *miniredis.Miniredis
	password string
	file     string
	log      *slog.Logger
	stop     chan struct{}
	stopOnce sync.Once
	stopped  chan struct{}
}

// Start reads the snapshot back and starts the server.
func Start(_ context.Context, options Options) (*Server, error) {
	started := &Server{
		redis:    miniredis.NewMiniRedis(),
		password: rand.Text(),
		file:     options.File,
		log:      options.Log,
		stop:     make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	if started.log == nil {
		started.log = slog.New(slog.DiscardHandler)
	}
	started.redis.RequireAuth(started.password)
	// Times to live run with the wall clock, as in a real Redis.
	started.redis.ClockTTL(true)
	if err := started.redis.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("redis: listen on loopback: %w", err)
	}
	if started.file != "" {
		if err := started.load(time.Now()); err != nil {
			started.redis.Close()
			return nil, err
		}
	}
	every := options.Every
	if every == 0 {
		every = 10 * time.Second
	}
	go started.saveNowAndThen(every)
	started.log.Info("redis started", "address", started.redis.Addr())
	return started, nil
}

// URL returns the address with its password.
func (s *Server) URL() string {
	address := url.URL{Scheme: "redis", User: url.UserPassword("", s.password), Host: s.redis.Addr(), Path: "/0"}
	return address.String()
}

// Stop writes the snapshot and closes the server.
func (s *Server) Stop(context.Context) error {
	var err error
	s.stopOnce.Do(func() {
		close(s.stop)
		<-s.stopped
		if s.file != "" {
			err = s.save(time.Now())
		}
		s.redis.Close()
	})
	return err
}

func (s *Server) saveNowAndThen(every time.Duration) {
	defer close(s.stopped)
	if s.file == "" {
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	seen := 0
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
		}
		count := s.redis.CommandCount()
		if count == seen {
			continue
		}
		seen = count
		if err := s.save(time.Now()); err != nil {
			s.log.Error("redis snapshot", "error", err)
		}
	}
}
