package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// compareConnections is how many ask at a time when two programs are compared.
const compareConnections = 16

// compare measures AppHome with another program and with this one in turn,
// each anew over the same data: what else the machine does meets both alike.
func compare(ctx context.Context, s settings, report *report) error {
	type sum struct{ perSecond, server, database []float64 }
	programs := []string{s.against, s.binary}
	sums := make([]sum, len(programs))
	home := newHome(s)
	for range s.rounds {
		for i, program := range programs {
			one := s
			one.binary = program
			r, spent, err := home.once(ctx, one)
			if err != nil {
				return fmt.Errorf("%s: %w", program, err)
			}
			each := func(cpu time.Duration) float64 {
				return float64(cpu) / float64(time.Millisecond) / float64(len(r.latencies))
			}
			sums[i].perSecond = append(sums[i].perSecond, r.perSecond())
			sums[i].server = append(sums[i].server, each(spent.server))
			sums[i].database = append(sums[i].database, each(spent.database))
		}
	}
	report.heading(fmt.Sprintf("AppHome, one process, %d connections, %d rounds in turn (medians)", compareConnections, s.rounds),
		"program", "requests/s", "CPU ms a request: citizencloud", "PostgreSQL")
	for i, program := range programs {
		report.row(program, fmt.Sprintf("%.0f", median(sums[i].perSecond)), fmt.Sprintf("%.2f", median(sums[i].server)), fmt.Sprintf("%.2f", median(sums[i].database)))
	}
	return nil
}

// once starts the program, warms it and measures one round.
func (h *home) once(ctx context.Context, s settings) (r rate, spent usage, err error) {
	d, err := start(ctx, s, false)
	if err != nil {
		return r, spent, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	signer, err := h.signer()
	if err != nil {
		return r, spent, err
	}
	texts, err := tokens(signer, h.citizens)
	if err != nil {
		return r, spent, err
	}
	if err := h.learn(ctx, d, texts); err != nil {
		return r, spent, err
	}
	before, err := d.usage()
	if err != nil {
		return r, spent, err
	}
	r = closedLoop(ctx, compareConnections, h.duration, func() asker { return h.asker(d, texts) })
	after, err := d.usage()
	if err != nil {
		return r, spent, err
	}
	if r.errors > 0 || len(r.latencies) == 0 {
		return r, spent, fmt.Errorf("%d of %d requests failed, the first: %w", r.errors, r.errors+len(r.latencies), r.first)
	}
	return r, after.minus(before), nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}
