package lifecycle

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// OnSignal returns a context that ends at the first SIGINT or SIGTERM. A
// second one calls exit at once, for the person who does not want to wait. The
// returned function gives the signals back.
func OnSignal(parent context.Context, exit func()) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			cancel()
		case <-done:
			return
		}
		select {
		case <-signals:
			exit()
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
