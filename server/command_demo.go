package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/citizencloud/citizencloud/server/config"
	"github.com/citizencloud/citizencloud/server/demo"
)

// runDemo walks the main job over plain HTTP: against a running platform, or
// against two that it starts itself: all in one process, and the gateway with
// each subgraph in a process of its own.
func runDemo(ctx context.Context, settings config.Demo, at terminal) error {
	if settings.URL != "" {
		return demo.Walk(ctx, settings.URL, settings.Citizen, at.out)
	}
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("where this program lies is not known: %w", err)
	}
	for i, apart := range []bool{false, true} {
		if err := walkOnce(ctx, binary, apart, settings.Citizen+i, at); err != nil {
			return err
		}
	}
	return nil
}

func walkOnce(ctx context.Context, binary string, apart bool, citizen int, at terminal) (err error) {
	data, remove, err := demo.Folder()
	if err != nil {
		return err
	}
	defer remove()
	d, err := demo.Start(ctx, binary, data, apart)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Stop()) }()
	_, _ = fmt.Fprintf(at.out, "\n== %d 个进程，%s\n", d.Processes(), d.URL)
	return demo.Walk(ctx, d.URL, citizen, at.out)
}
