package dispatch

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// reader reads one reply.
type reader struct {
	*buffer // all that was read
	conn    *conn
	max     int
}

// more reads at least one byte more.
func (r *reader) more() error {
	if len(r.b) == cap(r.b) {
		if len(r.b) >= r.max {
			return errTooLarge
		}
		r.room(1)
	}
	n, err := r.conn.Read(r.b[len(r.b):cap(r.b)])
	r.b = r.b[:len(r.b)+n]
	if n > 0 {
		r.conn.silent = false
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// room makes the buffer hold so many bytes more.
func (r *reader) room(n int) {
	if cap(r.b)-len(r.b) < n {
		larger := take(max(len(r.b)+n, 2*cap(r.b)))
		larger.b = append(larger.b, r.b...)
		r.put()
		r.buffer = larger
	}
}

// reply reads status, headers and body. keep says that the connection can carry another request.
func (r *reader) reply() (body []byte, keep bool, err error) {
	from := 0
	var head heading
	for {
		end := bytes.Index(r.b[from:], []byte("\r\n\r\n"))
		for end < 0 {
			if len(r.b)-from > 64<<10 {
				return nil, false, errTooLarge
			}
			seen := max(from, len(r.b)-3)
			if err := r.more(); err != nil {
				return nil, false, err
			}
			if end = bytes.Index(r.b[seen:], []byte("\r\n\r\n")); end >= 0 {
				end += seen - from
			}
		}
		if err := head.parse(r.b[from : from+end]); err != nil {
			return nil, false, err
		}
		from += end + 4
		if head.status >= 200 {
			break
		}
	}
	if head.encoded {
		return nil, false, fmt.Errorf("reply came compressed unasked: %w", errProtocol)
	}
	if head.status != 200 && !head.json {
		return nil, false, statusError(head.status)
	}
	keep = !head.close
	switch {
	case head.chunked:
		end, rest, err := r.chunks(from)
		if err != nil {
			return nil, false, err
		}
		return r.b[from:end], keep && rest == 0, nil
	case head.length >= 0:
		if head.length > r.max {
			return nil, false, errTooLarge
		}
		end := from + head.length
		if missing := end - len(r.b); missing > 0 {
			r.room(missing)
			n, err := io.ReadFull(r.conn, r.b[len(r.b):end])
			r.b = r.b[:len(r.b)+n]
			if err != nil {
				return nil, false, err
			}
		}
		return r.b[from:end], keep && len(r.b) == end, nil
	}
	for {
		if err := r.more(); err == io.ErrUnexpectedEOF {
			return r.b[from:], false, nil
		} else if err != nil {
			return nil, false, err
		}
	}
}

// chunks reads a chunked body and moves its pieces together from start on. rest is the number of bytes that came after it.
func (r *reader) chunks(start int) (end, rest int, err error) {
	end = start
	at := start
	for {
		line, err := r.line(at)
		if err != nil {
			return 0, 0, err
		}
		digits := r.b[at:line]
		if i := bytes.IndexByte(digits, ';'); i >= 0 {
			digits = digits[:i]
		}
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 31)
		if err != nil {
			return 0, 0, errProtocol
		}
		at = line + 2
		if size == 0 {
			break
		}
		need := int(size) + 2
		if at+need > r.max {
			return 0, 0, errTooLarge
		}
		for len(r.b)-at < need {
			r.room(need - (len(r.b) - at))
			if err := r.more(); err != nil {
				return 0, 0, err
			}
		}
		if r.b[at+int(size)] != '\r' || r.b[at+int(size)+1] != '\n' {
			return 0, 0, errProtocol
		}
		end += copy(r.b[end:], r.b[at:at+int(size)])
		at += need
	}
	for { // trailers
		line, err := r.line(at)
		if err != nil {
			return 0, 0, err
		}
		empty := line == at
		at = line + 2
		if empty {
			return end, len(r.b) - at, nil
		}
	}
}

// line returns where the line that starts at at ends, reading on as far as needed.
func (r *reader) line(at int) (int, error) {
	for {
		if i := bytes.Index(r.b[at:], []byte("\r\n")); i >= 0 {
			return at + i, nil
		}
		if len(r.b)-at > 4096 {
			return 0, errProtocol
		}
		if err := r.more(); err != nil {
			return 0, err
		}
	}
}
