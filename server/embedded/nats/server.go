// Package nats runs a NATS server with JetStream inside this process, for an
// installation that has none of its own. It listens on a loopback port with a
// token that only the state file of the data folder knows, so that further
// processes of the same installation can join. Start reading at Start.
package nats

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Options say where the streams live.
type Options struct {
	// Dir is the folder of the file store; it is made when missing.
	Dir string
	// Durable syncs every write before it is acknowledged; tests leave it off.
	Durable bool
	// Log gets one line at start and the server's warnings; nil is silence.
	Log *slog.Logger
}

// Server is a running NATS server.
type Server struct {
	server *server.Server
	token  string
}

const readyPatience = 10 * time.Second

// Start starts the server and returns when it accepts connections.
func Start(ctx context.Context, options Options) (*Server, error) {
	log := options.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	token := rand.Text()
	running, err := server.NewServer(&server.Options{
		ServerName:    "citizencloud",
		Host:          "127.0.0.1",
		Port:          server.RANDOM_PORT,
		Authorization: token,
		JetStream:     true,
		StoreDir:      options.Dir,
		SyncAlways:    options.Durable,
		NoSigs:        true,
		MaxPayload:    8 << 20,
	})
	if err != nil {
		return nil, fmt.Errorf("nats: prepare the server in %s: %w", options.Dir, err)
	}
	running.SetLoggerV2(warnings{log}, false, false, false)
	running.Start()
	patience := readyPatience
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline))
	}
	if !running.ReadyForConnections(patience) {
		running.Shutdown()
		return nil, fmt.Errorf("nats: the server in %s is not ready after %s", options.Dir, patience.Round(time.Second))
	}
	if !running.JetStreamEnabled() {
		running.Shutdown()
		return nil, fmt.Errorf("nats: JetStream could not be opened in %s", options.Dir)
	}
	log.Info("nats started", "address", running.Addr().String())
	return &Server{server: running, token: token}, nil
}

// URL returns the address with its token.
func (s *Server) URL() string {
	address := url.URL{Scheme: "nats", User: url.User(s.token), Host: s.server.Addr().String()}
	return address.String()
}

// Stop closes the server; what was acknowledged is in its files.
func (s *Server) Stop(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() {
		s.server.Shutdown()
		s.server.WaitForShutdown()
		close(stopped)
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("nats: stop: %w", ctx.Err())
	}
}

// warnings passes the server's warnings and errors on to our log.
type warnings struct{ log *slog.Logger }

func (w warnings) Noticef(string, ...any) {}
func (w warnings) Debugf(string, ...any)  {}
func (w warnings) Tracef(string, ...any)  {}
func (w warnings) Warnf(format string, values ...any) {
	w.log.Warn("nats: " + fmt.Sprintf(format, values...))
}
func (w warnings) Errorf(format string, values ...any) {
	w.log.Error("nats: " + fmt.Sprintf(format, values...))
}
func (w warnings) Fatalf(format string, values ...any) {
	w.log.Error("nats: " + fmt.Sprintf(format, values...))
}
