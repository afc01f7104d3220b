package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"github.com/citizencloud/citizencloud/server/embedded/child"
)

// identity is the way in which PostgreSQL's programs run. They refuse to run
// as root, so under root they need another one.
type identity struct {
	// name says it in the log and in errors.
	name string
	// attributes returns a fresh set for one child.
	attributes func() *syscall.SysProcAttr
	// uid and gid own the files, or -1 when ours may stay as they are.
	uid, gid int
}

// chooseIdentity finds an identity under which the binaries run: the caller's
// own unless that is root; under root first a user namespace of its own, in
// which root's files appear to belong to an ordinary user (so that the data
// may lie anywhere, also below /root), else the users postgres and nobody.
func chooseIdentity(b binaries) (identity, error) {
	if os.Geteuid() != 0 {
		return identity{name: "this user", attributes: inherited, uid: -1, gid: -1}, nil
	}
	var refused []error
	for _, candidate := range rootIdentities() {
		if err := candidate.try(b); err != nil {
			refused = append(refused, fmt.Errorf("%s: %w", candidate.name, err))
			continue
		}
		return candidate, nil
	}
	return identity{}, fmt.Errorf("PostgreSQL refuses to run as root and no other identity works here: %w", errors.Join(refused...))
}

// try runs a binary as this identity; the error says why it cannot.
func (i identity) try(b binaries) error {
	probe := exec.Command(b.path("postgres"), "--version")
	probe.Dir = "/"
	probe.SysProcAttr = i.attributes()
	// The probe is waited for at once; it needs no death signal, which would
	// tie it to whichever thread happens to fork it.
	probe.SysProcAttr.Pdeathsig = 0
	return probe.Run()
}

func rootIdentities() []identity {
	var identities []identity
	// initdb looks its own user up by number, so the number must be one that
	// /etc/passwd knows.
	if uid, gid, ok := lookup("postgres", "nobody", "daemon"); ok {
		identities = append(identities, identity{
			name: "a user namespace",
			uid:  -1, gid: -1,
			attributes: func() *syscall.SysProcAttr {
				attributes := inherited()
				attributes.Cloneflags = syscall.CLONE_NEWUSER
				attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: 0, Size: 1}}
				attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: 0, Size: 1}}
				return attributes
			},
		})
	}
	for _, name := range []string{"postgres", "nobody"} {
		uid, gid, ok := lookup(name)
		if !ok {
			continue
		}
		identities = append(identities, identity{
			name: "user " + name,
			uid:  uid, gid: gid,
			attributes: func() *syscall.SysProcAttr {
				attributes := inherited()
				attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
				return attributes
			},
		})
	}
	return identities
}

// lookup returns the numbers of the first user that exists.
func lookup(names ...string) (uid, gid int, ok bool) {
	for _, name := range names {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(found.Uid)
		gid, errGID := strconv.Atoi(found.Gid)
		if errUID == nil && errGID == nil && uid != 0 {
			return uid, gid, true
		}
	}
	return 0, 0, false
}

// own hands a folder to the identity; it does nothing where ours is good enough.
func (i identity) own(dir string) error {
	if i.uid < 0 {
		return nil
	}
	return os.Chown(dir, i.uid, i.gid)
}

// inherited are the attributes of a child that runs as we do. The signal is
// PostgreSQL's fast shutdown.
func inherited() *syscall.SysProcAttr { return child.Attributes(syscall.SIGINT) }
