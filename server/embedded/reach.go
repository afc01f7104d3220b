package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/lib/pq"
	natsclient "github.com/nats-io/nats.go"
	redisclient "github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/server/embedded/postgres"
)

const reachPatience = 10 * time.Second

// reach checks an attached state.
func (s *State) reach(ctx context.Context) error {
	if err := reachDatabase(ctx, s.DatabaseURL); err != nil {
		return err
	}
	if err := reachRedis(ctx, s.RedisURL); err != nil {
		return err
	}
	return reachNats(s.NatsURL)
}

// reachDatabase connects once and readies the app role.
func reachDatabase(ctx context.Context, address string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "postgres" && parsed.Scheme != "postgresql" {
		return errors.New("the database URL must have the form postgres://USER:PASSWORD@HOST:5432/NAME")
	}
	// The driver bounds its greeting by this setting alone, not by a context.
	patient := *parsed
	query := patient.Query()
	if !query.Has("connect_timeout") {
		query.Set("connect_timeout", strconv.Itoa(int(reachPatience.Seconds())))
	}
	patient.RawQuery = query.Encode()
	db, err := sql.Open("postgres", patient.String())
	if err != nil {
		return fmt.Errorf("the database URL cannot be read: %s", reason(err))
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, reachPatience)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("the database %s cannot be reached: %s; check --database-url", shown(parsed), reason(err))
	}
	if err := postgres.PrepareDatabase(ctx, db); err != nil {
		return fmt.Errorf("the database %s cannot be prepared: %s; its owner must be allowed to make roles, or the role %s must exist",
			shown(parsed), reason(err), postgres.AppRole)
	}
	return nil
}

func reachRedis(ctx context.Context, address string) error {
	options, err := redisclient.ParseURL(address)
	if err != nil {
		return errors.New("the Redis URL must have the form redis://USER:PASSWORD@HOST:6379/0")
	}
	ctx, cancel := context.WithTimeout(ctx, reachPatience)
	defer cancel()
	// The client tries long and talks much; whether anyone listens shows sooner.
	dialer := net.Dialer{}
	probe, err := dialer.DialContext(ctx, options.Network, options.Addr)
	if err != nil {
		return fmt.Errorf("Redis at %s cannot be reached: %s; check --redis-url", options.Addr, reason(err))
	}
	probe.Close()
	client := redisclient.NewClient(options)
	defer func() { _ = client.Close() }()
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("Redis at %s cannot be reached: %s; check --redis-url", options.Addr, reason(err))
	}
	return nil
}

func reachNats(address string) error {
	connection, err := natsclient.Connect(address, natsclient.Timeout(reachPatience))
	if err != nil {
		place := "the given address"
		if parsed, failed := url.Parse(address); failed == nil {
			place = parsed.Host
		}
		return fmt.Errorf("NATS at %s cannot be reached: %s; check --nats-url", place, reason(err))
	}
	connection.Close()
	return nil
}

// shown is a database's address without user and password.
func shown(address *url.URL) string {
	host := address.Host
	if host == "" {
		host = address.Query().Get("host")
	}
	return host + address.Path
}

// reason says why in few words. Errors of the network repeat addresses that
// the sentence has already, errors of the URL might repeat the password.
func reason(err error) string {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return refused.Message
	}
	var parse *url.Error
	if errors.As(err, &parse) {
		return "it is not a URL"
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	var resolve *net.DNSError
	if errors.As(err, &resolve) {
		return "there is no host " + resolve.Name
	}
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		return "no answer in time"
	}
	return err.Error()
}
