package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// subgraphs that can run as processes of their own.
var subgraphs = []string{"platform", "citizen", "community", "supply"}

// Deployment is a running platform of one or several processes over one data folder.
type Deployment struct {
	URL       string
	processes []*process
}

// process is one citizencloud.
type process struct {
	name    string
	command *exec.Cmd
	output  bytes.Buffer
	ended   chan error
}

// Start raises the platform from the binary over the data folder: all in one
// process, or the gateway and each subgraph in one of its own. It returns when
// requests can be served.
func Start(ctx context.Context, binary, data string, apart bool) (_ *Deployment, err error) {
	d := &Deployment{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Stop())
		}
	}()
	addresses, err := freeAddresses(1 + len(subgraphs))
	if err != nil {
		return nil, err
	}
	d.URL = "http://" + addresses[0]
	serve := []string{"serve", "--data", data, "--listen", addresses[0], "--scale", "demo", "--mode", "development"}
	if apart {
		for i, name := range subgraphs {
			serve = append(serve, "--subgraph", name+"=http://"+addresses[i+1]+"/graphql")
		}
	}
	if err := d.run(binary, "serve", serve...); err != nil {
		return nil, err
	}
	if err := d.healthy(ctx, d.URL, 2*time.Minute); err != nil {
		return nil, err
	}
	if !apart {
		return d, nil
	}
	for i, name := range subgraphs { // they attach to the state that serve opened
		if err := d.run(binary, name, "subgraph", name, "--data", data, "--listen", addresses[i+1], "--mode", "development"); err != nil {
			return nil, err
		}
	}
	for i := range subgraphs {
		if err := d.healthy(ctx, "http://"+addresses[i+1], time.Minute); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Processes is how many there are.
func (d *Deployment) Processes() int { return len(d.processes) }

func (d *Deployment) run(binary, name string, arguments ...string) error {
	p := &process{name: name, command: exec.Command(binary, arguments...), ended: make(chan error, 1)}
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("demo: starting %s: %w", name, err)
	}
	go func() { p.ended <- p.command.Wait() }()
	d.processes = append(d.processes, p)
	return nil
}

// healthy waits until /health answers 200.
func (d *Deployment) healthy(ctx context.Context, url string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/health", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		last := d.processes[len(d.processes)-1]
		select {
		case err := <-last.ended:
			last.ended <- err
			return fmt.Errorf("demo: %s ended while starting: %w\n%s", last.name, err, last.output.String())
		case <-ctx.Done():
			return fmt.Errorf("demo: %s is not ready: %w", url, ctx.Err())
		case <-ticker.C:
		}
	}
}

// Stop ends the processes as SIGTERM does, the last started first. A process
// that does not exit with 0 is an error.
func (d *Deployment) Stop() error {
	var failed []error
	for i := len(d.processes) - 1; i >= 0; i-- {
		p := d.processes[i]
		_ = p.command.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-p.ended:
			if err != nil {
				failed = append(failed, fmt.Errorf("demo: %s: %w\n%s", p.name, err, tail(p.output.Bytes())))
			}
		case <-time.After(60 * time.Second):
			_ = p.command.Process.Kill()
			failed = append(failed, fmt.Errorf("demo: %s did not end within a minute of SIGTERM", p.name))
		}
	}
	d.processes = nil
	return errors.Join(failed...)
}

func tail(output []byte) []byte { return output[max(0, len(output)-2000):] }

// freeAddresses are loopback addresses that nobody listens on now.
func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("demo: no free port: %w", err)
		}
		defer func() { _ = listener.Close() }()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

// Folder makes an empty data folder; remove it with the returned function.
func Folder() (string, func(), error) {
	folder, err := os.MkdirTemp("", "citizencloud-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("demo: %w", err)
	}
	if err := os.Chmod(folder, 0o711); err != nil { // PostgreSQL may have to run as another user
		return "", nil, fmt.Errorf("demo: %w", err)
	}
	return filepath.Join(folder, "data"), func() { _ = os.RemoveAll(folder) }, nil
}
