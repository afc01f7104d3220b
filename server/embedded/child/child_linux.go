// Package child runs programs whose life is tied to ours: when this process
// ends in whatever way, also by kill -9, the kernel sends them a signal, so no
// orphan stays behind. Start reading at Start.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Attributes returns the process attributes of a child that gets the signal
// when we die, and that has a process group of its own: a Ctrl-C at the
// terminal reaches only us, and we stop our children in order.
func Attributes(onDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: onDeath}
}

// Child is a started program.
type Child struct {
	pid  int
	done chan struct{}
	err  error
}

// Start starts the command, whose SysProcAttr should come from Attributes, and
// waits for it in the background. The kernel sends the death signal when the
// *thread* that forked ends, not the process, so one thread is kept for as long
// as the child lives.
func Start(command *exec.Cmd) (*Child, error) {
	started := &Child{done: make(chan struct{})}
	forked := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := command.Start(); err != nil {
			forked <- err
			return
		}
		started.pid = command.Process.Pid
		forked <- nil
		started.err = command.Wait()
		close(started.done)
	}()
	if err := <-forked; err != nil {
		return nil, err
	}
	return started, nil
}

// Pid returns the process number.
func (c *Child) Pid() int { return c.pid }

// Done is closed when the program has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err returns how the program ended: nil for exit 0. Call it after Done.
func (c *Child) Err() error { return c.err }

// Signal sends to the program unless it has ended already.
func (c *Child) Signal(signal syscall.Signal) {
	select {
	case <-c.done:
	default:
		_ = syscall.Kill(c.pid, signal)
	}
}
