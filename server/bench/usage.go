package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what processes have used so far.
type usage struct {
	server   time.Duration // processor time of all processes of citizencloud
	database time.Duration // of PostgreSQL, which is a child of serve
	bench    time.Duration // of this program
	memory   int64         // bytes resident, of all processes of citizencloud
}

func (u usage) minus(before usage) usage {
	return usage{server: u.server - before.server, database: u.database - before.database, bench: u.bench - before.bench, memory: u.memory}
}

// usage reads /proc.
func (d *deployment) usage() (usage, error) {
	all, err := readProcesses()
	if err != nil {
		return usage{}, err
	}
	var u usage
	for _, p := range d.processes {
		found, ok := all[p.command.Process.Pid]
		if !ok {
			return usage{}, fmt.Errorf("%s has ended; its log is %s", p.name, p.log)
		}
		u.server += found.own
		u.memory += found.memory
	}
	for _, p := range all {
		if p.command == "postgres" && descends(all, p, d.processes[0].command.Process.Pid) {
			// A server process of PostgreSQL that ended is counted with its parent.
			u.database += p.own + p.children
		}
	}
	u.bench = all[os.Getpid()].own
	return u, nil
}

// seenProcess is a process of this machine as /proc shows it.
type seenProcess struct {
	parent        int
	command       string
	own, children time.Duration
	memory        int64
}

// tick is the unit of processor time in /proc: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

func readProcesses() (map[int]seenProcess, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no processes in /proc: %w", err)
	}
	all := map[int]seenProcess{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if p, ok := parseStat(content); ok {
			all[id] = p
		}
	}
	return all, nil
}

// parseStat reads one /proc/…/stat (proc_pid_stat(5)).
func parseStat(content []byte) (seenProcess, bool) {
	open, end := bytes.IndexByte(content, '('), bytes.LastIndexByte(content, ')')
	if open < 0 || end < open {
		return seenProcess{}, false
	}
	fields := strings.Fields(string(content[end+1:])) // from field 3, the state, on
	if len(fields) < 22 {
		return seenProcess{}, false
	}
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return n
	}
	return seenProcess{
		parent:  int(number(4)),
		command: string(content[open+1 : end]),
		own:     time.Duration(number(14)+number(15)) * tick, children: time.Duration(number(16)+number(17)) * tick,
		memory: number(24) * int64(os.Getpagesize()),
	}, true
}

func descends(all map[int]seenProcess, p seenProcess, ancestor int) bool {
	for range 100 {
		if p.parent == ancestor {
			return true
		}
		next, ok := all[p.parent]
		if !ok {
			return false
		}
		p = next
	}
	return false
}

// goroutines asks the gateway's metrics.
func (d *deployment) goroutines(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("reading the metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return 0, fmt.Errorf("reading the metrics: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "go_goroutines "); ok {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, fmt.Errorf("the metrics have no go_goroutines")
}
