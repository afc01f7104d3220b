package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// report prints Markdown.
type report struct{ out io.Writer }

func (r *report) line(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, format+"\n", args...)
}

// machine says where and with what is measured.
func (r *report) machine(s settings) {
	r.line("# Benchmarks\n")
	r.line("- command: `go run ./server/bench %s`", strings.Join(os.Args[1:], " "))
	r.line("- machine: %d cores (%s), %s memory, %s", runtime.NumCPU(), afterColon("/proc/cpuinfo", "model name"), memory(), firstLine("/proc/sys/kernel/osrelease"))
	r.line("- %s, %s; everything on this machine: load generator, citizencloud, PostgreSQL", runtime.Version(), runtime.GOARCH)
	r.line("- load before: %s", firstLine("/proc/loadavg"))
	if text, err := os.ReadFile(s.loaded()); err == nil {
		r.line("- %s", strings.TrimSpace(string(text)))
	}
}

// heading starts a table.
func (r *report) heading(title string, columns ...string) {
	r.line("\n## %s\n\n| %s |\n|%s", title, strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
}

func (r *report) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = fmt.Sprint(cell)
	}
	r.line("| %s |", strings.Join(texts, " | "))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f", float64(n)/(1<<20)) }

func afterColon(file, name string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memory() string {
	var kilobytes float64
	if _, err := fmt.Sscan(afterColon("/proc/meminfo", "MemTotal"), &kilobytes); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f GB", kilobytes/(1<<20))
}

func firstLine(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(content), "\n")
	return line
}
