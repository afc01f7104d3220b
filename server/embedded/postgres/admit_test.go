package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAdmitOpensTheHolderAlone(t *testing.T) {
	root, err := os.MkdirTemp("/tmp", "citizencloud-admit-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(root, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	stranger := identity{name: "user stranger", uid: 54321, gid: 54321}
	if err := stranger.admit(filepath.Join(data, "postgres")); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(data); info.Mode().Perm() != 0o711 {
		t.Errorf("the data folder has mode %o, want 711: to pass through, not to read", info.Mode().Perm())
	}
	if err := os.Chmod(root, 0o700); err != nil {
		t.Fatal(err)
	}
	err = stranger.admit(filepath.Join(data, "postgres"))
	if err == nil || !strings.Contains(err.Error(), root) || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("a closed folder further up: %v", err)
	}
	if info, _ := os.Stat(root); info.Mode().Perm() != 0o700 {
		t.Error("a folder that is not ours was opened")
	}
	if err := (identity{uid: -1}).admit(filepath.Join(data, "postgres")); err != nil {
		t.Errorf("our own identity: %v", err)
	}
}
