package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver for VACUUM and the server's version

	"github.com/jmoiron/sqlx"
)

// subgraphs that run as processes of their own when apart.
var subgraphs = []string{"platform", "citizen", "community", "supply"}

// deployment is a running platform of one or five processes.
type deployment struct {
	settings
	name      string // for the tables
	url       string
	metrics   string // address of the gateway's metrics
	processes []*process
}

// process is one citizencloud; its output goes into a log file of the folder.
type process struct {
	name    string
	command *exec.Cmd
	log     string
	ended   chan error
}

func (s settings) data() string { return filepath.Join(s.folder, "data") }

// loaded is the marker of a data folder that was loaded to the end.
func (s settings) loaded() string { return filepath.Join(s.folder, "loaded") }

// load fills the data folder, once: later runs find it. Afterwards the
// database is as autovacuum leaves it in time, so that it does not work
// beside the measurements.
func load(ctx context.Context, s settings) error {
	if _, err := os.Stat(s.loaded()); err == nil {
		return nil
	}
	if err := os.RemoveAll(s.folder); err != nil {
		return fmt.Errorf("removing what an interrupted load left: %w", err)
	}
	began := time.Now()
	d, err := start(ctx, s, false)
	if err != nil {
		return err
	}
	took := time.Since(began)
	var version string
	err = d.query(ctx, func(db *sqlx.DB) error {
		if _, err := db.ExecContext(ctx, `VACUUM (ANALYZE)`); err != nil {
			return err
		}
		return db.GetContext(ctx, &version, `SHOW server_version`)
	})
	if err := errors.Join(err, d.stop()); err != nil {
		return err
	}
	text := fmt.Sprintf("PostgreSQL %s; %s data, loaded in %.1f s from an empty folder to the first answer\n", version, s.scale, took.Seconds())
	return os.WriteFile(s.loaded(), []byte(text), 0o600)
}

// start raises the platform over the data folder, in one process or in five,
// and returns when requests can be served.
func start(ctx context.Context, s settings, apart bool) (_ *deployment, err error) {
	d := &deployment{settings: s, name: "one process"}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.stop())
		}
	}()
	if err := os.MkdirAll(s.folder, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder: %w", err)
	}
	addresses, err := freeAddresses(2 + len(subgraphs))
	if err != nil {
		return nil, err
	}
	d.url, d.metrics = "http://"+addresses[0], addresses[1]
	// Development mode: production limits the requests of one address, and all come from this one; who signs in
	// says another address each, as behind a proxy, since codes are limited by address in every mode.
	common := []string{"--data", s.data(), "--mode", "development", "--log-level", "warn", "--trusted-proxy", "127.0.0.0/8"}
	serve := append([]string{"serve", "--listen", addresses[0], "--metrics-listen", addresses[1], "--scale", string(s.scale)}, common...)
	if apart {
		d.name = "gateway + 4 subgraphs"
		for i, name := range subgraphs {
			serve = append(serve, "--subgraph", name+"=http://"+addresses[i+2]+"/graphql")
		}
	}
	if err := d.run("serve", serve...); err != nil {
		return nil, err
	}
	if err := d.healthy(ctx, addresses[0], 15*time.Minute); err != nil || !apart {
		return d, err
	}
	for i, name := range subgraphs { // they attach to the state that serve opened
		if err := d.run(name, append([]string{"subgraph", name, "--listen", addresses[i+2]}, common...)...); err != nil {
			return nil, err
		}
		if err := d.healthy(ctx, addresses[i+2], time.Minute); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *deployment) run(name string, arguments ...string) error {
	p := &process{name: name, log: filepath.Join(d.folder, name+".log"), ended: make(chan error, 1)}
	output, err := os.Create(p.log)
	if err != nil {
		return fmt.Errorf("the log of %s: %w", name, err)
	}
	defer func() { _ = output.Close() }()
	p.command = exec.Command(d.binary, arguments...)
	p.command.Stdout, p.command.Stderr = output, output
	// A group of its own: Ctrl-C reaches this program, which then stops it in order.
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	go func() { p.ended <- p.command.Wait() }()
	d.processes = append(d.processes, p)
	return nil
}

// healthy waits until /health of the process started last answers 200.
func (d *deployment) healthy(ctx context.Context, address string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	last := d.processes[len(d.processes)-1]
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/health", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-last.ended:
			last.ended <- err
			return fmt.Errorf("%s ended while starting (%w); its log is %s", last.name, err, last.log)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; its log is %s", last.name, ctx.Err(), last.log)
		case <-ticker.C:
		}
	}
}

// stop ends the processes as SIGTERM does, the last started first.
func (d *deployment) stop() error {
	var failed []error
	for i := len(d.processes) - 1; i >= 0; i-- {
		p := d.processes[i]
		_ = p.command.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-p.ended:
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: %w; its log is %s", p.name, err, p.log))
			}
		case <-time.After(time.Minute):
			_ = p.command.Process.Kill()
			failed = append(failed, fmt.Errorf("%s did not end within a minute of SIGTERM", p.name))
		}
	}
	d.processes = nil
	return errors.Join(failed...)
}

// query runs statements as the database's owner; the running platform has
// written down where it is.
func (d *deployment) query(ctx context.Context, do func(*sqlx.DB) error) error {
	content, err := os.ReadFile(filepath.Join(d.data(), "state.json"))
	if err != nil {
		return fmt.Errorf("where the database is: %w", err)
	}
	var state struct{ DatabaseURL string }
	if err := json.Unmarshal(content, &state); err != nil {
		return fmt.Errorf("where the database is: %w", err)
	}
	db, err := sqlx.ConnectContext(ctx, "postgres", state.DatabaseURL)
	if err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	defer func() { _ = db.Close() }()
	return do(db)
}

// freeAddresses are loopback addresses that nobody listens on now.
func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("no free port: %w", err)
		}
		defer func() { _ = listener.Close() }()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}
