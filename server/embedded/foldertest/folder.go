// Package foldertest gives tests a data folder that the children of the server
// can reach. Start reading at Folder.
package foldertest

import (
	"os"
	"path/filepath"
	"testing"
)

// Folder returns an empty folder that is removed with the test. Unlike
// t.TempDir's, other users may pass through what lies above it: PostgreSQL
// refuses to run as root, and so runs as a user of its own there.
func Folder(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(filepath.Dir(folder), 0o711); err != nil {
		t.Fatal(err)
	}
	return folder
}
