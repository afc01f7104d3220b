// Command bench measures the platform from outside: the real binary over a
// data folder with demonstration data, all on this machine's loopback. It
// prints Markdown tables with the machine and the command; docs/benchmarks.md
// holds the figures that were measured with it.
//
// Start reading at measure, which lists what is measured; each measurement has
// a file of its own (home.go, board.go, signin.go, inbox.go, gobench.go). deployment.go starts the
// processes, load.go makes the requests, report.go prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/citizencloud/citizencloud/foundation/demonstration"
)

// settings are the command line.
type settings struct {
	binary      string
	folder      string // what is kept between runs: the data folder and the processes' logs
	scale       demonstration.Scale
	only        []string
	duration    time.Duration // of each measurement of AppHome
	citizens    int           // different ones who ask
	subscribers int
	commits     int
	workers     int    // who look into their inboxes at once
	signIns     int    // by code, in all
	against     string // another program, to compare AppHome with
	rounds      int    // of the comparison
}

// connections at a time that AppHome is measured with.
var connections = []int{1, 16, 64}

// parts of the benchmark, in order.
var parts = []string{"home", "board", "signin", "inbox", "overhead", "token", "gatekeeper"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := parse(os.Args[1:])
	if err == nil {
		err = measure(ctx, s, os.Stdout)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(arguments []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	scale := flags.String("scale", "city", "demonstration data to measure with: city, or demo for a quick look")
	only := flags.String("only", strings.Join(parts, ","), "parts to measure")
	flags.StringVar(&s.binary, "binary", "bin/citizencloud", "the program to measure")
	flags.StringVar(&s.folder, "folder", "", "folder that is kept between runs (default .cache/bench-SCALE)")
	flags.DurationVar(&s.duration, "duration", 0, "length of each measurement of AppHome (default 10s, 3s with -scale demo)")
	flags.IntVar(&s.citizens, "citizens", 5_000, "different citizens who ask for AppHome")
	flags.IntVar(&s.subscribers, "subscribers", 1_000, "subscribers of the board")
	flags.IntVar(&s.commits, "commits", 20, "cases that are committed while the board is watched")
	flags.IntVar(&s.workers, "workers", 1_000, "workers who look into their inboxes at once")
	flags.IntVar(&s.signIns, "sign-ins", 3_000, "citizens who sign in by code")
	flags.StringVar(&s.against, "against", "", "another build of the program: only compare AppHome of the two, in turn")
	flags.IntVar(&s.rounds, "rounds", 4, "rounds of the comparison")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	s.scale = demonstration.Scale(*scale)
	if s.scale != demonstration.City && s.scale != demonstration.Demo {
		return s, fmt.Errorf("-scale is city or demo, not %q", *scale)
	}
	if s.folder == "" {
		s.folder = filepath.Join(".cache", "bench-"+*scale)
	}
	if s.duration == 0 {
		s.duration = 10 * time.Second
		if s.scale == demonstration.Demo {
			s.duration = 3 * time.Second
		}
	}
	for _, part := range strings.Split(*only, ",") {
		if !slices.Contains(parts, part) {
			return s, fmt.Errorf("-only takes some of %s, not %q", strings.Join(parts, ","), part)
		}
		s.only = append(s.only, part)
	}
	if s.citizens < 100 || s.citizens > 5_000 || s.subscribers < 1 || s.subscribers > 5_000 || s.commits < 1 || s.commits > 100 || s.duration > time.Minute ||
		s.rounds < 1 || s.rounds > 50 || s.workers < 1 || s.workers > 3_000 || s.signIns < 1 || s.signIns > 5_000 {
		return s, errors.New("-citizens lies in 100–5000, -subscribers in 1–5000, -commits in 1–100, -duration is a minute at most, -rounds lies in 1–50, -workers in 1–3000, -sign-ins in 1–5000")
	}
	return s, nil
}

// measure does the parts that are asked for. A figure with an error behind it
// is not printed, and the error is returned.
func measure(ctx context.Context, s settings, out io.Writer) error {
	wants := func(part string) bool { return slices.Contains(s.only, part) }
	if wants("home") || wants("board") || wants("signin") || wants("inbox") {
		if err := load(ctx, s); err != nil {
			return err
		}
	}
	report := &report{out: out}
	report.machine(s)
	if s.against != "" {
		return compare(ctx, s, report)
	}
	if wants("home") || wants("board") {
		home := newHome(s)
		for _, apart := range []bool{false, true} {
			if err := overDeployment(ctx, s, apart, home, report); err != nil {
				return err
			}
		}
	}
	if wants("signin") || wants("inbox") {
		if err := overPeople(ctx, s, report); err != nil {
			return err
		}
	}
	for _, part := range []string{"overhead", "token", "gatekeeper"} {
		if wants(part) {
			if err := goBenchmarks(ctx, part, report); err != nil {
				return err
			}
		}
	}
	return nil
}

// overDeployment measures what needs the running platform.
func overDeployment(ctx context.Context, s settings, apart bool, home *home, report *report) (err error) {
	d, err := start(ctx, s, apart)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	if slices.Contains(s.only, "home") {
		if err := home.measure(ctx, d, report); err != nil {
			return err
		}
	}
	if slices.Contains(s.only, "board") {
		return measureBoard(ctx, s, d, report)
	}
	return nil
}

// overPeople measures signing in and inboxes, in one process.
func overPeople(ctx context.Context, s settings, report *report) (err error) {
	d, err := start(ctx, s, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	if slices.Contains(s.only, "signin") {
		if err := measureSignIn(ctx, s, d, report); err != nil {
			return err
		}
	}
	if slices.Contains(s.only, "inbox") {
		return measureInbox(ctx, s, d, report)
	}
	return nil
}
