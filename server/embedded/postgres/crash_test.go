package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/server/embedded/foldertest"
)

// TestMain lets this test binary play the parent that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("POSTGRES_TEST_PARENT"); dir != "" {
		cluster, err := Start(context.Background(), Options{Dir: dir, Durable: true})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(cluster.Pid())
		fmt.Println(cluster.URL("postgres", OwnerRole))
		select {}
	}
	os.Exit(m.Run())
}

// startParent runs Start in another process, which is left running.
func startParent(t *testing.T, dir string) (parent *exec.Cmd, postmaster int, url string) {
	t.Helper()
	parent = exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "POSTGRES_TEST_PARENT="+dir)
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { parent.Process.Kill() })
	lines := bufio.NewScanner(output)
	lines.Scan()
	if postmaster, err = strconv.Atoi(lines.Text()); err != nil {
		t.Fatalf("the parent says %q", lines.Text())
	}
	lines.Scan()
	return parent, postmaster, lines.Text()
}

// alive reports whether a process runs; a zombie that nobody has collected
// yet does not.
func alive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(after, "Z")
}

func waitUntilDead(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is an orphan", pid)
		}
		<-tick.C
	}
}

func TestKilledParentLeavesNoOrphanAndNoDamage(t *testing.T) {
	dir := filepath.Join(foldertest.Folder(t), "postgres")
	parent, postmaster, url := startParent(t, dir)
	db := open(t, url)
	if _, err := db.Exec(`CREATE TABLE acknowledged (n int); INSERT INTO acknowledged VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.Wait()
	// At once, while the cluster may still be stopping.
	cluster := start(t, dir)
	var n int
	if err := open(t, cluster.URL("postgres", OwnerRole)).QueryRow(`SELECT n FROM acknowledged`).Scan(&n); err != nil || n != 1 {
		t.Errorf("what was acknowledged: %d, %v", n, err)
	}
	if cluster.Pid() == postmaster {
		t.Error("the same postmaster still runs")
	}
	waitUntilDead(t, postmaster)
}

func TestKilledParentAloneLeavesNoOrphan(t *testing.T) {
	parent, postmaster, _ := startParent(t, filepath.Join(foldertest.Folder(t), "postgres"))
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	waitUntilDead(t, postmaster)
}

func TestKilledPostmasterIsRecovered(t *testing.T) {
	dir := filepath.Join(foldertest.Folder(t), "postgres")
	cluster, err := Start(t.Context(), Options{Dir: dir, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, cluster.URL("postgres", OwnerRole))
	if _, err := db.Exec(`CREATE TABLE acknowledged AS SELECT 1 AS n`); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(cluster.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-cluster.Done()
	again := start(t, dir)
	var n int
	if err := open(t, again.URL("postgres", OwnerRole)).QueryRow(`SELECT n FROM acknowledged`).Scan(&n); err != nil || n != 1 {
		t.Errorf("what was acknowledged: %d, %v", n, err)
	}
}

func TestHalfMadeClusterIsMadeAnew(t *testing.T) {
	dir := filepath.Join(foldertest.Folder(t), "postgres")
	if err := os.MkdirAll(filepath.Join(dir+".new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir+".new", "PG_VERSION"), []byte("9"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
}

func TestLongPathGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(foldertest.Folder(t), strings.Repeat("数据", 30), "postgres")
	cluster := start(t, dir)
	if len(cluster.socketDir) > 80 {
		t.Errorf("the socket is in %s", cluster.socketDir)
	}
	info, err := os.Stat(cluster.socketDir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket folder: %v, %v", info.Mode(), err)
	}
	if err := open(t, cluster.URL("postgres", AppRole)).Ping(); err != nil {
		t.Error(err)
	}
}

func TestSocketFolderOfSomebodyElseIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a folder of somebody else")
	}
	base := foldertest.Folder(t)
	socketDir := filepath.Join(base, "run")
	if err := os.Mkdir(socketDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(socketDir, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Dir: filepath.Join(base, "postgres")}); err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
		t.Errorf("got %v", err)
	}
}

func TestFolderThatIsNotOursIsLeftAlone(t *testing.T) {
	dir := foldertest.Folder(t)
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "neither empty nor a cluster") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "letter.txt")); err != nil {
		t.Error(err)
	}
}

// TestEveryIdentityRuns goes through all ways of running under root that this
// machine permits: a container may close user namespaces, and then one of the
// other users has to do.
func TestEveryIdentityRuns(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root needs another identity")
	}
	programs, err := findBinaries(0)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, as := range rootIdentities() {
		t.Run(as.name, func(t *testing.T) {
			if err := as.try(programs); errors.Is(err, fs.ErrPermission) {
				t.Skipf("this machine does not permit it: %v", err)
			}
			ran++
			// t.TempDir is closed to others; they need a way in.
			base, err := os.MkdirTemp("", "identity-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(base) })
			if err := os.Chmod(base, 0o755); err != nil {
				t.Fatal(err)
			}
			cluster, err := startAs(t.Context(), programs, as, filepath.Join(base, "postgres"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := open(t, cluster.URL("postgres", AppRole)).Ping(); err != nil {
				t.Error(err)
			}
			if err := cluster.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	if ran == 0 {
		t.Error("PostgreSQL runs as nobody here")
	}
}

func TestMissingBinariesAndVersions(t *testing.T) {
	t.Setenv("PG_BIN", t.TempDir())
	_, err := Start(t.Context(), Options{Dir: foldertest.Folder(t)})
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL is not installed: run `apt-get install postgresql`") {
		t.Errorf("got %v", err)
	}
	t.Setenv("PG_BIN", "")
	dir := foldertest.Folder(t)
	if err := os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte("7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL 7, which made the data in this folder, is not installed") {
		t.Errorf("got %v", err)
	}
}
