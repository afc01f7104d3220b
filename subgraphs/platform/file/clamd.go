package file

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

// Clamd is ClamAV's daemon, asked by its command INSTREAM: the content goes to
// it in pieces, each behind its length, and an answer of one line comes back.
type Clamd struct{ network, address string }

// OpenClamd reads the daemon's address, tcp://HOST:PORT or unix:///PATH. It
// does not connect yet.
func OpenClamd(address string) (*Clamd, error) {
	parsed, err := url.Parse(address)
	switch {
	case err == nil && parsed.Scheme == "tcp" && parsed.Port() != "":
		return &Clamd{"tcp", parsed.Host}, nil
	case err == nil && parsed.Scheme == "unix" && parsed.Path != "":
		return &Clamd{"unix", parsed.Path}, nil
	}
	return nil, errors.New("the address of clamd is neither tcp://HOST:PORT nor unix:///PATH")
}

const (
	clamdPiece    = 64 << 10
	clamdDial     = 5 * time.Second
	clamdPatience = 30 * time.Second // for each piece, and for the verdict after the last
	clamdVerdict  = 2 * time.Minute
	clamdAnswer   = 4 << 10
)

// Scan implements Scanner.
func (c *Clamd) Scan(ctx context.Context, content io.Reader) (string, error) {
	dialer := net.Dialer{Timeout: clamdDial}
	conn, err := dialer.DialContext(ctx, c.network, c.address)
	if err != nil {
		return "", fmt.Errorf("file: reaching clamd: %w", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	sent := send(conn, content)
	var broken net.Error
	if sent != nil && !errors.As(sent, &broken) {
		return "", fmt.Errorf("file: sending to clamd: %w", sent)
	}
	// It answers at once, and stops listening, when it has seen enough.
	_ = conn.SetReadDeadline(time.Now().Add(clamdVerdict))
	answer, err := bufio.NewReader(io.LimitReader(conn, clamdAnswer)).ReadString(0)
	if err != nil {
		return "", fmt.Errorf("file: clamd's answer: %w", errors.Join(sent, err))
	}
	return verdictOf(strings.TrimSuffix(answer, "\x00"), sent)
}

func send(conn net.Conn, content io.Reader) error {
	if _, err := conn.Write([]byte("zINSTREAM\x00")); err != nil {
		return err
	}
	piece := make([]byte, 4+clamdPiece)
	for {
		n, err := content.Read(piece[4:])
		if n > 0 {
			if err := sendPiece(conn, piece, n); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return sendPiece(conn, piece, 0) // ends the content
		}
		if err != nil { // a content that breaks off is not ended: it gets no verdict
			return fmt.Errorf("reading the content: %w", err)
		}
	}
}

// sendPiece sends the first n bytes behind their length.
func sendPiece(conn net.Conn, piece []byte, n int) error {
	binary.BigEndian.PutUint32(piece, uint32(n))
	_ = conn.SetWriteDeadline(time.Now().Add(clamdPatience))
	_, err := conn.Write(piece[:4+n])
	return err
}

// verdictOf reads an answer: "stream: OK", "stream: NAME FOUND", or a complaint.
// Clean is only what was sent wholly.
func verdictOf(answer string, sent error) (string, error) {
	said, ok := strings.CutPrefix(answer, "stream: ")
	if finding, found := strings.CutSuffix(said, " FOUND"); ok && found && finding != "" {
		return finding, nil
	}
	if ok && said == "OK" && sent == nil {
		return "", nil
	}
	return "", fmt.Errorf("file: clamd says %q", errors.Join(errors.New(answer), sent))
}
