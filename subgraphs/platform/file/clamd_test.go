package file

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// fakeClamd listens as clamd does and answers what says makes of the content;
// "" hangs up without an answer. limit is its StreamMaxLength.
func fakeClamd(t *testing.T, network, address string, limit int, says func(content []byte) string) string {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, answerOf(bufio.NewReader(conn), limit, says))
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

func answerOf(from *bufio.Reader, limit int, says func([]byte) string) string {
	if command, err := from.ReadString(0); err != nil || command != "zINSTREAM\x00" {
		return "UNKNOWN COMMAND\x00"
	}
	var content bytes.Buffer
	for {
		var length uint32
		if err := binary.Read(from, binary.BigEndian, &length); err != nil {
			return ""
		}
		if length == 0 {
			break
		}
		if _, err := io.CopyN(&content, from, int64(length)); err != nil {
			return ""
		}
		if content.Len() > limit {
			_, _ = io.Copy(io.Discard, io.LimitReader(from, int64(from.Buffered())))
			return "INSTREAM size limit exceeded. ERROR\x00"
		}
	}
	if answer := says(content.Bytes()); answer != "" {
		return answer + "\x00"
	}
	return ""
}

func TestClamd(t *testing.T) {
	says := func(content []byte) string {
		switch {
		case bytes.Contains(content, []byte("EICAR")):
			return "stream: Eicar-Test-Signature FOUND"
		case bytes.Contains(content, []byte("hang up")):
			return ""
		case bytes.Contains(content, []byte("odd")):
			return "stream: odd ERROR"
		}
		return "stream: OK"
	}
	socket := filepath.Join(t.TempDir(), "clamd.sock")
	fakeClamd(t, "unix", socket, 1<<20, says)
	addresses := []string{"tcp://" + fakeClamd(t, "tcp", "127.0.0.1:0", 1<<20, says), "unix://" + socket}
	for _, address := range addresses {
		clamd, err := OpenClamd(address)
		if err != nil {
			t.Fatal(err)
		}
		for content, want := range map[string]string{
			"good": "", strings.Repeat("long", 60<<10): "", strings.Repeat("x", 100<<10) + "EICAR": "Eicar-Test-Signature",
		} {
			if finding, err := clamd.Scan(t.Context(), strings.NewReader(content)); err != nil || finding != want {
				t.Errorf("%s: %q %v, want %q", address, finding, err, want)
			}
		}
		// What it did not say is no verdict.
		for _, content := range []string{"hang up", "odd", strings.Repeat("too large", 1<<20)} {
			if finding, err := clamd.Scan(t.Context(), strings.NewReader(content)); err == nil {
				t.Errorf("%s: %.20s is %q", address, content, finding)
			}
		}
		if _, err := clamd.Scan(t.Context(), io.MultiReader(strings.NewReader("half"), failing{})); err == nil {
			t.Errorf("%s: half a content is clean", address)
		}
	}
	for _, address := range []string{"", "clamd:3310", "tcp://clamd", "http://clamd:3310", "unix://"} {
		if _, err := OpenClamd(address); err == nil {
			t.Errorf("%q is an address", address)
		}
	}
	away, err := OpenClamd("unix:///no/such/socket")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := away.Scan(t.Context(), strings.NewReader("good")); err == nil {
		t.Error("clean without a scanner")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
