package worker

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestPasswords(t *testing.T) {
	p := NewPasswords()
	stored, err := p.Hash(t.Context(), "正确的密码")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(stored, "正确") {
		t.Error(stored)
	}
	if again, _ := p.Hash(t.Context(), "正确的密码"); again == stored {
		t.Error("equal passwords hash equally")
	}
	for password, want := range map[string]bool{"正确的密码": true, "正确的密": false, "": false, stored: false} {
		if got, err := p.Verify(t.Context(), stored, password); err != nil || got != want {
			t.Errorf("%q: %v %v", password, got, err)
		}
	}
	for _, broken := range []string{"x", "$argon2id$v=19$m=19456,t=0,p=1$AAAA$AAAA", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$", "$argon2id$v=16$m=1,t=1,p=1$AAAA$AAAA",
		"$argon2i$v=19$m=1,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=1,t=1,p=1$*$AAAA"} {
		if ok, err := p.Verify(t.Context(), broken, "x"); ok || err == nil {
			t.Errorf("%s: %v %v", broken, ok, err)
		}
	}
	for _, password := range []string{"", "x", nobody} {
		if ok, err := p.Verify(t.Context(), "", password); ok || err != nil {
			t.Errorf("nobody's password is %q: %v %v", password, ok, err)
		}
	}
}

// Nobody's password costs the same work: it too waits for its turn to be hashed.
func TestNobodysPasswordIsHashedToo(t *testing.T) {
	p := NewPasswords()
	for range concurrent {
		p.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, stored := range []string{"", nobody} {
		if _, err := p.Verify(ctx, stored, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("%q was answered without hashing: %v", stored, err)
		}
	}
}
