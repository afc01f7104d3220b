package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// goBenchmark is a part that has no process of its own to measure: the code
// is called directly, by the Go benchmarks of a package.
type goBenchmark struct {
	title   string
	folder  string
	pattern string
	time    string // -benchtime
}

var goBenchmarkOf = map[string]goBenchmark{
	"overhead":   {"What the gateway adds", "./server", "^BenchmarkGateway$", "3s"},
	"gatekeeper": {"Finding out in the gateway who asks, the token seen before", "./server", "^BenchmarkAuthenticate$", "1s"},
	"token":      {"Checking an access token", "./foundation/token", "^BenchmarkAccess$", "1s"},
}

// goBenchmarks runs the part's Go benchmarks and prints their figures.
func goBenchmarks(ctx context.Context, part string, report *report) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	b := goBenchmarkOf[part]
	var output bytes.Buffer
	command := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", b.pattern, "-benchtime", b.time, b.folder)
	command.Stdout, command.Stderr = &output, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, output.Bytes())
	}
	lines, err := readBenchmarks(&output)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s measured nothing", command)
	}
	units := unitsOf(lines)
	report.heading(b.title+" (`go test -bench '"+b.pattern+"' "+b.folder+"`)", append([]string{"benchmark", "times"}, units...)...)
	for _, line := range lines {
		cells := []any{line.name, line.times}
		for _, unit := range units {
			value, ok := line.figures[unit]
			if !ok {
				value = "–"
			}
			cells = append(cells, value)
		}
		report.row(cells...)
	}
	return nil
}

// benchmarkLine is one result: the figures by unit, as they were printed.
type benchmarkLine struct {
	name    string
	times   int
	units   []string
	figures map[string]string
}

// readBenchmarks reads Go's benchmark format: name, times, then values with units.
func readBenchmarks(output io.Reader) ([]benchmarkLine, error) {
	var lines []benchmarkLine
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) < 4 || len(fields)%2 != 0 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		times, err := strconv.Atoi(fields[1])
		if err != nil {
			continue
		}
		line := benchmarkLine{name: shortName(fields[0]), times: times, figures: map[string]string{}}
		for i := 2; i < len(fields); i += 2 {
			line.units = append(line.units, fields[i+1])
			line.figures[fields[i+1]] = fields[i]
		}
		lines = append(lines, line)
	}
	return lines, scanner.Err()
}

// shortName is the name without the benchmark's own and the number of cores.
func shortName(name string) string {
	if dash := strings.LastIndexByte(name, '-'); dash > 0 {
		if _, err := strconv.Atoi(name[dash+1:]); err == nil {
			name = name[:dash]
		}
	}
	_, rest, ok := strings.Cut(name, "/")
	if !ok {
		return strings.TrimPrefix(name, "Benchmark")
	}
	return strings.ReplaceAll(rest, "_", " ")
}

// unitsOf are the units of all lines in the order in which they came, Go's own last.
func unitsOf(lines []benchmarkLine) []string {
	var own, standard []string
	for _, line := range lines {
		for _, unit := range line.units {
			to := &own
			if unit == "ns/op" || unit == "B/op" || unit == "allocs/op" {
				to = &standard
			}
			if !slices.Contains(*to, unit) {
				*to = append(*to, unit)
			}
		}
	}
	return append(own, standard...)
}
