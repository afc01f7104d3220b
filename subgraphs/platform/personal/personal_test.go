package personal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/citizencloud/citizencloud/subgraphs/platform/personal"
)

func keys(t *testing.T, secrets ...byte) *personal.Keys {
	t.Helper()
	var list [][]byte
	for _, b := range secrets {
		list = append(list, bytes.Repeat([]byte{b}, 32))
	}
	k, err := personal.NewKeys(list...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedOpensOnlyInItsPlace(t *testing.T) {
	k := keys(t, 1)
	const text = "+8613800000001"
	sealed := k.Seal("citizen.mobile/1", text)
	if got, err := k.Open("citizen.mobile/1", sealed); err != nil || got != text {
		t.Fatalf("%q %v", got, err)
	}
	if bytes.Contains(sealed, []byte("138")) {
		t.Error("the text shows through")
	}
	if bytes.Equal(sealed, k.Seal("citizen.mobile/1", text)) {
		t.Error("equal texts seal equally")
	}
	if _, err := k.Open("citizen.mobile/2", sealed); err == nil {
		t.Error("it opens in another's place")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := k.Open("citizen.mobile/1", changed); err == nil {
			t.Errorf("it opens with byte %d changed", i)
		}
	}
	for n := range sealed {
		if _, err := k.Open("citizen.mobile/1", sealed[:n]); err == nil {
			t.Errorf("%d bytes of it open", n)
		}
	}
	if _, err := keys(t, 2).Open("citizen.mobile/1", sealed); err == nil || strings.Contains(err.Error(), "138") {
		t.Errorf("another installation: %v", err)
	}
}

func TestANewSecretLeavesOldRowsReadable(t *testing.T) {
	before, after := keys(t, 1), keys(t, 2, 1)
	old := before.Seal("p", "x")
	if got, err := after.Open("p", old); err != nil || got != "x" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := before.Open("p", after.Seal("p", "x")); err == nil {
		t.Error("the new secret does not seal")
	}
	if !bytes.Equal(before.Indexer("f").Of("x"), after.Indexer("f").Of("x")) || !bytes.Equal(before.Derive("d"), after.Derive("d")) {
		t.Error("the index changed with the new secret")
	}
	if bytes.Equal(before.Indexer("f").Of("x"), before.Indexer("g").Of("x")) || bytes.Equal(before.Indexer("f").Of("x"), keys(t, 3).Indexer("f").Of("x")) {
		t.Error("indexes of different fields or installations are equal")
	}
}

func TestLoadKeysMakesOneSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "personal.key")
	derived := make(chan string, 8)
	for range 8 {
		go func() {
			k, err := personal.LoadKeys(path)
			if err != nil {
				derived <- err.Error()
				return
			}
			derived <- string(k.Derive("x"))
		}()
	}
	first := <-derived
	for range 7 {
		if other := <-derived; other != first {
			t.Errorf("two secrets: %q and %q", first, other)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	for _, text := range []string{"", "short", "dG9vIHNob3J0", "***"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := personal.LoadKeys(path); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
